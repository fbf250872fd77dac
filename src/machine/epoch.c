#include "machine/epoch.h"

#include "machine/fault.h"
#include "machine/pte.h"

/* Touches miss the host's caches twice, at the reference and at the row; both are fetched ahead.
 * The prefetches stand in the loop itself: compilers take a function that does nothing else for one
 * without effect and leave its calls out. */
enum { PREFETCH_REF = 64, PREFETCH_ROW = 32 };

static const uint32_t *touched_ref(const struct cell *cell, const struct touch *touch)
{
    return touch->vma == VMA_NONE ? cell->row_refs
                                  : pte_ref(cell, &cell->vmas[touch->vma], touch->page);
}

/* Fetches for the first touches what the loop has no earlier chance to. */
static void fetch_first(const struct cell *cell, const struct touch *touches, size_t ntouches)
{
    size_t nrefs = ntouches < PREFETCH_REF ? ntouches : PREFETCH_REF;
    size_t nrows = ntouches < PREFETCH_ROW ? ntouches : PREFETCH_ROW;
    for (size_t i = 0; i < nrefs; i++) {
        __builtin_prefetch(touched_ref(cell, &touches[i]));
    }
    for (size_t i = 0; i < nrows; i++) {
        __builtin_prefetch(pte_storage(cell, *touched_ref(cell, &touches[i]), touches[i].page), 1);
    }
}

void epoch_run(struct cell *cell, const struct touch *touches, size_t ntouches)
{
    sim_time end = cell->core->epoch_end;
    size_t next = 0;
    fetch_first(cell, touches, ntouches);
    for (;;) {
        struct event event = event_next(cell);
        sim_time until = min_u64(event.at, end);
        while (next < ntouches && touches[next].at <= until) {
            if (next + PREFETCH_REF < ntouches) {
                __builtin_prefetch(touched_ref(cell, &touches[next + PREFETCH_REF]));
            }
            if (next + PREFETCH_ROW < ntouches) {
                const struct touch *ahead = &touches[next + PREFETCH_ROW];
                __builtin_prefetch(pte_storage(cell, *touched_ref(cell, ahead), ahead->page), 1);
                __builtin_prefetch(&cell->words[ahead->page / PAGES_PER_WORD], 1);
            }
            const struct touch *touch = &touches[next++];
            /* A process that stopped has no grant left; its later touches are drawn again. */
            if (cell->visitors[touch->process].grant > 0 && !fault_touch(cell, touch)) {
                /* A fault may have brought an event forward. */
                event = event_next(cell);
                until = min_u64(event.at, end);
            }
        }
        if (event.at >= end) {
            return;
        }
        context_event(cell, event.id, event.at);
    }
}

void epoch_level_frames(struct cell *cell, const page_count target[ZONES])
{
    for (int i = 0; i < ZONES; i++) {
        struct zone *zone = &cell->core->zone[i];
        zone->present = zone->present - zone->free + target[i];
        zone->free = target[i];
    }
}

void epoch_begin(struct cell *cell, const struct cell_share *share, const struct home *homes)
{
    struct cell_core *core = cell->core;
    core->epoch_start = share->start;
    core->epoch_end = share->end;
    core->window_end = share->start + even_part(share->end - share->start, cell->id, cell->ncells);
    core->epochs++;
    core->frames_taken = 0;
    if (cell->ncells > 1) {
        epoch_level_frames(cell, share->free);
        core->nr_mapped_elsewhere = share->nr_mapped - core->nr_mapped;
    }
    lock_begin_epoch(cell, share->chain_use);
    cpu_begin_epoch(cell, share);
    visitors_begin_epoch(cell, homes);
}

static void report_context(const struct cell *cell, uint32_t id, struct cell_report *report)
{
    const struct context *context = &cell->contexts[id];
    if (context->task != TASK_TOUCH && context->task != TASK_OPERATE && !context_flushes(context)) {
        report->reclaiming = 1;
    }
    if (context->asked_for_memory) {
        report->frames_wanted++;
        report->demanded += cell->plan->processes[id - CONTEXT_FIRST_PROCESS].pages_in_stall;
        sim_time now = cell->core->epoch_end;
        if (now > context->wait_began) {
            report->longest_wait = max_u64(report->longest_wait, now - context->wait_began);
        }
    }
}

/* Whether some context is in the middle of freeing memory, running or waiting, and what processes
 * wait for memory: their contexts are not idle. */
static void report_reclaim(const struct cell *cell, struct cell_report *report)
{
    for (uint32_t i = 0; i < (cell->ncontexts + 63) / 64; i++) {
        for (uint64_t busy = cell->busy[i]; busy != 0; busy &= busy - 1) {
            report_context(cell, i * 64 + (uint32_t)__builtin_ctzll(busy), report);
        }
    }
}

/* What allocations leave free in the cell's part of its node's zones. */
static void report_marks(const struct cell *cell, struct cell_report *report)
{
    const struct reclaim_ops *reclaim = cell->design->reclaim;
    const enum zone_index highest = cell->has_lowmem_limit ? ZONE_HIGHMEM : ZONE_NORMAL;
    for (enum zone_index i = ZONE_DMA; i < ZONES; i++) {
        const enum zone_index class = i < highest ? i : highest; /* there are no higher ones */
        for (enum zone_index zone = ZONE_DMA; zone <= class; zone++) {
            report->kept[i][zone] = reclaim->frames_kept(cell, class, zone, WATERMARK_MIN);
            report->low[i][zone] = reclaim->frames_kept(cell, class, zone, WATERMARK_LOW);
        }
    }
}

void epoch_report(const struct cell *cell, struct cell_report *report)
{
    const struct cell_core *core = cell->core;
    *report = (struct cell_report){
        .nmessages = cell->outbox.count,
        .nwanting = core->cpu.nwanting, /* populate may have woken kswapd */
        .nr_mapped = core->nr_mapped,
        .chain_use = lock_chain_use(cell),
        .out_of_memory = core->out_of_memory,
        .freed = core->counter[METRIC_PAGES_FREED],
        .touches = core->counter[METRIC_TOUCHES],
        .waited = core->counter[METRIC_ALLOCATION_WAIT],
        .status = cell->outbox.failed ? STATUS_RESOURCE : STATUS_OK,
    };
    for (int zone = 0; zone < ZONES; zone++) {
        report->free[zone] = core->zone[zone].free;
    }
    report_marks(cell, report);
    report_reclaim(cell, report);
}

void epoch_end(struct cell *cell, struct cell_report *report)
{
    visitors_end_epoch(cell);
    context_report_giving_up(cell);
    epoch_report(cell, report);
    report->frames_wanted += cell->core->frames_taken;
    cpu_end_epoch(cell, report);
}
