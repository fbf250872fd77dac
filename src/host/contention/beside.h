/* One page that some processes map, beside processes that do not map it: what does unmapping it
 * cost? Chains of ptes lead to those that do; a virtual scan meets all. */
#ifndef THRASH_HOST_CONTENTION_BESIDE_H
#define THRASH_HOST_CONTENTION_BESIDE_H

#include "host/contention/operation.h"
#include "host/measure.h"

struct beside_plan {
    uint32_t mappers;       /* of the page */
    const uint32_t *others; /* numbers of processes that map another page each */
    size_t nothers;
    unsigned repetitions;
    uint32_t rounds; /* a sample is the mean of so many unmaps */
    uint32_t line;
};

byte_count beside_bytes(const struct beside_plan *plan);

/* One sample: ns to unmap the page from all its mappers, measured on the calling thread. */
enum status beside_sample(const struct beside_plan *plan, const struct reverse_map *rmap,
                          uint32_t others, double *samples);

/* Appends the group "beside". STATUS_INTERRUPTED with what there is when it was stopped. */
enum status beside_measure(const struct host_measure *measure, const struct beside_plan *plan,
                           struct tables *tables);

#endif
