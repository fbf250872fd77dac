/* What several CPUs make of a lock: docs/model.md, section 1. */
#include "oracle/parts.h"

/* All in thousandths. */
static uint64_t slowdown(const struct machine *machine, enum lock_kind kind, uint64_t cpus)
{
    const uint64_t *given = machine->scenario->costs.contention.curve[kind].factor;
    uint64_t at = 1000;
    uint64_t before = 1000;
    for (int i = 0; i < 6; i++, at *= 2) {
        if (cpus < 2 * at) {
            const int64_t rise = (int64_t)given[i] - (int64_t)before;
            const uint64_t up = (uint64_t)(rise < 0 ? -rise : rise) * (cpus - at) / at;
            return rise < 0 ? before - up : before + up;
        }
        before = given[i];
    }
    return before;
}

sim_time o_contention_hand_over(const struct machine *machine, enum lock_kind kind,
                                uint64_t contenders)
{
    return machine->cost[COST_LOCK] * (slowdown(machine, kind, contenders * 1000) - 1000) / 1000;
}

void o_contention_chain(struct machine *machine, struct actor *actor, sim_time time,
                        uint64_t mappers)
{
    if (mappers > 1) {
        time = time * machine->chain_slowdown / 1000;
        machine->chain_time += time;
    }
    actor->now += time;
}

void o_contention_begin_epoch(struct machine *machine, uint64_t length_before)
{
    const uint64_t cpus = machine->scenario->machine.cpus;
    const uint64_t most = machine->scenario->costs.contention.limit.share;
    uint64_t use = 0; /* of each CPU, in billionths */
    if (length_before > 0) {
        use = (uint64_t)((uint128)machine->chain_time * 1000000000 / length_before) / cpus;
    }
    use = use > most ? most : use;
    machine->chain_slowdown = slowdown(machine, LOCK_KIND_CHAIN, 1000 + (cpus - 1) * use / 1000000);
    machine->chain_time = 0;
}
