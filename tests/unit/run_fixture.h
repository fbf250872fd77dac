/* Runs scenarios inside a test program, on one rank. */
#ifndef RUN_FIXTURE_H
#define RUN_FIXTURE_H

#include "engine/sim.h"

/* Group set-up and tear-down: MPI. */
int run_fixture_open(void **state);
int run_fixture_close(void **state);

/* Loads a scenario from text, or from a file if `text` is NULL, with --set overrides that end with
 * NULL, and runs it. Fails the test when that cannot be done. Release with sim_result_free(). */
struct sim_result run_scenario(const char *text, const char *path, const char *const *sets);

/* The last value of a metric; those of FORM_TICKS and FORM_REAL as a double. */
uint64_t result_count(const struct sim_result *result, enum metric metric);
double result_real(const struct sim_result *result, enum metric metric);

/* The same, since the pressure phase began. */
uint64_t pressure_count(const struct sim_result *result, enum metric metric);

#endif
