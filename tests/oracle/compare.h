/* Runs one scenario through the simulator and the oracle and compares all that they counted. */
#ifndef THRASH_ORACLE_COMPARE_H
#define THRASH_ORACLE_COMPARE_H

#include <stdbool.h>

#include "config/scenario.h"
#include "machine/recording.h"
#include "oracle/oracle.h"

enum comparison {
    COMPARED_EQUAL,
    COMPARED_DIFFERENT,
    COMPARED_TOO_SMALL, /* both say that the machine cannot be set up */
    COMPARED_REFUSED,   /* the scenario is none */
};

struct compared {
    enum comparison outcome;
    char difference[512]; /* the first one */
    /* of the oracle's run */
    struct counters last;
    enum oracle_end end;
    sim_time end_time;
    uint64_t loads_checked;
    bool ran;
};

/* `yaml` is the text of a scenario. */
void compare_yaml(const char *yaml, struct compared *compared_p);

/* Runs the simulator alone, populating by spans and page by page: all that it records is the same
 * to the last bit. */
enum comparison compare_ways_to_populate(const char *yaml);

/* What a cell counts, METRIC_COUNT values, against the oracle's. */
bool compare_cell(const uint64_t *simulated, const struct counters *expected, char difference[512]);

#endif
