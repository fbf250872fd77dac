#include "machine/process.h"

#include <assert.h>

#include "machine/cell.h"

/* --- at home ------------------------------------------------------------------------------ */

void process_start_phase(struct cell *cell, uint32_t phase)
{
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        if ((uint32_t)cell->plan->processes[i].start == phase &&
            cell->homes[i].state == PROCESS_NOT_STARTED) {
            cell->homes[i].state = PROCESS_RUNNABLE;
        }
    }
}

/* The process stopped at `at`: what its grant would have bought after that comes back. */
static sim_time give_back(const struct cell *cell, struct home *home, sim_time at)
{
    const struct cell_core *core = cell->core;
    sim_time length = core->epoch_end - core->epoch_start;
    sim_time spent = muldiv(home->grant, at - core->epoch_start, length);
    sim_time returned = home->grant - spent;
    home->grant = spent;
    return returned;
}

sim_time process_receive(struct cell *cell, const struct message *messages, size_t nmessages)
{
    sim_time returned = 0;
    for (size_t i = 0; i < nmessages; i++) {
        const struct message *message = &messages[i];
        struct home *home = &cell->homes[message->process];
        switch ((enum message_kind)message->kind) {
        case MESSAGE_USED:
            home->debt += message->value;
            break;
        case MESSAGE_BLOCKED:
            returned += give_back(cell, home, message->value);
            home->state = PROCESS_BLOCKED;
            break;
        case MESSAGE_WOKEN:
            if (home->state == PROCESS_BLOCKED) {
                home->state = PROCESS_RUNNABLE;
            }
            break;
        case MESSAGE_FINISHED:
            if (home->state == PROCESS_RUNNABLE) {
                returned += give_back(cell, home, message->value);
            }
            home->state = PROCESS_FINISHED;
            break;
        case MESSAGE_GRANT:
            break;
        }
    }
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        count(cell, METRIC_USER, cell->homes[i].grant);
        cell->homes[i].grant = 0;
    }
    return returned;
}

/* What a process would use of one CPU in an epoch: its debt first, then user code. */
static sim_time wanted(const struct cell *cell, size_t process, sim_time length)
{
    const struct home *home = &cell->homes[process];
    sim_time user = 0;
    if (home->state == PROCESS_RUNNABLE) {
        uint64_t share = cell->plan->processes[process].cpu_share;
        user = (sim_time)((uint128)length * share / CPU_SHARE_ONE);
    }
    return min_u64(home->debt + user, length);
}

struct process_demand process_demand(const struct cell *cell, sim_time level)
{
    sim_time length = cell->core->epoch_end - cell->core->epoch_start;
    struct process_demand demand = {0, 0};
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        sim_time time = wanted(cell, i, length);
        if (time <= level) {
            demand.below += time;
        } else {
            demand.nabove++;
        }
    }
    return demand;
}

void process_plan_epoch(struct cell *cell)
{
    struct cell_core *core = cell->core;
    sim_time length = core->epoch_end - core->epoch_start;
    sim_time available = core->cpu.spare;
    sim_time total = process_demand(cell, TIME_NEVER).below;
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        struct home *home = &cell->homes[i];
        sim_time time = wanted(cell, i, length);
        if (total > available) {
            time = muldiv(time, available, total);
        }
        if (time == 0) {
            continue;
        }
        sim_time paid = min_u64(home->debt, time);
        home->debt -= paid;
        home->grant = time - paid;
        core->cpu.spare -= time;
        count(cell, METRIC_SYSTEM, paid);
        if (home->grant > 0) {
            outbox_post(&cell->outbox, MESSAGE_GRANT, (process_id)i, home->grant);
        }
    }
}

/* --- in every cell ------------------------------------------------------------------------ */

void process_take_grants(struct cell *cell, const struct message *messages, size_t nmessages)
{
    for (size_t i = 0; i < nmessages; i++) {
        if (messages[i].kind == MESSAGE_GRANT) {
            cell->visitors[messages[i].process].grant = messages[i].value;
        }
    }
}

void visitor_stop(struct cell *cell, struct visitor *visitor, sim_time at)
{
    const struct cell_core *core = cell->core;
    visitor->work += muldiv(visitor->grant, at - core->epoch_start,
                            core->epoch_end - core->epoch_start);
    visitor->grant = 0;
}

void process_end_epoch(struct cell *cell)
{
    struct cell_core *core = cell->core;
    sim_time length = core->epoch_end - core->epoch_start;
    core->nlock_shares = 0;
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        struct visitor *visitor = &cell->visitors[i];
        visitor->work += visitor->grant;
        visitor->grant = 0;
        uint64_t share = 0;
        if (visitor->used > 0) {
            outbox_post(&cell->outbox, MESSAGE_USED, (process_id)i, visitor->used);
            visitor->used = 0;
            share = min_u64(muldiv(visitor->fault_time, CPU_SHARE_ONE, length), UINT32_MAX);
            visitor->fault_time = 0;
        }
        cell->mms[i].lock_share = (uint32_t)share;
        core->nlock_shares += share > 0;
    }
}
