#include "machine/lock.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/cell.h"

/* What a lock costs more than one that is at hand. */
static sim_time hand_over(const struct cell *cell, const struct sim_lock *lock, enum lock_kind kind)
{
    const struct lock_curve *curve = &cell->scenario->costs.contention.curve[kind];
    const uint64_t factor = lock_curve_factor(curve, (uint64_t)lock->contenders * FACTOR_ONE);
    return muldiv(cell->cost[COST_LOCK], factor - FACTOR_ONE, FACTOR_ONE);
}

void lock_enter(struct cell *cell, struct actor *actor, struct sim_lock *lock, enum lock_kind kind)
{
    assert(lock->holder == CONTEXT_NONE);
    if (lock->busy_until <= actor->now) {
        lock->contenders = 1;
        return;
    }
    lock->contenders = (uint32_t)min_u64(lock->contenders + 1ULL, cell->scenario->machine.cpus);
    const sim_time free = lock->busy_until + MUTANT(HAND_OVER, hand_over(cell, lock, kind), 0);
    count(cell, METRIC_SPIN, free - actor->now);
    actor->now = free;
}

void lock_charge_chain(struct cell *cell, struct actor *actor, sim_time time, uint64_t mappers)
{
    struct cell_core *core = cell->core;
    if (mappers > 1) {
        time = muldiv(time, core->chain_factor, FACTOR_ONE);
        core->chain_time += time;
    }
    actor->now += time;
}

uint64_t lock_chain_use(const struct cell *cell)
{
    const struct cell_core *core = cell->core;
    const sim_time length = core->epoch_end - core->epoch_start;
    return length == 0 ? 0 : muldiv(core->chain_time, SHARE_ONE, length);
}

void lock_begin_epoch(struct cell *cell, uint64_t chain_use)
{
    const struct contention *contention = &cell->scenario->costs.contention;
    const uint64_t cpus = cell->scenario->machine.cpus;
    const uint64_t use = min_u64(chain_use / cpus, contention->limit.share);
    const uint64_t others = MUTANT(CHAIN_CONTENTION, cpus - 1, 0);
    cell->core->chain_time = 0;
    cell->core->chain_factor = lock_curve_factor(&contention->curve[LOCK_KIND_CHAIN],
                                                 FACTOR_ONE +
                                                     muldiv(others * use, FACTOR_ONE, SHARE_ONE));
}

void lock_leave(const struct actor *actor, struct sim_lock *lock)
{
    lock->busy_until = actor->now;
}

void lock_hold(struct cell *cell, struct sim_lock *lock, uint32_t context)
{
    assert(lock->holder == CONTEXT_NONE);
    lock->holder = context;
    cell->core->nlocks_held++;
}

void lock_release(struct cell *cell, struct sim_lock *lock, sim_time now)
{
    assert(lock->holder != CONTEXT_NONE);
    lock->holder = CONTEXT_NONE;
    lock->busy_until = now;
    cell->core->nlocks_held--;
    cell->core->mm_locks_busy_until = max_u64(cell->core->mm_locks_busy_until, now);
    context_wake_list(cell, &lock->first_waiter, now);
}
