/* Where a result may be written. */
#ifndef THRASH_RESULTS_OUTPUT_H
#define THRASH_RESULTS_OUTPUT_H

#include <stdbool.h>

#include "base/status.h"

/* Before anything runs: STATUS_USAGE and one sentence if `path` exists and `force` is not set (the
 * sentence names --force), if it is a directory, a symbolic link or a device, or if its directory
 * is missing or takes no files. The place of an interrupted run's result, <path>.partial, must be
 * free for a file as well; an earlier partial result there does not stand in the way. Rank 0 calls
 * it. */
enum status results_check_output(const char *path, bool force);

/* The same for a run that writes checkpoints: `checkpoint` must be free for a file; an earlier one
 * there is refused unless the run goes on from it or may replace it. Rank 0 calls it. */
enum status results_check_checkpoint(const char *checkpoint, bool replace);

/* "<path>.partial" and "<path>.ckpt", released with free(); NULL when out of memory. */
char *results_partial_path(const char *path);
char *results_checkpoint_path(const char *path);

#endif
