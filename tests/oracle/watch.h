/* What is followed from epoch to epoch for the verdict and for the metrics of a whole run. */
#ifndef THRASH_ORACLE_WATCH_H
#define THRASH_ORACLE_WATCH_H

#include "oracle/model.h"

enum { LOOKS_BACK = 30 };

struct look {
    uint64_t freed, touches;
};

struct watch {
    sim_time spell_began; /* of reclaim; TIME_NEVER: it does not run */
    sim_time last_free, longest_gap;
    sim_time first_reclaim, first_free; /* of the pressure phase */
    uint64_t freed;
    sim_time next_look;
    uint64_t nlooks;
    struct look looks[LOOKS_BACK + 1]; /* the newest first */
    sim_time livelock_at;              /* TIME_NEVER: it was not found */
    sim_time pressure_began;
    struct counters at_pressure;
    uint64_t segment_touches_at_pressure;
};

void o_watch_begin(struct watch *watch);
void o_watch_pressure(const struct machine *machine, struct watch *watch,
                      const struct counters *at_pressure);

/* At the end of an epoch. */
void o_watch_epoch(const struct machine *machine, struct watch *watch);
bool o_watch_freed_enough(const struct machine *machine, const struct watch *watch);

/* The values that are worked out when a sample is taken. */
void o_watch_fill(const struct machine *machine, const struct watch *watch,
                  struct counters *values);

#endif
