/* What every measurement of this host is given by its command. */
#ifndef THRASH_HOST_MEASURE_H
#define THRASH_HOST_MEASURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/places.h"
#include "host/system.h"
#include "host/topology.h"
#include "io/tables.h"

/* A thread that never sleeps has its processor for less of its time (`cpu_share`) only where other
 * work disturbs the measurement. */
#define HOST_QUIET_SHARE 0.95

struct host_measure {
    const struct host_system *system;
    const struct host_topology *topology;
    const struct host_places *places; /* at least one */
    bool oversubscribe;               /* more threads than places are allowed, and invalid */
    const atomic_int *stop;
    void (*progress)(void *who, uint64_t done, uint64_t total, const char *label);
    void *who;
};

/* Whether somebody wants the measurement to end: it then returns STATUS_INTERRUPTED and leaves what
 * it has in the tables. */
static inline bool host_measure_stopped(const struct host_measure *measure)
{
    return *measure->stop != 0;
}

static inline void host_measure_progress(const struct host_measure *measure, uint64_t done,
                                         uint64_t total, const char *label)
{
    measure->progress(measure->who, done, total, label);
}

/* Whether `threads` threads have a place each. If not, STATUS_RESOURCE and one sentence, or with
 * `oversubscribe` a line in `tables` that makes the result invalid. */
enum status host_measure_check_threads(const struct host_measure *measure, unsigned threads,
                                       struct tables *tables);

/* Begins a section of `tables`, and says in the host's group of it what host this is: processor,
 * topology, settings, allowed and bound hardware threads, places. */
void host_measure_section(const struct host_measure *measure, const char *name, const char *title,
                          struct tables *tables);

#endif
