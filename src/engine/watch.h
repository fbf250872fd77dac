/* Watching a run for its verdict: progress of reclaim, livelock. Every rank watches the sums of all
 * cells, and comes to the same result. */
#ifndef THRASH_ENGINE_WATCH_H
#define THRASH_ENGINE_WATCH_H

#include <stdbool.h>

#include "machine/ledger.h"
#include "machine/recording.h"

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
    bool under_pressure;

    /* A look back: values at multiples of stall / WATCH_POINTS. */
    sim_time next_look;
    size_t nlooks;
    uint64_t looks_freed[WATCH_POINTS + 1];
    uint64_t looks_touches[WATCH_POINTS + 1];
};

void watch_begin(struct watch *watch);

/* The pressure phase begins: what the warm-up was like is what is compared with. */
void watch_begin_pressure(struct watch *watch, sim_time now, uint64_t touches);

/* Looks at the sums at the end of the ledger's epoch. Sets the verdict to livelock the first time
 * its condition holds. */
void watch_epoch(struct watch *watch, const struct ledger *ledger, const struct ledger_sums *sums,
                 struct recording *recording);

#endif
