/* Writes structs back as YAML, as their option tables say: the echo of a configuration. */
#ifndef THRASH_CONFIG_OPTION_WRITE_H
#define THRASH_CONFIG_OPTION_WRITE_H

#include <stddef.h>

#include "base/text.h"
#include "config/option.h"

/* Appends every row of `table` with its value in `object`, in the order of the table and the
 * canonical spelling, `indent` spaces deep. option_read() reads it back unchanged. */
void option_write(const struct option_table *table, const void *object, size_t indent,
                  struct text *text);

void option_write_row(const struct option_row *row, const void *object, size_t indent,
                      struct text *text);

#endif
