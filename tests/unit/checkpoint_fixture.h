/* A small scenario in which pages are freed, and where the checkpoint of its runs is, for tests. */
#ifndef CHECKPOINT_FIXTURE_H
#define CHECKPOINT_FIXTURE_H

#include "config/scenario.h"

/* Of this process alone; there is nothing else in the directory. */
extern char checkpoint_directory[];
extern char checkpoint_path[64];

/* Group set-up and tear-down: MPI and the directory. */
int checkpoint_fixture_open(void **state);
int checkpoint_fixture_close(void **state);

/* The scenario with one --set override, or none if `set` is NULL. Freed with scenario_free(). */
struct scenario checkpoint_scenario(const char *set);

#endif
