/* Processes as a cell sees them: visitors that touch its pages. What they are apart from that is in
 * the ledger. */
#ifndef THRASH_MACHINE_PROCESS_H
#define THRASH_MACHINE_PROCESS_H

#include <stdbool.h>

#include "base/types.h"

/* How a process accesses a page. */
enum access {
    ACCESS_READ,       /* load through a mapping */
    ACCESS_WRITE,      /* store through a mapping */
    ACCESS_FILE_READ,  /* read(2) of one page */
    ACCESS_FILE_WRITE, /* write(2) of one whole page */
    ACCESS_RAW_WRITE,  /* write(2) of one page to a raw device, not waited for */
    ACCESS_OPERATION,  /* no access: an operation on its address space (operation.h) */
};

struct visitor {
    sim_time work;              /* user time the process has spent */
    sim_time grant;             /* user time of this epoch, without that of translations */
    sim_time next_at;           /* work at which its next touch is due */
    uint64_t ordinal;           /* number of that touch */
    sim_time operation_at;      /* work at which its next operation is due */
    uint64_t operation_ordinal; /* number of that operation */
    sim_time used;              /* system time not yet reported */
    sim_time fault_time;        /* time its faults held its page_table_lock in this epoch */
    uint64_t touches;           /* made */
    uint64_t operated;          /* operations it has done in this cell, under all generations */
    uint32_t generation;        /* processes that had this number before */
    bool blocked;
    bool ahead; /* some cell has not yet done its part of the last operation */
    bool born;  /* forked, and not yet given its first touch */
};

/* A process numbers its touches and operations from here on. */
static inline uint64_t first_ordinal(uint32_t generation)
{
    return (uint64_t)generation << 24;
}

static inline uint32_t generation_of(uint64_t ordinal)
{
    return (uint32_t)(ordinal >> 24);
}

/* One touch as a workload draws it. */
struct touch {
    sim_time at;
    sim_time next_at; /* work at which the touch, or operation, after it is due */
    uint64_t ordinal;
    page_id page; /* for a raw write: the disk; for an operation: its number in cell.calls */
    vma_id vma;   /* through which; VMA_NONE for read(2) and write(2) */
    process_id process;
    uint8_t access; /* enum access */
    bool counted;   /* as progress of the workload; else it is of private memory */
    bool last;      /* the cell has no more of its process */
};

#define VMA_NONE UINT32_MAX

struct cell;
struct home;

/* Gives every visitor what the ledger granted its process for the epoch. All of them, as nearly all
 * have a grant in every epoch (docs/architecture.md, "Cells and ranks"). */
void visitors_begin_epoch(struct cell *cell, const struct home *homes);

/* The process stops at `at` in this epoch: the rest of its grant stays unspent. */
void visitor_stop(struct cell *cell, struct visitor *visitor, sim_time at);

/* Ends an epoch for the visitors: moves their work forward and posts what they used. */
void visitors_end_epoch(struct cell *cell);

#endif
