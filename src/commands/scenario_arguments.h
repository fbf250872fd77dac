/* The arguments that commands on a scenario have in common: CONFIG, --set, --costs. */
#ifndef THRASH_COMMANDS_SCENARIO_ARGUMENTS_H
#define THRASH_COMMANDS_SCENARIO_ARGUMENTS_H

#include <stddef.h>

#include "base/status.h"
#include "config/scenario.h"

#define SETS_MAX 256

struct scenario_arguments {
    const char *config; /* NULL until found */
    const char *set[SETS_MAX];
    struct scenario_overrides overrides;
};

/* Adds a --set. STATUS_USAGE when there are too many. */
enum status scenario_arguments_set(struct scenario_arguments *arguments, const char *assignment);

/* Takes the single argument that is left after the options as CONFIG. STATUS_USAGE, with `usage`,
 * when there is none or more than one. */
enum status scenario_arguments_config(struct scenario_arguments *arguments, int argc, char **argv,
                                      int first, const char *usage);

/* Says what is wrong with the option for which getopt_long() has just returned `result`: ':' for a
 * missing value (the option string begins with ':'), '?' for an option the command does not have.
 */
enum status unusable_option(const char *command, char **argv, int result);

#endif
