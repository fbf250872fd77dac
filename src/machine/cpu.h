/* CPUs of a cell: which of its contexts run in an epoch, and where their time went.
 *
 * The ledger shares the machine's CPUs between processes and contexts; a cell gets some for its
 * contexts. Neither kernel of the comparison is preemptible: a context gives its CPU up only where
 * the kernel looks whether it should reschedule, and never while it holds a spinlock or spins for
 * one. Then the processes wait, and the contexts make up for it afterwards.
 *
 * kswapd, and a process that reclaims, pass over the whole machine: with n cells, each has contexts
 * for them that run during the first n-th of each epoch, as if all of them did one after the other.
 *
 * Every tick of every CPU is user, system, I/O wait or idle time, and exactly one of them. */
#ifndef THRASH_MACHINE_CPU_H
#define THRASH_MACHINE_CPU_H

#include <stdbool.h>

#include "base/types.h"

struct cpu_pool {
    sim_time spare; /* CPU time of this epoch that nobody has been given */
    /* Who waits for a device now, and the time of this epoch spent on that: processes with a touch,
     * and those with contexts in all cells, which reclaim. */
    sim_time blocked[2];
    uint32_t nblocked[2];
    uint32_t nwanting; /* contexts in the runnable bitmap */
    uint64_t on_cpu;   /* contexts that have a CPU */
    uint64_t room;     /* CPUs that processes leave to contexts in this epoch */
    int64_t due;       /* CPU time that contexts are due less what they had, while CPUs are short */
    uint32_t next;     /* context at which the next round of giving out CPUs begins */
};

struct cell;
struct cell_report;
struct cell_share;
struct context;

/* Starts an epoch: gives the cell's CPUs to the contexts that want one, in turn when there are too
 * few, those first that must not lose theirs. */
void cpu_begin_epoch(struct cell *cell, const struct cell_share *share);

/* Gives a CPU to a context that wants one at `now`, if what is left of the epoch is unused;
 * otherwise the context waits for the next epoch. */
void cpu_want(struct cell *cell, uint32_t context, sim_time now);

/* The kernel's need_resched: the context has had more than it was due, others wait, and it is where
 * it may let go. */
bool cpu_should_yield(const struct cell *cell, const struct context *context);

/* The context, which still wants a CPU, lets go of it until the next epoch. */
void cpu_yield(struct cell *cell, uint32_t context, sim_time now);

/* Books the CPU time of a context up to `now` as what its state says; call before the state changes
 * between running and spinning. */
void cpu_book(struct cell *cell, uint32_t context, sim_time now);

/* The context stops wanting a CPU at `now`; the time since it last got one is booked. */
void cpu_release(struct cell *cell, uint32_t context, sim_time now);

/* Ends an epoch: books the time of contexts that keep their CPU, and reports what is left. */
void cpu_end_epoch(struct cell *cell, struct cell_report *report);

#endif
