/* What `thrash show` prints of a file that `thrash study collect` made. */
#ifndef THRASH_COMMANDS_SHOW_STUDY_H
#define THRASH_COMMANDS_SHOW_STUDY_H

#include <stdbool.h>

#include "base/status.h"
#include "io/h5_reader.h"

bool show_is_study(const struct h5_reader *reader);

/* Prints lines of a name and a value each. */
enum status show_study(const struct h5_reader *reader);

#endif
