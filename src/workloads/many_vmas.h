/* What workloads share whose processes map an object by many windows, each a vma of its own, and
 * store to its pages. */
#ifndef THRASH_WORKLOADS_MANY_VMAS_H
#define THRASH_WORKLOADS_MANY_VMAS_H

#include "workloads/options.h"
#include "workloads/workloads.h"

extern const char *const many_vmas_orders[];
extern const char *const many_vmas_mappings[];

enum status many_vmas_plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                           struct workload *workload);
void many_vmas_locate(const struct workload *workload, const struct cell *cell,
                      const struct process_draws *draws, process_id process, uint64_t ordinal,
                      const struct random_block *bits, struct touch *touch);
struct place many_vmas_place(const struct workload *workload, const struct plan *plan,
                             process_id process, uint64_t ordinal, const struct random_block *bits);
sim_time many_vmas_due(const struct workload *workload, const struct cell *cell,
                       const struct process_draws *draws, process_id process, uint64_t ordinal,
                       sim_time before, const struct random_block *bits);

#endif
