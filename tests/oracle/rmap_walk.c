#include "oracle/rmap_walk.h"

bool o_walk_trylock(struct machine *machine, const struct actor *actor, struct mm *mm)
{
    const struct lock *lock = &mm->page_table_lock;
    bool taken = (lock->holder != NULL && lock->holder != actor->context) ||
                 lock->busy_until > actor->now;
    if (!taken && mm->held_in_2_32 > 0) {
        struct random_block bits = random_draw(machine->scenario->seed, RANDOM_TRYLOCK,
                                               mm->process->number, 0, mm->tries++);
        taken = bits.word[0] < mm->held_in_2_32;
    }
    if (taken) {
        machine->count.trylock_failures++;
    }
    return !taken;
}

bool o_walk_trylock_once(struct machine *machine, const struct actor *actor, struct tried *tried,
                         struct mm *mm)
{
    for (unsigned i = 0; i < tried->n; i++) {
        if (tried->mm[i] == mm) {
            return tried->taken[i];
        }
    }
    REQUIRE(tried->n < MAPPERS_MAX);
    const bool taken = o_walk_trylock(machine, actor, mm);
    tried->mm[tried->n] = mm;
    tried->taken[tried->n++] = taken;
    return taken;
}

bool o_walk_trylock_object(struct machine *machine, const struct actor *actor,
                           const struct object *object)
{
    bool taken = object->vma_lock.busy_until > actor->now;
    if (taken) {
        machine->count.trylock_failures++;
        machine->count.object_trylock_failures++;
    }
    return !taken;
}

bool o_walk_young(struct pte *pte)
{
    bool young = pte->young;
    pte->young = false;
    return young;
}

void o_walk_visit(struct machine *machine, struct actor *actor, enum cost cost, uint64_t times)
{
    machine->count.rmap_visits += times;
    charge_times(machine, actor, cost, times);
}

void o_walk_done(struct machine *machine, uint64_t ptes)
{
    machine->count.rmap_walks++;
    machine->count.rmap_ptes += ptes;
}
