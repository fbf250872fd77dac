/* Finding and reading the cost profile of a scenario; for the configuration layer itself. */
#ifndef THRASH_CONFIG_COST_READER_H
#define THRASH_CONFIG_COST_READER_H

#include "base/status.h"
#include "config/arena.h"
#include "config/cost_profile.h"
#include "config/node.h"
#include "config/option_read.h"

/* The longest time that a cost may be: one second. */
#define COST_LIMIT (1000000000 * TICKS_PER_NS)

/* Reads the profile from a mapping. */
enum status cost_profile_read(const struct option_frame *frame, struct cost_profile *profile_p);

/* cost_profile_load() for a place that asked for the file; NULL: a command line did. */
enum status cost_profile_load_from(const char *path, const struct node_place *from,
                                   struct config_arena *arena, struct cost_profile *profile_p);

/* Reads what the value of `costs` at `frame` stands for: a name, a path ending in .yaml, or a
 * profile. `scenario_path` is where the search for a name begins (scenario.h). */
enum status cost_profile_find(const struct option_frame *frame, const char *scenario_path,
                              struct config_arena *arena, struct cost_profile *profile_p);

#endif
