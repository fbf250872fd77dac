/* LRU lists: active and inactive, for each zone or for the whole machine, and private batches.
 *
 * Lists are circular, doubly linked by 32-bit indices; index npages + list is the head. The head's
 * `next` is the most recently added page, its `prev` the oldest. */
#ifndef THRASH_MACHINE_LRU_H
#define THRASH_MACHINE_LRU_H

#include "machine/cell.h"

/* A list of pages: lru_list() for the LRU lists, lru_private() for a context's batches. */
typedef uint32_t lru_list;

static inline enum zone_index page_zone(const struct cell *cell, page_id page)
{
    return (enum zone_index)((page_is(cell->words, page, PLANE_ZONE_HIGH) ? 2 : 0) +
                             (page_is(cell->words, page, PLANE_ZONE_LOW) ? 1 : 0));
}

static inline lru_list lru_of(const struct cell *cell, enum zone_index zone, bool active)
{
    return (cell->design->reclaim->rules.zone_lists ? 2 * (lru_list)zone : 0) + (active ? 1 : 0);
}

/* The lock that guards the list of a page. */
static inline unsigned lru_lock_index(const struct cell *cell, page_id page)
{
    return cell->design->reclaim->rules.zone_lists ? (unsigned)page_zone(cell, page) : 0;
}

static inline lru_list lru_private(uint32_t context, unsigned which)
{
    return LRU_ZONE_LISTS + context * LRU_CONTEXT_LISTS + which;
}

static inline page_id lru_head(const struct cell *cell, lru_list list)
{
    return cell->npages + list;
}

static inline page_id lru_oldest(const struct cell *cell, lru_list list)
{
    page_id head = lru_head(cell, list);
    page_id page = cell->lru[head].prev;
    return page == head ? PAGE_NONE : page;
}

/* Bare links, for private batches. */
void lru_list_init(struct cell *cell, lru_list list);
void lru_link_newest(struct cell *cell, lru_list list, page_id page);
void lru_link_oldest(struct cell *cell, lru_list list, page_id page);
void lru_unlink(struct cell *cell, page_id page);

/* The lists of a zone or of the machine: they also keep the counts and PLANE_ON_LRU. A page goes on
 * the list that PLANE_ACTIVE says, as its newest. */
void lru_add(struct cell *cell, page_id page);
void lru_remove(struct cell *cell, page_id page);

/* Moves a page of an LRU list to the other end of its own list. */
void lru_rotate_newest(struct cell *cell, page_id page);
void lru_rotate_oldest(struct cell *cell, page_id page);

/* Moves a page of an inactive list to the newest end of the active one, or back. */
void lru_activate(struct cell *cell, page_id page);
void lru_deactivate(struct cell *cell, page_id page);

/* Pages on active / inactive lists with frames of zones up to `class`. */
page_count lru_class_active(const struct cell *cell, enum zone_index class);
page_count lru_class_inactive(const struct cell *cell, enum zone_index class);

#endif
