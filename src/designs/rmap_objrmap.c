/* Partial object-based reverse mapping: Dave McCracken's patch for 2.5.62, posted on 20 Feb 2003
 * (Message-ID 8390000.1045757611@baldur.austin.ibm.com); docs/model.md, section 9.
 *
 * Pages of files and shared memory keep only a mapcount; their ptes are found through the list of
 * vmas of their object. Anonymous pages keep pte chains. The list is walked to its end: leaving
 * early once mapcount ptes are found came later. */
#include "designs/designs.h"
#include "designs/pte_chain.h"
#include "machine/map.h"
#include "machine/residence.h"

static bool keeps_chain(const struct cell *cell, page_id page)
{
    return page_is_anon(cell, page);
}

static enum frame_result prepare(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? pte_chain_prepare(cell, actor, page) : FRAME_OK;
}

static void add(struct cell *cell, struct actor *actor, page_id page)
{
    if (page_is_anon(cell, page)) {
        pte_chain_add(cell, actor, page);
    } else {
        charge(cell, actor, COST_MAPCOUNT, 1);
    }
}

static enum frame_result add_word(struct cell *cell, page_id page, uint64_t mask)
{
    return page_is_anon(cell, page) ? pte_chain_add_word(cell, page, mask) : FRAME_OK;
}

/* vmas of the object whose range has the page in it: each costs a walk of its page table. */
static uint64_t covering_vmas(const struct cell *cell, const struct object *object, page_id page)
{
    uint64_t covering = 0;
    for (uint32_t rank = 0; rank < object->max_vmas; rank++) {
        const struct vma *vma = &cell->vmas[cell->object_vmas[object->first_vma_slot + rank]];
        covering += page - vma->first < vma->npages;
    }
    return covering;
}

static void charge_list(struct cell *cell, struct actor *actor, const struct object *object,
                        page_id page)
{
    count(cell, METRIC_RMAP_VISITS, object->nvmas);
    charge(cell, actor, COST_VMA_VISIT, object->nvmas);
    charge(cell, actor, COST_PTE_WALK, covering_vmas(cell, object, page));
}

/* down_trylock of i_shared_sem. */
static bool trylock_object(struct cell *cell, const struct actor *actor, struct object *object)
{
    if (lock_is_free(&object->lock, actor->now)) {
        return true;
    }
    count(cell, METRIC_TRYLOCK_FAILURES, 1);
    count(cell, METRIC_OBJECT_TRYLOCK_FAILURES, 1);
    return false;
}

static unsigned referenced(struct cell *cell, struct actor *actor, page_id page)
{
    if (page_is_anon(cell, page)) {
        return pte_chain_referenced(cell, actor, page);
    }
    struct object *object = page_object(cell, page);
    if (cell->mapcount[page] == 0) {
        return 0;
    }
    if (!trylock_object(cell, actor, object)) {
        return 1;
    }
    struct map_walk walk = map_clear_young(cell, actor, page, LOCK_COVERERS);
    charge_list(cell, actor, object, page);
    lock_leave(actor, &object->lock);
    return walk.young + walk.failed;
}

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    if (page_is_anon(cell, page)) {
        return pte_chain_unmap(cell, actor, page);
    }
    struct object *object = page_object(cell, page);
    if (!trylock_object(cell, actor, object)) {
        return UNMAP_AGAIN;
    }
    struct map_walk walk = map_clear_all(cell, actor, page, LOCK_COVERERS);
    charge_list(cell, actor, object, page);
    charge(cell, actor, COST_PTE_UNMAP, walk.present);
    lock_leave(actor, &object->lock);
    return walk.failed > 0 ? UNMAP_AGAIN : UNMAP_DONE;
}

const struct rmap_ops rmap_objrmap = {
    .choice =
        {.name = "objrmap",
         .description =
             "files and shared memory by the object's list of vmas, anonymous memory by chains",
         .source =
             "McCracken's patch for 2.5.62, 20 Feb 2003; LWN, Time to thrash the 2.6 VM?, 2004"},
    .chains = CHAIN_BLOCKS,
    .by_object = true,
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .referenced = referenced,
    .unmap = unmap,
};
