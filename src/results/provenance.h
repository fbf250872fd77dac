/* Where, when and by what a result was made; written to /provenance. */
#ifndef THRASH_RESULTS_PROVENANCE_H
#define THRASH_RESULTS_PROVENANCE_H

#include <stdint.h>

#include <mpi.h>

#include "base/status.h"

#define PROVENANCE_TIME_SIZE 32

/* Gathered on rank 0; on the other ranks all texts are "". Owned by the struct. What was built is
 * not in here but in build_info.h. */
struct provenance {
    char *command_line; /* argv, words with blanks in single quotes */
    char *hostnames;    /* of all ranks, each once, in the order of their first rank, one a line */
    uint64_t hosts;
    uint64_t ranks;
    char *kernel; /* of rank 0's host, as uname -a says it without the host's name */
    char *mpi;    /* the library's own version text, first line */
    char *hdf5;   /* "1.10.8" */
    char *slurm;  /* SLURM_ variables of rank 0, "NAME=value" lines; "" outside Slurm */
    char start_time[PROVENANCE_TIME_SIZE]; /* "2025-01-31T12:00:00Z" */
};

/* Collective. Gathers everything and takes the start time; to be called at the beginning of a run.
 * Works before MPI_Init with MPI_COMM_SELF. STATUS_FAILED when out of memory. */
enum status provenance_gather(MPI_Comm comm, int argc, char *const *argv,
                              struct provenance *provenance_p);
void provenance_free(struct provenance *provenance);

/* Now, in UTC, as ISO 8601. */
void provenance_now(char text[PROVENANCE_TIME_SIZE]);

#endif
