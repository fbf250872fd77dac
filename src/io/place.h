/* Where a file may be made: whose word is taken for the way to its directory. */
#ifndef THRASH_IO_PLACE_H
#define THRASH_IO_PLACE_H

#include <stdbool.h>

#include "base/status.h"

/* The directory of a path: "a/b" -> "a", "/b" -> "/", "b" -> ".". Released with free(); NULL when
 * out of memory. */
char *place_directory(const char *path);

/* Whether the way to the file `path` may be followed: STATUS_USAGE, and a sentence that names the
 * link, if a directory on it is a symbolic link that somebody else made. Links of this user, of
 * root and of the owner of the directory that a link is in are followed; those behind other links
 * are not looked at. What is missing or cannot be looked at is no fault here. */
enum status place_check(const char *path);

/* Whether an errno says that the disk is at fault, not the name: full, over quota, or broken. */
bool place_is_disk_error(int error);

#endif
