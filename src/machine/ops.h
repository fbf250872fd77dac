/* What a design provides: one struct of functions and facts per axis (`thrash list designs`).
 *
 * The machine calls these and knows nothing else of a design. Each row names itself and its source;
 * the tables that list the rows are in src/designs/. */
#ifndef THRASH_MACHINE_OPS_H
#define THRASH_MACHINE_OPS_H

#include <stdbool.h>

#include "base/types.h"
#include "config/tlb_config.h"
#include "machine/context.h"
#include "machine/slab.h"
#include "machine/zone.h"

struct cell;

/* What came of unmapping a page everywhere. */
enum unmap_result {
    UNMAP_DONE,  /* no pte maps it any more */
    UNMAP_AGAIN, /* a trylock failed; some ptes are left */
    UNMAP_YOUNG, /* one was young (2.6.7): the page is to be activated */
    UNMAP_FAIL,  /* a vma is VM_LOCKED: it stays mapped */
};

/* What every choice on an axis says of itself. */
struct choice {
    const char *name;
    const char *description; /* one line */
    const char *source;      /* article, document or kernel file */
    unsigned archs;          /* where it exists, bit 1 << enum machine_arch; 0: everywhere */
    const char *because;     /* why not elsewhere; NULL where it exists everywhere */
};

/* What the ptes of a page are kept in, by the designs that keep them. */
enum chain_form {
    CHAIN_NONE,
    CHAIN_BLOCKS, /* cache lines from a slab cache; one that holds a single pte stays for a while */
    CHAIN_LIST,   /* an entry for each pte from a list of free ones; no entry for a single pte */
};

/* Finding the ptes of a page. */
struct rmap_ops {
    struct choice choice;
    enum chain_form chains;
    bool by_object; /* those of shared pages and files are found through the vmas of their object */

    /* Whether a page's ptes are kept in a chain of blocks; for the invariants. */
    bool (*keeps_chain)(const struct cell *cell, page_id page);

    /* Obtains what one more mapping of `page` needs (a chain block), so that add() cannot fail. */
    enum frame_result (*prepare)(struct cell *cell, struct actor *actor, page_id page);

    /* A pte was set; mapcount already counts it. */
    void (*add)(struct cell *cell, struct actor *actor, page_id page);

    /* Populate: one pte more for each page of `mask` in the word of `page`; mapcounts already count
     * them. Charges nothing. FRAME_NONE when its memory cannot be had. */
    enum frame_result (*add_word)(struct cell *cell, page_id page, uint64_t mask);

    /* munmap, exec and exit: one pte less for each page of `mask` in the word that begins with page
     * `first`; mapcounts no longer count them. */
    void (*remove)(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);

    /* mremap(): one pte of each page of `mask` in the word that begins with page `first` is at
     * another address of its mm now. NULL: nothing is kept that knows addresses. */
    void (*moved)(struct cell *cell, struct actor *actor, page_id first, uint64_t mask);

    /* Tests and clears the young bits of all ptes; returns how many were set. NULL if the design
     * cannot find them. */
    unsigned (*referenced)(struct cell *cell, struct actor *actor, page_id page);

    /* Clears all ptes of a page. NULL if the design cannot find them. */
    enum unmap_result (*unmap)(struct cell *cell, struct actor *actor, page_id page);

    /* The virtual scan has cleared a pte of a page of a file or of shared memory in the mm that it
     * holds, and others map the page still: clears what can be of them. NULL: nothing. */
    void (*unmap_others)(struct cell *cell, struct actor *actor, uint32_t mm, page_id page);
};

/* What an era does to a page: docs/model.md, sections 5 and 7. */
struct page_rules {
    bool zone_lists;             /* LRU lists are kept for each zone, not for the machine */
    bool anon_new_active;        /* a new anonymous page starts on the active list */
    bool anon_readahead_active;  /* so do anonymous pages read ahead from swap */
    bool move_clears_referenced; /* moving between page cache and swap cache clears PG_referenced */
    bool write_locks_page;       /* a page is locked while it is written */
    bool io_leaves_buffers;      /* I/O leaves buffer heads on a page, which hold a reference */
    bool refill_skips_mapped; /* refill asks no mapped page whether it was referenced while mapped
                                 pages are not to be reclaimed */
    bool zap_marks_accessed;  /* munmap and exit pass on young bits of files and shared memory */
    bool written_goes_oldest; /* a page written for reclaim moves to the inactive list's old end */
};

/* Writing back the dirty pages of files that write(2) fills (writeback.h). */
struct writeback_ops {
    sim_time first_tick; /* when the daemon for old pages runs for the first time */

    /* A process has dirtied `page` with write(2): wakes who writes back, and may have the process
     * do so itself. STEP_WAIT, with `wait` of the context set: called again afterwards. */
    enum step (*throttle)(struct cell *cell, struct actor *actor, struct context *context,
                          page_id page);

    /* From being woken to going back to sleep. */
    enum step (*flush)(struct cell *cell, struct actor *actor, struct context *context);

    /* The daemon for old pages: each round ends by waiting for the next one. */
    enum step (*flush_old)(struct cell *cell, struct actor *actor, struct context *context);
};

/* Freeing memory. */
struct reclaim_ops {
    struct choice choice;
    struct page_rules rules;
    const struct writeback_ops *writeback;
    bool scans_ptes;       /* it finds ptes by a virtual scan, not by the reverse map */
    bool can_prefer_clean; /* it has a pass for clean pages, when the design asks for one */

    /* Sets watermarks and scan positions of a new cell. */
    void (*set_up)(struct cell *cell);

    /* Picks a zone with a frame to spare for an allocation of a class, by the watermarks and the
     * fallback of the era; wakes kswapd when it should. Does not take the frame. */
    enum frame_result (*find_frame)(struct cell *cell, enum zone_index class, sim_time now,
                                    enum zone_index *zone_p);

    /* Free frames of a zone that allocations of a class, its own or a higher one, leave there:
     * find_frame() picks it above those of WATERMARK_LOW, or else above those of WATERMARK_MIN. */
    page_count (*frames_kept)(const struct cell *cell, enum zone_index class, enum zone_index zone,
                              enum watermark watermark);

    /* Direct reclaim by the process of a context, after begin_direct(): until a frame can be had.
     * It may leave one in context.held_frame. Sets core.out_of_memory when it gives up. */
    void (*begin_direct)(struct cell *cell, struct context *context);
    enum step (*direct)(struct cell *cell, struct actor *actor, struct context *context);

    /* A process has ended a call of direct reclaim in another cell, and told so with
     * context_call_ended(): takes over what the call left. NULL if calls leave nothing. (Helpers in
     * this cell end where they wait for time or congestion, holding nothing, or where direct() asks
     * context_should_end().) */
    void (*call_ended_elsewhere)(struct cell *cell, uint64_t left);

    /* kswapd, from being woken to going back to sleep. */
    void (*begin_balance)(struct cell *cell, struct context *context);
    enum step (*balance)(struct cell *cell, struct actor *actor, struct context *context);
};

/* Turning a dirty shared-memory page that nobody maps into one that can be freed. */
struct writeout_ops {
    struct choice choice;

    /* The page has just been moved to the swap cache and is dirty there. Returns STEP_DONE, or
     * STEP_WAIT, with `wait` of the context set, if the device queue is full: reclaim then meets
     * the page again, as one to be written. */
    enum step (*moved_to_swap)(struct cell *cell, struct actor *actor, struct context *context,
                               page_id page);
};

/* A complete memory manager: a choice on each axis, and the sizes its kernel had. */
struct design {
    const char *name; /* of the preset, or "custom" */
    const struct rmap_ops *rmap;
    const struct reclaim_ops *reclaim;
    const struct writeout_ops *writeout;
    const struct choice *page_tables;
    const struct choice *split;
    const struct choice *shared_page_size;
    enum page_class shared_pages; /* the class of that size */
    bool page_direct;
    bool high_tables;         /* pages of ptes are from the user's class of memory, and the kernel
                                 maps them each time it looks at one */
    bool own_kernel_space;    /* each entry to the kernel changes address spaces */
    page_count lowmem_frames; /* that the kernel maps directly; 0: all of memory */
    unsigned mm_directories;  /* page-directory pages every mm has from its creation */
    bool prefer_clean;        /* clean cache is freed before anything is written */
    unsigned struct_page_bytes;
    struct slab_kind slab[SLABS];
    unsigned chain_block_bytes; /* of a block or list entry; 0: no chains */
    unsigned chain_slots;       /* ptes in a full block; 1 in a list entry */
};

#endif
