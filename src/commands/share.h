/* Files that belong to the program: configs/ and results/plot.py.
 *
 * They are looked for in $THRASH_SHARE, in ../share/thrash from the program, and in the source tree
 * the program was built from. */
#ifndef THRASH_COMMANDS_SHARE_H
#define THRASH_COMMANDS_SHARE_H

#include <limits.h>
#include <stdbool.h>

#include "base/status.h"

/* The path of an existing file, such as "results/plot.py". STATUS_RESOURCE, naming where it was
 * looked for, when it is in none of these places. */
enum status share_find(const char *name, char path[PATH_MAX]);

/* The path of the running program; false, and "", when it cannot be told. */
bool share_program(char path[PATH_MAX]);

#endif
