/* Contexts: kernel code that runs for longer than a moment, as plain functions that stop in the
 * middle. docs/model.md, sections 1 and 2.
 *
 * A step runs at once, with the context's clock running ahead; what it ends with happens at an
 * event at that clock. */
#include <stdlib.h>

#include "oracle/parts.h"

enum { FLUSHER = 1, FLUSHER_OF_OLD = 2, FIRST_PROCESS_CONTEXT = 4, STACK_BYTES = 256 * 1024 };

/* ---- inside ---------------------------------------------------------------------------------- */

/* Back to the epoch loop, until the context is resumed. */
static void end_step(struct context *context, enum context_next next)
{
    context->next = next;
    REQUIRE(swapcontext(&context->here, &context->back) == 0);
}

static bool slice_is_over(const struct actor *actor)
{
    return actor->now >= actor->context->slice_end;
}

void o_yield_point(struct actor *actor)
{
    if (slice_is_over(actor)) {
        end_step(actor->context, NEXT_GO_ON);
    }
}

bool o_yield_point_in(struct machine *machine, struct actor *actor, struct lock *lock)
{
    if (!slice_is_over(actor)) {
        return false;
    }
    o_lock_leave(actor, lock);
    end_step(actor->context, NEXT_GO_ON);
    o_lock_enter(machine, actor, lock, LOCK_KIND_LRU);
    return true;
}

void o_yield_point_of_cpu(struct machine *machine, struct actor *actor)
{
    if (slice_is_over(actor) || o_cpu_should_yield(machine, actor->context)) {
        end_step(actor->context, NEXT_GO_ON);
    }
}

void o_reclaim_in_operation(struct machine *machine, struct actor *actor, enum zone_number class)
{
    struct context *context = actor->context;
    if (context->process->memory_wait_since == TIME_NEVER) {
        context->process->memory_wait_since = actor->now;
    }
    context->class = class;
    context->reclaiming_since = actor->now;
    if (!machine->design.is_2_4) {
        o_begin_reclaim_2_6(machine, context, class);
    }
    end_step(context, NEXT_GO_ON);
    machine->design.is_2_4 ? o_direct_2_4(machine, actor, class)
                           : o_direct_2_6(machine, actor, class);
    context->reclaiming_since = TIME_NEVER;
    end_step(context, NEXT_GO_ON);
}

static void sleep_until_woken(struct actor *actor, struct wait wait)
{
    actor->context->wait = wait;
    end_step(actor->context, NEXT_SLEEP);
}

void o_sleep_for_page(struct actor *actor, const struct page *page)
{
    sleep_until_woken(actor, (struct wait){.page = page, .until = TIME_NEVER});
}

void o_sleep_for_room(struct actor *actor, const struct device *device)
{
    sleep_until_woken(actor, (struct wait){.room = device, .until = TIME_NEVER});
}

void o_sleep_for_congestion(struct actor *actor, sim_time at_most)
{
    sleep_until_woken(actor, (struct wait){.congestion = true, .until = actor->now + at_most});
}

void o_sleep_for(struct actor *actor, sim_time time)
{
    sleep_until_woken(actor, (struct wait){.until = actor->now + time});
}

void o_spin_for(struct actor *actor, struct lock *lock)
{
    actor->context->wait = (struct wait){.lock = lock, .until = TIME_NEVER};
    actor->context->stuck = true;
    end_step(actor->context, NEXT_SPIN);
    actor->context->stuck = false;
}

/* ---- locks ----------------------------------------------------------------------------------- */

void o_lock_enter(struct machine *machine, struct actor *actor, struct lock *lock,
                  enum lock_kind kind)
{
    REQUIRE(lock->holder == NULL);
    if (lock->busy_until > actor->now) {
        const sim_time came = actor->now;
        lock->contenders = min_u64(lock->contenders + 1, machine->scenario->machine.cpus);
        actor->now = lock->busy_until + o_contention_hand_over(machine, kind, lock->contenders);
        machine->count.spin_seconds += actor->now - came;
    } else {
        lock->contenders = 1;
    }
}

void o_lock_leave(const struct actor *actor, struct lock *lock)
{
    lock->busy_until = actor->now;
}

void o_lock_hold(struct actor *actor, struct lock *lock)
{
    REQUIRE(lock->holder == NULL);
    lock->holder = actor->context;
    actor->context->stuck = true;
}

void o_lock_release(struct machine *machine, struct actor *actor, struct lock *lock)
{
    REQUIRE(lock->holder == actor->context);
    lock->holder = NULL;
    lock->busy_until = actor->now;
    actor->context->stuck = false;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *other = &machine->contexts[i];
        if (other->state == CONTEXT_SPINNING && other->wait.lock == lock &&
            other->event == TIME_NEVER) {
            other->next = NEXT_WOKEN;
            other->event = max_u64(actor->now, other->self.now);
        }
    }
}

/* ---- outside --------------------------------------------------------------------------------- */

static void context_main(unsigned low, unsigned high)
{
    struct context *context = (struct context *)((uintptr_t)low | (uintptr_t)high << 16 << 16);
    struct machine *machine = context->machine;
    for (;;) {
        struct actor *self = &context->self;
        if (context->operating) {
            o_operate(machine, self);
        } else if (context->number == FLUSHER) {
            o_flusher(machine, self);
        } else if (context->number == FLUSHER_OF_OLD) {
            o_flusher_of_old(machine, self);
        } else if (context->process == NULL) {
            machine->design.is_2_4 ? o_kswapd_2_4(machine, self) : o_kswapd_2_6(machine, self);
        } else {
            machine->design.is_2_4 ? o_direct_2_4(machine, self, context->class)
                                   : o_direct_2_6(machine, self, context->class);
        }
        context->in_code = false;
        end_step(context, NEXT_DONE);
    }
}

void o_context_build(struct machine *machine)
{
    machine->ncontexts = FIRST_PROCESS_CONTEXT + machine->nprocesses;
    machine->contexts = calloc(machine->ncontexts, sizeof *machine->contexts);
    REQUIRE(machine->contexts != NULL);
    machine->last_given_cpu = machine->ncontexts - 1;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        context->machine = machine;
        context->number = i;
        context->event = TIME_NEVER;
        context->reclaiming_since = TIME_NEVER;
        context->self.context = context;
        if (i >= FIRST_PROCESS_CONTEXT) {
            context->process = &machine->processes[i - FIRST_PROCESS_CONTEXT];
            context->process->context = context;
            context->self.process = context->process;
        }
    }
    if (machine->nfiles > 0) {
        struct context *sleeper = &machine->contexts[FLUSHER_OF_OLD];
        sleeper->state = CONTEXT_SLEEPING;
        sleeper->next = NEXT_WOKEN;
        sleeper->event = 5 * SECOND;
        sleeper->wait.until = 5 * SECOND;
    }
}

void o_context_free(struct context *context)
{
    free(context->stack);
}

bool o_context_wants_cpu(const struct context *context)
{
    return context->state == CONTEXT_RUNNING || context->state == CONTEXT_SPINNING;
}

bool o_context_waits_for_io(const struct context *context)
{
    const struct wait *wait = &context->wait;
    return context->state == CONTEXT_SLEEPING &&
           (wait->page != NULL || wait->room != NULL || wait->congestion);
}

/* Books its time on a CPU up to now. */
void o_context_book(struct machine *machine, struct context *context, sim_time now)
{
    if (context->has_cpu) {
        const sim_time time = now - context->cpu_since;
        machine->count.system_seconds += time;
        if (context->state == CONTEXT_SPINNING) {
            machine->count.spin_seconds += time;
        } else if (context->reclaiming_since != TIME_NEVER) {
            machine->count.reclaim_cpu_seconds += time;
        }
        context->cpu_since = now;
    }
}

static void run_step(struct machine *machine, struct context *context, sim_time now)
{
    context->self.now = now;
    context->slice_end = min_u64(now + machine->scenario->quantum, machine->epoch_end);
    if (context->stack == NULL) {
        context->stack = malloc(STACK_BYTES);
        REQUIRE(context->stack != NULL && getcontext(&context->here) == 0);
        context->here.uc_stack.ss_sp = context->stack;
        context->here.uc_stack.ss_size = STACK_BYTES;
        context->here.uc_link = NULL;
        const uintptr_t address = (uintptr_t)context;
        makecontext(&context->here, (void (*)(void))context_main, 2, (unsigned)address,
                    (unsigned)(address >> 16 >> 16));
    }
    context->in_code = true;
    REQUIRE(swapcontext(&context->back, &context->here) == 0);
    context->event = context->self.now;
}

/* What it wants to wait for has happened meanwhile. */
static bool wait_is_over(const struct wait *wait, sim_time now)
{
    if (wait->page != NULL) {
        return !wait->page->locked && !wait->page->writeback;
    }
    if (wait->room != NULL) {
        return o_device_has_room(wait->room);
    }
    return wait->until <= now;
}

static void go_on(struct machine *machine, struct context *context, sim_time now)
{
    if (context->process != NULL && !context->in_code) {
        o_touch_try_again(machine, context->process, now);
        return;
    }
    const bool wanted = o_context_wants_cpu(context);
    o_context_book(machine, context, now);
    context->state = CONTEXT_RUNNING;
    context->next = NEXT_GO_ON;
    context->self.now = now;
    if (!wanted) {
        o_cpu_dispatch(machine, now);
    } else if (context->has_cpu) {
        run_step(machine, context, now);
    }
}

/* It sleeps from `now` on, or from the begin of the next epoch if that is earlier. */
static void fall_asleep(struct machine *machine, struct context *context, sim_time now)
{
    const bool had_cpu = context->has_cpu;
    o_context_book(machine, context, now);
    context->state = CONTEXT_SLEEPING;
    context->next = NEXT_WOKEN;
    context->event = context->wait.until;
    context->self.now = now;
    context->waiting_since = min_u64(now, machine->epoch_end);
    if (had_cpu) {
        o_cpu_release(machine, context, now);
    }
}

static void begin_to_spin(struct machine *machine, struct context *context, sim_time now)
{
    const bool wanted = o_context_wants_cpu(context);
    o_context_book(machine, context, now);
    context->state = CONTEXT_SPINNING;
    context->self.now = now;
    if (!wanted) {
        o_cpu_dispatch(machine, now);
    }
}

void o_kswapd_run_alone(struct machine *machine)
{
    struct context *kswapd = &machine->contexts[0];
    if (!machine->design.is_2_4) {
        o_begin_reclaim_2_6(machine, kswapd, ZONES - 1);
    }
    run_step(machine, kswapd, 0);
}

static void wake_up(struct machine *machine, struct context *context, sim_time now)
{
    if (o_context_waits_for_io(context)) {
        machine->io_waits += now - max_u64(context->waiting_since, machine->epoch_begin);
    }
    context->wait = (struct wait){.until = TIME_NEVER};
    go_on(machine, context, now);
}

static void begin_reclaim(struct machine *machine, struct context *context, enum zone_number class,
                          sim_time now)
{
    context->reclaiming_since = now;
    context->in_code = true;
    if (!machine->design.is_2_4) {
        o_begin_reclaim_2_6(machine, context, class);
    }
    go_on(machine, context, now);
}

static void finish(struct machine *machine, struct context *context, sim_time now)
{
    o_context_book(machine, context, now);
    context->state = CONTEXT_IDLE;
    context->reclaiming_since = TIME_NEVER;
    if (context->has_cpu) {
        o_cpu_release(machine, context, now);
    }
    if (context->operating) {
        context->operating = false;
        o_memory_wait_over(machine, context->process, now);
        o_operation_done(machine, context->process);
    } else if (context->process != NULL) {
        o_touch_try_again(machine, context->process, now);
    }
}

void o_context_operate(struct machine *machine, struct context *context, sim_time now)
{
    context->operating = true;
    context->in_code = true;
    go_on(machine, context, now);
}

void o_context_stop_touch(struct machine *machine, struct context *context, sim_time now)
{
    context->event = TIME_NEVER;
    if (context->next == NEXT_SLEEP) {
        fall_asleep(machine, context, now);
    } else if (context->next == NEXT_SPIN) {
        begin_to_spin(machine, context, now);
    } else {
        REQUIRE(context->next == NEXT_RECLAIM);
        begin_reclaim(machine, context, context->class, now);
    }
}

void o_context_event(struct machine *machine, struct context *context, sim_time now)
{
    context->event = TIME_NEVER;
    switch (context->next) {
    case NEXT_GO_ON:
        REQUIRE(context->has_cpu);
        if (o_cpu_should_yield(machine, context)) {
            context->yielded = true;
            o_cpu_release(machine, context, now);
            break;
        }
        run_step(machine, context, now);
        break;
    case NEXT_SLEEP:
        if (wait_is_over(&context->wait, now)) {
            wake_up(machine, context, now);
        } else {
            fall_asleep(machine, context, now);
        }
        break;
    case NEXT_SPIN:
        if (context->wait.lock->holder == NULL) {
            wake_up(machine, context, now);
        } else {
            begin_to_spin(machine, context, now);
        }
        break;
    case NEXT_WOKEN:
        wake_up(machine, context, now);
        break;
    case NEXT_RECLAIM:
        oracle_broken(__FILE__, __LINE__, "reclaim begins at once, not as an event");
        break;
    case NEXT_DONE:
        finish(machine, context, now);
        break;
    }
}

/* What is to happen before its clock happens then. */
static void wake(struct context *context, sim_time now)
{
    context->next = NEXT_WOKEN;
    context->event = max_u64(now, context->self.now);
}

void o_wake_page(struct machine *machine, const struct page *page, sim_time now)
{
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        if (context->state == CONTEXT_SLEEPING && context->wait.page == page) {
            wake(context, now);
        }
    }
}

void o_wake_room(struct machine *machine, const struct device *device, sim_time now)
{
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        if (context->state == CONTEXT_SLEEPING && context->wait.room == device) {
            wake(context, now);
        }
    }
}

void o_wake_congestion(struct machine *machine, sim_time now)
{
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        if (context->state == CONTEXT_SLEEPING && context->wait.congestion) {
            wake(context, now);
        }
    }
}

void o_kswapd_wake(struct machine *machine, sim_time now)
{
    struct context *kswapd = &machine->contexts[0];
    if (kswapd->state == CONTEXT_IDLE) {
        begin_reclaim(machine, kswapd, ZONES - 1, now);
    }
}

void o_flusher_wake(struct machine *machine, sim_time now)
{
    struct context *flusher = &machine->contexts[FLUSHER];
    if (flusher->state == CONTEXT_IDLE) {
        flusher->in_code = true;
        go_on(machine, flusher, now);
    }
}
