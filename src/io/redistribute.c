#include "io/redistribute.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Who sends what to whom, in values; arrays of one entry per rank. */
struct exchange {
    int *columns; /* of each rank */
    int *sent;
    int *sent_from;
    int *received;
    int *received_from;
};

static uint64_t first_row(uint64_t nrows, int rank, int size)
{
    return nrows / (uint64_t)size * (uint64_t)rank +
           nrows % (uint64_t)size * (uint64_t)rank / (uint64_t)size;
}

static enum status plan(const struct io_comm *comm, uint64_t nrows, struct exchange *exchange,
                        uint64_t *ncolumns_p)
{
    uint64_t here = (uint64_t)exchange->columns[comm->rank];
    uint64_t own_rows = first_row(nrows, comm->rank + 1, comm->size) -
                        first_row(nrows, comm->rank, comm->size);
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t ncolumns = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        uint64_t rows = first_row(nrows, rank + 1, comm->size) - first_row(nrows, rank, comm->size);
        uint64_t columns = (uint64_t)exchange->columns[rank];
        if (sent + rows * here > INT_MAX || received + own_rows * columns > INT_MAX) {
            return fail(STATUS_FAILED,
                        "a table of %llu rows is too large to be written by %d ranks",
                        (unsigned long long)nrows, comm->size);
        }
        exchange->sent[rank] = (int)(rows * here);
        exchange->sent_from[rank] = (int)sent;
        exchange->received[rank] = (int)(own_rows * columns);
        exchange->received_from[rank] = (int)received;
        sent += rows * here;
        received += own_rows * columns;
        ncolumns += columns;
    }
    *ncolumns_p = ncolumns;
    return STATUS_OK;
}

/* What came from each rank is a narrow table of its own; this sets them side by side. */
static void set_side_by_side(const struct io_comm *comm, const struct exchange *exchange,
                             size_t size, uint64_t own_rows, const char *from, char *to)
{
    for (uint64_t row = 0; row < own_rows; row++) {
        for (int rank = 0; rank < comm->size; rank++) {
            size_t bytes = (size_t)exchange->columns[rank] * size;
            memcpy(to, from + (size_t)exchange->received_from[rank] * size + row * bytes, bytes);
            to += bytes;
        }
    }
}

static void trade(const struct io_comm *comm, const struct exchange *exchange, size_t size,
                  const void *values, void *received)
{
    MPI_Datatype value_type;
    MPI_Type_contiguous((int)size, MPI_BYTE, &value_type);
    MPI_Type_commit(&value_type);
    MPI_Alltoallv(values, exchange->sent, exchange->sent_from, value_type, received,
                  exchange->received, exchange->received_from, value_type, comm->comm);
    MPI_Type_free(&value_type);
}

static enum status run(const struct io_comm *comm, struct exchange *exchange, size_t size,
                       uint64_t nrows, const void *values, void **rows_p)
{
    uint64_t own_rows = first_row(nrows, comm->rank + 1, comm->size) -
                        first_row(nrows, comm->rank, comm->size);
    uint64_t ncolumns = 0;
    char *received = NULL;
    char *rows = NULL;
    enum status status = plan(comm, nrows, exchange, &ncolumns);
    if (status == STATUS_OK) {
        received = malloc(own_rows * ncolumns * size + 1);
        rows = malloc(own_rows * ncolumns * size + 1);
        if (received == NULL || rows == NULL) {
            status = fail(STATUS_FAILED, "out of memory for %llu rows to be written",
                          (unsigned long long)own_rows);
        }
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK && received != NULL && rows != NULL) {
        trade(comm, exchange, size, values, received);
        set_side_by_side(comm, exchange, size, own_rows, received, rows);
        *rows_p = rows;
    } else {
        free(rows);
    }
    free(received);
    return status;
}

static enum status copy_rows(size_t bytes, const void *values, void **rows_p)
{
    void *rows = malloc(bytes + 1);
    if (rows == NULL) {
        return fail(STATUS_FAILED, "out of memory for %zu bytes to be written", bytes);
    }
    memcpy(rows, values, bytes);
    *rows_p = rows;
    return STATUS_OK;
}

enum status redistribute_to_rows(const struct io_comm *comm, size_t size, uint64_t nrows,
                                 uint64_t ncolumns_here, const void *values, uint64_t *first_p,
                                 uint64_t *n_p, void **rows_p)
{
    if (comm->size == 1) {
        *first_p = 0;
        *n_p = nrows;
        return copy_rows(nrows * ncolumns_here * size, values, rows_p);
    }
    int here = ncolumns_here <= INT_MAX ? (int)ncolumns_here : -1;
    size_t nranks = (size_t)comm->size;
    int *numbers = calloc(nranks * 5, sizeof *numbers);
    enum status status = STATUS_OK;
    if (numbers == NULL || here < 0) {
        status = fail(STATUS_FAILED, "out of memory for an exchange between %d ranks", comm->size);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK && numbers != NULL) {
        struct exchange exchange = {numbers, numbers + nranks, numbers + 2 * nranks,
                                    numbers + 3 * nranks, numbers + 4 * nranks};
        MPI_Allgather(&here, 1, MPI_INT, exchange.columns, 1, MPI_INT, comm->comm);
        status = run(comm, &exchange, size, nrows, values, rows_p);
    }
    free(numbers);
    if (status == STATUS_OK) {
        uint64_t first = first_row(nrows, comm->rank, comm->size);
        *first_p = first;
        *n_p = first_row(nrows, comm->rank + 1, comm->size) - first;
    }
    return status;
}
