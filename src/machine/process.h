/* Processes: the part kept by a process's home cell, and the part every cell keeps of a visitor.
 *
 * The home decides how much user time a process gets in each epoch and sends it out as a grant.
 * Each cell turns the grant into the touches that fall on its own pages. What those touches cost
 * beyond user time comes back as debt, which the process works off before it touches again. */
#ifndef THRASH_MACHINE_PROCESS_H
#define THRASH_MACHINE_PROCESS_H

#include <stdbool.h>

#include "base/types.h"
#include "machine/outbox.h"

enum process_state {
    PROCESS_NOT_STARTED,
    PROCESS_RUNNABLE,
    PROCESS_BLOCKED, /* waits for a device, for memory or for a lock, in some cell */
    PROCESS_FINISHED,
};

struct home {
    uint32_t state; /* enum process_state */
    sim_time grant; /* user time given for this epoch */
    sim_time debt;  /* system time its touches cost that no CPU has spent yet */
};

/* How a process accesses a page. */
enum access {
    ACCESS_READ,      /* load through a mapping */
    ACCESS_WRITE,     /* store through a mapping */
    ACCESS_FILE_READ, /* read(2) of one page */
    ACCESS_RAW_WRITE, /* write(2) of one page to a raw device, not waited for */
};

struct visitor {
    sim_time work;       /* user time spent in this cell's view */
    sim_time grant;      /* user time of this epoch */
    sim_time next_at;    /* work at which its next touch is due */
    uint64_t ordinal;    /* number of that touch */
    sim_time used;       /* system time not yet reported to its home */
    sim_time fault_time; /* time its faults held its page_table_lock in this epoch */
    uint64_t touches;    /* made */
    bool blocked;
    bool finished;
};

/* One touch as a workload draws it. */
struct touch {
    sim_time at;
    sim_time next_at; /* work at which the touch after it is due */
    uint64_t ordinal;
    page_id page; /* for a raw write: the disk */
    vma_id vma;   /* through which; VMA_NONE for read(2) and write(2) */
    process_id process;
    uint8_t access; /* enum access */
    bool counted;   /* as progress of the workload; else it is of private memory */
    bool last;      /* the process is done after it */
};

#define VMA_NONE UINT32_MAX

struct cell;

/* Starts every process of one phase: they want CPU time from now on. */
void process_start_phase(struct cell *cell, uint32_t phase);

/* Applies what other cells (and this one) reported in the last epoch; `epoch_length` is the length
 * of that epoch. Returns the granted time that was not used. */
sim_time process_receive(struct cell *cell, const struct message *messages, size_t count);

/* What the processes at home here want of the coming epoch. */
struct process_demand {
    sim_time below;  /* sum over those that want no more than a level */
    uint64_t nabove; /* how many want more */
};
struct process_demand process_demand(const struct cell *cell, sim_time level);

/* Shares the CPU time that contexts left over among the processes at home here, and posts grants.
 */
void process_plan_epoch(struct cell *cell);

/* Takes the grants for this epoch. */
void process_take_grants(struct cell *cell, const struct message *messages, size_t count);

/* The process stops at `at` in this epoch: the rest of its grant stays unspent. */
void visitor_stop(struct cell *cell, struct visitor *visitor, sim_time at);

/* Ends an epoch for the visitors: moves their work forward and posts what they used. */
void process_end_epoch(struct cell *cell);

#endif
