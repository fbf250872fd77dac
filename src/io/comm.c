#include "io/comm.h"

#include <limits.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/silence.h"

#define SENTENCE_SIZE 1024

struct io_comm io_comm_of(MPI_Comm comm)
{
    struct io_comm self = {.comm = comm, .rank = 0, .size = 1};
    int initialized = 0;
    int finalized = 0;
    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    if (initialized && !finalized) {
        MPI_Comm_rank(comm, &self.rank);
        MPI_Comm_size(comm, &self.size);
    }
    return self;
}

void io_be_patient(int *tries)
{
    enum { TRIES_BEFORE_YIELD = 16, TRIES_BEFORE_SLEEP = 4000 };
    static const struct timespec nap = {0, 50000};
    if (++*tries < TRIES_BEFORE_YIELD) {
        return;
    }
    if (*tries < TRIES_BEFORE_SLEEP) {
        sched_yield();
        return;
    }
    silence_wait(*tries == TRIES_BEFORE_SLEEP);
    if (*tries > TRIES_BEFORE_SLEEP) {
        *tries = TRIES_BEFORE_SLEEP + 1; /* a wait may be longer than an int */
    }
    nanosleep(&nap, NULL);
}

void io_wait(MPI_Request *requests, int n)
{
    int tries = 0;
    for (int i = 0; i < n;) {
        int done = 0;
        MPI_Test(&requests[i], &done, MPI_STATUS_IGNORE);
        if (done) {
            i++;
        } else {
            io_be_patient(&tries);
        }
    }
}

static void broadcast_from(const struct io_comm *comm, int root, void *bytes, size_t size)
{
    MPI_Request request;
    MPI_Ibcast(bytes, (int)size, MPI_BYTE, root, comm->comm, &request);
    io_wait(&request, 1);
}

enum status io_agree(const struct io_comm *comm, enum status status)
{
    if (comm->size == 1) {
        return status;
    }
    int mine = status == STATUS_OK ? INT_MAX : comm->rank;
    int first = INT_MAX;
    MPI_Request request;
    MPI_Iallreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm->comm, &request);
    io_wait(&request, 1);
    if (first == INT_MAX) {
        return STATUS_OK;
    }
    struct {
        int status;
        char sentence[SENTENCE_SIZE];
    } report = {.status = (int)status};
    if (comm->rank == first) {
        const char *sentence = status_last_message();
        memcpy(report.sentence, sentence, strnlen(sentence, SENTENCE_SIZE - 1));
    }
    broadcast_from(comm, first, &report, sizeof report);
    if (comm->rank != first) {
        return fail((enum status)report.status, "%s", report.sentence);
    }
    return status;
}

void io_reduce(const struct io_comm *comm, void *values, int n, MPI_Datatype type, MPI_Op op)
{
    if (comm->size == 1) {
        return;
    }
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, values, n, type, op, comm->comm, &request);
    io_wait(&request, 1);
}

void io_gather(const struct io_comm *comm, const void *values, int n, MPI_Datatype type, void *all)
{
    MPI_Request request;
    MPI_Igather(values, n, type, all, n, type, 0, comm->comm, &request);
    io_wait(&request, 1);
}

static size_t piece_at(size_t done, size_t size, size_t most)
{
    return size - done < most ? size - done : most;
}

void io_broadcast_in_pieces(const struct io_comm *comm, size_t most, void *bytes, size_t size)
{
    if (comm->size == 1) {
        return;
    }
    for (size_t done = 0; done < size; done += most) {
        broadcast_from(comm, 0, (char *)bytes + done, piece_at(done, size, most));
    }
}

void io_broadcast(const struct io_comm *comm, void *bytes, size_t size)
{
    io_broadcast_in_pieces(comm, IO_PIECE_MOST, bytes, size);
}

void io_send(const struct io_comm *comm, int to, int tag, const void *bytes, size_t size,
             size_t most)
{
    for (size_t done = 0; done < size; done += most) {
        MPI_Request request;
        MPI_Isend((const char *)bytes + done, (int)piece_at(done, size, most), MPI_BYTE, to, tag,
                  comm->comm, &request);
        io_wait(&request, 1);
    }
}

void io_receive(const struct io_comm *comm, int from, int tag, void *bytes, size_t size,
                size_t most)
{
    for (size_t done = 0; done < size; done += most) {
        MPI_Request request;
        MPI_Irecv((char *)bytes + done, (int)piece_at(done, size, most), MPI_BYTE, from, tag,
                  comm->comm, &request);
        io_wait(&request, 1);
    }
}

enum status io_broadcast_text(const struct io_comm *comm, const char *text, char **copy_p)
{
    uint64_t length = comm->rank == 0 && text != NULL ? strlen(text) : 0;
    io_broadcast(comm, &length, sizeof length);
    char *copy = malloc(length + 1);
    enum status status = STATUS_OK;
    if (copy == NULL) {
        status = fail(STATUS_FAILED, "out of memory for a text of %llu bytes",
                      (unsigned long long)length);
    }
    status = io_agree(comm, status);
    if (status != STATUS_OK || copy == NULL) {
        free(copy);
        return status;
    }
    if (comm->rank == 0 && text != NULL) {
        memcpy(copy, text, length);
    }
    io_broadcast(comm, copy, length);
    copy[length] = '\0';
    *copy_p = copy;
    return STATUS_OK;
}
