/* How much of a cell's arrays a run is likely to use, for the prediction of memory only.
 *
 * Meant to be no less than what is used, and not much more. What is known without running: what
 * populate fills, how fast finite processes take frames, so when free ones run out at the earliest;
 * and how many ptes reclaim can then pass until the run ends. Until reclaim has passed them, rows
 * of populated ptes are uniform and need no storage; until it has passed all of them once, no page
 * of theirs goes to swap, as all of them are young. */
#ifndef THRASH_MACHINE_EXPECTED_H
#define THRASH_MACHINE_EXPECTED_H

#include "base/types.h"
#include "config/scenario.h"
#include "machine/ops.h"
#include "machine/plan.h"

struct expected_use {
    page_count pages;     /* that are resident at some time */
    page_count slots;     /* of swap that are taken at some time */
    uint64_t rows;        /* of ptes that are not uniform at some time */
    sim_time reclaim;     /* when reclaim begins at the earliest; TIME_NEVER: it does not */
    uint64_t reclaimers;  /* contexts that pass ptes at a time, at most */
    uint64_t ptes;        /* that populate sets */
    uint64_t ptes_passed; /* by reclaim, at most */
};

struct expected_use expected_use(const struct scenario *scenario, const struct plan *plan,
                                 const struct design *design);

#endif
