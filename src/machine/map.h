/* Setting, clearing and walking ptes, with mapcounts and the counters that follow them.
 *
 * What it costs, and which visits a design counts, is the design's business: nothing here charges.
 */
#ifndef THRASH_MACHINE_MAP_H
#define THRASH_MACHINE_MAP_H

#include "machine/cell.h"

/* Sets the pte of `page` in `vma`: present, young, and dirty if `write`. It must not be present. */
void map_set(struct cell *cell, const struct vma *vma, page_id page, bool write);

/* Clears a present pte for its process's own sake: copy-on-write. */
void map_clear(struct cell *cell, const struct vma *vma, page_id page);

/* The same for the pte of a child at fork: old and clean. */
void map_set_old(struct cell *cell, const struct vma *vma, page_id page);

/* Bookkeeping for a present pte whose bits the caller has cleared. The dirty bits of all mappers
 * move to the page. */
void map_dropped(struct cell *cell, struct mm *mm, page_id page);

/* The same for `n` ptes of a page whose mms have been told. */
void map_forget(struct cell *cell, page_id page, uint32_t n);

/* What a walk over the ptes of a page found. */
struct map_walk {
    unsigned present; /* ptes that could be examined */
    unsigned young;   /* of them, how many were young */
    unsigned failed;  /* mms left alone because a trylock failed */
    /* Of walks by vmas: */
    uint32_t covering; /* vmas over the page that it came to */
    uint32_t walked;   /* of them, how many had their page tables walked */
    uint64_t entries;  /* LOCK_BY_TREE, LOCK_IN_ORDER: nodes and vmas looked at */
    uint64_t useless;  /* of them, nodes that are not over the page */
};

/* How a walk finds the ptes of a page, and which mms it tries to lock: ptes whose mm is locked are
 * left alone and counted as failed. */
enum map_locks {
    LOCK_NO_MM,    /* none: who follows a chain to see what is young */
    LOCK_MAPPERS,  /* those that have a pte of the page: who follows a chain */
    LOCK_COVERERS, /* those that have a vma over it: who follows the list of vmas, to its end */
    LOCK_BY_TREE,  /* those of them that have any pte, in the order of the tree of vmas, until all
                      ptes of the page are found */
    LOCK_IN_ORDER, /* the same in the order in which the vmas came, those of mms of the family that
                      has the page alone */
};

/* Tests and clears the young bit of every pte of `page`. */
struct map_walk map_clear_young(struct cell *cell, const struct actor *actor, page_id page,
                                enum map_locks locks);

/* Clears every pte of `page` whose mm can be locked. */
struct map_walk map_clear_all(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks);

/* The same up to the first young one, which becomes old and stays (2.6.7). */
struct map_walk map_clear_old(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks);

/* What a search of nonlinear vmas came to. */
struct map_scan {
    uint64_t clusters; /* of ptes looked at */
    uint64_t present, absent;
    uint64_t cleared; /* ptes, of whatever pages */
};

/* Goes on, through all nonlinear vmas of the object of `page` in turn, with clearing ptes that are
 * not young, whatever they map, until as many are cleared as `page` has, or all have been looked at
 * (2.6.7: try_to_unmap_file()). */
struct map_scan map_scan_nonlinear(struct cell *cell, const struct actor *actor, page_id page);

/* The same, with LOCK_COVERERS, but for mm number `mm`, which is left out altogether. */
struct map_walk map_clear_others(struct cell *cell, const struct actor *actor, page_id page,
                                 uint32_t mm);

/* A trylock of an mm's page_table_lock by `context` at `now`: fails while another context holds it,
 * or was held by faults for a share of the last epoch, with that probability. Counts failures. */
bool map_trylock_mm(struct cell *cell, struct mm *mm, uint32_t context, sim_time now);

/* The class that pages of ptes are from. */
enum zone_index map_table_class(const struct cell *cell);

/* Makes sure that the page-table page for `page` in `vma` exists, with the directory pages above
 * it. On failure the class to reclaim for is map_table_class(). */
enum frame_result map_need_table(struct cell *cell, struct actor *actor, const struct vma *vma,
                                 page_id page);

/* Maps what a vma of large pages has in this cell from its page *done on, and counts that: entries
 * of page directories, which are made where they do not exist. Frames of the kernel's class. */
enum frame_result map_large(struct cell *cell, struct actor *actor, const struct vma *vma,
                            page_count *done);

/* After a vma was detached: gives back the page-table pages, and the directory pages above them, of
 * top-level directory entries that no vma of its mm is left under. */
void map_free_tables(struct cell *cell, struct actor *actor, vma_id vma);

#endif
