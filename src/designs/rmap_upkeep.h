/* What a reverse map does for each pte that comes and goes: nothing, or a mapcount with chains for
 * some pages. The functions go into a struct rmap_ops (machine/ops.h), which says what each does.
 */
#ifndef THRASH_DESIGNS_RMAP_UPKEEP_H
#define THRASH_DESIGNS_RMAP_UPKEEP_H

#include "machine/cell.h"

/* No page has a chain. */
bool upkeep_no_chain(const struct cell *cell, page_id page);

/* Nothing is kept, and nothing charged. */
enum frame_result upkeep_nothing_prepare(struct cell *cell, struct actor *actor, page_id page);
void upkeep_nothing_add(struct cell *cell, struct actor *actor, page_id page);
enum frame_result upkeep_nothing_add_word(struct cell *cell, page_id page, uint64_t mask);
void upkeep_nothing_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);

/* A page of which the design's keeps_chain() says so has a chain; any other has a mapcount. */
enum frame_result upkeep_mapcount_prepare(struct cell *cell, struct actor *actor, page_id page);
void upkeep_mapcount_add(struct cell *cell, struct actor *actor, page_id page);
enum frame_result upkeep_mapcount_add_word(struct cell *cell, page_id page, uint64_t mask);
void upkeep_mapcount_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);

#endif
