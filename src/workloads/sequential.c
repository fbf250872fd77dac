#include "workloads/sequential.h"

void sequential_plan(const struct scenario *scenario, struct plan *plan, struct workload *workload,
                     process_id process, uint64_t touches, uint64_t rate)
{
    if (plan->out_of_memory) {
        return;
    }
    /* Its user time is the copying; at the full rate that is this share of a CPU. */
    sim_time work = max_u64(1, scenario->costs.ticks[COST_PAGE_COPY]);
    uint128 second = (uint128)1000000000ULL * TICKS_PER_NS;
    uint128 share = (uint128)rate * work * CPU_SHARE_ONE / PAGE_BYTES / second;
    plan->processes[process].cpu_share = share > CPU_SHARE_ONE ? CPU_SHARE_ONE
                                                               : max_u64(1, (uint64_t)share);
    plan->processes[process].finite = true;
    workload->first_process = process;
    workload->nprocesses = 1;
    workload->work_per_touch = work;
    workload->finite = true;
    workload->touches_each = touches;
}

sim_time sequential_interval(const struct workload *workload, uint32_t index,
                             const struct random_block *bits)
{
    (void)index;
    (void)bits;
    return workload->work_per_touch;
}
