#include "machine/system_call.h"

#include "base/mutant.h"
#include "config/cost_profile.h"

sim_time system_call_time(const sim_time *cost, bool own_space, byte_count bytes)
{
    const byte_count pages = bytes / PAGE_BYTES + (bytes % PAGE_BYTES > 0);
    sim_time time = cost[COST_SYSCALL] + muldiv(cost[COST_PAGE_COPY], bytes, PAGE_BYTES);
    if (own_space) {
        time += MUTANT(CALL_SPACE_SWITCH, cost[COST_SPACE_SWITCH], 0);
        time += MUTANT(CALL_COPIES, pages, 0) * (cost[COST_PTE_WALK] + cost[COST_KMAP]);
    }
    return time;
}

static uint64_t calls_until(const struct plan_process *process, sim_time work)
{
    const uint64_t second = 1000000000ULL * TICKS_PER_NS;
    return (uint64_t)((uint128)work * process->syscalls_per_second / second);
}

uint64_t system_calls_between(const struct plan_process *process, sim_time before, sim_time now)
{
    return MUTANT(CALL_REMAINDER, calls_until(process, now) - calls_until(process, before),
                  calls_until(process, now - before));
}

sim_time system_calls_time(const struct plan_process *process, uint64_t calls)
{
    const uint128 time = (uint128)calls * process->syscall_time;
    return time < TIME_NEVER ? (sim_time)time : TIME_NEVER;
}
