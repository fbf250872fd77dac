/* Notices ranks that have stopped answering, says which and where, and ends the others.
 *
 * A rank that has waited for long asks all others whether they are there; whoever waits as well, or
 * is busy but looks up at times (silence_look_up()), answers. One that does not is named in a
 * warning, and after the limit of silence all ranks are ended, with exit code 1. While ranks are
 * inside a call that cannot be left (MPI-IO, HDF5), a timer counts the time, and what is known of a
 * silent rank is what its host tells of the process.
 *
 * A clock that jumps because the rank itself was stopped, or its host was asleep, counts for one
 * second: a job that is suspended as a whole, or a rank in a debugger that waits longer than the
 * others, ends nothing.
 *
 * Like who may print, this is of the process: there is one watch, and it does nothing until
 * silence_open(), for one rank alone, or before the first phase. */
#ifndef THRASH_IO_SILENCE_H
#define THRASH_IO_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include <mpi.h>

#include "base/status.h"

/* Environment variable: how long a rank may be silent, as in `30min`, at least 1 s; 0: for ever.
 * That of rank 0 counts. */
#define SILENCE_LIMIT_VARIABLE "THRASH_SILENCE_LIMIT"

/* Collective. Watches the ranks of `comm` until silence_close(). Within an open watch all its ranks
 * are watched as before, and calls that cannot be left are made with `comm`, some of them or all,
 * until the inner close; there is no third level. STATUS_USAGE for a limit that is no time, or too
 * short. */
enum status silence_open(MPI_Comm comm);
void silence_close(void);

/* What this rank is about, for messages: a text that stays, and the number that goes with it, or
 * SILENCE_NO_NUMBER. Before the first phase nobody is called silent. */
#define SILENCE_NO_NUMBER UINT64_MAX
void silence_phase(const char *phase, uint64_t number);

/* In long work without waits, every few seconds or more often: answers who asks. */
void silence_look_up(void);

/* Around a call of all ranks that has no end while one is missing. Ranks should agree on something
 * by io_agree() just before it: a rank that is missing already is found there. */
void silence_enter_call(void);
void silence_leave_call(void);

/* For io_be_patient(): this rank sleeps between two tests; `begins` at the first time of a wait. */
void silence_wait(bool begins);

#endif
