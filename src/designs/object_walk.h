/* Finding the ptes of pages through the vmas of their object.
 *
 * Those of files and shared memory: by its list of vmas, as McCracken's patch of 2003 did, and by
 * its priority search tree, as 2.6.7 did; docs/model.md, section 9. */
#ifndef THRASH_DESIGNS_OBJECT_WALK_H
#define THRASH_DESIGNS_OBJECT_WALK_H

#include "machine/cell.h"

unsigned object_list_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_list_unmap(struct cell *cell, struct actor *actor, page_id page);

unsigned object_tree_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_tree_unmap(struct cell *cell, struct actor *actor, page_id page);

/* Anonymous pages: the vmas that may map them in the order they came, under a lock that is waited
 * for. `finds_vma`: who comes to a pte has to find its vma before it clears it (anonmm). */
unsigned object_anon_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_anon_unmap(struct cell *cell, struct actor *actor, page_id page,
                                    bool finds_vma);

#endif
