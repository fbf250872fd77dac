/* Watching a run for its verdict: progress of reclaim, livelock, lack of memory. */
#ifndef THRASH_ENGINE_WATCH_H
#define THRASH_ENGINE_WATCH_H

#include <stdbool.h>

#include "machine/cell.h"
#include "machine/recording.h"
#include "workloads/workloads.h"

/* How finely the stall time is divided for looking back over it. */
#define WATCH_POINTS 30

struct watch {
    sim_time reclaim_since; /* when reclaim last began to run, TIME_NEVER while it does not */
    sim_time last_free;     /* when a frame was last freed, or reclaim began */
    sim_time longest_gap;
    sim_time first_reclaim; /* of the pressure phase; TIME_NEVER: not yet */
    sim_time first_free;
    uint64_t freed; /* pages_freed when last looked at */
    uint64_t warmup_touches;
    sim_time warmup_time;

    /* A look back: values at multiples of stall / WATCH_POINTS. */
    sim_time next_look;
    size_t nlooks;
    uint64_t looks_freed[WATCH_POINTS + 1];
    uint64_t looks_touches[WATCH_POINTS + 1];
};

void watch_begin(struct watch *watch);

/* Looks at a cell at the end of an epoch. Sets the verdict to livelock the first time its condition
 * holds. */
void watch_epoch(struct watch *watch, const struct cell *cell, const struct workload_set *set,
                 struct recording *recording);

/* What could not be allocated had to come from the low memory of a machine that also has HIGHMEM. */
bool watch_is_lowmem(const struct cell *cell);

/* The verdict of a run that an allocation ended, with who asked and who held what. */
void watch_out_of_memory(const struct cell *cell, struct recording *recording);

#endif
