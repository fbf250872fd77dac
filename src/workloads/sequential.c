#include "workloads/sequential.h"

#include "machine/shard.h"

void sequential_plan(const struct scenario *scenario, struct plan *plan, struct workload *workload,
                     process_id process, object_id object, page_count pages, uint64_t rounds,
                     uint64_t rate)
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
    workload->first_process = process;
    workload->nprocesses = 1;
    workload->work_per_touch = work;
    workload->finite = true;
    workload->object = object;
    workload->pages = pages;
    workload->rounds = rounds;
    uint128 touches = (uint128)pages * rounds;
    plan->processes[process].touches = touches < UINT64_MAX ? (uint64_t)touches : UINT64_MAX;
}

uint64_t sequential_touches(const struct workload *workload, const struct cell *cell)
{
    return cell->objects[workload->object].npages * workload->rounds;
}

/* Which of all the touches of the process number `ordinal` of those in the cell is. */
static uint128 index_of(const struct workload *workload, const struct cell *cell, uint64_t ordinal)
{
    page_count here = cell->objects[workload->object].npages;
    struct shard shard = cell_shard(cell, workload->object);
    return (uint128)(ordinal / here) * workload->pages + shard_offset(&shard, ordinal % here);
}

sim_time sequential_due(const struct workload *workload, const struct cell *cell,
                        const struct process_draws *draws, process_id process, uint64_t ordinal,
                        sim_time before, const struct random_block *bits)
{
    (void)draws;
    (void)process;
    (void)before;
    (void)bits;
    if (ordinal >= sequential_touches(workload, cell)) {
        return TIME_NEVER;
    }
    uint128 at = (index_of(workload, cell, ordinal) + 1) * workload->work_per_touch;
    return at < TIME_NEVER ? (sim_time)at : TIME_NEVER; /* beyond any duration */
}
