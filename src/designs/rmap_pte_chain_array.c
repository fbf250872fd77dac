/* pte chains in cache-line blocks, for every page: 2.5.35 to 2.6.6. */
#include "designs/designs.h"
#include "designs/pte_chain.h"

const struct rmap_ops rmap_pte_chain_array = {
    .choice = {.name = "pte_chain_array",
               .description =
                   "chains of ptes in cache-line blocks for every page (2.5.35 to 2.6.6)",
               .source = "linux v2.6.0 mm/rmap.c; Larson, Kernel comparison, 2004"},
    .chains = CHAIN_BLOCKS,
    .keeps_chain = pte_chain_keeps,
    .prepare = pte_chain_prepare,
    .add = pte_chain_add,
    .add_word = pte_chain_add_word,
    .remove = pte_chain_remove,
    .moved = pte_chain_moved,
    .referenced = pte_chain_referenced,
    .unmap = pte_chain_unmap,
};
