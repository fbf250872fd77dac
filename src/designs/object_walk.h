/* Finding the ptes of pages through the vmas of their object; docs/model.md, section 9.
 *
 * Those of files and shared memory: by its list of vmas, as McCracken's patch of 2003 and the
 * virtual scan of 2.4.23aa2 did, or by its priority search tree, as 2.6.7 did. Those of anonymous
 * memory: by the vmas that may map it, one after the other. */
#ifndef THRASH_DESIGNS_OBJECT_WALK_H
#define THRASH_DESIGNS_OBJECT_WALK_H

#include "machine/cell.h"

/* Pages of files and shared memory, by the list. The last leaves mm number `mm` out. */
unsigned object_list_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_list_unmap(struct cell *cell, struct actor *actor, page_id page);
void object_list_unmap_others(struct cell *cell, struct actor *actor, uint32_t mm, page_id page);

/* The same pages, by the tree. */
unsigned object_tree_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_tree_unmap(struct cell *cell, struct actor *actor, page_id page);

/* Any page: those of files and shared memory by the tree, anonymous ones by the vmas that may map
 * them, in the order they came, under a lock that is waited for. `finds_vma`: who comes to a pte of
 * an anonymous page has to find its vma before it clears it (anonmm). */
unsigned object_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_unmap(struct cell *cell, struct actor *actor, page_id page,
                               bool finds_vma);

#endif
