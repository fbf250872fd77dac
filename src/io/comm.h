/* A communicator as the io layer sees it, and the one way ranks agree on a failure.
 *
 * A program that never called MPI_Init is one rank: `show` and `study collect` run on a login node
 * with the same code that 1000 ranks run. No function here calls MPI then, or when there is only
 * one rank. */
#ifndef THRASH_IO_COMM_H
#define THRASH_IO_COMM_H

#include <stddef.h>

#include <mpi.h>

#include "base/status.h"

/* Bytes of one message, or of one write of many ranks to a file, at most: MPI counts them in an
 * int, and libraries have had trouble near its end. What goes in pieces is cut by this unless its
 * caller says otherwise. */
#define IO_PIECE_MOST ((size_t)1 << 30)

struct io_comm {
    MPI_Comm comm; /* not owned */
    int rank;
    int size;
};

/* `comm` may be MPI_COMM_SELF before MPI_Init. */
struct io_comm io_comm_of(MPI_Comm comm);

/* Waits for requests without keeping a core from others: tests and yields, then sleeps. */
void io_wait(MPI_Request *requests, int n);

/* Between two tests of something else: the same. `tries` is 0 at first. */
void io_be_patient(int *tries);

/* Collective. Every rank gives the status of what it just did, after fail() if it is not STATUS_OK;
 * all get STATUS_OK if all succeeded, else the status of the lowest rank that failed. That rank's
 * sentence is printed by the ranks that may print, and is status_last_message() on all of them. */
enum status io_agree(const struct io_comm *comm, enum status status);

/* Collective. MPI_Allreduce in place, and MPI_Gather to rank 0 of `n` values each, but patient: a
 * rank that is missing is noticed (io/silence.h). With one rank, io_gather() needs MPI. */
void io_reduce(const struct io_comm *comm, void *values, int n, MPI_Datatype type, MPI_Op op);
void io_gather(const struct io_comm *comm, const void *values, int n, MPI_Datatype type, void *all);

/* Collective. Sends `size` bytes of rank 0 to all; in messages of at most `most` bytes, 1 to
 * INT_MAX, the same on all ranks. */
void io_broadcast(const struct io_comm *comm, void *bytes, size_t size);
void io_broadcast_in_pieces(const struct io_comm *comm, size_t most, void *bytes, size_t size);

/* From one rank to another, which calls the other function with the same tag, size and `most`; in
 * messages of at most `most` bytes, 1 to INT_MAX. */
void io_send(const struct io_comm *comm, int to, int tag, const void *bytes, size_t size,
             size_t most);
void io_receive(const struct io_comm *comm, int from, int tag, void *bytes, size_t size,
                size_t most);

/* Collective. A copy of rank 0's `text` on every rank, released with free(). The text of the other
 * ranks is not looked at; NULL on rank 0 counts as "". STATUS_FAILED when out of memory. */
enum status io_broadcast_text(const struct io_comm *comm, const char *text, char **copy_p);

#endif
