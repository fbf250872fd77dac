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

/* "<path>.partial", released with free(); NULL when out of memory. */
char *results_partial_path(const char *path);

#endif
