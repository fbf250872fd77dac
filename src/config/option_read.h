/* Fills a struct from a mapping, as an option table says. */
#ifndef THRASH_CONFIG_OPTION_READ_H
#define THRASH_CONFIG_OPTION_READ_H

#include "base/status.h"
#include "config/node.h"
#include "config/option.h"

/* Where in a document a reader is: a chain on the stack, from the innermost key to the root. */
struct option_frame {
    const struct option_frame *outer; /* NULL for the root */
    const char *key;                  /* NULL for the root, and for an entry without a name */
    const struct config_node *node;   /* NULL where nothing was given */
};

/* Reads every row of `table` from frame->node into `object`; a row without a value takes its
 * default. Refuses unknown keys (naming the nearest known one), values that do not fit, and rows
 * without a default that were not given. Keys of the NULL-terminated list `others` (NULL: none)
 * are somebody else's. Texts point into the tree or the table. A section may be left empty
 * (`swap:`). */
enum status option_read(const struct option_table *table, const struct option_frame *frame,
                        const struct catalogue *catalogue, const char *const *others, void *object);

/* fail(STATUS_USAGE) with the place of the innermost node given, the dotted key, and a clause:
 * "configs/a.yaml:12:3: machine.cells: <clause>". */
enum status option_fail(const struct option_frame *frame, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Refuses the key of `frame`, naming the nearest of the keys that its mapping may have. */
enum status option_fail_unknown(const struct option_frame *frame, const struct option_table *table,
                                const char *const *others);

/* Writes "machine.swap.size" into an empty text; nothing for the root. */
void option_print_path(const struct option_frame *frame, struct text *text);

#endif
