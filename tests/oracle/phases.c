/* From the first epoch to the verdict: docs/model.md, section 12. */
#include <stdlib.h>

#include "oracle/parts.h"
#include "oracle/watch.h"

/* Low memory by its holders. */
static void sum_up_lowmem(const struct zone *zone, struct counters *values)
{
    const uint64_t *held = zone->held;
    const enum holder user[] = {HELD_SHM,     HELD_FILE,  HELD_ANON,
                                HELD_BALLAST, HELD_LARGE, HELD_BY_PROCESS};
    for (size_t i = 0; i < sizeof user / sizeof user[0]; i++) {
        values->lowmem_user_bytes += held[user[i]] * PAGE_BYTES;
    }
    values->lowmem_mem_map_bytes += held[HELD_MEM_MAP] * PAGE_BYTES;
    values->lowmem_image_bytes += held[HELD_KERNEL] * PAGE_BYTES;
    values->lowmem_pagetable_bytes += held[HELD_PAGE_TABLE] * PAGE_BYTES;
    values->lowmem_directory_bytes += held[HELD_DIRECTORY] * PAGE_BYTES;
    values->lowmem_rmap_bytes += held[HELD_CHAINS] * PAGE_BYTES;
    values->lowmem_task_bytes += held[HELD_TASKS] * PAGE_BYTES;
    values->lowmem_mm_bytes += held[HELD_MMS] * PAGE_BYTES;
    values->lowmem_vma_bytes += held[HELD_VMAS] * PAGE_BYTES;
    values->lowmem_buffer_head_bytes += held[HELD_BUFFERS] * PAGE_BYTES;
    values->lowmem_radix_node_bytes += held[HELD_NODES] * PAGE_BYTES;
}

void o_sum_up(const struct machine *machine, struct counters *values)
{
    *values = machine->count;
    for (int z = 0; z < ZONES; z++) {
        const struct zone *zone = &machine->zones[z];
        values->free_bytes += zone->free * PAGE_BYTES;
        values->lowmem_free_bytes += z == HIGHMEM ? 0 : zone->free * PAGE_BYTES;
        values->active_bytes += zone->nr_active * PAGE_BYTES;
        values->inactive_bytes += zone->nr_inactive * PAGE_BYTES;
        values->pagetable_bytes += (zone->held[HELD_PAGE_TABLE] + zone->held[HELD_DIRECTORY]) *
                                   PAGE_BYTES;
        values->rmap_bytes += zone->held[HELD_CHAINS] * PAGE_BYTES;
        values->large_page_bytes += zone->held[HELD_LARGE] * PAGE_BYTES;
        for (int h = HELD_MEM_MAP; h <= HELD_NODES; h++) {
            values->kernel_bytes += zone->held[h] * PAGE_BYTES;
        }
        if (z != HIGHMEM) {
            sum_up_lowmem(zone, values);
        }
        values->ballast_bytes += zone->held[HELD_BALLAST] * PAGE_BYTES;
        values->shm_bytes += zone->held[HELD_SHM] * PAGE_BYTES;
        values->anon_bytes += zone->held[HELD_ANON] * PAGE_BYTES;
        values->file_bytes += zone->held[HELD_FILE] * PAGE_BYTES;
    }
    for (size_t o = 0; o < machine->nobjects; o++) {
        const struct object *object = &machine->objects[o];
        for (uint64_t i = 0; i < object->npages; i++) {
            const struct page *page = &object->pages[i];
            values->swapcache_bytes += o_page_in_swap_cache(page) * PAGE_BYTES;
            values->swapcache_dirty_bytes += (o_page_in_swap_cache(page) && page->dirty) *
                                             PAGE_BYTES;
            values->ptes_present += page->mapcount;
            for (const struct list_entry *entry = page->entries; entry != NULL;
                 entry = entry->next) {
                values->chain_blocks++;
            }
            values->file_dirty_bytes += (object->written && page->dirty) * PAGE_BYTES;
            values->buffer_heads += page->resident && page->buffers;
        }
    }
    values->swap_used_bytes = o_swap_used(machine) * PAGE_BYTES;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        const struct process *process = &machine->processes[p];
        values->processes_blocked += process->blocked || process->waiting;
    }
    values->chain_blocks += machine->chain_blocks;
    values->elapsed_seconds = machine->epoch_end;
}

static void record(const struct machine *machine, struct oracle_result *result)
{
    o_check_machine(machine);
    struct oracle_sample *more = realloc(result->samples,
                                         (result->nsamples + 1) * sizeof *result->samples);
    REQUIRE(more != NULL);
    result->samples = more;
    struct oracle_sample *sample = &more[result->nsamples++];
    sample->time = machine->epoch_end;
    o_sum_up(machine, &sample->values);
    o_watch_fill(machine, machine->watch, &sample->values);
    sample->values.tlb_reach_bytes = o_translation_reach(machine);
}

static void begin_pressure(struct machine *machine, struct oracle_result *result)
{
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        machine->processes[p].started = machine->processes[p].started ||
                                        !machine->processes[p].by_fork;
    }
    o_sum_up(machine, &result->at_pressure);
    o_watch_pressure(machine, machine->watch, &result->at_pressure);
}

static bool all_finite_done(const struct machine *machine)
{
    bool any = false;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        const struct process *process = &machine->processes[p];
        if (process->finite && !process->done) {
            return false;
        }
        any = any || process->finite;
    }
    return any;
}

static sim_time next_end(const struct machine *machine, sim_time next_sample)
{
    const struct scenario *scenario = machine->scenario;
    const sim_time now = machine->epoch_end;
    sim_time end = min_u64(now + scenario->epoch, next_sample);
    if (scenario->phases.warmup > now) {
        end = min_u64(end, scenario->phases.warmup);
    }
    return min_u64(end, scenario->duration);
}

/* Whether the run ends here, and how. */
static bool is_over(const struct machine *machine, struct oracle_result *result)
{
    const bool livelock = machine->watch->livelock_at != TIME_NEVER;
    result->end = livelock ? ORACLE_LIVELOCK : ORACLE_COMPLETED;
    result->end_time = livelock ? machine->watch->livelock_at : machine->epoch_end;
    if (machine->out_of_memory) {
        result->end = machine->out_of_lowmem ? ORACLE_LOWMEM_EXHAUSTED : ORACLE_OOM;
        result->end_time = machine->epoch_end;
        return true;
    }
    return machine->epoch_end >= machine->scenario->duration ||
           o_watch_freed_enough(machine, machine->watch) || all_finite_done(machine);
}

void o_phases_run(struct machine *machine, struct oracle_result *result)
{
    const struct scenario *scenario = machine->scenario;
    struct watch watch;
    o_watch_begin(&watch);
    machine->watch = &watch;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        machine->processes[p].started = machine->processes[p].from_start;
    }
    sim_time next_sample = scenario->output.interval;
    record(machine, result);
    bool over = machine->out_of_memory && is_over(machine, result);
    while (!over) {
        if (machine->epoch_end == scenario->phases.warmup) {
            begin_pressure(machine, result);
        }
        o_epoch_run(machine, next_end(machine, next_sample));
        o_watch_epoch(machine, &watch);
        over = is_over(machine, result);
        if (over || machine->epoch_end == next_sample) {
            record(machine, result);
            next_sample = machine->epoch_end + scenario->output.interval;
        }
    }
    for (int z = 0; z < ZONES; z++) {
        result->ballast += machine->zones[z].held[HELD_BALLAST] * PAGE_BYTES;
    }
    machine->watch = NULL;
}

void oracle_run(const struct scenario *scenario, struct oracle_result *result)
{
    *result = (struct oracle_result){0};
    struct machine *machine = o_layout_build(scenario);
    if (o_populate(machine)) {
        o_phases_run(machine, result);
        result->loads_checked = machine->loads_checked;
    } else {
        result->too_small = true;
    }
    o_layout_free(machine);
}

void oracle_free(struct oracle_result *result)
{
    free(result->samples);
    *result = (struct oracle_result){0};
}

const char *oracle_end_name(enum oracle_end end)
{
    static const char *const names[] = {"completed", "livelock", "oom", "lowmem_exhausted"};
    return names[end];
}
