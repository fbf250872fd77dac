/* Objects inside the virtual scan: the first fix of 2.4.23aa2 (docs/model.md, section 9).
 *
 * Nothing is kept for a page. When the scan has cleared one pte of a page that others still map, it
 * tries to clear those as well, through the object's list of vmas and with trylocks: what it cannot
 * get at is left to the scan of that mm. */
#include "base/mutant.h"
#include "designs/designs.h"
#include "machine/map.h"
#include "machine/residence.h"

static bool keeps_chain(const struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
    return false;
}

static enum frame_result prepare(struct cell *cell, struct actor *actor, page_id page)
{
    (void)cell;
    (void)actor;
    (void)page;
    return FRAME_OK;
}

static void add(struct cell *cell, struct actor *actor, page_id page)
{
    (void)cell;
    (void)actor;
    (void)page;
}

static enum frame_result add_word(struct cell *cell, page_id page, uint64_t mask)
{
    (void)cell;
    (void)page;
    (void)mask;
    return FRAME_OK;
}

static void take_out(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    (void)cell;
    (void)actor;
    (void)first;
    (void)mask;
}

static void unmap_others(struct cell *cell, struct actor *actor, uint32_t mm, page_id page)
{
    struct object *object = page_object(cell, page);
    /* trylock of i_shared_lock */
    if (MUTANT(SCAN_TRYLOCK_OBJECT, !lock_is_free(&object->lock, actor->now), false)) {
        count(cell, METRIC_TRYLOCK_FAILURES, 1);
        count(cell, METRIC_OBJECT_TRYLOCK_FAILURES, 1);
        return;
    }
    struct map_walk walk = map_clear_others(cell, actor, page, mm);
    count(cell, METRIC_RMAP_VISITS, object->nvmas);
    count(cell, METRIC_RMAP_COVERING, walk.covering);
    charge(cell, actor, COST_VMA_VISIT, object->nvmas);
    charge(cell, actor, COST_PTE_WALK, walk.walked);
    charge_table_access(cell, actor, walk.walked);
    charge(cell, actor, COST_PTE_UNMAP, walk.present);
    lock_leave(actor, &object->lock);
}

const struct rmap_ops rmap_objrmap_in_scan = {
    .choice = {.name = "objrmap_in_scan",
               .description = "no reverse map; a virtual scan that unmaps a page from all mms at "
                              "once, through its object, where trylocks allow",
               .source =
                   "A. Arcangeli, 05_vm_28-shmem-big-iron-1 of 2.4.23aa2, posted 27 Feb 2004; "
                   "LWN, Time to thrash the 2.6 VM?, 2004"},
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .remove = take_out,
    .unmap_others = unmap_others,
};
