/* The engine: runs one scenario from its first epoch to its verdict.
 *
 * Re-entrant and without global state: many simulations can run in one process, one after the other
 * or on split communicators. */
#ifndef THRASH_ENGINE_SIM_H
#define THRASH_ENGINE_SIM_H

#include <mpi.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/status.h"
#include "config/scenario.h"
#include "engine/checkpoint.h"
#include "engine/exchange.h"
#include "machine/recording.h"
#include "machine/state.h"
#include "workloads/workloads.h"

/* How far a run has come, for who shows it. */
struct sim_progress {
    sim_time now;
    sim_time limit;    /* scenario.duration */
    const char *phase; /* "populate", "warm-up", "pressure" */
    uint64_t touches;
};

struct sim_options {
    /* Called on rank 0 about ten times a second of wall time; NULL: nobody looks. */
    void (*progress)(void *who, const struct sim_progress *progress);
    void *who;
    /* When it becomes non-zero the run stops at the next epoch, or while it populates, which leaves
     * no checkpoint; NULL: it does not. */
    const atomic_int *stop;
    double stop_after;          /* wall seconds after which it stops likewise; 0: never */
    uint64_t stop_after_epochs; /* of this start, likewise; 0: never */
    bool populate_by_page;      /* populate the slow way; gives the same result */
    size_t largest_message;     /* bytes of one MPI message; 0: IO_PIECE_MOST */
    struct checkpoint_options checkpoints;
};

/* One row of the memory report: an array of the state table. */
struct sim_memory {
    const char *name;
    const char *what;
    byte_count predicted;
    byte_count measured; /* resident at the end, all cells of all ranks */
};

/* What a run leaves behind. Release with sim_result_free(). */
struct sim_result {
    struct recording recording;
    struct sim_memory memory[STATE_ARRAYS_MAX];
    size_t nmemory;
    /* Of a run that was resumed, with what it had taken when the checkpoint was written. */
    double wall_setup; /* seconds: laying out and populating the machine */
    double wall_run;   /* seconds: the epochs */
    uint64_t epochs;
    uint64_t messages;  /* of the cells of this rank */
    uint64_t populated; /* ptes set by populate */
    /* Of this rank; what all ranks had sent and waited before is with rank 0. */
    struct exchange_totals exchange;
    struct checkpoint_totals checkpoints;
    sim_time resumed_from; /* TIME_NEVER: it ran from its beginning */
};

/* Runs a scenario on all ranks of a communicator. The result is the same for any number of ranks.
 * STATUS_OK for every verdict but `interrupted`, for which STATUS_INTERRUPTED; STATUS_USAGE,
 * STATUS_RESOURCE or STATUS_FAILED, with nothing to free, when it could not be run. */
enum status sim_run(const struct scenario *scenario, MPI_Comm comm,
                    const struct sim_options *options, struct sim_result *result_p);

void sim_result_free(struct sim_result *result);

#endif
