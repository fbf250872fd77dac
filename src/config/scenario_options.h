/* The option tables of struct scenario; for the configuration layer itself. */
#ifndef THRASH_CONFIG_SCENARIO_OPTIONS_H
#define THRASH_CONFIG_SCENARIO_OPTIONS_H

#include "config/option.h"

/* All top-level keys but those of scenario_other_keys. */
extern const struct option_table scenario_options;

/* `cost_overrides`: one row per cost, `auto` where the profile decides; fills
 * scenario.cost_overrides. */
extern const struct option_table cost_override_options;

/* Keys that are no rows of a table, NULL-terminated. */
extern const char *const scenario_other_keys[]; /* of a scenario */
extern const char *const workload_other_keys[]; /* of an entry of `workloads` */

/* Help for them. */
#define HELP_INCLUDE                                                                            \
    "file or list of files to build on, absolute or relative to this one; later ones win, own " \
    "keys win"
#define HELP_WORKLOADS      "what the processes do: a list with at least one entry"
#define HELP_KIND           "which workload this is; its own keys stand beside it"
#define HELP_NAME           "what results and --set call it, unique in the scenario"
#define HELP_COSTS          "cost profile: a name in configs/costs/, a path ending in .yaml, or a mapping"
#define HELP_COST_OVERRIDES "single costs that differ from the profile"

#endif
