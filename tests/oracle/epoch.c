/* One epoch: touches and events in the order of time. docs/model.md, section 1. */
#include <stdlib.h>

#include "oracle/parts.h"

/* The touches that the processes' grants pay for in this epoch. */
struct plan {
    struct due_touch {
        sim_time time;
        struct process *process;
        uint64_t ordinal;
        bool operation;
    } * touches;
    size_t n, capacity;
};

static int in_order(const void *a, const void *b)
{
    const struct due_touch *x = a;
    const struct due_touch *y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    if (x->process != y->process) {
        return x->process->number < y->process->number ? -1 : 1;
    }
    if (x->operation != y->operation) {
        return x->operation ? 1 : -1;
    }
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void add(struct plan *plan, sim_time time, struct process *process, uint64_t ordinal,
                bool operation)
{
    if (plan->n == plan->capacity) {
        plan->capacity = 2 * plan->capacity + 64;
        plan->touches = realloc(plan->touches, plan->capacity * sizeof *plan->touches);
        REQUIRE(plan->touches != NULL);
    }
    plan->touches[plan->n++] = (struct due_touch){time, process, ordinal, operation};
}

static void add_touches_of(const struct machine *machine, struct process *process,
                           struct plan *plan)
{
    if (process->grant == 0) {
        return;
    }
    const uint64_t length = machine->epoch_end - machine->epoch_begin;
    sim_time due = process->next_due;
    const sim_time end = min_u64(process->work + process->useful, process->operation_due);
    if (process->operation_due < process->work + process->useful) {
        const sim_time after = (sim_time)((uint128)(process->operation_due - process->work) *
                                          length / process->useful);
        add(plan, machine->epoch_begin + after, process, process->operation_ordinal, true);
    }
    for (uint64_t ordinal = process->ordinal; due < end; ordinal++) {
        struct touch touch;
        sim_time interval;
        const sim_time after = (sim_time)((uint128)(due - process->work) * length /
                                          process->useful);
        o_workload_draw(machine, process, ordinal, due, &touch, &interval);
        add(plan, machine->epoch_begin + after, process, ordinal, false);
        if (touch.last) {
            break;
        }
        due += interval;
    }
}

static void do_touch(struct machine *machine, const struct due_touch *due)
{
    struct process *process = due->process;
    if (process->stopped) {
        return;
    }
    struct touch touch;
    sim_time interval;
    if (due->operation) {
        o_workload_operation(machine, process, process->operation_ordinal++, &process->operation,
                             &interval);
        process->operation_due += interval;
        o_operation_begin(machine, process, due->time);
        return;
    }
    REQUIRE(due->ordinal == process->ordinal);
    o_workload_draw(machine, process, due->ordinal, process->next_due, &touch, &interval);
    touch.time = due->time;
    process->ordinal++;
    process->next_due += interval;
    o_touch_first_try(machine, process, &touch);
}

/* The event that comes next: of a context, or else of a device; TIME_NEVER if there is none. */
static sim_time next_event(struct machine *machine, struct context **context_p,
                           struct device **device_p)
{
    sim_time first = TIME_NEVER;
    *context_p = NULL;
    *device_p = NULL;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        if (machine->contexts[i].event < first) {
            first = machine->contexts[i].event;
            *context_p = &machine->contexts[i];
        }
    }
    for (uint32_t d = 0; d < machine->ndevices; d++) {
        struct device *device = &machine->devices[d];
        if (device->first != NULL && device->first->done_at < first) {
            first = device->first->done_at;
            *device_p = device;
            *context_p = NULL;
        }
    }
    return first;
}

static void do_event(struct machine *machine, struct context *context, struct device *device)
{
    if (context != NULL) {
        o_context_event(machine, context, context->event);
    } else {
        o_device_complete(machine, device);
    }
}

void o_epoch_run(struct machine *machine, sim_time end)
{
    o_contention_begin_epoch(machine, machine->epoch_end - machine->epoch_begin);
    machine->epoch_begin = machine->epoch_end;
    machine->epoch_end = end;
    o_cpu_hand_out(machine);
    o_translate(machine);
    struct plan plan = {0};
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        add_touches_of(machine, &machine->processes[p], &plan);
    }
    if (plan.n > 0) {
        qsort(plan.touches, plan.n, sizeof *plan.touches, in_order);
    }
    size_t done = 0;
    for (;;) {
        struct context *context;
        struct device *device;
        const sim_time event = next_event(machine, &context, &device);
        const sim_time touch = done < plan.n ? plan.touches[done].time : TIME_NEVER;
        if (touch < end && touch <= event) {
            do_touch(machine, &plan.touches[done++]);
        } else if (event < end) {
            do_event(machine, context, device);
        } else {
            break;
        }
    }
    free(plan.touches);
    o_cpu_end_epoch(machine);
}
