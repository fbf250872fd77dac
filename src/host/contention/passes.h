/* What a pass through one lock takes when several threads want nothing but that lock: it is taken
 * and given back, and nothing is done under it. */
#ifndef THRASH_HOST_CONTENTION_PASSES_H
#define THRASH_HOST_CONTENTION_PASSES_H

#include "host/contention/lock_type.h"
#include "host/measure.h"

struct passes_plan {
    const bool *types;       /* of lock_types */
    const unsigned *threads; /* ascending */
    size_t nthreads;
    unsigned repetitions;
    uint64_t duration; /* ns of a repetition; a warm-up of the same length comes first */
};

/* Appends the group "passes": passes of all threads per second as rate(type, threads, repetition),
 * their medians, and the medians of the ns of a thread for a pass, time_median(type, threads). The
 * names of the types are in `types`. STATUS_INTERRUPTED with what there is when it was stopped,
 * STATUS_RESOURCE when the host gives no more threads. */
enum status passes_measure(const struct host_measure *measure, const struct passes_plan *plan,
                           struct tables *tables);

#endif
