/* Drawing the touches of an epoch, process by process, and putting them in the order of time. */
#include <stdlib.h>
#include <string.h>

#include "workloads/workloads.h"

static sim_time operation_due(const struct workload *workload, const struct cell *cell,
                              process_id process, uint64_t ordinal, sim_time before)
{
    return workload->ops->operation_due == NULL
               ? TIME_NEVER
               : workload->ops->operation_due(workload, cell, process, ordinal, before);
}

/* Gives a process its first touch and its first operation. */
static void start_process(const struct workload *workload, struct cell *cell,
                          const struct process_draws *draws, process_id process, uint64_t draw)
{
    struct visitor *visitor = &cell->visitors[process];
    struct random_block bits = random_draw(cell->scenario->seed, RANDOM_TOUCH, process, cell->id,
                                           draw);
    visitor->ordinal = first_ordinal(visitor->generation);
    visitor->operation_ordinal = visitor->ordinal;
    visitor->operation_at = operation_due(workload, cell, process, draw, 0);
    visitor->next_at = workload->ops->due(workload, cell, draws, process, visitor->ordinal, 0,
                                          &bits);
}

enum status workloads_divide(const struct workload_set *set, const struct cell *cell,
                             struct cell_draws *draws)
{
    draws->process = calloc(set->plan.nprocesses + 1, sizeof *draws->process);
    if (draws->process == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the touches of %zu processes",
                    set->plan.nprocesses);
    }
    for (size_t i = 0; i < set->nworkloads; i++) {
        const struct workload *workload = &set->workload[i];
        enum status status = workload->ops->divide == NULL
                                 ? STATUS_OK
                                 : workload->ops->divide(workload, cell, draws);
        if (status != STATUS_OK) {
            workloads_free_draws(draws);
            return status;
        }
    }
    return STATUS_OK;
}

void workloads_start(const struct workload_set *set, struct cell *cell,
                     const struct cell_draws *draws)
{
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        const struct workload *workload = &set->workload[set->plan.processes[i].workload];
        start_process(workload, cell, &draws->process[i], (process_id)i, FIRST_DRAW);
    }
}

byte_count workloads_draws_bytes(const struct workload_set *set)
{
    byte_count bytes = set->plan.nprocesses * sizeof(struct process_draws);
    for (size_t i = 0; i < set->nworkloads; i++) {
        bytes += set->workload[i].ntables * sizeof(struct access_table);
    }
    return bytes;
}

void workloads_free_draws(struct cell_draws *draws)
{
    free(draws->process);
    for (size_t i = 0; i < draws->ntables; i++) {
        free(draws->tables[i]);
    }
    free(draws->tables);
    *draws = (struct cell_draws){0};
}

bool draws_keep_tables(struct cell_draws *draws, struct access_table *tables)
{
    struct access_table **kept = realloc(draws->tables, (draws->ntables + 1) * sizeof *kept);
    if (kept == NULL) {
        return false;
    }
    draws->tables = kept;
    draws->tables[draws->ntables++] = tables;
    return true;
}

static enum status make_room(struct touch_batch *batch)
{
    if (batch->count < batch->capacity) {
        return STATUS_OK;
    }
    size_t capacity = batch->capacity == 0 ? 1024 : 2 * batch->capacity;
    struct touch *unsorted = realloc(batch->unsorted, capacity * sizeof *unsorted);
    struct touch *touches = realloc(batch->touches, capacity * sizeof *touches);
    batch->unsorted = unsorted != NULL ? unsorted : batch->unsorted;
    batch->touches = touches != NULL ? touches : batch->touches;
    if (unsorted == NULL || touches == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %zu touches of one epoch", capacity);
    }
    /* With what is between members: touches are copied whole, and some are in checkpoints. */
    memset(unsorted + batch->capacity, 0, (capacity - batch->capacity) * sizeof *unsorted);
    batch->capacity = capacity;
    return STATUS_OK;
}

/* When, in the epoch, a process gets to a point of its user time. */
static sim_time time_of(const struct cell_core *core, const struct visitor *visitor, sim_time work)
{
    sim_time length = core->epoch_end - core->epoch_start;
    sim_time done = work - visitor->work;
    if (length <= UINT32_MAX) {
        return core->epoch_start + done * length / visitor->grant;
    }
    return core->epoch_start + muldiv(done, length, visitor->grant);
}

static enum status draw_process(const struct workload *workload, struct cell *cell,
                                const struct process_draws *draws, process_id process,
                                struct touch_batch *batch)
{
    const struct visitor *visitor = &cell->visitors[process];
    sim_time end = min_u64(visitor->work + visitor->grant, visitor->operation_at);
    sim_time at = visitor->next_at;
    for (uint64_t ordinal = visitor->ordinal; at < end; ordinal++) {
        enum status status = make_room(batch);
        if (status != STATUS_OK) {
            return status;
        }
        struct random_block bits = random_draw(cell->scenario->seed, RANDOM_TOUCH, process,
                                               cell->id, ordinal);
        struct touch *touch = &batch->unsorted[batch->count++];
        touch->at = time_of(cell->core, visitor, at);
        touch->ordinal = ordinal;
        touch->process = process;
        workload->ops->locate(workload, cell, draws, process, ordinal, &bits, touch);
        at = workload->ops->due(workload, cell, draws, process, ordinal + 1, at, &bits);
        touch->next_at = at;
    }
    return STATUS_OK;
}

/* The operation of a process that falls into the epoch. The process stops at it. */
static enum status draw_operation(const struct workload *workload, struct cell *cell,
                                  process_id process, struct touch_batch *batch)
{
    const struct visitor *visitor = &cell->visitors[process];
    if (batch->ncalls == batch->call_capacity) {
        size_t capacity = 2 * batch->call_capacity + 64;
        struct operation_call *calls = realloc(batch->calls, capacity * sizeof *calls);
        if (calls == NULL) {
            return fail(STATUS_RESOURCE, "out of memory for %zu operations of one epoch", capacity);
        }
        batch->calls = calls;
        batch->call_capacity = capacity;
    }
    enum status status = make_room(batch);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t ordinal = visitor->operation_ordinal;
    workload->ops->operate(workload, cell, process, ordinal, &batch->calls[batch->ncalls]);
    batch->unsorted[batch->count++] = (struct touch){
        .at = time_of(cell->core, visitor, visitor->operation_at),
        .next_at = workload->ops->operation_due(workload, cell, process, ordinal,
                                                visitor->operation_at),
        .ordinal = ordinal,
        .page = (page_id)batch->ncalls++,
        .vma = VMA_NONE,
        .process = process,
        .access = ACCESS_OPERATION,
    };
    return STATUS_OK;
}

/* Sorts by time, keeping the order of processes among touches of the same time: into as many
 * buckets as there are touches, then by insertion, which meets hardly anything out of order. */
static enum status sort_touches(const struct cell_core *core, struct touch_batch *batch)
{
    size_t nbuckets = batch->count + 1;
    if (batch->bucket_capacity < nbuckets + 1) {
        uint32_t *buckets = realloc(batch->buckets, 2 * (nbuckets + 1) * sizeof *buckets);
        if (buckets == NULL) {
            return fail(STATUS_RESOURCE, "out of memory for %zu touches of one epoch",
                        batch->count);
        }
        batch->buckets = buckets;
        batch->bucket_capacity = 2 * (nbuckets + 1);
    }
    sim_time length = core->epoch_end - core->epoch_start;
    uint32_t *start = batch->buckets;
    for (size_t i = 0; i <= nbuckets; i++) {
        start[i] = 0;
    }
    /* A multiplier in place of a division: bucket = (at - epoch_start) * nbuckets / length. */
    uint64_t scale = (uint64_t)(((uint128)nbuckets << 32) / length);
    for (size_t i = 0; i < batch->count; i++) {
        sim_time into = batch->unsorted[i].at - core->epoch_start;
        start[(size_t)(((uint128)into * scale) >> 32) + 1]++;
    }
    for (size_t i = 0; i < nbuckets; i++) {
        start[i + 1] += start[i];
    }
    for (size_t i = 0; i < batch->count; i++) {
        sim_time into = batch->unsorted[i].at - core->epoch_start;
        batch->touches[start[(size_t)(((uint128)into * scale) >> 32)]++] = batch->unsorted[i];
    }
    for (size_t i = 1; i < batch->count; i++) {
        struct touch touch = batch->touches[i];
        size_t j = i;
        for (; j > 0 && batch->touches[j - 1].at > touch.at; j--) {
            batch->touches[j] = batch->touches[j - 1];
        }
        batch->touches[j] = touch;
    }
    return STATUS_OK;
}

enum status workloads_draw(const struct workload_set *set, struct cell *cell,
                           const struct cell_draws *draws, struct touch_batch *batch)
{
    batch->count = 0;
    batch->ncalls = 0;
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        struct visitor *visitor = &cell->visitors[i];
        sim_time end = visitor->work + visitor->grant;
        if (visitor->grant > 0 && visitor->born) {
            visitor->born = false;
            start_process(&set->workload[set->plan.processes[i].workload], cell, &draws->process[i],
                          (process_id)i, first_ordinal(visitor->generation) + FIRST_ORDINAL_LAST);
        }
        if (visitor->grant == 0 || min_u64(visitor->next_at, visitor->operation_at) >= end) {
            continue;
        }
        const struct workload *workload = &set->workload[set->plan.processes[i].workload];
        enum status status = draw_process(workload, cell, &draws->process[i], (process_id)i, batch);
        /* An operation waits until all cells have done their part of the one before it. */
        if (status == STATUS_OK && visitor->operation_at < end && !visitor->ahead) {
            status = draw_operation(workload, cell, (process_id)i, batch);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return sort_touches(cell->core, batch);
}

void workloads_free_batch(struct touch_batch *batch)
{
    free(batch->calls);
    free(batch->touches);
    free(batch->unsorted);
    free(batch->buckets);
    *batch = (struct touch_batch){0};
}
