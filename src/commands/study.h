/* The verbs of `thrash study` and what they are given. */
#ifndef THRASH_COMMANDS_STUDY_H
#define THRASH_COMMANDS_STUDY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "commands/study_plan.h"

/* What is asked of every run. */
struct study_manner {
    const char *checkpoint_every; /* NULL: as `thrash simulate --resume` has it */
    bool force;                   /* replace what is in the way of results */
};

struct study_arguments {
    const char *job;
    const char *directory; /* -o, or "<study>" in the working directory */
    uint64_t at_once;      /* --jobs; 0: what cores and memory allow */
    bool require_all;      /* collect: no point may be missing */
    int argc;              /* the command line, for results */
    char **argv;
    struct study_manner manner;
    const char *site; /* --site; NULL: slurm/site.yaml */
    bool quick;
    bool dry_run; /* submit, retry: print what would be submitted */
    bool retry;   /* submit also what has failed or was interrupted */
};

/* Each is given a study whose points have all been validated. */
enum status study_expand(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_run(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_collect(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_submit(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_retry(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_cancel(const struct study_arguments *arguments, const struct study_plan *plan);
enum status study_status(const struct study_arguments *arguments, const struct study_plan *plan);

#endif
