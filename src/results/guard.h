/* Reading files that may be damaged.
 *
 * HDF5 finds most damage and reports it, but on some it crashes (in 1.10, while it cleans up after
 * a group it could not list). Commands that read files which a user names therefore do it in a
 * child process, so that the worst a file can do is an error message. */
#ifndef THRASH_RESULTS_GUARD_H
#define THRASH_RESULTS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Runs `work(argument)` in a child process, which shares the standard streams, and returns its
 * status; STATUS_FAILED with a sentence about `path` if a signal ended it. SIGPIPE alone, for which
 * no file is to blame, then ends this process as well. Must be called without MPI, and
 * before HDF5 is first used or while it only writes a file that `work` leaves alone: the child ends
 * without closing it. Nothing that `work` changes in memory comes back, unless it is mapped shared.
 */
enum status results_guarded(const char *path, enum status (*work)(void *argument), void *argument);

/* Many files, with the same care and in less time: each child reads one file after the other, until
 * one of them ends it, and there are as many children as processors. */
struct guarded_files {
    size_t n;
    size_t room; /* bytes that a child shares with this process, for what it reads of a file; zeros
                    at first, then what the file before left there */
    /* Whether there is anything to read of file `i`. Asked in this process. */
    bool (*wanted)(void *context, size_t i);
    /* Reads file `i`, in a child: what `context` holds is as it was when the child was started. */
    enum status (*read)(void *context, size_t i, void *room);
    /* Takes what was read, in this process and in the order of the files. `status` is that of
     * `read`, or STATUS_FAILED after a sentence about the file when a signal ended the child;
     * `room` is NULL where nothing was wanted. What is not STATUS_OK ends it all. */
    enum status (*take)(void *context, size_t i, enum status status, void *room);
    char *(*path)(void *context, size_t i); /* for sentences; freed with free() */
    const char *directory;                  /* likewise: where they are */
    void *context;
};

/* To be called as results_guarded(). What is wrong with a file is not said aloud, but left to
 * `take` (status_last_message()); what ends it all is, with the directory. */
enum status results_guarded_files(const struct guarded_files *files);

#endif
