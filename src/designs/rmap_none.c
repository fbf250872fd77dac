/* No reverse map: 2.4 finds the ptes of a page only by scanning every address space. */
#include "designs/designs.h"
#include "designs/rmap_upkeep.h"

const struct rmap_ops rmap_none = {
    .choice = {.name = "none",
               .description =
                   "no reverse map; ptes are found by scanning every address space (2.4)",
               .source = "linux 2.4.23 mm/vmscan.c, try_to_swap_out()"},
    .keeps_chain = upkeep_no_chain,
    .prepare = upkeep_nothing_prepare,
    .add = upkeep_nothing_add,
    .add_word = upkeep_nothing_add_word,
    .remove = upkeep_nothing_remove,
};
