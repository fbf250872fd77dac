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

/* What a walk over the ptes of a page found. */
struct map_walk {
    unsigned present; /* ptes that could be examined */
    unsigned young;   /* of them, how many were young */
    unsigned failed;  /* mms left alone because a trylock failed */
};

/* Which mms a walk tries to lock: ptes whose mm is locked are left alone and counted as failed. */
enum map_locks {
    LOCK_NO_MM,
    LOCK_MAPPERS,  /* those that have a pte of the page, as who follows a chain */
    LOCK_COVERERS, /* those that have a vma over it, as who follows a list of vmas; to its end */
};

/* Tests and clears the young bit of every pte of `page`. */
struct map_walk map_clear_young(struct cell *cell, const struct actor *actor, page_id page,
                                enum map_locks locks);

/* Clears every pte of `page` whose mm can be locked. */
struct map_walk map_clear_all(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks);

/* A trylock of an mm's page_table_lock by `context` at `now`: fails while another context holds it,
 * or was held by faults for a share of the last epoch, with that probability. Counts failures. */
bool map_trylock_mm(struct cell *cell, struct mm *mm, uint32_t context, sim_time now);

/* Makes sure that the page-table page for `page` in `vma` exists, with the directory pages above
 * it. Takes frames of the kernel's class. */
enum frame_result map_need_table(struct cell *cell, struct actor *actor, const struct vma *vma,
                                 page_id page);

/* After a vma was detached: gives back the page-table pages, and the directory pages above them, of
 * top-level directory entries that no vma of its mm is left under. */
void map_free_tables(struct cell *cell, struct actor *actor, vma_id vma);

#endif
