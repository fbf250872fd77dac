/* Locks whose waiting decides outcomes.
 *
 * A lock that its holder keeps only within one step has a busy-until time: whoever comes earlier
 * waits until then, spinning. A lock that is kept across steps (an mm's page_table_lock while the
 * virtual scan is in it) also has a holder; who meets it spins on a CPU until it is released.
 *
 * The bit locks of pages are not waited for: adding to a chain and removing from it takes longer, by
 * the curve, the more of their time CPUs spend on that. */
#ifndef THRASH_MACHINE_LOCK_H
#define THRASH_MACHINE_LOCK_H

#include <stdbool.h>

#include "base/types.h"
#include "config/lock_curve.h"

#define CONTEXT_NONE UINT32_MAX

struct sim_lock {
    sim_time busy_until;
    uint32_t holder;       /* context that keeps it across steps, or CONTEXT_NONE */
    uint32_t first_waiter; /* context that spins for it, linked by context.next_waiter */
    uint32_t contenders;   /* who came since it was last found free, at most one for each CPU */
};

static inline bool lock_is_free(const struct sim_lock *lock, sim_time now)
{
    return lock->holder == CONTEXT_NONE && lock->busy_until <= now;
}

struct cell;
struct actor;

/* Takes a lock kept only within the present step: the actor spins until whoever had it is done, and
 * then for what handing it over among several CPUs takes more (the curve of its kind). */
void lock_enter(struct cell *cell, struct actor *actor, struct sim_lock *lock, enum lock_kind kind);

/* An addition to the chain of a page with so many mappers, or a removal, under the page's bit lock:
 * what it takes with several CPUs, if others can be there. */
void lock_charge_chain(struct cell *cell, struct actor *actor, sim_time time, uint64_t mappers);

/* Such work in this epoch, in billionths of a CPU. */
uint64_t lock_chain_use(const struct cell *cell);

/* `chain_use`: that of all cells in the last epoch. */
void lock_begin_epoch(struct cell *cell, uint64_t chain_use);

/* Lets it go: it was busy until the actor's now. */
void lock_leave(const struct actor *actor, struct sim_lock *lock);

#endif
