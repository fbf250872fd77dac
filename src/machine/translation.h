/* What translating addresses costs a process: a TLB that a sample of its touches is run through.
 *
 * It is kept in the process's home cell and fed with touches drawn for it alone, over all of the
 * process's memory, so that it is the same for any number of cells. What comes of it goes to the
 * ledger as time per touch, by which the process's work gets slower. docs/model.md, "TLB". */
#ifndef THRASH_MACHINE_TRANSLATION_H
#define THRASH_MACHINE_TRANSLATION_H

#include <stddef.h>

#include "machine/cell.h"
#include "machine/ledger.h"
#include "machine/tlb.h"

struct translation {
    uint64_t touches;         /* of the process accounted for so far */
    uint32_t generation;      /* of processes with its number; what is recent is of all of them */
    uint64_t recent_touches;  /* simulated; older ones count less */
    uint64_t recent_misses;   /* of them */
    sim_time recent_time;     /* that they took */
    uint64_t misses_fraction; /* of estimated misses, in 2^-32 */
    uint64_t stops;           /* of the process that have been seen */
    sim_time posted;          /* time per touch that the ledger knows of */
};

/* Processes at home in a cell. */
static inline uint64_t translation_homes(const struct plan *plan, cell_id cell, cell_id ncells)
{
    return plan->nprocesses > cell ? (plan->nprocesses - cell + ncells - 1) / ncells : 0;
}

static inline struct translation *translation_of(const struct cell *cell, process_id process)
{
    return &cell->translations[process / cell->ncells];
}

static inline uint64_t *translation_entries(const struct cell *cell, process_id process)
{
    return &cell->tlb_entries[(uint64_t)(process / cell->ncells) * cell->tlb.nentries];
}

/* A process that has got the number of another one begins with an empty TLB and touch 0. */
void translation_follow(struct cell *cell, process_id process, const struct home *home);

/* The next touches of a process that are to be accounted for, up to number `upto`: how many follow
 * each other that are alike. `simulate_p` says whether they are to be run through the TLB; then it
 * is flushed where the process has lost its CPU before the first of them. */
uint64_t translation_next(struct cell *cell, process_id process, const struct home *home,
                          uint64_t upto, bool *simulate_p);

/* The next touches have been simulated and came to `counts`. */
void translation_add(struct cell *cell, process_id process, const struct tlb_counts *counts);

/* The next `n` touches are not simulated: they miss as often as the recent ones that were. */
void translation_skip(struct cell *cell, process_id process, uint64_t n);

/* Tells the ledger what a touch costs now, if that has changed by more than 1/256. */
void translation_post(struct cell *cell, process_id process);

/* Bytes that the TLBs of processes at home map now, and how many have been simulated. */
struct translation_reach {
    byte_count mapped;
    uint64_t processes;
};
struct translation_reach translation_reach(const struct cell *cell);

#endif
