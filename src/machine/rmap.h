/* The reverse map of a cell's design: calls of `struct rmap_ops` that book the time they take
 * (METRIC_RMAP_CPU). Populate, which is before the clock starts, calls the operations directly. */
#ifndef THRASH_MACHINE_RMAP_H
#define THRASH_MACHINE_RMAP_H

#include "base/mutant.h"
#include "machine/cell.h"

static inline void rmap_book(struct cell *cell, const struct actor *actor, sim_time begin)
{
    count(cell, METRIC_RMAP_CPU, actor->now - begin);
}

static inline enum frame_result rmap_prepare(struct cell *cell, struct actor *actor, page_id page)
{
    const sim_time begin = actor->now;
    const enum frame_result result = cell->design->rmap->prepare(cell, actor, page);
    rmap_book(cell, actor, begin);
    return result;
}

static inline void rmap_add(struct cell *cell, struct actor *actor, page_id page)
{
    const sim_time begin = actor->now;
    cell->design->rmap->add(cell, actor, page);
    rmap_book(cell, actor, begin);
}

static inline void rmap_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    const sim_time begin = actor->now;
    cell->design->rmap->remove(cell, actor, first, mask);
    rmap_book(cell, actor, MUTANT(REMOVAL_TIME, begin, actor->now));
}

static inline void rmap_moved(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    const sim_time begin = actor->now;
    cell->design->rmap->moved(cell, actor, first, mask);
    rmap_book(cell, actor, begin);
}

static inline unsigned rmap_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    const sim_time begin = actor->now;
    const unsigned referenced = cell->design->rmap->referenced(cell, actor, page);
    rmap_book(cell, actor, begin);
    return referenced;
}

static inline enum unmap_result rmap_unmap(struct cell *cell, struct actor *actor, page_id page)
{
    const sim_time begin = actor->now;
    const enum unmap_result result = cell->design->rmap->unmap(cell, actor, page);
    rmap_book(cell, actor, begin);
    return result;
}

static inline void rmap_unmap_others(struct cell *cell, struct actor *actor, uint32_t mm,
                                     page_id page)
{
    const sim_time begin = actor->now;
    cell->design->rmap->unmap_others(cell, actor, mm, page);
    rmap_book(cell, actor, begin);
}

#endif
