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

/* vmas over the page in other mms than that of the scan: each costs a walk of its page table. */
static uint64_t other_coverers(const struct cell *cell, const struct object *object, uint32_t mm,
                               page_id page)
{
    uint64_t covering = 0;
    for (uint32_t rank = 0; rank < object->max_vmas; rank++) {
        const struct vma *vma = &cell->vmas[cell->object_vmas[object->first_vma_slot + rank]];
        covering += vma->mm != mm && page - vma->first < vma->npages;
    }
    return covering;
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
    charge(cell, actor, COST_VMA_VISIT, object->nvmas);
    charge(cell, actor, COST_PTE_WALK, other_coverers(cell, object, mm, page));
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
    .unmap_others = unmap_others,
};
