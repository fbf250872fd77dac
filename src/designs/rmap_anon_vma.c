/* The reverse map of 2.6.7: a priority search tree of vmas for files and shared memory, a list of
 * related vmas for anonymous memory (Andrea Arcangeli's anon_vma, "rmap 38" to "rmap 40");
 * docs/model.md, section 9. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/rmap_upkeep.h"

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    return object_unmap(cell, actor, page, false);
}

const struct rmap_ops rmap_anon_vma = {
    .choice = {.name = "anon_vma",
               .description = "files and shared memory by a tree of vmas, anonymous memory by the "
                              "vmas related to its own (2.6.7)",
               .source = "linux v2.6.7 mm/rmap.c, page_referenced_anon(), try_to_unmap_file()"},
    .by_object = true,
    .keeps_chain = upkeep_no_chain,
    .prepare = upkeep_mapcount_prepare,
    .add = upkeep_mapcount_add,
    .add_word = upkeep_mapcount_add_word,
    .remove = upkeep_mapcount_remove,
    .referenced = object_referenced,
    .unmap = unmap,
};
