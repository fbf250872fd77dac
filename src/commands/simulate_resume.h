/* What `thrash simulate --resume` finds, and what is left to do. */
#ifndef THRASH_COMMANDS_SIMULATE_RESUME_H
#define THRASH_COMMANDS_SIMULATE_RESUME_H

#include <stdbool.h>

#include "base/status.h"
#include "config/scenario.h"
#include "engine/checkpoint.h"

struct resume_plan {
    bool complete;   /* the result is there; its digest has been printed */
    bool checkpoint; /* there is one to go on from */
};

/* Rank 0 calls it, before anything runs. Where there is neither a result nor a checkpoint it says
 * that the run starts from its beginning. STATUS_USAGE when the file at `path` is the result of
 * another scenario or another version, STATUS_FAILED when it is complete but does not have its
 * digest; STATUS_USAGE when the checkpoint (`options->path`) is that of another scenario, naming
 * the difference. With `force` a result is replaced whatever it is, and of a checkpoint that the
 * run cannot go on from a warning says so: one of another run is replaced, one that is damaged gets
 * another name (FILE.ckpt.damaged), and one that cannot be read now is an error. Removes what
 * earlier starts of the run, now dead, left unfinished (work_file_sweep()). */
enum status resume_look(const struct scenario *scenario, const char *path,
                        const struct checkpoint_options *options, bool force,
                        struct resume_plan *plan_p);

/* Rank 0 calls it before a run that may replace nothing: STATUS_USAGE when the partial result
 * beside `path`, which a complete run removes, is of another scenario. */
enum status resume_check_partial(const struct scenario *scenario, const char *path);

/* The result is complete: checkpoint and partial result are no longer wanted, nor what earlier
 * starts left unfinished. Rank 0 calls it, with the lock of the output. */
void resume_clean_up(const char *path, const char *checkpoint);

#endif
