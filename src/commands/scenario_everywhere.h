/* A scenario on every rank, and whether its run fits on the hosts. */
#ifndef THRASH_COMMANDS_SCENARIO_EVERYWHERE_H
#define THRASH_COMMANDS_SCENARIO_EVERYWHERE_H

#include "commands/launcher.h"
#include "commands/scenario_arguments.h"
#include "config/scenario.h"
#include "engine/predict.h"

/* Collective over all ranks. Rank 0 reads and validates; the others get the resolved text, which
 * needs no other file. Returns the same status on all of them. */
enum status scenario_load_everywhere(const struct scenario_arguments *arguments, int rank,
                                     const struct catalogue *catalogue,
                                     struct scenario *scenario_p);

/* Predicts what a run on `nranks` ranks needs. STATUS_RESOURCE when a rank of this host, whose
 * memory its ranks share, cannot have that much. */
enum status scenario_check_memory(const struct scenario *scenario, const struct launcher *launcher,
                                  int nranks, struct prediction *prediction_p);

#endif
