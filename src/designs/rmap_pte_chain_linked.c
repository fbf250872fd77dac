/* pte chains as lists with an entry for each pte, for every page: 2.5.27. */
#include "designs/designs.h"
#include "designs/pte_chain.h"

const struct rmap_ops rmap_pte_chain_linked = {
    .choice =
        {.name = "pte_chain_linked",
         .description =
             "chains of ptes as linked lists, with an entry for each pte, for every page (2.5.27)",
         .source = "linux v2.5.27 mm/rmap.c, page_add_rmap(), pte_chain_alloc()"},
    .chains = CHAIN_LIST,
    .keeps_chain = pte_chain_keeps,
    .prepare = pte_chain_prepare,
    .add = pte_chain_add,
    .add_word = pte_chain_add_word,
    .remove = pte_chain_remove,
    .moved = pte_chain_moved,
    .referenced = pte_chain_referenced,
    .unmap = pte_chain_unmap,
};
