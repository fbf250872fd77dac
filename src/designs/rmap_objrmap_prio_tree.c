/* Object-based reverse mapping by a priority search tree: Rajesh Venkatasubramanian's patch of
 * March 2004 (Message-ID Pine.GSO.4.58.0403211634350.10248@azure.engin.umich.edu), in mainline
 * since 2.6.7; docs/model.md, section 9.
 *
 * Pages of files and shared memory are found by a stabbing query at their offset. Anonymous pages
 * keep pte chains, as they did under the patches before anonmm. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/pte_chain.h"
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

static void take_out(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    if (page_is_anon(cell, first)) {
        pte_chain_remove(cell, actor, first, mask);
    } else {
        charge(cell, actor, COST_MAPCOUNT, (uint64_t)__builtin_popcountll(mask));
    }
}

static unsigned referenced(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? pte_chain_referenced(cell, actor, page)
                                    : object_tree_referenced(cell, actor, page);
}

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? pte_chain_unmap(cell, actor, page)
                                    : object_tree_unmap(cell, actor, page);
}

const struct rmap_ops rmap_objrmap_prio_tree = {
    .choice = {.name = "objrmap_prio_tree",
               .description = "files and shared memory by a tree of the object's vmas, anonymous "
                              "memory by chains",
               .source = "Venkatasubramanian, prio_tree, 21 Mar 2004; linux v2.6.7 mm/prio_tree.c"},
    .chains = CHAIN_BLOCKS,
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .remove = take_out,
    .referenced = referenced,
    .unmap = unmap,
};
