/* thrash show --table: several runs in one table, a line each. */
#ifndef THRASH_COMMANDS_SHOW_TABLE_H
#define THRASH_COMMANDS_SHOW_TABLE_H

#include "base/status.h"

/* Prints the heading, then a line for each file; nothing when one of them cannot be read. */
enum status show_table(char **paths, int npaths);

#endif
