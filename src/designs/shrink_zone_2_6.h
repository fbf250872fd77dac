/* shrink_zone() of 2.6.0 and what it calls: refill_inactive_zone(), shrink_cache(), shrink_list().
 *
 * docs/model.md, section 11, has the rules. The pages that a reclaimer has taken off a list are in
 * private lists of its context, where no mark can activate them. */
#ifndef THRASH_DESIGNS_SHRINK_ZONE_2_6_H
#define THRASH_DESIGNS_SHRINK_ZONE_2_6_H

#include "machine/cell.h"

enum { SWAP_CLUSTER_MAX = 32 };

/* A call in progress; part of a context's state. */
struct shrink_call {
    uint32_t phase;
    uint32_t zone;        /* enum zone_index */
    uint64_t wanted;      /* pages to free */
    uint64_t freed;       /* pages freed */
    int64_t max_scan;     /* inactive pages still to be looked at */
    uint64_t refill;      /* active pages to look at */
    page_count nr_mapped; /* of the machine, as page_state said when the caller last asked */
    bool reclaim_mapped;
};

/* Begins to free `wanted` pages of a zone. How many it looks at follows from the priority; whether
 * mapped ones are among those it takes off the active list, from `nr_mapped`. */
void shrink_zone_begin(struct cell *cell, struct shrink_call *call, enum zone_index zone,
                       uint32_t priority, uint64_t wanted, page_count nr_mapped);

/* Runs the call on until it is done (`freed` is set), its quantum is used up, or it waits for a
 * device. */
enum step shrink_zone_step(struct cell *cell, struct actor *actor, struct context *context,
                           struct shrink_call *call);

#endif
