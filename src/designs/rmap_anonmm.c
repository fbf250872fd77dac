/* Object-based reverse mapping with anonmm for anonymous memory: Hugh Dickins' "rmap 10" and "rmap
 * 11", with the priority search tree of "rmap 16" to "rmap 18", before 2.6.7-rc1; docs/model.md,
 * section 9.
 *
 * An anonymous page knows its address and the bundle of mms that descend from one exec; each of
 * them is asked whether it has the page there. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/rmap_upkeep.h"

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    return object_unmap(cell, actor, page, true);
}

const struct rmap_ops rmap_anonmm = {
    .choice = {.name = "anonmm",
               .description = "files and shared memory by a tree of vmas, anonymous memory by its "
                              "address in each mm of a family",
               .source =
                   "Dickins, rmap 10 and 11, 22 May 2004 (linux-history 6bccf794bf, 70b671f80e)"},
    .by_object = true,
    .keeps_chain = upkeep_no_chain,
    .prepare = upkeep_mapcount_prepare,
    .add = upkeep_mapcount_add,
    .add_word = upkeep_mapcount_add_word,
    .remove = upkeep_mapcount_remove,
    .referenced = object_referenced,
    .unmap = unmap,
};
