/* Objects inside the virtual scan: the first fix of 2.4.23aa2 (docs/model.md, section 9).
 *
 * Nothing is kept for a page. When the scan has cleared one pte of a page that others still map, it
 * tries to clear those as well, through the object's list of vmas and with trylocks: what it cannot
 * get at is left to the scan of that mm. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "designs/rmap_upkeep.h"

const struct rmap_ops rmap_objrmap_in_scan = {
    .choice = {.name = "objrmap_in_scan",
               .description = "no reverse map; a virtual scan that unmaps a page from all mms at "
                              "once, through its object, where trylocks allow",
               .source =
                   "A. Arcangeli, 05_vm_28-shmem-big-iron-1 of 2.4.23aa2, posted 27 Feb 2004; "
                   "LWN, Time to thrash the 2.6 VM?, 2004"},
    .keeps_chain = upkeep_no_chain,
    .prepare = upkeep_nothing_prepare,
    .add = upkeep_nothing_add,
    .add_word = upkeep_nothing_add_word,
    .remove = upkeep_nothing_remove,
    .unmap_others = object_list_unmap_others,
};
