/* Finding the ptes of pages of files and shared memory through the vmas of their object.
 *
 * By its list of vmas, as McCracken's patch of 2003 did, and by its priority search tree, as 2.6.7
 * did; docs/model.md, section 9. */
#ifndef THRASH_DESIGNS_OBJECT_WALK_H
#define THRASH_DESIGNS_OBJECT_WALK_H

#include "machine/cell.h"
#include "machine/map.h"

unsigned object_list_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_list_unmap(struct cell *cell, struct actor *actor, page_id page);

unsigned object_tree_referenced(struct cell *cell, struct actor *actor, page_id page);
enum unmap_result object_tree_unmap(struct cell *cell, struct actor *actor, page_id page);

/* Clears what could be found of the ptes of a page, up to a young one, for 2.6.7: what came of it.
 */
enum unmap_result object_unmap_result(const struct cell *cell, page_id page,
                                      const struct map_walk *walk);

#endif
