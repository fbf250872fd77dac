#include "workloads/random_touches.h"

#include <stdlib.h>

#include "machine/shard.h"

uint64_t touches_cpu_share(const struct scenario *scenario, share_ppb cpu_use, uint64_t nprocesses)
{
    const uint64_t cpus = muldiv(scenario->machine.cpus * CPU_SHARE_ONE, cpu_use, SHARE_ONE);
    return min_u64(cpus / nprocesses, CPU_SHARE_ONE);
}

sim_time touches_interval(uint64_t cpu_share, uint64_t nprocesses, uint64_t rate)
{
    const uint64_t second = 1000000000ULL * TICKS_PER_NS;
    return max_u64(1,
                   touches_mean((uint128)cpu_share * nprocesses * second / rate / CPU_SHARE_ONE));
}

sim_time touches_mean(uint128 interval)
{
    return interval < RANDOM_MEAN_MAX ? (sim_time)interval : RANDOM_MEAN_MAX;
}

uint32_t touches_upto(share_ppb share)
{
    return (uint32_t)min_u64(muldiv((uint64_t)1 << 32, share, SHARE_ONE), UINT32_MAX);
}

enum status touches_divide(const struct access_table *whole, const struct cell *cell,
                           object_id object, page_offset offset, struct access_table *here,
                           uint64_t *share_p)
{
    page_count *pages = malloc(cell->ncells * sizeof *pages);
    if (pages == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the pages of %u cells", cell->ncells);
    }
    for (cell_id i = 0; i < cell->ncells; i++) {
        const struct shard shard = shard_of(cell->arch->pt_entries, object, i, cell->ncells);
        pages[i] = shard_pages_below(&shard, offset + whole->npages) -
                   shard_pages_below(&shard, offset);
    }
    *share_p = access_part(whole, pages, cell->ncells, cell->id, here);
    free(pages);
    return STATUS_OK;
}

sim_time touches_due(const struct workload *workload, const struct cell *cell,
                     const struct process_draws *draws, process_id process, uint64_t ordinal,
                     sim_time before, const struct random_block *bits)
{
    (void)workload;
    (void)cell;
    (void)process;
    (void)ordinal;
    return draws->mean == 0 ? TIME_NEVER : before + random_exponential(bits->word[0], draws->mean);
}
