/* Joins what a simulation left behind with where it ran, and writes the result file. */
#ifndef THRASH_COMMANDS_SIMULATE_RESULT_H
#define THRASH_COMMANDS_SIMULATE_RESULT_H

#include <stdbool.h>

#include "base/text.h"
#include "commands/launcher.h"
#include "config/scenario.h"
#include "engine/predict.h"
#include "engine/sim.h"
#include "results/provenance.h"

/* Facts gathered before the run. */
struct simulate_record {
    struct provenance provenance;
    struct text launch; /* how and where the ranks were started */
    char *hwloc_xml;    /* NULL if it could not be had */
    char papi[32];      /* version of the library */
};

/* Collective. Release with simulate_record_close(). */
enum status simulate_record_open(int argc, char **argv, const struct launcher *launcher,
                                 struct simulate_record *record_p);
void simulate_record_close(struct simulate_record *record);

/* Collective. Writes the result and prints a summary on rank 0's standard output. */
enum status simulate_write(const struct scenario *scenario, const char *path, bool force,
                           const struct prediction *prediction, const struct sim_result *result,
                           const struct launcher *launcher, struct simulate_record *record);

#endif
