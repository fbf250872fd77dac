/* Locks whose waiting decides outcomes.
 *
 * A lock that its holder keeps only within one step has a busy-until time: whoever comes earlier
 * waits until then, spinning. A lock that is kept across steps (an mm's page_table_lock while the
 * virtual scan is in it) also has a holder; who meets it spins on a CPU until it is released. */
#ifndef THRASH_MACHINE_LOCK_H
#define THRASH_MACHINE_LOCK_H

#include <stdbool.h>

#include "base/types.h"

#define CONTEXT_NONE UINT32_MAX

struct sim_lock {
    sim_time busy_until;
    uint32_t holder;       /* context that keeps it across steps, or CONTEXT_NONE */
    uint32_t first_waiter; /* context that spins for it, linked by context.next_waiter */
};

static inline bool lock_is_free(const struct sim_lock *lock, sim_time now)
{
    return lock->holder == CONTEXT_NONE && lock->busy_until <= now;
}

struct cell;
struct actor;

/* Takes a lock kept only within the present step: the actor spins until whoever had it is done. */
void lock_enter(struct cell *cell, struct actor *actor, struct sim_lock *lock);

/* Lets it go: it was busy until the actor's now. */
void lock_leave(const struct actor *actor, struct sim_lock *lock);

#endif
