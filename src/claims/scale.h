/* The scaled-down form of a scenario: memory, devices and run length divided by one factor;
 * processes, touch rates, costs and the distribution of touches as they are. */
#ifndef THRASH_CLAIMS_SCALE_H
#define THRASH_CLAIMS_SCALE_H

#include <stddef.h>

#include "base/status.h"
#include "config/scenario.h"

#define SCALE_SETS_MAX 64

/* Assignments as --set takes them. */
struct scale_sets {
    char text[SCALE_SETS_MAX][128];
    const char *set[SCALE_SETS_MAX];
    size_t nset;
};

/* What divides a scenario by a factor; none for 1. Sizes of workloads are every option of theirs
 * that is a size. STATUS_USAGE where there are more of them than fit. */
enum status scale_down(const struct scenario *scenario, const struct catalogue *catalogue,
                       uint64_t divisor, struct scale_sets *sets);

#endif
