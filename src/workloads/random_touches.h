/* Touches that are drawn at random: how often a process makes them, where they go, and what part of
 * them falls to one of several cells. */
#ifndef THRASH_WORKLOADS_RANDOM_TOUCHES_H
#define THRASH_WORKLOADS_RANDOM_TOUCHES_H

#include "workloads/workloads.h"

/* What each of `nprocesses` has of a CPU when all together use `cpu_use` of the machine's CPUs;
 * none has more than one. In units of CPU_SHARE_ONE. */
uint64_t touches_cpu_share(const struct scenario *scenario, share_ppb cpu_use, uint64_t nprocesses);

/* User time of a process between two touches, when `nprocesses` that have `cpu_share` of a CPU each
 * make `rate` of them per second, all together. */
sim_time touches_interval(uint64_t cpu_share, uint64_t nprocesses, uint64_t rate);

/* The same in a cell: an interval as a mean that can be drawn from. */
sim_time touches_mean(uint128 interval);

/* Random words below this are as large a part of all words. */
uint32_t touches_upto(share_ppb share);

/* Works out the part of touches of `whole->npages` pages of an object, from `offset` on, that falls
 * to the cell: its distribution, and its share of all in 2^-32. */
enum status touches_divide(const struct access_table *whole, const struct cell *cell,
                           object_id object, page_offset offset, struct access_table *here,
                           uint64_t *share_p);

/* When the next touch is due: at any time alike, draws->mean apart. */
sim_time touches_due(const struct workload *workload, const struct cell *cell,
                     const struct process_draws *draws, process_id process, uint64_t ordinal,
                     sim_time before, const struct random_block *bits);

#endif
