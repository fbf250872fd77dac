/* Finding a profile by its name; for the configuration layer itself. */
#ifndef THRASH_CONFIG_PROFILE_PATH_H
#define THRASH_CONFIG_PROFILE_PATH_H

#include "config/arena.h"
#include "config/option_read.h"

/* The path of the file that the scalar at `frame` names: <folder>/NAME.yaml beside the scenario, in
 * ../<folder>, or in <folder> below the directory of configurations (scenario.h). `what` says in
 * messages what it would have been. Its text belongs to the arena. */
enum status profile_path_find(const struct option_frame *frame, const char *folder,
                              const char *what, const char *scenario_path,
                              struct config_arena *arena, const char **path_p);

#endif
