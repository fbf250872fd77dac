/* Entering and leaving MPI, for the commands that use it.
 *
 * A command parses its options, calls launcher_init(), does its work, and returns what
 * launcher_finish() gives. Ranks other than 0 say nothing from launcher_init() on. */
#ifndef THRASH_COMMANDS_LAUNCHER_H
#define THRASH_COMMANDS_LAUNCHER_H

#include <stdbool.h>

#include "base/status.h"

struct launcher {
    int rank;
    int size;
    int local_rank;  /* among the ranks of this host, in the order of their ranks */
    int local_size;  /* how many there are: what the memory of the host is shared by */
    bool launched;   /* one started this process, and may have bound it; seen before MPI_Init, which
                        leaves variables of a launcher in the environment of a process alone */
    const char *how; /* "mpirun of Open MPI", "srun with PMIx", "alone, without a launcher" */
};

/* Before MPI_Init, and for commands without MPI: where the environment shows that an MPI launcher
 * started several processes, those other than the first say nothing, so that what is wrong with the
 * command line they share is said once. Tasks of a bare srun may have a command line each. */
void launcher_quiet_others(void);

/* Ends a command that failed before launcher_init(): the ranks of a launcher meet in MPI first, so
 * that none waits there for one that is gone, and a mistake of one alone is said. Returns the worst
 * status. */
enum status launcher_leave(enum status status);

/* Calls MPI_Init_thread (MPI_THREAD_FUNNELED) and finds out where this rank is.
 *
 * STATUS_USAGE when the processes were started together but would not be one MPI world, as srun
 * without PMIx does: before MPI_Init when the environment shows it, after it when the world has a
 * single rank. `allow_singletons` turns both checks off. When this function fails, MPI is not
 * initialised, or was finalized again: the caller returns the status. */
enum status launcher_init(int *argc, char ***argv, bool allow_singletons,
                          struct launcher *launcher_p);

/* The worst status of any rank, on every rank. Collective. From bad to worse: OK, INVALID,
 * INTERRUPTED, RESOURCE, USAGE, FAILED. If the first rank that has it is another than 0, rank 0
 * prints what that one last gave to fail(), which it could not say itself. */
enum status launcher_agree(enum status status);

/* Collective. Has the ranks watched for silence (io/silence.h) until launcher_watched(), which
 * takes what the work in between came to and gives what the ranks agree on. STATUS_USAGE when the
 * limit in the environment is none: nothing is watched then. */
enum status launcher_watch(void);
enum status launcher_watched(enum status status);

/* Agrees on the worst status, leaves MPI and returns that status, the exit code. Collective. */
enum status launcher_finish(enum status status);

#endif
