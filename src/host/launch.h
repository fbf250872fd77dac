/* How this process was started, as its environment tells before MPI_Init. */
#ifndef THRASH_HOST_LAUNCH_H
#define THRASH_HOST_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/system.h"

enum host_launcher {
    HOST_LAUNCH_ALONE,
    HOST_LAUNCH_MPIRUN,    /* mpirun of Open MPI */
    HOST_LAUNCH_SRUN_PMIX, /* srun --mpi=pmix */
    HOST_LAUNCH_SRUN_PMI,  /* srun --mpi=pmi2, or mpiexec of the MPICH family inside a step */
    HOST_LAUNCH_SRUN_BARE, /* srun without PMIx or PMI: every task would be a world of its own */
    HOST_LAUNCH_PMIX,      /* another launcher that offers PMIx */
    HOST_LAUNCH_PMI,       /* mpiexec of the MPICH family */
};

struct host_launch {
    enum host_launcher launcher;
    const char *name; /* of the launcher, for people */
    uint64_t tasks;   /* how many processes were started together; 1 when nothing says */
    uint64_t rank;    /* of this one; 0 when nothing says */
    const char *job;  /* SLURM_JOB_ID, NULL outside Slurm */
};

/* The strings point into the environment or are constant. */
struct host_launch host_launch_read(const struct host_system *system);

/* Whether a Slurm variable may be shown or stored: its name starts with SLURM_, and it holds no
 * secret (SLURM_JWT is a password). `entry` is NAME=value. */
bool host_slurm_variable(const char *entry);

/* The entries of the environment that host_slurm_variable() accepts, sorted by name. The array is
 * to be freed, its strings are those of the environment; *count_p is 0 outside Slurm. NULL when out
 * of memory. */
const char **host_slurm_variables(const struct host_system *system, size_t *count_p);

#endif
