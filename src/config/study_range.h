/* Ranges of a study: "4GiB..1TiB x2", "50..300 +50". */
#ifndef THRASH_CONFIG_STUDY_RANGE_H
#define THRASH_CONFIG_STUDY_RANGE_H

#include <stdbool.h>

#include "config/arena.h"
#include "config/node.h"

/* Whether a value is meant as a range: it holds "..". */
bool study_is_range(const char *text);

/* Appends the values of the range, as texts of the arena, to `values`, which has room for
 * STUDY_VALUES_MOST in all; `*nvalues_p` counts them. STATUS_USAGE at the node's place. */
enum status study_range_expand(const struct config_node *node, struct config_arena *arena,
                               const char **values, size_t *nvalues_p);

#endif
