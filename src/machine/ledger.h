/* The ledger: what has to be known of the machine as a whole - the state of every process, CPU
 * time, free frames - beside the cells, which know only themselves.
 *
 * Every rank keeps one, and all are alike: they are brought forward by the same reports of all
 * cells, taken in the order of cells. So an epoch needs one exchange, of reports, and nothing is
 * sent to say what follows from them. What is decided here holds for the coming epoch; what cells
 * did in the last one is known one epoch late. With one cell nothing is late. */
#ifndef THRASH_MACHINE_LEDGER_H
#define THRASH_MACHINE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "config/scenario.h"
#include "machine/operation.h"
#include "machine/outbox.h"
#include "machine/plan.h"
#include "machine/report.h"

enum process_state {
    PROCESS_NOT_STARTED,
    PROCESS_RUNNABLE,
    PROCESS_BLOCKED, /* waits for a device, for memory or for a lock, in some cell */
    PROCESS_FINISHED,
};

/* A process, apart from its pages. */
struct home {
    uint32_t state;        /* enum process_state */
    uint32_t nblocked;     /* cells in which it waits */
    uint32_t nforked;      /* cells in which it has been made */
    uint32_t nexited;      /* and in which it is gone */
    uint32_t generation;   /* processes that had this number before */
    uint32_t waits_for;    /* it goes on when this process is not there; PROCESS_NONE: at once */
    uint64_t noperated;    /* parts of operations that cells have done */
    uint32_t lock_share;   /* share of the last epoch that its faults held its mm's lock, 2^-32 */
    uint64_t finished;     /* touches of the cells in which it has made all of its own */
    sim_time finished_at;  /* when it made the last of those that any cell had */
    uint32_t gave_up_node; /* 1 + the node in which cells gave up on it in this epoch, 0: none */
    uint32_t gave_up;      /* how many of the node's cells did */
    uint32_t gave_up_zone; /* 1 + the zone that it gave up on itself, 0: only its helpers did */
    cell_id gave_up_cell;  /* where */
    sim_time work;         /* user time it has spent */
    sim_time grant;        /* user time given for this epoch */
    sim_time useful;       /* what of it is left for work when addresses have been translated */
    sim_time translation;  /* time that takes for each touch */
    uint64_t stops;        /* how often it has stopped before the end of its grant */
    sim_time stopped_at;   /* in this epoch; TIME_NEVER: not */
    sim_time debt;         /* system time its touches cost that no CPU has spent yet */
    sim_time fault_time;   /* being added up from the reports of an epoch */
};

/* Of one cell: what it reported, and what it gets. */
struct cell_account {
    struct cell_report report; /* of the last epoch */
    uint64_t contexts;         /* that have a CPU from the begin of the epoch */
    uint64_t room;             /* and how many may have one in the course of it */
    sim_time spare;            /* CPU time for those that come later */
    int64_t due;
    page_count free[ZONES];              /* frames that are to be free in the cell */
    sim_time user, system, iowait, idle; /* to be booked in the cell */
    sim_time translation;                /* likewise; part of user */
    uint64_t syscalls;                   /* likewise, at a rate (system_call.h) */
};

/* The first process for which nothing can be freed in any cell of a node. */
struct exhausted {
    cell_id cell; /* where it gave up; ncells: there is none */
    process_id process;
    uint32_t zone; /* class of zones that it needs a frame of */
};

struct ledger {
    const struct scenario *scenario;
    const struct plan *plan;
    cell_id ncells;
    struct home *homes;           /* [plan.nprocesses] */
    struct cell_account *account; /* [ncells] */
    sim_time epoch_start, epoch_end;
    struct exhausted exhausted;
    page_count nr_mapped; /* of the machine, at the end of the last epoch */
    uint64_t chain_use;   /* in it, of all cells */
    int64_t due; /* CPU time that contexts were due less what they had, while CPUs are short */
};

enum status ledger_create(const struct scenario *scenario, const struct plan *plan,
                          struct ledger *ledger_p);
void ledger_free(struct ledger *ledger);

/* The cell that a process's CPU time is booked in. */
static inline cell_id ledger_home(const struct ledger *ledger, size_t process)
{
    return (cell_id)(process % ledger->ncells);
}

/* Starts every process of one phase: they want CPU time from now on. */
void ledger_start_phase(struct ledger *ledger, enum start_phase phase);

/* Divides the CPUs of the epoch [start, end) among contexts and processes by max-min fairness. */
void ledger_plan_epoch(struct ledger *ledger, sim_time start, sim_time end);

/* Part of that: deals out the free frames of each node. By itself while there are no epochs yet. */
void ledger_level_frames(struct ledger *ledger);

/* What a cell gets for the epoch that was planned. */
void ledger_share(const struct ledger *ledger, cell_id cell, struct cell_share *share_p);

/* Takes the messages of one cell; call for all cells, in their order, before ledger_settle(). The
 * report must be in account[cell].report. */
void ledger_receive(struct ledger *ledger, const struct message *messages, size_t nmessages);

/* Ends the epoch: process states, user time, and what CPUs did with the rest. */
void ledger_settle(struct ledger *ledger);

/* A sum over the reports of all cells. */
struct ledger_sums {
    uint64_t freed;        /* METRIC_PAGES_FREED */
    uint64_t touches;      /* METRIC_TOUCHES */
    uint64_t demanded;     /* pages that waiting processes would have asked for in `stall` */
    sim_time longest_wait; /* for memory, of any process that still waits */
    bool reclaiming;       /* some context is in the middle of freeing memory */
    uint32_t orders;       /* of all ranks, enum report_order */
    cell_id out_of_memory; /* the cell that ran out of memory, with its node; ncells: none */
    bool too_long;         /* METRIC_ALLOCATION_WAIT is more than a counter can hold */
    enum status status;    /* the first failure */
};
struct ledger_sums ledger_sum(const struct ledger *ledger);

/* Processes at home in a cell that are blocked. */
uint64_t ledger_blocked(const struct ledger *ledger, cell_id cell);

#endif
