/* What `thrash show` prints of a file that `thrash study collect` made. */
#ifndef THRASH_COMMANDS_SHOW_STUDY_H
#define THRASH_COMMANDS_SHOW_STUDY_H

#include <stdbool.h>

#include "base/status.h"
#include "io/h5_reader.h"

bool show_is_study(const struct h5_reader *reader);

/* Prints "name   value" lines with `print_line`, which takes values of several lines. */
enum status show_study(const struct h5_reader *reader,
                       void (*print_line)(const char *name, const char *text));

#endif
