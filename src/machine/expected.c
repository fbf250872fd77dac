#include "machine/expected.h"

static const uint64_t second = 1000000000 * TICKS_PER_NS;

/* The segment that `until_freed` refers to is the largest object of a machine that is worth
 * predicting. */
static page_count largest_object(const struct plan *plan)
{
    page_count largest = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        largest = max_u64(largest, plan->objects[i].pages);
    }
    return largest;
}

static page_count all_pages(const struct plan *plan)
{
    page_count pages = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        const struct plan_object *object = &plan->objects[i];
        pages += object->page_class == PAGES_SMALL ? object->pages : 0;
    }
    return pages;
}

/* Pages of files that no process maps: they are freed without a look at any pte. */
static page_count unmapped_pages(const struct plan *plan)
{
    page_count pages = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        pages += plan->objects[i].max_vmas == 0 ? plan->objects[i].pages : 0;
    }
    return pages;
}

/* Chunks that a vma has a part of. */
static uint64_t partial_chunks(const struct plan_vma *vma)
{
    page_offset end = vma->offset + vma->pages;
    bool one = vma->offset / 512 == (end - 1) / 512;
    uint64_t partial = (vma->offset % 512 != 0 ? 1 : 0) + (end % 512 != 0 ? 1U : 0U);
    return one ? min_u64(partial, 1) : partial;
}

static uint64_t chunks(const struct plan_vma *vma)
{
    return (vma->offset + vma->pages - 1) / 512 - vma->offset / 512 + 1;
}

/* What the vmas of a machine come to. */
struct mapped {
    uint64_t ptes;      /* populated */
    uint64_t rows;      /* of them, that are uniform after populate */
    uint64_t own_rows;  /* that are not, or are filled in the course of the run */
    bool grows_at_once; /* processes that never end make pages from the start */
};

static struct mapped mapped_of(const struct plan *plan)
{
    struct mapped mapped = {0};
    for (size_t i = 0; i < plan->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        if (plan->objects[vma->object].page_class != PAGES_SMALL) {
            continue;
        }
        if (vma->populate == POPULATE_NONE) {
            mapped.own_rows += chunks(vma);
            mapped.grows_at_once = mapped.grows_at_once ||
                                   plan->processes[vma->process].touches == 0;
        } else {
            mapped.ptes += vma->pages;
            mapped.own_rows += partial_chunks(vma);
            mapped.rows += chunks(vma) - partial_chunks(vma);
        }
    }
    return mapped;
}

/* Frames that finite processes take per second, all together, and how many of them there are. */
static double demand_of(const struct scenario *scenario, const struct plan *plan,
                        uint64_t *nprocesses_p)
{
    double pages = 0;
    *nprocesses_p = 0;
    for (size_t i = 0; i < plan->nprocesses; i++) {
        if (plan->processes[i].touches > 0) {
            pages += (double)plan->processes[i].pages_in_stall;
            ++*nprocesses_p;
        }
    }
    return pages * (double)second / (double)scenario->stall;
}

/* When `free` frames are used up at the earliest; kswapd begins a little before they are. */
static sim_time exhausted_at(const struct scenario *scenario, page_count free, double demand)
{
    if (demand <= 0) {
        return TIME_NEVER;
    }
    double at = (double)scenario->phases.warmup +
                (double)(free - free / 8) / demand * (double)second;
    return at < (double)scenario->duration ? (sim_time)at : TIME_NEVER;
}

/* The least that passing one pte costs. */
static sim_time cost_of_pte(const struct scenario *scenario, const struct design *design)
{
    const sim_time *cost = scenario->costs.ticks;
    sim_time ticks = cost[COST_CHAIN_VISIT];
    if (design->rmap->referenced == NULL) {
        ticks = cost[COST_PTE_VISIT];
    } else if (design->rmap->by_object) {
        ticks = cost[COST_VMA_VISIT] + cost[COST_PTE_WALK];
    }
    return max_u64(ticks, 1);
}

static void expect_reclaim(const struct scenario *scenario, const struct plan *plan,
                           const struct design *design, page_count free, bool grows_at_once,
                           struct expected_use *use)
{
    uint64_t nfinite;
    double demand = demand_of(scenario, plan, &nfinite);
    use->reclaim = grows_at_once ? 0 : exhausted_at(scenario, free, demand);
    use->reclaimers = scenario->machine.nodes +
                      (grows_at_once ? (uint64_t)plan->nprocesses : nfinite);
    use->reclaimers = min_u64(use->reclaimers, scenario->machine.cpus);
    if (use->reclaim < scenario->duration) {
        uint128 time = (uint128)(scenario->duration - use->reclaim) * use->reclaimers;
        uint128 passed = time / cost_of_pte(scenario, design);
        use->ptes_passed = passed < UINT64_MAX ? (uint64_t)passed : UINT64_MAX;
    }
}

struct expected_use expected_use(const struct scenario *scenario, const struct plan *plan,
                                 const struct design *design)
{
    page_count frames = scenario->machine.memory >> PAGE_SHIFT;
    frames -= min_u64(frames, plan->large_pool);
    page_count populated = plan_populated_pages(plan);
    page_count rest = all_pages(plan) - populated;
    page_count free = frames > populated ? frames - populated : 0;
    if (scenario->machine.ballast == OPTION_AUTO) {
        free = min_u64(free, frames / 32);
    }
    struct mapped mapped = mapped_of(plan);
    struct expected_use use = {
        .pages = populated + rest,
        .slots = rest > free ? rest - free : 0,
        .ptes = mapped.ptes,
    };
    share_ppb share = scenario->phases.pressure.until_freed;
    if (share > 0) {
        page_count freed = share_of(largest_object(plan), share);
        use.pages = populated + min_u64(rest, free + freed);
        use.slots = min_u64(use.slots, freed);
    }
    expect_reclaim(scenario, plan, design, free, mapped.grows_at_once, &use);
    if (use.ptes_passed < mapped.ptes) {
        page_count files = min_u64(unmapped_pages(plan), rest);
        use.pages = populated + files + min_u64(rest - files, free);
        use.slots = 0;
    }
    /* Reclaim meets the ptes of a row one after the other. */
    use.rows = mapped.own_rows + min_u64(mapped.rows, use.ptes_passed / 512);
    return use;
}
