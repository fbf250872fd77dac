/* Object-based reverse mapping by a priority search tree: Rajesh Venkatasubramanian's patch of
 * March 2004 (Message-ID Pine.GSO.4.58.0403211634350.10248@azure.engin.umich.edu), in mainline
 * since 2.6.7; docs/model.md, section 9.
 *
 * Pages of files and shared memory are found by a stabbing query at their offset. Anonymous pages
 * keep pte chains, as they did under the patches before anonmm. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/pte_chain.h"
#include "designs/rmap_upkeep.h"
#include "machine/residence.h"

static bool keeps_chain(const struct cell *cell, page_id page)
{
    return page_is_anon(cell, page);
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
    .by_object = true,
    .keeps_chain = keeps_chain,
    .prepare = upkeep_mapcount_prepare,
    .add = upkeep_mapcount_add,
    .add_word = upkeep_mapcount_add_word,
    .remove = upkeep_mapcount_remove,
    .referenced = referenced,
    .unmap = unmap,
};
