/* What workloads share that go through their pages one after the other, at a given rate. */
#ifndef THRASH_WORKLOADS_SEQUENTIAL_H
#define THRASH_WORKLOADS_SEQUENTIAL_H

#include "workloads/workloads.h"

/* One process that goes `rounds` times through the `pages` of an object at `rate` bytes per second,
 * copying each page; it ends then. */
void sequential_plan(const struct scenario *scenario, struct plan *plan, struct workload *workload,
                     process_id process, object_id object, page_count pages, uint64_t rounds,
                     uint64_t rate);

/* How many touches of the process fall to the cell. */
uint64_t sequential_touches(const struct workload *workload, const struct cell *cell);

sim_time sequential_due(const struct workload *workload, const struct cell *cell,
                        const struct process_draws *draws, process_id process, uint64_t ordinal,
                        sim_time before, const struct random_block *bits);

#endif
