#include "machine/context.h"

#include <assert.h>

#include "machine/cell.h"
#include "machine/fault.h"
#include "machine/residence.h"
#include "machine/writeback.h"

static uint32_t context_number(const struct cell *cell, const struct context *context)
{
    return (uint32_t)(context - cell->contexts);
}

static void set_state(struct cell *cell, struct context *context, enum context_state state)
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
    set_state(cell, context, CONTEXT_WAITING);
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

static void run_again(struct cell *cell, struct context *context, sim_time now)
{
    set_state(cell, context, CONTEXT_RUNNING);
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

/* Puts a context to sleep for what `wait` says, which is not over. */
static void begin_waiting(struct cell *cell, struct context *context, sim_time now)
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

/* A context sleeps no longer. */
static void end_wait(struct cell *cell, struct context *context, sim_time now)
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
    set_state(cell, context, CONTEXT_IDLE);
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
        run_again(cell, context, now);
    }
}

static struct context *helper_of(const struct cell *cell, process_id process)
{
    return &cell->contexts[CONTEXT_FIRST_PROCESS + cell->plan->nprocesses + process];
}

static bool reclaims_here(const struct cell *cell, process_id process)
{
    const struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    return own->state != CONTEXT_IDLE && own->task == TASK_RECLAIM;
}

/* A process that reclaims elsewhere does so here, from the next epoch on: but not twice. */
static void begin_help(struct cell *cell, process_id process)
{
    struct context *context = helper_of(cell, process);
    if (context->help_wanted == 0 || context->state != CONTEXT_IDLE ||
        reclaims_here(cell, process)) {
        return;
    }
    context->task = TASK_HELP;
    context->reclaim_class = context->help_class;
    cell->design->reclaim->begin_direct(cell, context);
    run_again(cell, context, cell->core->epoch_end);
}

static process_id helped_process(const struct cell *cell, const struct context *context)
{
    return context_number(cell, context) - CONTEXT_FIRST_PROCESS - (uint32_t)cell->plan->nprocesses;
}

/* A helper goes on for as long as its process reclaims in another cell; what it got is everybody's.
 */
static void finish_help(struct cell *cell, struct context *context)
{
    if (context->held_frame) {
        context->held_frame = false;
        zone_give(cell, (enum zone_index)context->held_zone, OWNER_HANDED);
    }
    set_state(cell, context, CONTEXT_IDLE);
    context_made_headway(cell, context);
    context->help_over = false;
    begin_help(cell, helped_process(cell, context));
}

/* A helper is to end: at once, if it sleeps where it holds nothing. */
static void end_help(struct cell *cell, struct context *context, sim_time now)
{
    if (context->state == CONTEXT_IDLE) {
        return;
    }
    context->help_over = true;
    if (context->state == CONTEXT_WAITING &&
        (context->wait == WAIT_TIME || context->wait == WAIT_CONGESTION)) {
        end_wait(cell, context, now);
        finish_help(cell, context);
    }
}

/* Direct reclaim is over: its process has what it wanted. */
static void end_reclaim(struct cell *cell, struct context *context)
{
    if (cell->ncells > 1) {
        outbox_post(&cell->outbox, MESSAGE_RECLAIMED, context->touch.process, 0, cell->id);
    }
    context_made_headway(cell, context);
}

static void finish(struct cell *cell, struct context *context, sim_time now)
{
    switch ((enum context_task)context->task) {
    case TASK_BALANCE:
    case TASK_FLUSH:
    case TASK_FLUSH_OLD:
        set_state(cell, context, CONTEXT_IDLE);
        break;
    case TASK_HELP:
        finish_help(cell, context);
        break;
    case TASK_OPERATE:
        set_state(cell, context, CONTEXT_IDLE);
        context->task = TASK_TOUCH;
        fault_operation_done(cell, &context->touch, now);
        break;
    default:
        end_reclaim(cell, context);
        context->task = TASK_TOUCH;
        retry_touch(cell, context, now);
        if (cell->ncells > 1) {
            begin_help(cell, context->touch.process);
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
        end_reclaim(cell, context);
        context->operating = false;
        context->task = TASK_OPERATE;
        if (cell->ncells > 1) {
            begin_help(cell, context->touch.process);
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
        begin_waiting(cell, context, now);
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
        set_state(cell, context, CONTEXT_SPINNING);
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
    set_state(cell, context, CONTEXT_RUNNING);
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
        end_wait(cell, context, now);
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
    run_again(cell, context, now);
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
        run_again(cell, context, now);
    }
}

void context_start_flusher_of_old(struct cell *cell)
{
    if (cell->core->first_written != NO_FILE) {
        struct context *context = &cell->contexts[CONTEXT_FLUSHER_OF_OLD];
        context->task = TASK_FLUSH_OLD;
        context->wait = WAIT_TIME;
        context->wait_until = cell->design->reclaim->writeback->first_tick;
        begin_waiting(cell, context, 0);
    }
}

/* Stops a process at a touch; `context->touch` is what it tries again. */
static struct context *stop_process(struct cell *cell, const struct touch *touch)
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

void context_begin_reclaim(struct cell *cell, const struct touch *touch, unsigned class,
                           sim_time now)
{
    struct context *context = stop_process(cell, touch);
    if (!context->asked_for_memory) {
        context->asked_for_memory = true;
        context->wait_began = now;
    }
    if (cell->ncells > 1) {
        context->waited_for_frames = !context->waited_for_frames;
        if (context->waited_for_frames) {
            context->wait = WAIT_TIME;
            context->wait_until = max_u64(cell->core->epoch_end, now);
            begin_waiting(cell, context, now);
            return;
        }
        outbox_post(&cell->outbox, MESSAGE_RECLAIM, touch->process, class, cell->id);
    }
    context->task = TASK_RECLAIM;
    context->reclaim_class = (uint8_t) class;
    cell->design->reclaim->begin_direct(cell, context);
    run_again(cell, context, now);
    if (cell->ncells > 1) {
        end_help(cell, helper_of(cell, touch->process), now);
    }
}

void context_begin_operation(struct cell *cell, const struct touch *touch)
{
    struct context *context = stop_process(cell, touch);
    context->task = TASK_OPERATE;
    operation_begin(&cell->operations[touch->process], &cell->calls[touch->page]);
    run_again(cell, context, touch->at);
}

enum step context_reclaim_in_operation(struct cell *cell, struct actor *actor, unsigned class)
{
    struct context *context = &cell->contexts[actor->context];
    if (!context->asked_for_memory) {
        context->asked_for_memory = true;
        context->wait_began = actor->now;
    }
    context->operating = true;
    context->task = TASK_RECLAIM;
    context->reclaim_class = (uint8_t) class;
    if (cell->ncells > 1) {
        outbox_post(&cell->outbox, MESSAGE_RECLAIM, context->touch.process, class, cell->id);
    }
    cell->design->reclaim->begin_direct(cell, context);
    if (cell->ncells > 1) {
        end_help(cell, helper_of(cell, context->touch.process), actor->now);
    }
    return STEP_AGAIN;
}

bool context_out_of_memory(struct cell *cell, struct context *context)
{
    if (cell->ncells > 1) {
        if (context->freed_here + context->freed_elsewhere == 0) {
            cell->core->ngave_up += !context->gave_up;
            context->gave_up = true;
        }
        return context->task != TASK_HELP;
    }
    if (!cell->core->out_of_memory) { /* the first one decides the verdict */
        cell->core->out_of_memory = true;
        cell->core->failed_zone = context->reclaim_class;
        cell->core->failed_process = context->touch.process;
        cell->core->failed_owner = context->refused;
    }
    return true;
}

enum step context_sleep_it_off(const struct cell *cell, struct context *context)
{
    context->wait = WAIT_TIME;
    context->wait_until = cell->ncells == 1 ? TIME_NEVER : cell->core->epoch_end;
    return STEP_WAIT;
}

void context_made_headway(struct cell *cell, struct context *context)
{
    cell->core->ngave_up -= context->gave_up;
    context->gave_up = false;
}

void context_report_giving_up(struct cell *cell)
{
    if (cell->core->ngave_up == 0) {
        return;
    }
    for (process_id i = 0; i < cell->plan->nprocesses; i++) {
        const struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + i];
        const struct context *helper = helper_of(cell, i);
        if (own->gave_up) {
            outbox_post(&cell->outbox, MESSAGE_GAVE_UP, i, 1 + (uint64_t)own->reclaim_class,
                        cell->id);
        } else if (helper->gave_up && helper->help_wanted > 0) {
            outbox_post(&cell->outbox, MESSAGE_GAVE_UP, i, 0, cell->id);
        }
    }
}

void context_help(struct cell *cell, process_id process, unsigned class)
{
    struct context *context = helper_of(cell, process);
    context->help_wanted++;
    context->help_class = (uint8_t) class;
    begin_help(cell, process);
}

void context_end_help(struct cell *cell, process_id process)
{
    struct context *context = helper_of(cell, process);
    if (--context->help_wanted == 0) {
        end_help(cell, context, cell->core->epoch_end);
    }
}

void context_freed(struct cell *cell, struct context *context, uint64_t pages)
{
    context->freed_here += (uint32_t)pages;
    if (cell->ncells > 1 && pages > 0) {
        context_made_headway(cell, context);
        uint32_t number = context_number(cell, context) - CONTEXT_FIRST_PROCESS;
        uint32_t nprocesses = (uint32_t)cell->plan->nprocesses;
        process_id process = number < nprocesses ? number : number - nprocesses;
        outbox_post(&cell->outbox, MESSAGE_FREED, process, pages, cell->id);
    }
}

void context_call_ended(struct cell *cell, const struct context *context, uint64_t left)
{
    if (cell->ncells > 1 && context->task != TASK_HELP) {
        outbox_post(&cell->outbox, MESSAGE_CALLED, context->touch.process, left, cell->id);
    }
}

void context_call_ended_elsewhere(struct cell *cell, uint64_t left)
{
    if (cell->design->reclaim->call_ended_elsewhere != NULL) {
        cell->design->reclaim->call_ended_elsewhere(cell, left);
    }
}

bool context_freed_enough(const struct cell *cell, const struct context *context)
{
    return context->freed_here + context->freed_elsewhere >= cell_batch(cell) * cell->ncells;
}

/* Who waits for congestion before the next pass need not make it. */
static void hear_of_freed(struct cell *cell, struct context *context, uint64_t pages)
{
    context->freed_elsewhere += (uint32_t)pages;
    if (context->state == CONTEXT_WAITING && context->wait == WAIT_CONGESTION &&
        context_freed_enough(cell, context)) {
        event_set(cell, context_number(cell, context), cell->core->epoch_end);
    }
}

void context_freed_elsewhere(struct cell *cell, process_id process, uint64_t pages)
{
    struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    struct context *helper = helper_of(cell, process);
    if (own->state != CONTEXT_IDLE && own->task == TASK_RECLAIM) {
        context_made_headway(cell, own);
        hear_of_freed(cell, own, pages);
    }
    if (helper->state != CONTEXT_IDLE) {
        hear_of_freed(cell, helper, pages);
    }
}

void context_begin_wait(struct cell *cell, const struct touch *touch, enum wait_for wait,
                        uint32_t what, sim_time until, sim_time now)
{
    struct context *context = stop_process(cell, touch);
    context->wait = wait;
    context->wait_page = what;
    context->wait_device = what;
    context->wait_until = until;
    begin_waiting(cell, context, now);
}

void context_begin_spin(struct cell *cell, const struct touch *touch, struct sim_lock *lock,
                        sim_time now)
{
    struct context *context = stop_process(cell, touch);
    set_state(cell, context, CONTEXT_SPINNING);
    join(cell, context, &lock->first_waiter);
    cpu_want(cell, context_number(cell, context), now);
}
