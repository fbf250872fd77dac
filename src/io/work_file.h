/* A file that appears under its name only when it is complete.
 *
 * It is written as a hidden file of the same directory, ".<name>.<host>.<pid>.<count>.tmp" (the
 * host's dots as "-"), and renamed once it is on disk. Whoever finds a file under its final name
 * finds all of it. */
#ifndef THRASH_IO_WORK_FILE_H
#define THRASH_IO_WORK_FILE_H

#include <stdbool.h>

#include "base/status.h"
#include "io/comm.h"

struct work_file {
    char *final_path;
    char *work_path;
    int file;        /* on rank 0, open for writing; elsewhere -1 */
    bool replace;    /* an existing final file may be replaced */
    bool disposable; /* worth nothing without its name: removed when it cannot get it; false at
                        first */
};

/* Looks whether `path` can be the name of a new file, before anything runs: its directory exists
 * and takes new files, may be followed (place.h), and the name is not a directory, not a symbolic
 * link, not a device, and not an existing file unless `replace`. STATUS_USAGE and a sentence that
 * names `--force` otherwise, STATUS_FAILED if the disk is at fault. Makes a hidden file for a
 * moment. Not collective: rank 0 calls it. */
enum status work_file_check(const char *path, bool replace);

/* Collective. Makes the empty work file for `path`, if the way there may (still) be followed. */
enum status work_file_begin(const struct io_comm *comm, const char *path, bool replace,
                            struct work_file *work_p);

/* Collective, after the work file has been opened by its name: STATUS_FAILED if that leads to what
 * is not the file that was made, which somebody may have put there. Whoever can change the
 * directory again while it is being opened is not noticed. */
enum status work_file_verify(const struct io_comm *comm, const struct work_file *work);

/* Collective. Brings the work file to disk and gives it its final name. Without `replace` a file
 * that has appeared under that name in the meantime is kept. A work file that cannot get its name
 * is kept as well, as "<path>.kept" (or ".kept.2", and so on) where that can be, and the sentence
 * names it, unless it is disposable. What has taken the place of the work file is left alone.
 * Releases `work` in any case. */
enum status work_file_commit(const struct io_comm *comm, struct work_file *work);

/* Removes the work file and releases `work`. Rank 0 removes; all ranks call it. */
void work_file_discard(const struct io_comm *comm, struct work_file *work);

/* Removes work files for `path` that others left behind, for whoever has the lock of that output
 * (output_lock.h): those of processes of this host, if they no longer run, and those of other hosts
 * that nobody has written to for an hour.
 *
 * Where locks of other hosts are seen, no work file but one's own is anybody's any more, and the
 * hour is waited for in vain. Where they are not (a network file system that is mounted with locks
 * of this host alone, or has none), another run may be writing there, and it is its writing that
 * shows: a work file is written to from its beginning until it gets its name, within minutes. Times
 * are compared with that of a new file beside it, for clocks of hosts differ. A run that was
 * suspended for an hour in the middle of that, there, loses the file, is told so when it gives it
 * its name, and loses nothing else. */
void work_file_sweep(const char *path);

#endif
