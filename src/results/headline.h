/* The figures by which two simulations are compared: of the pressure phase, but for the last. */
#ifndef THRASH_RESULTS_HEADLINE_H
#define THRASH_RESULTS_HEADLINE_H

#include "machine/recording.h"

enum headline {
    HEADLINE_VISITS_PER_FREED,
    HEADLINE_MINOR_FAULTS_PER_FREED,
    HEADLINE_PAGES_FREED,
    HEADLINE_TOUCHES_PER_SECOND,
    HEADLINE_MAJOR_FAULTS,
    HEADLINE_SWAP_OUT,
    HEADLINE_FIRST_FREE,
    HEADLINE_LONGEST_GAP,
    HEADLINE_RECLAIM_CPU,
    HEADLINE_SPIN,
    HEADLINE_ELAPSED,
    HEADLINES
};

struct headline_info {
    const char *name;
    const char *unit;
};

extern const struct headline_info headline_table[HEADLINES];

/* NaN where a figure is not available: nothing was freed, or no time passed under pressure.
 * The recording has at least one point. */
void headline_measure(const struct recording *recording, double values[HEADLINES]);

#endif
