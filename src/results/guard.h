/* Reading files that may be damaged.
 *
 * HDF5 finds most damage and reports it, but on some it crashes (in 1.10, while it cleans up after
 * a group it could not list). Commands that read files which a user names therefore do it in a
 * child process, so that the worst a file can do is an error message. */
#ifndef THRASH_RESULTS_GUARD_H
#define THRASH_RESULTS_GUARD_H

#include "base/status.h"

/* Runs `work(argument)` in a child process, which shares the standard streams, and returns its
 * status; STATUS_FAILED with a sentence about `path` if a signal ended it. SIGPIPE alone, for which
 * no file is to blame, then ends this process as well. Must be called without MPI, and
 * before HDF5 is first used or while it only writes a file that `work` leaves alone: the child ends
 * without closing it. Nothing that `work` changes in memory comes back, unless it is mapped shared.
 */
enum status results_guarded(const char *path, enum status (*work)(void *argument), void *argument);

#endif
