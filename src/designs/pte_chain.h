/* Chains of ptes in blocks of one cache line, as mm/rmap.c of v2.6.0 kept them, or in a list with
 * an entry for each, as that of v2.5.27 did (docs/model.md, section 9).
 *
 * The slots themselves are not stored: which ptes a page has is in the pte rows. What is kept is
 * what the historical structure held in memory and what its operations cost. A page mapped once is
 * "direct" and has no block, or, after having been mapped more often, still has one until it is
 * next checked for references (PLANE_MAPPED_ONCE_CHAINED). Only the head block of a chain has free
 * slots, so k slots are in exactly ceil(k / slots) blocks. The entry of a list is a block of one
 * slot, and a page mapped once never has one. */
#ifndef THRASH_DESIGNS_PTE_CHAIN_H
#define THRASH_DESIGNS_PTE_CHAIN_H

#include "machine/cell.h"

enum frame_result pte_chain_prepare(struct cell *cell, struct actor *actor, page_id page);
void pte_chain_add(struct cell *cell, struct actor *actor, page_id page);
enum frame_result pte_chain_add_word(struct cell *cell, page_id page, uint64_t mask);
void pte_chain_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);
/* Out of the chain and into it again, at another address. */
void pte_chain_moved(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);
unsigned pte_chain_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result pte_chain_unmap(struct cell *cell, struct actor *actor, page_id page);

/* A chain is kept for every page. */
bool pte_chain_keeps(const struct cell *cell, page_id page);

#endif
