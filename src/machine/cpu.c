#include "machine/cpu.h"

#include <assert.h>

#include "machine/cell.h"

static void set_wanting(struct cell *cell, uint32_t context, bool wanting)
{
    uint64_t bit = 1ULL << (context % 64);
    uint64_t *word = &cell->runnable[context / 64];
    if (((*word & bit) != 0) != wanting) {
        *word ^= bit;
        cell->core->cpu.nwanting += wanting ? 1 : (uint32_t)-1;
    }
}

void cpu_book(struct cell *cell, uint32_t id, sim_time until)
{
    struct context *context = &cell->contexts[id];
    if (!context->on_cpu || until <= context->run_since) {
        return;
    }
    sim_time used = until - context->run_since;
    count(cell, METRIC_SYSTEM, used);
    if (context->state == CONTEXT_SPINNING) {
        count(cell, METRIC_SPIN, used);
    } else if (context->task != TASK_OPERATE && !context_flushes(context)) {
        count(cell, METRIC_RECLAIM_CPU, used);
    }
    context->run_since = until;
}

/* The context has a CPU from `from` on. */
static void put_on_cpu(struct cell *cell, uint32_t id, sim_time from)
{
    struct context *context = &cell->contexts[id];
    context->on_cpu = true;
    context->run_since = from;
    if (context->state == CONTEXT_RUNNING) {
        context->now = max_u64(context->now, from + context->beyond);
        context->beyond = 0;
        event_set(cell, id, context->now);
    }
}

/* The first context at or after `from` that wants a CPU, counting round. */
static uint32_t next_wanting(const struct cell *cell, uint32_t from)
{
    uint32_t nwords = (cell->ncontexts + 63) / 64;
    uint64_t word = cell->runnable[from / 64] & (~0ULL << (from % 64));
    for (uint32_t i = from / 64, tried = 0; tried <= nwords; tried++) {
        if (word != 0) {
            return i * 64 + (uint32_t)__builtin_ctzll(word);
        }
        i = (i + 1) % nwords;
        word = cell->runnable[i];
    }
    return CONTEXT_NONE;
}

/* Within a spinlock, or spinning: it must not lose its CPU. */
static bool is_stuck(const struct context *context)
{
    return context->on_cpu && !context->may_resched;
}

static void take_cpu(struct cell *cell, uint32_t id, sim_time from)
{
    struct cell_core *core = cell->core;
    core->cpu.on_cpu++;
    core->cpu.spare -= core->window_end - from;
    core->cpu.due -= (int64_t)(core->window_end - from);
    put_on_cpu(cell, id, from);
}

/* The next context in turn that wants a CPU and has none; false when there is none. */
static bool next_in_turn(struct cell *cell, uint32_t *id_p)
{
    struct cpu_pool *cpu = &cell->core->cpu;
    uint32_t id = cpu->next;
    for (uint32_t i = 0; i < cpu->nwanting; i++) {
        id = next_wanting(cell, id % cell->ncontexts);
        if (!cell->contexts[id].on_cpu && !cell->contexts[id].yielded) {
            cpu->next = (id + 1) % cell->ncontexts;
            *id_p = id;
            return true;
        }
        id++;
    }
    return false;
}

/* Contexts that cannot lose their CPU keep it, the others queue up anew. What a context did beyond
 * the end of a window comes off the next one in which it has a CPU. */
static void keep_stuck(struct cell *cell, sim_time last_window_end)
{
    uint32_t id = 0;
    for (uint32_t i = 0; i < cell->core->cpu.nwanting; i++) {
        id = next_wanting(cell, id);
        struct context *context = &cell->contexts[id];
        context->yielded = false;
        if (context->state == CONTEXT_RUNNING && context->now > last_window_end) {
            if (context->on_cpu && cell->ncells > 1) {
                context->beyond = context->now - last_window_end;
            }
            context->now += cell->core->epoch_start - last_window_end;
        }
        if (is_stuck(context)) {
            take_cpu(cell, id, cell->core->epoch_start);
        } else {
            context->on_cpu = false;
            if (context->state == CONTEXT_RUNNING) {
                event_remove(cell, id);
            }
        }
        id++;
    }
}

void cpu_begin_epoch(struct cell *cell, const struct cell_share *share)
{
    struct cell_core *core = cell->core;
    struct cpu_pool *cpu = &core->cpu;
    cpu->spare = share->spare + share->contexts * (core->window_end - core->epoch_start);
    cpu->due = share->due;
    cpu->room = share->room;
    for (int who = 0; who < 2; who++) {
        cpu->blocked[who] = cpu->nblocked[who] * (core->epoch_end - core->epoch_start);
    }
    cpu->on_cpu = 0;
    keep_stuck(cell, cpu->last_window_end);
    cpu->last_window_end = core->window_end;
    uint32_t id;
    while (cpu->on_cpu < share->contexts && next_in_turn(cell, &id)) {
        take_cpu(cell, id, core->epoch_start);
    }
    count(cell, METRIC_SYSTEM, share->system);
}

/* A CPU has come free within the epoch: to the next context in turn, unless it is one that
 * processes gave up only because they had to. */
static void pass_on(struct cell *cell, sim_time now)
{
    struct cell_core *core = cell->core;
    sim_time rest = core->window_end > now ? core->window_end - now : 0;
    uint32_t id;
    while (rest > 0 && core->cpu.on_cpu < core->cpu.room && core->cpu.spare >= rest &&
           next_in_turn(cell, &id)) {
        take_cpu(cell, id, now);
    }
}

/* Who begins to want a CPU between the end of the window and that of the epoch wants it from the
 * next epoch on. It has done nothing beyond the window, as those have whose clock ran past it. */
static sim_time within_window(const struct cell_core *core, sim_time now)
{
    if (now <= core->window_end) {
        return now;
    }
    return core->window_end + (now > core->epoch_end ? now - core->epoch_end : 0);
}

void cpu_want(struct cell *cell, uint32_t id, sim_time now)
{
    struct context *context = &cell->contexts[id];
    context->now = within_window(cell->core, now);
    context->on_cpu = false;
    context->may_resched = context->state != CONTEXT_SPINNING;
    context->yielded = false;
    set_wanting(cell, id, true);
    pass_on(cell, now);
}

/* Takes a context off its CPU at `now`; what is left of the epoch is free again. */
static void leave_cpu(struct cell *cell, uint32_t id, sim_time now)
{
    struct cell_core *core = cell->core;
    struct context *context = &cell->contexts[id];
    if (context->on_cpu) {
        cpu_book(cell, id, min_u64(now, core->window_end));
        sim_time rest = core->window_end > now ? core->window_end - max_u64(now, core->epoch_start)
                                               : 0;
        core->cpu.spare += rest;
        core->cpu.due += (int64_t)rest;
        core->cpu.on_cpu--;
    }
    context->on_cpu = false;
    event_remove(cell, id);
}

void cpu_yield(struct cell *cell, uint32_t id, sim_time now)
{
    leave_cpu(cell, id, now);
    cell->contexts[id].yielded = true;
    pass_on(cell, now);
}

void cpu_release(struct cell *cell, uint32_t id, sim_time now)
{
    const bool returned = cell->contexts[id].on_cpu;
    leave_cpu(cell, id, now);
    set_wanting(cell, id, false);
    if (returned) {
        pass_on(cell, now);
    }
}

bool cpu_should_yield(const struct cell *cell, const struct context *context)
{
    const struct cpu_pool *cpu = &cell->core->cpu;
    return cpu->on_cpu > cpu->room && cpu->due < 0 && context->may_resched;
}

void cpu_end_epoch(struct cell *cell, struct cell_report *report)
{
    struct cell_core *core = cell->core;
    uint32_t id = 0;
    for (uint32_t i = 0; i < core->cpu.nwanting; i++) {
        id = next_wanting(cell, id);
        report->nstuck += is_stuck(&cell->contexts[id]);
        cpu_book(cell, id++, core->window_end);
    }
    report->spare = core->cpu.spare;
    report->due = core->cpu.due;
    report->blocked = core->cpu.blocked[0] + core->cpu.blocked[1] / cell->ncells;
    core->cpu.spare = 0; /* reported: who begins to want a CPU before the next epoch waits for it */
}
