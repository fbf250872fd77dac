#include "io/redistribute.h"

#include <stdlib.h>
#include <string.h>

static uint64_t first_row(uint64_t nrows, int rank, int size)
{
    return nrows / (uint64_t)size * (uint64_t)rank +
           nrows % (uint64_t)size * (uint64_t)rank / (uint64_t)size;
}

static uint64_t rows_of(uint64_t nrows, int rank, int size)
{
    return first_row(nrows, rank + 1, size) - first_row(nrows, rank, size);
}

/* A table in memory that goes to one rank, or comes from one, as values that follow each other. */
struct stream {
    char *next;
    uint64_t left; /* values */
    int rank;
};

/* How many values the next message of a stream has. */
static int take_piece(struct stream *stream, uint64_t most, size_t size, char **from_p)
{
    const uint64_t n = stream->left < most ? stream->left : most;
    *from_p = stream->next;
    stream->next += n * size;
    stream->left -= n;
    return (int)n;
}

/* Both sides of a stream cut it in the same pieces, which do not overtake each other. */
static void trade_streams(const struct io_comm *comm, MPI_Datatype type, size_t size, uint64_t most,
                          struct stream out, struct stream in)
{
    while (out.left > 0 || in.left > 0) {
        MPI_Request requests[2];
        int nrequests = 0;
        char *values;
        if (in.left > 0) {
            const int n = take_piece(&in, most, size, &values);
            MPI_Irecv(values, n, type, in.rank, 0, comm->comm, &requests[nrequests++]);
        }
        if (out.left > 0) {
            const int n = take_piece(&out, most, size, &values);
            MPI_Isend(values, n, type, out.rank, 0, comm->comm, &requests[nrequests++]);
        }
        io_wait(requests, nrequests);
    }
}

/* In the step of number s each rank sends to the one that is s after it and hears of the one that
 * is s before it; with s = 0, of itself. What comes from rank r is `columns[r]` values of each own
 * row, and begins where `begin[r]` says. */
static void trade(const struct io_comm *comm, const uint64_t *columns, const uint64_t *begin,
                  size_t size, uint64_t most, uint64_t nrows, const void *values, char *received)
{
    MPI_Datatype type;
    MPI_Type_contiguous((int)size, MPI_BYTE, &type);
    MPI_Type_commit(&type);
    const uint64_t here = columns[comm->rank];
    const uint64_t own_rows = rows_of(nrows, comm->rank, comm->size);
    for (int step = 0; step < comm->size; step++) {
        const int to = (comm->rank + step) % comm->size;
        const int from = (comm->rank - step + comm->size) % comm->size;
        const struct stream out = {(char *)(uintptr_t)values +
                                       first_row(nrows, to, comm->size) * here * size,
                                   rows_of(nrows, to, comm->size) * here, to};
        const struct stream in = {received + begin[from] * size, own_rows * columns[from], from};
        trade_streams(comm, type, size, most, out, in);
    }
    MPI_Type_free(&type);
}

/* What came from each rank is a narrow table of its own; this sets them side by side. */
static void set_side_by_side(const struct io_comm *comm, const uint64_t *columns,
                             const uint64_t *begin, size_t size, uint64_t own_rows,
                             const char *from, char *to)
{
    for (uint64_t row = 0; row < own_rows; row++) {
        for (int rank = 0; rank < comm->size; rank++) {
            const size_t bytes = columns[rank] * size;
            memcpy(to, from + begin[rank] * size + row * bytes, bytes);
            to += bytes;
        }
    }
}

/* `columns` of all ranks are there; `begin`, of the same size, is room to work in. */
static enum status run(const struct io_comm *comm, const uint64_t *columns, uint64_t *begin,
                       size_t size, uint64_t most, uint64_t nrows, const void *values,
                       void **rows_p)
{
    const uint64_t own_rows = rows_of(nrows, comm->rank, comm->size);
    uint64_t nvalues = 0;
    for (int rank = 0; rank < comm->size; rank++) {
        begin[rank] = nvalues;
        nvalues += own_rows * columns[rank];
    }
    char *received = malloc(nvalues * size + 1);
    char *rows = malloc(nvalues * size + 1);
    enum status status = STATUS_OK;
    if (received == NULL || rows == NULL) {
        status = fail(STATUS_FAILED, "out of memory for %llu rows to be written",
                      (unsigned long long)own_rows);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK && received != NULL && rows != NULL) {
        trade(comm, columns, begin, size, most, nrows, values, received);
        set_side_by_side(comm, columns, begin, size, own_rows, received, rows);
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

enum status redistribute_in_pieces(const struct io_comm *comm, size_t size, uint64_t most,
                                   uint64_t nrows, uint64_t ncolumns_here, const void *values,
                                   uint64_t *first_p, uint64_t *n_p, void **rows_p)
{
    if (comm->size == 1) {
        *first_p = 0;
        *n_p = nrows;
        return copy_rows(nrows * ncolumns_here * size, values, rows_p);
    }
    uint64_t *numbers = calloc((size_t)comm->size * 2, sizeof *numbers);
    enum status status = STATUS_OK;
    if (numbers == NULL) {
        status = fail(STATUS_FAILED, "out of memory for an exchange between %d ranks", comm->size);
    }
    status = io_agree(comm, status);
    if (status == STATUS_OK && numbers != NULL) {
        MPI_Request request;
        MPI_Iallgather(&ncolumns_here, 1, MPI_UINT64_T, numbers, 1, MPI_UINT64_T, comm->comm,
                       &request);
        io_wait(&request, 1);
        status = run(comm, numbers, numbers + comm->size, size, most, nrows, values, rows_p);
    }
    free(numbers);
    if (status == STATUS_OK) {
        *first_p = first_row(nrows, comm->rank, comm->size);
        *n_p = rows_of(nrows, comm->rank, comm->size);
    }
    return status;
}

enum status redistribute_to_rows(const struct io_comm *comm, size_t size, uint64_t nrows,
                                 uint64_t ncolumns_here, const void *values, uint64_t *first_p,
                                 uint64_t *n_p, void **rows_p)
{
    return redistribute_in_pieces(comm, size, IO_PIECE_MOST / size, nrows, ncolumns_here, values,
                                  first_p, n_p, rows_p);
}
