/* One run at a time for one output.
 *
 * Whoever is going to write a file holds a lock on ".<name>.lock" beside it from the start. The
 * lock is the kernel's (flock) and ends with the process, however that ends; the file may stay, and
 * means nothing then. It says who has the lock, for the message. Where a file system has no locks,
 * what it says is all there is: a process of this host is looked for, one of another host is warned
 * of. */
#ifndef THRASH_IO_OUTPUT_LOCK_H
#define THRASH_IO_OUTPUT_LOCK_H

#include "base/status.h"

struct output_lock; /* opaque; made by output_lock_take, released by output_lock_release */

/* STATUS_USAGE, and a sentence that names the file and who writes it, if another run does; also if
 * the name of the lock is taken by what is no file of ours, such as a symbolic link. Where the
 * directory is missing or takes no files `*lock_p` is NULL and the status STATUS_OK:
 * work_file_check() says it. Not collective: rank 0 calls it. */
enum status output_lock_take(const char *path, struct output_lock **lock_p);

/* Removes the lock and its file. NULL is allowed. */
void output_lock_release(struct output_lock *lock);

#endif
