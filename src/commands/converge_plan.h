/* What `thrash converge` runs: numbers of cells and epochs, and the scenario of each. */
#ifndef THRASH_COMMANDS_CONVERGE_PLAN_H
#define THRASH_COMMANDS_CONVERGE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/types.h"
#include "commands/scenario_arguments.h"
#include "config/scenario.h"

#define CONVERGE_LIST_MAX     16
#define CONVERGE_SETTINGS_MAX (3 * CONVERGE_LIST_MAX)
#define CONVERGE_SEEDS_MAX    100

struct converge_setting {
    uint64_t cells;
    sim_time epoch, quantum;
};

/* Lists of the command line; empty: not given. */
struct converge_lists {
    uint64_t cells[CONVERGE_LIST_MAX];
    size_t ncells;
    sim_time epoch[CONVERGE_LIST_MAX];
    size_t nepochs;
};

/* "1,2,4,8", in ascending order, and "1ms,500us". STATUS_USAGE for anything else, and for what is
 * listed twice. One cell is always among the cells: it is what the others are compared with. */
enum status converge_parse_cells(const char *text, struct converge_lists *lists);
enum status converge_parse_epochs(const char *text, struct converge_lists *lists);

/* Fills settings: every number of cells at the first epoch, one and the largest number at each
 * other one. The first is one cell at the first epoch. Where a list is empty: 1, 2, 4 and 8 cells;
 * the scenario's epoch and half of it. The quantum is as much shorter than the scenario's as the
 * epoch is. Returns how many there are. */
size_t converge_plan(const struct converge_lists *lists, const struct scenario *scenario,
                     struct converge_setting settings[CONVERGE_SETTINGS_MAX]);

/* The arguments of a scenario with further --set for one setting and seed. */
struct converge_arguments {
    struct scenario_arguments scenario;
    char set[4][64];
};

/* Fills arguments, which must stay where they are as long as they are used. */
enum status converge_arguments_fill(const struct scenario_arguments *given,
                                    const struct converge_setting *setting, uint64_t seed,
                                    struct converge_arguments *arguments);

#endif
