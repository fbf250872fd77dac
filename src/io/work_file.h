/* A file that appears under its name only when it is complete.
 *
 * It is written as a hidden file of the same directory, ".<name>.<host>.<pid>.<count>.tmp", and
 * renamed once it is on disk. Whoever finds a file under its final name finds all of it. */
#ifndef THRASH_IO_WORK_FILE_H
#define THRASH_IO_WORK_FILE_H

#include <stdbool.h>

#include "base/status.h"
#include "io/comm.h"

struct work_file {
    char *final_path;
    char *work_path;
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

/* Collective. Makes the empty work file for `path`. */
enum status work_file_begin(const struct io_comm *comm, const char *path, bool replace,
                            struct work_file *work_p);

/* Collective. Brings the work file to disk and gives it its final name. Without `replace` a file
 * that has appeared under that name in the meantime is kept. A work file that cannot get its name
 * is kept as well, and the sentence names it, unless it is disposable. Releases `work` in any case.
 */
enum status work_file_commit(const struct io_comm *comm, struct work_file *work);

/* Removes the work file and releases `work`. Rank 0 removes; all ranks call it. */
void work_file_discard(const struct io_comm *comm, struct work_file *work);

/* Removes work files for `path` that processes of this host, which no longer run, left behind. For
 * whoever knows that nobody else writes there. */
void work_file_sweep(const char *path);

#endif
