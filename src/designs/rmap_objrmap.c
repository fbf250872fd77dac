/* Partial object-based reverse mapping: Dave McCracken's patch for 2.5.62, posted on 20 Feb 2003
 * (Message-ID 8390000.1045757611@baldur.austin.ibm.com); docs/model.md, section 9.
 *
 * Pages of files and shared memory keep only a mapcount; their ptes are found through the list of
 * vmas of their object. Anonymous pages and those mapped nonlinearly keep pte chains. The list is
 * walked to its end: leaving early once mapcount ptes are found came later. */
#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/pte_chain.h"
#include "designs/rmap_upkeep.h"
#include "machine/residence.h"

/* page_convert_anon() gave pages that remap_file_pages() mapped a chain. */
static bool keeps_chain(const struct cell *cell, page_id page)
{
    const struct object *object = page_object(cell, page);
    return MUTANT(OBJECT_CHAINS, object->kind == OBJECT_ANON || object->nonlinear != 0, true);
}

/* The patch left mm/mremap.c alone, which takes the pte out and adds it again. */
static void moved(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    if (keeps_chain(cell, first)) {
        pte_chain_moved(cell, actor, first, mask);
    } else {
        charge(cell, actor, COST_MAPCOUNT, 2 * (uint64_t)__builtin_popcountll(mask));
    }
}

static unsigned referenced(struct cell *cell, struct actor *actor, page_id page)
{
    return keeps_chain(cell, page) ? pte_chain_referenced(cell, actor, page)
                                   : object_list_referenced(cell, actor, page);
}

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    return keeps_chain(cell, page) ? pte_chain_unmap(cell, actor, page)
                                   : object_list_unmap(cell, actor, page);
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
    .prepare = upkeep_mapcount_prepare,
    .add = upkeep_mapcount_add,
    .add_word = upkeep_mapcount_add_word,
    .remove = upkeep_mapcount_remove,
    .moved = moved,
    .referenced = referenced,
    .unmap = unmap,
};
