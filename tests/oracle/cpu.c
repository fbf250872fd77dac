/* Who gets how much CPU time: docs/model.md, section 2. */
#include "oracle/parts.h"

static uint64_t epoch_length(const struct machine *machine)
{
    return machine->epoch_end - machine->epoch_begin;
}

static bool is_runnable(const struct process *process)
{
    return process->started && !process->done && !process->blocked && !process->waiting;
}

static uint64_t want(const struct machine *machine, const struct process *process)
{
    const uint64_t length = epoch_length(machine);
    const uint64_t user = is_runnable(process)
                              ? (uint64_t)(((uint128)process->share * length) >> 32)
                              : 0;
    return min_u64(process->debt + user, length);
}

static uint32_t contexts_that_want(const struct machine *machine)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        n += o_context_wants_cpu(&machine->contexts[i]);
    }
    return n;
}

static uint32_t contexts_that_have(const struct machine *machine)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        n += machine->contexts[i].has_cpu;
    }
    return n;
}

/* What each of n contexts would have if all CPU time were divided evenly among contexts and
 * processes, except that processes that want less leave the rest to the others. */
static uint64_t even_share(const struct machine *machine, uint64_t all, uint64_t n)
{
    uint64_t share = all / (n + machine->nprocesses);
    for (;;) {
        uint64_t taken_by_modest = 0;
        uint64_t greedy = 0;
        for (uint32_t p = 0; p < machine->nprocesses; p++) {
            const uint64_t wanted = want(machine, &machine->processes[p]);
            if (wanted <= share) {
                taken_by_modest += wanted;
            } else {
                greedy++;
            }
        }
        const uint64_t next = (all - min_u64(taken_by_modest, all)) / (n + greedy);
        if (next <= share) {
            return min_u64(share, epoch_length(machine));
        }
        share = next;
    }
}

static void give(struct machine *machine, struct context *context, sim_time now)
{
    const uint64_t rest = machine->epoch_end - now;
    machine->spare -= rest;
    machine->due -= (int64_t)rest;
    context->has_cpu = true;
    context->cpu_since = now;
    if (context->state == CONTEXT_RUNNING) {
        context->self.now = max_u64(context->self.now, now);
        context->event = context->self.now;
    }
}

/* The next context after the last that was given a CPU that wants one and has none. */
static struct context *next_in_turn(const struct machine *machine)
{
    for (uint32_t i = 1; i <= machine->ncontexts; i++) {
        struct context *context =
            &machine->contexts[(machine->last_given_cpu + i) % machine->ncontexts];
        if (o_context_wants_cpu(context) && !context->has_cpu && !context->yielded) {
            return context;
        }
    }
    return NULL;
}

static void give_in_turn(struct machine *machine, struct context *context, sim_time now)
{
    machine->last_given_cpu = context->number;
    give(machine, context, now);
}

static void hand_out_to_contexts(struct machine *machine)
{
    const uint64_t length = epoch_length(machine);
    const sim_time now = machine->epoch_begin;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        const bool keeps = context->has_cpu &&
                           (context->stuck || context->state == CONTEXT_SPINNING);
        context->yielded = false;
        context->has_cpu = false;
        if (keeps) {
            give(machine, context, now);
        } else if (context->state == CONTEXT_RUNNING) {
            context->event = TIME_NEVER;
        }
    }
    struct context *context = next_in_turn(machine);
    while (context != NULL) {
        const uint32_t have = contexts_that_have(machine);
        if (have >= machine->scenario->machine.cpus ||
            (machine->due < (int64_t)length && have >= machine->room)) {
            break;
        }
        give_in_turn(machine, context, now);
        context = next_in_turn(machine);
    }
}

static void hand_out_to_processes(struct machine *machine, uint64_t wanted_in_all)
{
    const uint64_t spare = machine->spare;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        struct process *process = &machine->processes[p];
        uint64_t given = want(machine, process);
        if (wanted_in_all > spare) {
            given = (uint64_t)((uint128)given * spare / wanted_in_all);
        }
        machine->spare -= given;
        const uint64_t paid = min_u64(given, process->debt);
        process->debt -= paid;
        machine->count.system_seconds += paid;
        process->grant = given - paid;
        process->useful = o_translation_leaves(process, process->grant);
        process->stopped = false;
    }
}

void o_cpu_hand_out(struct machine *machine)
{
    const uint64_t length = epoch_length(machine);
    const uint64_t all = machine->scenario->machine.cpus * length;
    uint64_t wanted = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        wanted += want(machine, &machine->processes[p]);
    }
    const uint64_t n = contexts_that_want(machine);
    machine->room = all > wanted ? (all - wanted) / length : 0;
    machine->spare = all;
    machine->io_waits = 0;
    if (n <= machine->room) {
        machine->due = (int64_t)(n * length);
    } else {
        machine->due += (int64_t)(n * even_share(machine, all, n));
        machine->due = machine->due > (int64_t)all ? (int64_t)all : machine->due;
    }
    hand_out_to_contexts(machine);
    hand_out_to_processes(machine, wanted);
}

void o_cpu_release(struct machine *machine, struct context *context, sim_time now)
{
    o_context_book(machine, context, now);
    context->has_cpu = false;
    const uint64_t rest = machine->epoch_end - now;
    machine->spare += rest;
    machine->due += (int64_t)rest;
    o_cpu_dispatch(machine, now);
}

void o_cpu_dispatch(struct machine *machine, sim_time now)
{
    const uint64_t rest = machine->epoch_end - min_u64(now, machine->epoch_end);
    struct context *context = next_in_turn(machine);
    while (rest > 0 && context != NULL && contexts_that_have(machine) < machine->room &&
           machine->spare >= rest) {
        give_in_turn(machine, context, now);
        context = next_in_turn(machine);
    }
}

bool o_cpu_should_yield(const struct machine *machine, const struct context *context)
{
    return contexts_that_have(machine) > machine->room && machine->due < 0 && !context->stuck;
}

/* The system calls that are due by a process's user time; what each takes in the kernel. */
static void make_calls(struct machine *machine, struct process *process)
{
    const struct workload *workload = process->workload;
    const uint64_t bytes = workload->bytes_per_call;
    while ((uint128)(process->calls + 1) * SECOND <=
           (uint128)process->work * workload->calls_per_second) {
        struct actor actor = {0};
        charge(machine, &actor, COST_SYSCALL);
        charge_entry(machine, &actor);
        actor.now += (sim_time)((uint128)machine->cost[COST_PAGE_COPY] * bytes / PAGE_BYTES);
        for (uint64_t copied = 0; machine->design.split_4g4g && copied < bytes;
             copied += PAGE_BYTES) {
            charge(machine, &actor, COST_PTE_WALK);
            charge(machine, &actor, COST_KMAP);
        }
        process->debt += actor.now;
        process->calls++;
        machine->count.syscalls++;
    }
}

void o_cpu_end_epoch(struct machine *machine)
{
    const uint64_t length = epoch_length(machine);
    const sim_time now = machine->epoch_end;
    uint64_t unused = machine->spare;
    for (uint32_t i = 0; i < machine->ncontexts; i++) {
        struct context *context = &machine->contexts[i];
        o_context_book(machine, context, now);
        if (o_context_waits_for_io(context)) {
            machine->io_waits += now - max_u64(context->waiting_since, machine->epoch_begin);
        }
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        struct process *process = &machine->processes[p];
        uint64_t used = process->grant;
        uint64_t useful = process->useful;
        if (process->stopped) {
            const uint128 part = process->stopped_at - machine->epoch_begin;
            used = (uint64_t)(process->grant * part / length);
            useful = (uint64_t)(process->useful * part / length);
            process->stops++;
        }
        process->work += useful;
        machine->count.user_seconds += used;
        machine->count.translation_seconds += used - useful;
        unused += process->grant - used;
        process->debt += process->new_debt;
        process->mm.held_in_2_32 = min_u64(
            (uint64_t)(((uint128)process->mm.fault_time << 32) / length), UINT32_MAX);
        process->new_debt = 0;
        make_calls(machine, process);
        process->mm.fault_time = 0;
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        struct process *process = &machine->processes[p];
        const struct process *other = process->waits_for;
        process->waiting = other != NULL && other->started && !other->done;
        process->waits_for = process->waiting ? process->waits_for : NULL;
    }
    const uint64_t io_wait = min_u64(unused, machine->io_waits);
    machine->count.iowait_seconds += io_wait;
    machine->count.idle_seconds += unused - io_wait;
    const struct counters *count = &machine->count;
    REQUIRE(count->user_seconds + count->system_seconds + count->iowait_seconds +
                count->idle_seconds ==
            machine->scenario->machine.cpus * machine->epoch_end);
}
