/* What workloads share that go through their pages one after the other, at a given rate. */
#ifndef THRASH_WORKLOADS_SEQUENTIAL_H
#define THRASH_WORKLOADS_SEQUENTIAL_H

#include "workloads/workloads.h"

/* One process that touches `touches` pages at `rate` bytes per second, copying each; it ends then.
 */
void sequential_plan(const struct scenario *scenario, struct plan *plan, struct workload *workload,
                     process_id process, uint64_t touches, uint64_t rate);

sim_time sequential_interval(const struct workload *workload, uint32_t index,
                             const struct random_block *bits);

#endif
