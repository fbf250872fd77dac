/* The option row behind a dotted key. */
#ifndef THRASH_CONFIG_SCENARIO_OPTION_H
#define THRASH_CONFIG_SCENARIO_OPTION_H

#include "config/option.h"
#include "config/scenario.h"

/* The row of "machine.memory", "workloads.database.processes" or "cost_overrides.pte_visit" in this
 * scenario, whose workloads say what theirs mean. NULL where no row decides: `costs`, or no such
 * key. */
const struct option_row *scenario_option(const struct scenario *scenario,
                                         const struct catalogue *catalogue, const char *key);

#endif
