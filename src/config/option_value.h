/* One value of an option row: from the user's spelling into the field, and back. */
#ifndef THRASH_CONFIG_OPTION_VALUE_H
#define THRASH_CONFIG_OPTION_VALUE_H

#include "base/status.h"
#include "base/text.h"
#include "config/option.h"

/* Sets the field of `object` that `row` (no section) describes. On STATUS_USAGE the field is as it
 * was, and `reason` has been appended what was expected and found, in one clause. Names and texts
 * are kept as pointers to `spelled`, which must outlive the object. */
enum status option_parse(const struct option_row *row, const struct catalogue *catalogue,
                         const char *spelled, void *object, struct text *reason);

/* Appends the value in its canonical spelling, as a YAML scalar that option_parse() takes back. */
void option_print(const struct option_row *row, const void *object, struct text *text);

/* "size", "true or false", ... for lists of options. */
const char *option_type_name(const struct option_row *row);

/* Appends what is allowed: "4MiB..1EiB", "i386, i386-pae, x86_64"; nothing where all is. */
void option_print_range(const struct option_row *row, const struct catalogue *catalogue,
                        struct text *text);

#endif
