/* Joins what a simulation left behind with where it ran, and writes the result file. */
#ifndef THRASH_COMMANDS_SIMULATE_RESULT_H
#define THRASH_COMMANDS_SIMULATE_RESULT_H

#include <stdbool.h>

#include "commands/launcher.h"
#include "commands/run_record.h"
#include "config/scenario.h"
#include "engine/predict.h"
#include "engine/sim.h"

/* Collective. Writes the result and prints a summary on rank 0's standard output. */
enum status simulate_write(const struct scenario *scenario, const char *path, bool force,
                           const struct prediction *prediction, const struct sim_result *result,
                           const struct launcher *launcher, struct run_record *record);

#endif
