/* Zones: frames by the reach of their addresses, and who holds them.
 *
 * Frames are counted, not numbered. The designs bring the watermarks and the order of fallback of
 * their era; this file only takes and gives back. */
#ifndef THRASH_MACHINE_ZONE_H
#define THRASH_MACHINE_ZONE_H

#include <stdbool.h>

#include "base/types.h"

enum zone_index { ZONE_DMA, ZONE_NORMAL, ZONE_HIGHMEM, ZONES };

/* Who holds a frame. */
enum owner {
    OWNER_SHM,
    OWNER_FILE,
    OWNER_ANON,
    OWNER_PAGETABLE, /* pages of ptes */
    OWNER_DIRECTORY, /* the levels above them: pmds, pgds */
    OWNER_RMAP,      /* pte chains */
    OWNER_MEM_MAP,   /* struct page of every frame */
    OWNER_KERNEL,    /* text, static tables, boot allocations */
    OWNER_TASK,      /* kernel stacks, tasks, open files */
    OWNER_MM,
    OWNER_VMA,
    OWNER_BUFFER_HEAD,
    OWNER_RADIX_NODE,
    OWNER_BALLAST,
    OWNER_LARGE,  /* reserved for large pages */
    OWNER_HANDED, /* freed by a direct reclaimer, not yet used or given back */
    OWNERS
};

struct zone {
    page_count present; /* frames of the zone */
    page_count free;
    page_count held[OWNERS];
    page_count min, low, high; /* watermarks, as the design sets them */
    page_count reserve[ZONES]; /* added to the watermarks for allocations of a higher class */
    page_count nr_active;      /* pages on active lists whose frame is from this zone */
    page_count nr_inactive;
    bool need_balance;        /* 2.4: kswapd has work here */
    bool all_unreclaimable;   /* 2.6 */
    uint32_t prev_priority;   /* 2.6 */
    uint32_t temp_priority;   /* 2.6 */
    page_count pages_scanned; /* 2.6: since a frame was last freed */
    uint64_t refill_counter;  /* 2.6 */
};

struct cell;

/* What came of asking for a frame. */
enum frame_result {
    FRAME_OK,
    FRAME_RECLAIM, /* below the watermarks: reclaim first */
    FRAME_NONE,    /* there is none, and the caller cannot reclaim */
};

enum watermark { WATERMARK_MIN, WATERMARK_LOW, WATERMARK_HIGH };

page_count zone_mark(const struct zone *zone, enum watermark watermark);

/* The highest zone that has frames: the class of allocations for user pages. */
enum zone_index zone_user_class(const struct cell *cell);

/* The highest zone that the kernel maps directly: the class of its own allocations. */
enum zone_index zone_kernel_class(const struct cell *cell);

/* Takes a frame, or n, of a zone that has them / gives one back. */
void zone_take(struct cell *cell, enum zone_index zone, enum owner owner);
void zone_take_many(struct cell *cell, enum zone_index zone, enum owner owner, page_count n);
void zone_give(struct cell *cell, enum zone_index zone, enum owner owner);

/* Hands a frame from one owner to another without passing through the free count. */
void zone_change_owner(struct cell *cell, enum zone_index zone, enum owner from, enum owner to);

page_count zone_free_frames(const struct cell *cell);
page_count zone_owner_frames(const struct cell *cell, enum owner owner);

/* The same in the zones that the kernel maps directly: low memory. */
page_count zone_lowmem_frames(const struct cell *cell, enum owner owner);

/* "page tables", "mem_map", ...: for a verdict. */
const char *zone_owner_name(enum owner owner);

/* Gives back one frame of an owner whose frames are alike (slab pages, ballast): from the highest
 * zone in which it holds any. */
void zone_give_any(struct cell *cell, enum owner owner);

#endif
