/* The virtual scan of 2.4: swap_out() and what it calls (linux 2.4.23 mm/vmscan.c;
 * docs/model.md, section 10).
 *
 * One cursor per machine says which mm is next, one per mm where the scan stopped in it. A call
 * asks for 32 pages and is credited one only when a pte was the last that kept its page from being
 * freeable. */
#ifndef THRASH_DESIGNS_SWAP_OUT_2_4_H
#define THRASH_DESIGNS_SWAP_OUT_2_4_H

#include "machine/cell.h"

/* What the scan remembers for the whole machine, at the start of core.design. */
struct swap_out_machine {
    uint32_t swap_mm; /* the mm the next call starts with; nprocesses stands for init_mm */
};

/* A call in progress; part of a context's state. */
struct swap_out_call {
    uint32_t phase;
    uint32_t zone_class; /* enum zone_index: only frames up to here count */
    uint32_t wanted;     /* pages still to be credited */
    int64_t counter;     /* mms that may still be tried */
    uint32_t rounds;     /* over all mms that it may make, until it begins to run */
    uint32_t mm;
    vma_id vma; /* where the scan is in it */
    page_id page;
    page_id skipped_in; /* word whose empty ptes have been charged */
    bool succeeded;     /* the result */
};

/* How many rounds over all mms one call may make: 1 up to 2.4.22, 2 in 2.4.23. */
void swap_out_begin(const struct cell *cell, struct swap_out_call *call, enum zone_index zone_class,
                    unsigned rounds);

/* Runs the call on until it is done (`succeeded` is set), its quantum is used up, or another
 * context is in the mm whose turn it is. */
enum step swap_out_step(struct cell *cell, struct actor *actor, struct context *context,
                        struct swap_out_call *call);

/* Frees the frame of a page of the LRU lists. A direct reclaimer keeps the first one that its
 * allocation can use; others go to their zone. */
void swap_out_drop_page(struct cell *cell, const struct actor *actor, page_id page);

#endif
