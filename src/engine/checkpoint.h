/* Checkpoints: all of a run in one file, from which it goes on, with the same bits, on any number
 * of ranks.
 *
 * What is saved is what an epoch leaves behind: the state table of every cell, and what all ranks
 * know alike (the ledger, the watch, messages between cells that are yet to be delivered, the
 * recording so far, the tables of popularity). What follows from the scenario is laid out again.
 * The file is written beside the one before it, read back, and then takes its name; until then the
 * one before is there. */
#ifndef THRASH_ENGINE_CHECKPOINT_H
#define THRASH_ENGINE_CHECKPOINT_H

#include <stdbool.h>

#include "base/status.h"
#include "base/types.h"
#include "config/scenario.h"

/* How to keep checkpoints; all zero: not at all. */
struct checkpoint_options {
    const char *path;     /* of the file; NULL: none are written */
    double every;         /* wall seconds from the end of one to the next; 0: only when stopped */
    bool resume;          /* go on from the file, which must exist */
    const char *version;  /* of the program; checkpoints of another are refused */
    const char *revision; /* likewise; those of another are read if their state is the same */
    const char *hints;    /* for MPI-IO, as in `output.mpi_hints` */
};

/* For the text below, its terminating zero included: some ten revisions. */
#define CHECKPOINT_REVISIONS 512

/* Of the run; of one that was resumed, with all that the checkpoint follows and itself. */
struct checkpoint_totals {
    bool wanted; /* by this start of the run */
    uint64_t written;
    uint64_t failed;
    byte_count bytes;  /* of all that were written */
    double seconds;    /* spent on them and on those that failed */
    bool saved_last;   /* this start of the run stopped with one */
    char failure[400]; /* why that could not be written; "" if nothing was to be, or it was */
    /* Of the programs that brought a resumed run to where it went on, in that order, ", " between
     * them; "" if it ran from its beginning. */
    char revisions[CHECKPOINT_REVISIONS];
};

struct run;

/* Collective over the run's ranks, between two epochs. A failure leaves the checkpoint before it as
 * it was. It is warned of once; where the run ends here (`last`), it is noted for its end. */
void checkpoint_write(struct run *run, bool last);

/* Collective. Puts the run, whose cells have been laid out, where the checkpoint left off: the end
 * of ledger.epoch_end. STATUS_USAGE for a checkpoint of another scenario or version, or of a
 * program whose state is another, naming what differs; STATUS_FAILED for a damaged one. Of one that
 * another revision wrote a warning says so. */
enum status checkpoint_resume(struct run *run);

/* Whether a run of `scenario` can go on from the checkpoint `options->path`, as far as its begin
 * tells: what checkpoint_resume() refuses is refused here, before anything is laid out. With
 * `thorough` all of the file is read, and nothing is left to refuse. `*damaged_p`, set in any case,
 * says whether what the file holds is at fault, rather than the disk, which may read it another
 * time. Rank 0 calls it, alone. */
enum status checkpoint_look(const struct scenario *scenario,
                            const struct checkpoint_options *options, bool thorough,
                            bool *damaged_p);

#endif
