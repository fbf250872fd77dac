/* Per-page state, in object order: bit planes, mapcounts and LRU links.
 *
 * Sixteen flags of 64 neighbouring pages stand together in two cache lines, so that a virtual scan
 * works on 64 ptes at a time and a fault finds all flags of its page in one place. The first line
 * holds what scans read, the second what only reclaim and I/O need. */
#ifndef THRASH_MACHINE_PAGE_H
#define THRASH_MACHINE_PAGE_H

#include <stdbool.h>

#include "base/types.h"

enum plane {
    PLANE_RESIDENT,            /* holds a frame */
    PLANE_ACTIVE,              /* PG_active: on, or bound for, an active list */
    PLANE_REFERENCED,          /* PG_referenced */
    PLANE_LOCKED,              /* PG_locked by I/O: a read, or any I/O in 2.4 */
    PLANE_DIRTY,               /* PG_dirty */
    PLANE_PTE_DIRTY,           /* some mapper wrote; moves to PLANE_DIRTY at the first unmap */
    PLANE_SWAPCACHE,           /* in the swap cache: resident and holding a swap slot */
    PLANE_MAPPED_ONCE_CHAINED, /* mapped once, but through a chain block not yet collapsed */

    PLANE_WRITEBACK, /* PG_writeback (2.6), or under write I/O (2.4) */
    PLANE_RECLAIM,   /* PG_reclaim (2.6), PG_launder (2.4) */
    PLANE_BUFFERS,   /* has buffer heads, which hold one reference */
    PLANE_READING,   /* locked because its contents are on their way; not up to date */
    PLANE_ZONE_LOW,  /* the zone its frame is from: two bits */
    PLANE_ZONE_HIGH,
    PLANE_ON_LRU,    /* on an active or inactive list, not in a reclaimer's private batch */
    PLANE_PROTECTED, /* of an anonymous version: its ptes are write-protected since a fork */

    PLANES
};

#define PAGES_PER_WORD 64

struct page_word {
    uint64_t plane[PLANES];
};

/* Neighbours on an LRU list. Index npages + list is the head of a list. */
struct lru_link {
    page_id next;
    page_id prev;
};

static inline uint64_t page_bit(page_id page)
{
    return 1ULL << (page % PAGES_PER_WORD);
}

static inline bool page_is(const struct page_word *words, page_id page, enum plane plane)
{
    return (words[page / PAGES_PER_WORD].plane[plane] & page_bit(page)) != 0;
}

static inline void page_set(struct page_word *words, page_id page, enum plane plane)
{
    words[page / PAGES_PER_WORD].plane[plane] |= page_bit(page);
}

static inline void page_clear(struct page_word *words, page_id page, enum plane plane)
{
    words[page / PAGES_PER_WORD].plane[plane] &= ~page_bit(page);
}

static inline bool page_test_and_clear(struct page_word *words, page_id page, enum plane plane)
{
    uint64_t *word = &words[page / PAGES_PER_WORD].plane[plane];
    bool was = (*word & page_bit(page)) != 0;
    *word &= ~page_bit(page);
    return was;
}

#endif
