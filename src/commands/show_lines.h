/* The lines of `thrash show`: a name, and beside it what it stands for. */
#ifndef THRASH_COMMANDS_SHOW_LINES_H
#define THRASH_COMMANDS_SHOW_LINES_H

#include "base/status.h"
#include "io/h5_reader.h"

/* Further lines of a text stand below its first. What is not printable becomes `?`. */
void show_line(const char *name, const char *text);

/* The same of a text dataset; one that is empty or not in the file is passed over. */
enum status show_text(const struct h5_reader *reader, const char *name, const char *path);

#endif
