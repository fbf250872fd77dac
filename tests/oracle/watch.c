/* What is worked out at the end of epochs: docs/model.md, section 12. */
#include "oracle/watch.h"

#include <math.h>
#include <stdlib.h>

#include "oracle/parts.h"

static double seconds(sim_time time)
{
    return (double)time / (double)SECOND;
}

void o_watch_begin(struct watch *watch)
{
    *watch = (struct watch){
        .spell_began = TIME_NEVER,
        .first_reclaim = TIME_NEVER,
        .first_free = TIME_NEVER,
        .livelock_at = TIME_NEVER,
        .pressure_began = TIME_NEVER,
    };
}

/* The first with a segment that can be freed. */
static const struct workload *first_database(const struct machine *machine)
{
    for (size_t w = 0; w < machine->nworkloads; w++) {
        if ((machine->workloads[w].kind == WORKLOAD_DATABASE &&
             machine->workloads[w].object->page_size == PAGE_BYTES) ||
            machine->workloads[w].kind == WORKLOAD_WINDOWS) {
            return &machine->workloads[w];
        }
    }
    return NULL;
}

static uint64_t segment_touches(const struct machine *machine)
{
    const struct workload *database = first_database(machine);
    uint64_t touches = 0;
    for (uint32_t i = 0; database != NULL && i < database->nprocesses; i++) {
        touches += database->processes[i]->touches;
    }
    return touches;
}

void o_watch_pressure(const struct machine *machine, struct watch *watch,
                      const struct counters *at_pressure)
{
    watch->pressure_began = machine->epoch_end;
    watch->at_pressure = *at_pressure;
    watch->segment_touches_at_pressure = segment_touches(machine);
}

static bool reclaim_runs(const struct machine *machine)
{
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        if (machine->contexts[i].reclaiming_since != TIME_NEVER) {
            return true;
        }
    }
    return false;
}

static void follow_reclaim(const struct machine *machine, struct watch *watch)
{
    const bool runs = reclaim_runs(machine);
    const bool freed = machine->count.pages_freed > watch->freed;
    const bool pressure = watch->pressure_began != TIME_NEVER;
    watch->freed = machine->count.pages_freed;
    if (pressure && (runs || freed) && watch->first_reclaim == TIME_NEVER) {
        watch->first_reclaim = machine->epoch_begin;
    }
    if (pressure && freed && watch->first_free == TIME_NEVER) {
        watch->first_free = machine->epoch_end;
    }
    if (runs && watch->spell_began == TIME_NEVER) {
        watch->spell_began = machine->epoch_begin;
        watch->last_free = machine->epoch_begin;
    }
    if (freed) {
        watch->last_free = machine->epoch_end;
    } else if (watch->spell_began != TIME_NEVER) {
        const sim_time gap = machine->epoch_end - watch->last_free;
        watch->longest_gap = gap > watch->longest_gap ? gap : watch->longest_gap;
    }
    if (!runs) {
        watch->spell_began = TIME_NEVER;
    }
}

/* Whether some process has waited for memory for `stall`, and how many pages those that wait would
 * have used in that time. */
static bool waits_too_long(const struct machine *machine, uint64_t *demanded_p)
{
    const sim_time stall = machine->scenario->stall;
    bool too_long = false;
    *demanded_p = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        const struct process *process = &machine->processes[p];
        if (process->memory_wait_since == TIME_NEVER) {
            continue;
        }
        uint64_t pages = 1;
        if (process->finite && process->workload->kind != WORKLOAD_MANY_VMAS &&
            process->workload->kind != WORKLOAD_FORK_EXIT) {
            const sim_time work = (sim_time)((uint128)stall * process->share >> 32);
            pages = work / process->workload->interval;
        }
        *demanded_p += pages < 1 ? 1 : pages;
        too_long = too_long || process->memory_wait_since + stall <= machine->epoch_end;
    }
    return too_long;
}

static void look_for_livelock(const struct machine *machine, struct watch *watch)
{
    const sim_time now = machine->epoch_end;
    const sim_time stall = machine->scenario->stall;
    if (now < watch->next_look) {
        return;
    }
    watch->next_look += stall / LOOKS_BACK > 0 ? stall / LOOKS_BACK : 1;
    /* The newest look first. */
    for (unsigned i = LOOKS_BACK; i > 0; i--) {
        watch->looks[i] = watch->looks[i - 1];
    }
    watch->looks[0] = (struct look){machine->count.pages_freed, machine->count.touches};
    watch->nlooks++;
    if (watch->nlooks <= LOOKS_BACK || watch->spell_began == TIME_NEVER ||
        watch->spell_began + stall > now || watch->livelock_at != TIME_NEVER) {
        return;
    }
    const uint64_t freed = watch->looks[0].freed - watch->looks[LOOKS_BACK].freed;
    const uint64_t touches = watch->looks[0].touches - watch->looks[LOOKS_BACK].touches;
    uint64_t demanded;
    const bool starved = waits_too_long(machine, &demanded) && 100 * freed < demanded;
    const bool stopped = watch->pressure_began != TIME_NEVER && watch->pressure_began > 0 &&
                         (uint128)100 * touches * watch->pressure_began <
                             (uint128)watch->at_pressure.touches * stall;
    if (starved || stopped) {
        watch->livelock_at = now;
    }
}

void o_watch_epoch(const struct machine *machine, struct watch *watch)
{
    follow_reclaim(machine, watch);
    look_for_livelock(machine, watch);
}

bool o_watch_freed_enough(const struct machine *machine, const struct watch *watch)
{
    const share_ppb share = machine->scenario->phases.pressure.until_freed;
    const struct workload *database = first_database(machine);
    if (share == 0 || watch->pressure_began == TIME_NEVER || database == NULL) {
        return false;
    }
    const uint64_t freed = machine->count.pages_freed - watch->at_pressure.pages_freed;
    return (uint128)freed * SHARE_ONE >= (uint128)database->object->npages * share;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t percentile(const uint64_t *sorted, uint64_t n, uint64_t percent)
{
    const uint64_t rank = (n * percent + 99) / 100;
    return rank == 0 ? sorted[0] : sorted[rank - 1];
}

static void add_progress(const struct machine *machine, struct counters *values)
{
    const struct workload *largest = &machine->workloads[0];
    for (size_t w = 1; w < machine->nworkloads; w++) {
        if (machine->workloads[w].nprocesses > largest->nprocesses) {
            largest = &machine->workloads[w];
        }
    }
    const uint64_t n = largest->nprocesses - largest->has_log_writer;
    uint64_t *touches = calloc(n, sizeof *touches);
    REQUIRE(n > 0 && touches != NULL);
    for (uint64_t i = 0; i < n; i++) {
        touches[i] = largest->processes[i]->touches;
    }
    qsort(touches, n, sizeof *touches, by_number);
    values->progress_p10 = percentile(touches, n, 10);
    values->progress_p50 = percentile(touches, n, 50);
    values->progress_p90 = percentile(touches, n, 90);
    free(touches);
}

void o_watch_fill(const struct machine *machine, const struct watch *watch, struct counters *values)
{
    const struct workload *database = first_database(machine);
    values->longest_gap_without_free = watch->longest_gap;
    values->time_to_first_free = watch->first_free == TIME_NEVER
                                     ? NAN
                                     : seconds(watch->first_free - watch->first_reclaim);
    values->theta_cold = NAN;
    values->laps = NAN;
    add_progress(machine, values);
    if (watch->pressure_began == TIME_NEVER) {
        return;
    }
    const double ptes = (double)watch->at_pressure.ptes_present;
    if (database != NULL && machine->epoch_end > watch->pressure_began) {
        const double touches = (double)(segment_touches(machine) -
                                        watch->segment_touches_at_pressure);
        const double rate = touches / seconds(machine->epoch_end - watch->pressure_began);
        const double popularity = (double)access_coldest(&database->access) / (double)(1ULL << 32);
        values->theta_cold = rate / (double)database->object->npages * popularity * ptes *
                             seconds(machine->cost[COST_PTE_VISIT]);
    }
    if (ptes > 0) {
        const uint64_t visits = values->ptes_visited + values->rmap_visits -
                                watch->at_pressure.ptes_visited - watch->at_pressure.rmap_visits;
        values->laps = (double)visits / ptes;
    }
}
