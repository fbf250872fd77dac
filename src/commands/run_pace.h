/* How long runs of unequal length will still take, and how much of their work is done.
 *
 * What was predicted of each run says how they compare; how those that are over compare with what
 * was predicted of them says how long all of it takes here. */
#ifndef THRASH_COMMANDS_RUN_PACE_H
#define THRASH_COMMANDS_RUN_PACE_H

#include <stddef.h>

/* One of the runs. Times in seconds. */
struct paced_run {
    double predicted;
    double begun; /* when; NaN: not yet */
    double taken; /* once it is over; NaN until then */
    double share; /* of it that is done, while it goes on; NaN: not known */
};

struct pace {
    double share; /* of the work that is done, 0 to 1 */
    double left;  /* seconds until all runs are over */
};

/* At time `now`, with `groups` (> 0) runs at a time, the longest of those predicted next. */
struct pace run_pace(const struct paced_run *runs, size_t nruns, unsigned groups, double now);

#endif
