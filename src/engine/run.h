/* A run under way, as one rank has it: its cells, and what all ranks know alike. */
#ifndef THRASH_ENGINE_RUN_H
#define THRASH_ENGINE_RUN_H

#include <mpi.h>

#include "engine/exchange.h"
#include "engine/sim.h"
#include "engine/watch.h"
#include "machine/cell.h"
#include "machine/ledger.h"
#include "workloads/workloads.h"

struct run {
    const struct scenario *scenario;
    const struct sim_options *options;
    MPI_Comm comm; /* of the ranks that have cells */
    int rank;
    struct design design;
    struct workload_set set;

    cell_id first_cell, ncells_here;
    struct cell *cells;       /* [ncells_here] */
    struct cell_draws *draws; /* [ncells_here] */
    struct touch_batch batch; /* of one cell after the other */
    uint64_t *touches;        /* [plan.nprocesses + 1] room for those that each process has made */
    struct message *requests; /* to devices, of all cells, of the last epoch */
    size_t *request_first;    /* [ncells + 1]: where those of each cell begin */
    struct request_key *request_order; /* made anew for each epoch */
    struct message *calls;             /* for help in reclaim, and the end of it, likewise */
    size_t nrequests, ncalls, request_capacity;

    struct ledger ledger;
    struct ledger_sums sums;
    struct watch watch;
    struct exchange *exchange;
    struct sim_result *result;
    enum status status; /* of this rank; the others learn of it with the next reports */
    sim_time next_sample;
    uint64_t epochs_here;    /* begun since this start of the run */
    bool stopped_populating; /* and so there is no machine to run */
    double started;          /* wall times, of run_seconds() */
    double begun;            /* the epochs */
    double last_checkpoint;  /* the end of it, or when the epochs began */
    double next_report;
};

/* Wall time, for differences. */
double run_seconds(void);

/* Whether this rank has been told to stop; ranks learn it of each other with the next reports. */
bool run_told_to_stop(const struct run *run);

/* Sums of `n` numbers over all ranks of the run, in place, on all of them. */
void run_sum(const struct run *run, uint64_t *values, size_t n);

/* Exchanges of this rank, and those that a checkpoint told of. */
struct exchange_totals run_exchange_totals(const struct run *run);

/* One epoch that begins at `now`: plans it, lets the cells run, exchanges what they say. */
void run_epoch(struct run *run, sim_time now, sim_time end);

/* Exchanges reports of how the cells are, without an epoch. */
void run_exchange_reports(struct run *run);

/* The same while the machine is populated: cells level their free frames then, and kswapd is woken
 * where others have woken it, as between two epochs. */
void run_level_cells(struct run *run);

#endif
