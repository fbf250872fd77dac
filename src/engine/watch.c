#include "engine/watch.h"

#include <stdio.h>
#include <string.h>

void watch_begin(struct watch *watch)
{
    *watch = (struct watch){
        .reclaim_since = TIME_NEVER,
        .first_reclaim = TIME_NEVER,
        .first_free = TIME_NEVER,
    };
}

/* Some context is in the middle of freeing memory, whether it runs or waits. */
static bool reclaim_is_running(const struct cell *cell, sim_time *longest_wait_p)
{
    sim_time now = cell->core->epoch_end;
    bool running = cell->contexts[CONTEXT_KSWAPD].state != CONTEXT_IDLE;
    sim_time longest = 0;
    for (uint32_t i = CONTEXT_FIRST_PROCESS; i < cell->ncontexts; i++) {
        const struct context *context = &cell->contexts[i];
        if (context->state != CONTEXT_IDLE && context->task == TASK_RECLAIM) {
            running = true;
        }
        if (context->asked_for_memory && now > context->wait_began) {
            longest = max_u64(longest, now - context->wait_began);
        }
    }
    *longest_wait_p = longest;
    return running;
}

static void follow_reclaim(struct watch *watch, const struct cell *cell, bool running)
{
    const struct cell_core *core = cell->core;
    uint64_t freed = core->counter[METRIC_PAGES_FREED];
    bool pressure = core->pressure_began != TIME_NEVER;
    if (running && watch->reclaim_since == TIME_NEVER) {
        watch->reclaim_since = core->epoch_start;
        watch->last_free = core->epoch_start;
    }
    /* Reclaim may begin and end between two looks, or have begun before the pressure phase. */
    if (pressure && watch->first_reclaim == TIME_NEVER && (running || freed > watch->freed)) {
        watch->first_reclaim = core->epoch_start;
    }
    if (freed > watch->freed) {
        if (pressure && watch->first_free == TIME_NEVER) {
            watch->first_free = core->epoch_end;
        }
        watch->last_free = core->epoch_end;
        watch->freed = freed;
    } else if (watch->reclaim_since != TIME_NEVER) {
        watch->longest_gap = max_u64(watch->longest_gap, core->epoch_end - watch->last_free);
    }
    if (!running) {
        watch->reclaim_since = TIME_NEVER;
    }
}

/* Pages that the processes waiting for memory would have asked for in `time`: one each, or, where
 * every touch needs a new one, as many as they would have touched. */
static uint64_t pages_demanded(const struct cell *cell, const struct workload_set *set,
                               sim_time time)
{
    uint64_t pages = 0;
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        if (!cell->contexts[CONTEXT_FIRST_PROCESS + i].asked_for_memory) {
            continue;
        }
        const struct plan_process *process = &set->plan.processes[i];
        const struct workload *workload = &set->workload[process->workload];
        uint64_t touches = 1;
        if (workload->finite) {
            sim_time work = (sim_time)((uint128)time * process->cpu_share / CPU_SHARE_ONE);
            touches = max_u64(1, work / workload->work_per_touch);
        }
        pages += touches;
    }
    return pages;
}

static void judge_livelock(struct watch *watch, const struct cell *cell,
                           const struct workload_set *set, sim_time longest_wait,
                           struct recording *recording)
{
    const struct cell_core *core = cell->core;
    sim_time stall = cell->scenario->stall;
    sim_time now = core->epoch_end;
    if (now < watch->next_look) {
        return;
    }
    watch->next_look += max_u64(1, stall / WATCH_POINTS);
    size_t slot = watch->nlooks++ % (WATCH_POINTS + 1);
    size_t oldest = watch->nlooks % (WATCH_POINTS + 1);
    watch->looks_freed[slot] = core->counter[METRIC_PAGES_FREED];
    watch->looks_touches[slot] = core->counter[METRIC_TOUCHES];
    if (watch->nlooks <= WATCH_POINTS || recording->verdict == VERDICT_LIVELOCK ||
        watch->reclaim_since == TIME_NEVER || now - watch->reclaim_since < stall) {
        return;
    }
    uint64_t freed = watch->looks_freed[slot] - watch->looks_freed[oldest];
    uint64_t touches = watch->looks_touches[slot] - watch->looks_touches[oldest];
    uint64_t demanded = pages_demanded(cell, set, stall);
    bool starved = longest_wait >= stall && (uint128)freed * 100 < demanded;
    bool stopped = watch->warmup_time > 0 && (uint128)touches * 100 * watch->warmup_time <
                                                 (uint128)watch->warmup_touches * stall;
    if (starved || stopped) {
        recording->verdict = VERDICT_LIVELOCK;
        recording->verdict_time = now;
        snprintf(recording->verdict_detail, sizeof recording->verdict_detail,
                 "reclaim ran for %.0f s: %" PRIu64 " pages freed of %" PRIu64
                 " demanded, longest wait for memory %.1f s, %" PRIu64 " touches",
                 (double)stall / (1e9 * TICKS_PER_NS), freed, demanded,
                 (double)longest_wait / (1e9 * TICKS_PER_NS), touches);
    }
}

void watch_epoch(struct watch *watch, const struct cell *cell, const struct workload_set *set,
                 struct recording *recording)
{
    sim_time longest_wait;
    bool running = reclaim_is_running(cell, &longest_wait);
    follow_reclaim(watch, cell, running);
    judge_livelock(watch, cell, set, longest_wait, recording);
}

bool watch_is_lowmem(const struct cell *cell)
{
    return cell->has_lowmem_limit && cell->core->failed_zone < ZONE_HIGHMEM;
}

void watch_out_of_memory(const struct cell *cell, struct recording *recording)
{
    static const char *const owner_names[OWNERS] = {
        [OWNER_SHM] = "shared memory", [OWNER_FILE] = "files",
        [OWNER_ANON] = "anonymous",    [OWNER_PAGETABLE] = "page tables",
        [OWNER_RMAP] = "pte chains",   [OWNER_KERNEL] = "kernel and mem_map",
        [OWNER_BALLAST] = "ballast",   [OWNER_HANDED] = "handed to reclaimers",
    };
    static const char *const zone_names[ZONES] = {"ZONE_DMA", "ZONE_NORMAL", "ZONE_HIGHMEM"};
    const struct cell_core *core = cell->core;
    recording->verdict = watch_is_lowmem(cell) ? VERDICT_LOWMEM_EXHAUSTED : VERDICT_OOM;
    recording->verdict_time = core->epoch_end;
    char *text = recording->verdict_detail;
    size_t size = sizeof recording->verdict_detail;
    size_t used = (size_t)snprintf(text, size,
                                   "no frame in %s or below for process %u; memory is held by",
                                   zone_names[core->failed_zone], core->failed_process);
    for (int owner = 0; owner < OWNERS && used < size; owner++) {
        page_count frames = zone_owner_frames(cell, (enum owner)owner);
        if (frames > 0) {
            used += (size_t)snprintf(text + used, size - used, " %s %" PRIu64 " MiB,",
                                     owner_names[owner], frames >> (20 - PAGE_SHIFT));
        }
    }
    if (used < size) {
        snprintf(text + used, size - used, " free %" PRIu64 " MiB",
                 zone_free_frames(cell) >> (20 - PAGE_SHIFT));
    }
}
