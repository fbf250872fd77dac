/* The group /performance of a result file: what the run itself cost. */
#ifndef THRASH_RESULTS_PERFORMANCE_H
#define THRASH_RESULTS_PERFORMANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "results/result_file.h"

enum performance_form { PERFORMANCE_COUNT, PERFORMANCE_REAL };

struct performance_value {
    const char *name;        /* of the dataset: "wall_seconds" */
    const char *unit;        /* symbol */
    const char *description; /* one line */
    enum performance_form form;
    uint64_t count; /* for PERFORMANCE_COUNT */
    double real;    /* for PERFORMANCE_REAL */
};

/* The host memory of one structure, over all ranks. */
struct performance_memory {
    const char *name;        /* "pte_bits" */
    const char *description; /* what the structure is */
    uint64_t predicted;      /* bytes */
    uint64_t measured;       /* bytes; not looked at with a reason */
    const char *unmeasured;  /* why it was not measured, NULL if it was */
};

/* Writes <name> of each value, and memory/<name>_predicted and <name>_measured of each structure.
 * Before result_share(); the values are rank 0's. */
void performance_put(struct result *result, const struct performance_value *values, size_t nvalues,
                     const struct performance_memory *memory, size_t nmemory);

#endif
