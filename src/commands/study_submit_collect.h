/* The job that collects a study once its arrays are over. */
#ifndef THRASH_COMMANDS_STUDY_SUBMIT_COLLECT_H
#define THRASH_COMMANDS_STUDY_SUBMIT_COLLECT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "commands/study.h"
#include "config/site.h"

struct collect_job {
    const struct study_arguments *arguments;
    const struct study_plan *plan;
    const struct site *site;
    const char *directory; /* absolute, but for --dry-run */
    const uint64_t *after; /* numbers of the jobs that have to be over, however they end */
    size_t nafter;
    size_t nunknown; /* with --dry-run: more jobs, which have no numbers yet */
};

/* Submits one job that runs `thrash study collect`, or prints it with --dry-run. Its directory
 * DIR/slurm/NUMBER has a file `collect` with the arguments of the program, a line each. */
enum status study_submit_collect(const struct collect_job *job);

#endif
