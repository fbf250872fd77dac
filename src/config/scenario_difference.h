/* Whether two scenarios are the same simulation, and if not, where they first differ. */
#ifndef THRASH_CONFIG_SCENARIO_DIFFERENCE_H
#define THRASH_CONFIG_SCENARIO_DIFFERENCE_H

#include "base/status.h"
#include "base/text.h"

/* Compares two resolved texts (scenario.resolved). Appends nothing when both give the same results,
 * else one clause: "machine.cells is 4 in <name_a> and 1 in <name_b>", for the first key that
 * differs. Titles, the name of the result, hints for MPI-IO and where costs are from count for
 * nothing. STATUS_USAGE when `a` or `b` is no YAML mapping. */
enum status scenario_difference(const char *a, const char *name_a, const char *b,
                                const char *name_b, struct text *difference);

#endif
