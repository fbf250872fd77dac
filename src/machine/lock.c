#include "machine/lock.h"

#include <assert.h>

#include "machine/cell.h"

void lock_enter(struct cell *cell, struct actor *actor, struct sim_lock *lock)
{
    assert(lock->holder == CONTEXT_NONE);
    if (lock->busy_until > actor->now) {
        count(cell, METRIC_SPIN, lock->busy_until - actor->now);
        actor->now = lock->busy_until;
    }
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
