#include "machine/context.h"

#include <assert.h>

#include "machine/cell.h"
#include "machine/context_parts.h"
#include "machine/fault.h"
#include "machine/residence.h"
#include "machine/writeback.h"

uint32_t context_number(const struct cell *cell, const struct context *context)
{
    return (uint32_t)(context - cell->contexts);
}

void context_set_state(struct cell *cell, struct context *context, enum context_state state)
{
    uint32_t id = context_number(cell, context);
    context->state = (uint32_t)state;
    if (state == CONTEXT_IDLE) {
        cell->busy[id / 64] &= ~(1ULL << (id % 64));
    } else {
        cell->busy[id / 64] |= 1ULL << (id % 64);
    }
}

/* Waiting for a device or a queue is what iowait counts. */
static bool waits_for_io(const struct context *context)
{
    return context->state == CONTEXT_WAITING && context->wait != WAIT_TIME;
}

static void enter_waiting(struct cell *cell, struct context *context, sim_time now)
{
    struct cell_core *core = cell->core;
    context_set_state(cell, context, CONTEXT_WAITING);
    if (waits_for_io(context)) {
        int who = context->task == TASK_TOUCH ? 0 : 1;
        core->cpu.nblocked[who]++;
        core->cpu.blocked[who] += core->epoch_end > now ? core->epoch_end - now : 0;
    }
}

static void leave_waiting(struct cell *cell, struct context *context, sim_time now)
{
    struct cell_core *core = cell->core;
    if (waits_for_io(context)) {
        int who = context->task == TASK_TOUCH ? 0 : 1;
        core->cpu.nblocked[who]--;
        core->cpu.blocked[who] -= core->epoch_end > now ? core->epoch_end - now : 0;
    }
}

static void join(struct cell *cell, struct context *context, uint32_t *first)
{
    context->next_waiter = *first;
    *first = context_number(cell, context);
}

/* Takes a context out of a list of waiters that something else woke it from. */
static void leave_list(struct cell *cell, struct context *context, uint32_t *first)
{
    uint32_t id = context_number(cell, context);
    for (uint32_t *link = first; *link != CONTEXT_NONE; link = &cell->contexts[*link].next_waiter) {
        if (*link == id) {
            *link = context->next_waiter;
            return;
        }
    }
}

void context_run_again(struct cell *cell, struct context *context, sim_time now)
{
    context_set_state(cell, context, CONTEXT_RUNNING);
    context->outcome = STEP_AGAIN;
    cpu_want(cell, context_number(cell, context), now);
}

/* What a context is about to wait for has happened already. */
static bool wait_is_over(const struct cell *cell, const struct context *context)
{
    switch ((enum wait_for)context->wait) {
    case WAIT_PAGE:
        return !page_is_busy(cell, context->wait_page);
    case WAIT_QUEUE:
        return device_has_room(cell, context->wait_device);
    default:
        return false;
    }
}

void context_begin_waiting(struct cell *cell, struct context *context, sim_time now)
{
    uint32_t id = context_number(cell, context);
    context->now = now;
    switch ((enum wait_for)context->wait) {
    case WAIT_TIME:
        event_set(cell, id, max_u64(context->wait_until, now));
        break;
    case WAIT_PAGE: {
        struct device_request *request = device_find(cell, context->wait_page);
        assert(request != NULL && "a page is waited for only while I/O on it is under way");
        join(cell, context, &request->first_waiter);
        break;
    }
    case WAIT_QUEUE:
        join(cell, context, &cell->devices[context->wait_device].first_waiter);
        break;
    case WAIT_CONGESTION:
        join(cell, context, &cell->core->congestion_waiters);
        event_set(cell, id, max_u64(context->wait_until, now));
        break;
    }
    enter_waiting(cell, context, now);
}

void context_end_wait(struct cell *cell, struct context *context, sim_time now)
{
    if (context->wait == WAIT_CONGESTION) {
        leave_list(cell, context, &cell->core->congestion_waiters);
    }
    leave_waiting(cell, context, now);
    event_remove(cell, context_number(cell, context));
}

void context_wake_list(struct cell *cell, uint32_t *first, sim_time now)
{
    uint32_t id = *first;
    *first = CONTEXT_NONE;
    while (id != CONTEXT_NONE) {
        uint32_t next = cell->contexts[id].next_waiter;
        /* A touch that stopped waits from its clock on, which may not have come yet. */
        event_set(cell, id, max_u64(now, cell->contexts[id].now));
        id = next;
    }
}

/* A process tries its touch again; if it gets through it is runnable from `now` on. */
static void retry_touch(struct cell *cell, struct context *context, sim_time now)
{
    struct touch touch = context->touch;
    context_set_state(cell, context, CONTEXT_IDLE);
    if (fault_retry(cell, &touch, now)) {
        cell->visitors[touch.process].blocked = false;
        outbox_post(&cell->outbox, MESSAGE_WOKEN, touch.process, now, 0);
    }
}

/* What a context that sleeps or spins does now that it can go on. */
static void resume(struct cell *cell, struct context *context, sim_time now)
{
    if (context->task == TASK_TOUCH) {
        retry_touch(cell, context, now);
    } else {
        context_run_again(cell, context, now);
    }
}

static void finish(struct cell *cell, struct context *context, sim_time now)
{
    switch ((enum context_task)context->task) {
    case TASK_BALANCE:
    case TASK_FLUSH:
    case TASK_FLUSH_OLD:
        context_set_state(cell, context, CONTEXT_IDLE);
        break;
    case TASK_HELP:
        context_finish_help(cell, context);
        break;
    case TASK_OPERATE:
        context_set_state(cell, context, CONTEXT_IDLE);
        context->task = TASK_TOUCH;
        fault_operation_done(cell, &context->touch, now);
        break;
    default:
        context_end_reclaim(cell, context);
        context->task = TASK_TOUCH;
        retry_touch(cell, context, now);
        if (cell->ncells > 1) {
            context_begin_help(cell, context->touch.process);
        }
        break;
    }
}

static enum step take_step(struct cell *cell, struct context *context, struct actor *actor)
{
    const struct reclaim_ops *reclaim = cell->design->reclaim;
    switch ((enum context_task)context->task) {
    case TASK_OPERATE:
        return operation_step(cell, actor, context);
    case TASK_BALANCE:
        return reclaim->balance(cell, actor, context);
    case TASK_FLUSH:
        return reclaim->writeback->flush(cell, actor, context);
    case TASK_FLUSH_OLD:
        return reclaim->writeback->flush_old(cell, actor, context);
    default:
        break;
    }
    enum step step = reclaim->direct(cell, actor, context);
    if (step == STEP_DONE && context->operating) {
        context_end_reclaim(cell, context);
        context->operating = false;
        context->task = TASK_OPERATE;
        if (cell->ncells > 1) {
            context_begin_help(cell, context->touch.process);
        }
        return STEP_AGAIN;
    }
    return step;
}

static void run_step(struct cell *cell, struct context *context, sim_time now)
{
    struct actor actor = {now, context_number(cell, context)};
    if (now >= cell->core->window_end) {
        context->outcome = STEP_AGAIN; /* in the next epoch */
        context->now = now;
        event_remove(cell, actor.context);
        return;
    }
    context->may_resched = true; /* unless the step ends within a lock */
    context->slice_end = min_u64(now + cell->scenario->quantum, cell->core->window_end);
    context->outcome = take_step(cell, context, &actor);
    context->now = actor.now;
    event_set(cell, actor.context, actor.now);
}

static void running_event(struct cell *cell, struct context *context, sim_time now)
{
    switch ((enum step)context->outcome) {
    case STEP_AGAIN:
        if (cpu_should_yield(cell, context)) {
            cpu_yield(cell, context_number(cell, context), now);
        } else {
            run_step(cell, context, now);
        }
        break;
    case STEP_WAIT:
        if (wait_is_over(cell, context)) {
            cpu_book(cell, context_number(cell, context), now);
            run_step(cell, context, now);
            break;
        }
        cpu_release(cell, context_number(cell, context), now);
        context_begin_waiting(cell, context, now);
        break;
    case STEP_SPIN: {
        struct sim_lock *lock = &cell->mms[context->spin_mm].lock;
        if (lock->holder == CONTEXT_NONE) {
            cpu_book(cell, context_number(cell, context), now);
            run_step(cell, context, now);
            break;
        }
        event_remove(cell, context_number(cell, context));
        cpu_book(cell, context_number(cell, context), now);
        context_set_state(cell, context, CONTEXT_SPINNING);
        context->may_resched = false;
        join(cell, context, &lock->first_waiter);
        break;
    }
    case STEP_DONE:
        cpu_release(cell, context_number(cell, context), now);
        finish(cell, context, now);
        break;
    }
}

/* The lock has been let go: try again, on the same CPU. */
static void stop_spinning(struct cell *cell, struct context *context, sim_time now)
{
    uint32_t id = context_number(cell, context);
    if (context->task == TASK_TOUCH) {
        cpu_release(cell, id, now);
        retry_touch(cell, context, now);
        return;
    }
    cpu_book(cell, id, now);
    context_set_state(cell, context, CONTEXT_RUNNING);
    context->outcome = STEP_AGAIN;
    context->now = now;
    if (context->on_cpu) {
        run_step(cell, context, now);
    } else {
        event_remove(cell, id);
    }
}

void context_event(struct cell *cell, uint32_t id, sim_time now)
{
    if (id >= cell->ncontexts) {
        event_remove(cell, id);
        device_complete(cell, id - cell->ncontexts, now);
        return;
    }
    struct context *context = &cell->contexts[id];
    switch ((enum context_state)context->state) {
    case CONTEXT_RUNNING:
        running_event(cell, context, now);
        break;
    case CONTEXT_SPINNING:
        stop_spinning(cell, context, now);
        break;
    case CONTEXT_WAITING:
        context_end_wait(cell, context, now);
        resume(cell, context, now);
        break;
    case CONTEXT_IDLE:
        assert(false && "an idle context has no events");
        break;
    }
}

static bool wake_kswapd(struct cell *cell, sim_time now)
{
    struct context *context = &cell->contexts[CONTEXT_KSWAPD];
    if (context->state != CONTEXT_IDLE) {
        return false;
    }
    context->task = TASK_BALANCE;
    cell->design->reclaim->begin_balance(cell, context);
    context_run_again(cell, context, now);
    return true;
}

void context_wake_kswapd(struct cell *cell, enum zone_index zone_class, sim_time now)
{
    if (wake_kswapd(cell, now) && cell->ncells > 1) {
        outbox_post(&cell->outbox, MESSAGE_BALANCE, (uint32_t)zone_class, 0, cell->id);
    }
}

void context_kswapd_woken_elsewhere(struct cell *cell, cell_id where, enum zone_index zone_class)
{
    uint64_t per_node = cell->ncells / cell->scenario->machine.nodes;
    if (where / per_node != cell->id / per_node) {
        return;
    }
    cell->core->zone[zone_class].need_balance = true;
    wake_kswapd(cell, cell->core->epoch_end);
}

void context_wake_flusher(struct cell *cell, sim_time now)
{
    struct context *context = &cell->contexts[CONTEXT_FLUSHER];
    if (context->state == CONTEXT_IDLE) {
        context->task = TASK_FLUSH;
        context_run_again(cell, context, now);
    }
}

void context_start_flusher_of_old(struct cell *cell)
{
    if (cell->core->first_written != NO_FILE) {
        struct context *context = &cell->contexts[CONTEXT_FLUSHER_OF_OLD];
        context->task = TASK_FLUSH_OLD;
        context->wait = WAIT_TIME;
        context->wait_until = cell->design->reclaim->writeback->first_tick;
        context_begin_waiting(cell, context, 0);
    }
}

struct context *context_stop_process(struct cell *cell, const struct touch *touch)
{
    process_id process = touch->process;
    struct context *context = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    struct visitor *visitor = &cell->visitors[process];
    assert(context->state == CONTEXT_IDLE);
    context->touch = *touch;
    context->task = TASK_TOUCH;
    if (!visitor->blocked) {
        visitor->blocked = true;
        visitor_stop(cell, visitor, touch->at);
        outbox_post(&cell->outbox, MESSAGE_BLOCKED, process, touch->at, 0);
    }
    return context;
}

void context_begin_operation(struct cell *cell, const struct touch *touch)
{
    struct context *context = context_stop_process(cell, touch);
    context->task = TASK_OPERATE;
    operation_begin(&cell->operations[touch->process], &cell->calls[touch->page]);
    context_run_again(cell, context, touch->at);
}

void context_begin_wait(struct cell *cell, const struct touch *touch, enum wait_for wait,
                        uint32_t what, sim_time until, sim_time now)
{
    struct context *context = context_stop_process(cell, touch);
    context->wait = wait;
    context->wait_page = what;
    context->wait_device = what;
    context->wait_until = until;
    context_begin_waiting(cell, context, now);
}

void context_begin_spin(struct cell *cell, const struct touch *touch, struct sim_lock *lock,
                        sim_time now)
{
    struct context *context = context_stop_process(cell, touch);
    context_set_state(cell, context, CONTEXT_SPINNING);
    join(cell, context, &lock->first_waiter);
    cpu_want(cell, context_number(cell, context), now);
}
