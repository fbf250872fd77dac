/* A table that is spread by columns is the same table when it is spread by rows, whatever its form,
 * and in however many messages it went. So is what is broadcast, what one rank sends to another,
 * and what goes through a file. No message and no write is larger than was asked for.
 *
 * Run by mpirun with any number of ranks. This program has functions of MPI of its own, which note
 * how much they are given. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "io/comm.h"
#include "io/h5_reader.h"
#include "io/h5_writer.h"
#include "io/redistribute.h"
#include "io/shared_file.h"

static int failures;

/* --- how much goes at once ------------------------------------------------------------------- */

struct amount {
    size_t largest; /* bytes */
    int calls;
};

static struct amount sent,
    from_file; /* to other ranks or to a file; HDF5 reads files as it opens */

static void note(int count, MPI_Datatype type, struct amount *amount)
{
    int size = 0;
    MPI_Type_size(type, &size);
    const size_t bytes = (size_t)count * (size_t)size;
    amount->largest = bytes > amount->largest ? bytes : amount->largest;
    amount->calls++;
}

int MPI_Isend(const void *bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    note(count, type, &sent);
    return PMPI_Isend(bytes, count, type, to, tag, comm, request);
}

int MPI_Ibcast(void *bytes, int count, MPI_Datatype type, int root, MPI_Comm comm,
               MPI_Request *request)
{
    note(count, type, &sent);
    return PMPI_Ibcast(bytes, count, type, root, comm, request);
}

int MPI_File_write_at(MPI_File file, MPI_Offset place, const void *bytes, int count,
                      MPI_Datatype type, MPI_Status *status)
{
    note(count, type, &sent);
    return PMPI_File_write_at(file, place, bytes, count, type, status);
}

int MPI_File_read_at(MPI_File file, MPI_Offset place, void *bytes, int count, MPI_Datatype type,
                     MPI_Status *status)
{
    note(count, type, &from_file);
    return PMPI_File_read_at(file, place, bytes, count, type, status);
}

static void begin_noting(void)
{
    sent = from_file = (struct amount){0, 0};
}

static size_t pieces_of(size_t size, size_t most)
{
    return size / most + (size % most > 0 ? 1 : 0);
}

static void expect(const struct io_comm *comm, bool good, const char *what, size_t most)
{
    if (!good) {
        (void)fprintf(stderr, "redistribute_test: rank %d, in pieces of %zu bytes: %s\n",
                      comm->rank, most, what);
        failures++;
    }
}

/* `size` bytes went in pieces of `most` since begin_noting(). */
static void expect_pieces(const struct io_comm *comm, const char *what, struct amount amount,
                          size_t size, size_t most)
{
    if (amount.largest != (size < most ? size : most) ||
        (size_t)amount.calls != pieces_of(size, most)) {
        (void)fprintf(stderr,
                      "redistribute_test: rank %d, %s %zu bytes in pieces of %zu: %d calls, the "
                      "largest of %zu bytes\n",
                      comm->rank, what, size, most, amount.calls, amount.largest);
        failures++;
    }
}

/* --- tables ---------------------------------------------------------------------------------- */

static uint64_t value_of(uint64_t row, uint64_t column)
{
    return row * 1000003 + column;
}

/* Where the columns of a rank begin: some have none, some many. */
static uint64_t first_column(int rank, uint64_t unit)
{
    uint64_t column = 0;
    for (int i = 0; i < rank; i++) {
        column += (uint64_t)(i % 3) * unit + (i == 0 ? 1 : 0);
    }
    return column;
}

static void check_rows(const struct io_comm *comm, uint64_t nrows, uint64_t ncolumns,
                       uint64_t first, uint64_t n, const uint64_t *rows)
{
    uint64_t all = 0;
    uint64_t before = 0;
    MPI_Allreduce(&n, &all, 1, MPI_UINT64_T, MPI_SUM, comm->comm);
    MPI_Exscan(&n, &before, 1, MPI_UINT64_T, MPI_SUM, comm->comm);
    before = comm->rank == 0 ? 0 : before;
    uint64_t wrong = all != nrows || before != first ? 1 : 0;
    for (uint64_t i = 0; i < n * ncolumns; i++) {
        wrong += rows[i] != value_of(first + i / ncolumns, i % ncolumns);
    }
    if (wrong > 0) {
        (void)fprintf(stderr,
                      "redistribute_test: rank %d, %" PRIu64 " rows of %" PRIu64 " values: %" PRIu64
                      " wrong\n",
                      comm->rank, nrows, ncolumns, wrong);
        failures++;
    }
}

static void redistribute(const struct io_comm *comm, uint64_t nrows, uint64_t unit, uint64_t most)
{
    const uint64_t begin = first_column(comm->rank, unit);
    const uint64_t here = first_column(comm->rank + 1, unit) - begin;
    const uint64_t ncolumns = first_column(comm->size, unit);
    uint64_t *values = calloc(nrows * here + 1, sizeof *values);
    uint64_t first = 0;
    uint64_t n = 0;
    void *rows = NULL;
    if (values == NULL) {
        abort();
    }
    for (uint64_t i = 0; i < nrows * here; i++) {
        values[i] = value_of(i / here, begin + i % here);
    }
    begin_noting();
    const enum status status = most == 0 ? redistribute_to_rows(comm, sizeof *values, nrows, here,
                                                                values, &first, &n, &rows)
                                         : redistribute_in_pieces(comm, sizeof *values, most, nrows,
                                                                  here, values, &first, &n, &rows);
    expect(comm, most == 0 || sent.largest <= most * sizeof *values, "no larger message", most);
    if (status != STATUS_OK) {
        failures++;
    } else {
        check_rows(comm, nrows, ncolumns, first, n, rows);
    }
    free(rows);
    free(values);
}

/* --- bytes ----------------------------------------------------------------------------------- */

enum { BYTES = 1000 };

static unsigned char byte_of(int rank, size_t i)
{
    return (unsigned char)(value_of((uint64_t)rank, i) >> 3);
}

/* What is larger than one message may be arrives whole. */
static void broadcast(const struct io_comm *comm, size_t most)
{
    unsigned char bytes[BYTES];
    bool good = true;
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = comm->rank == 0 ? byte_of(7, i) : 0;
    }
    begin_noting();
    io_broadcast_in_pieces(comm, most, bytes, BYTES - 1);
    expect_pieces(comm, "broadcasting", sent, comm->size > 1 ? BYTES - 1 : 0, most);
    for (size_t i = 0; i < BYTES - 1; i++) {
        good = good && bytes[i] == byte_of(7, i);
    }
    expect(comm, good && bytes[BYTES - 1] == (comm->rank == 0 ? byte_of(7, BYTES - 1) : 0),
           "broadcast", most);
}

/* Rank 0 hears of all others, of some nothing; pieces of two sendings do not mix. */
static void send_and_receive(const struct io_comm *comm, size_t most)
{
    enum { TAG = 5, TAG_OTHER = 6 };
    unsigned char bytes[2][BYTES];
    bool good = true;
    begin_noting();
    for (int from = 1; from < comm->size; from++) {
        const size_t size = from == 2 ? 0 : BYTES - (size_t)from;
        for (size_t i = 0; i < BYTES && comm->rank == from; i++) {
            bytes[0][i] = byte_of(from, i);
            bytes[1][i] = byte_of(from + 50, i);
        }
        if (comm->rank == from) {
            io_send(comm, 0, TAG, bytes[0], size, most);
            expect_pieces(comm, "sending", sent, size, most);
            io_send(comm, 0, TAG_OTHER, bytes[1], size, most);
        } else if (comm->rank == 0) {
            memset(bytes, 0, sizeof bytes);
            io_receive(comm, from, TAG, bytes[0], size, most);
            io_receive(comm, from, TAG_OTHER, bytes[1], size, most);
            for (size_t i = 0; i < BYTES; i++) {
                good = good && bytes[0][i] == (i < size ? byte_of(from, i) : 0) &&
                       bytes[1][i] == (i < size ? byte_of(from + 50, i) : 0);
            }
        }
    }
    expect(comm, good, "received as it was sent", most);
}

/* Each rank writes at its own place, and reads what the next one wrote. */
static void write_and_read(const struct io_comm *comm, size_t most)
{
    char path[64] = "/tmp/redistribute_test.XXXXXX";
    int made = comm->rank == 0 ? mkstemp(path) : 0;
    expect(comm, made >= 0, "a file could be made", most);
    io_broadcast(comm, path, sizeof path);
    struct shared_file *file;
    if (shared_file_open(comm, path, path, true, "", &file) != STATUS_OK) {
        expect(comm, false, "opened", most);
        return;
    }
    shared_file_set_piece(file, most);
    unsigned char bytes[BYTES];
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = byte_of(comm->rank, i);
    }
    const int next = (comm->rank + 1) % comm->size;
    begin_noting();
    expect(comm,
           shared_file_write(file, (uint64_t)comm->rank * BYTES, bytes, BYTES) == STATUS_OK &&
               shared_file_sync(file) == STATUS_OK &&
               shared_file_read(file, (uint64_t)next * BYTES, bytes, BYTES) == STATUS_OK,
           "written and read", most);
    expect_pieces(comm, "writing", sent, BYTES, most);
    expect_pieces(comm, "reading", from_file, BYTES, most);
    bool good = true;
    for (size_t i = 0; i < BYTES; i++) {
        good = good && bytes[i] == byte_of(next, i);
    }
    expect(comm, good, "as it was written", most);
    shared_file_close(file);
    if (comm->rank == 0) {
        (void)close(made);
        (void)unlink(path);
    }
}

/* --- rows of an HDF5 file -------------------------------------------------------------------- */

enum { ROWS = 23, COLUMNS = 5, LAYERS = 2, ROW_BYTES = COLUMNS * LAYERS * 8 };

static void define(struct h5_writer *writer, const struct h5_array *array)
{
    static const uint64_t numbers[ROWS];
    h5_write_group(writer, "/g");
    for (unsigned i = 0; i < array->ndims; i++) {
        char path[16];
        (void)snprintf(path, sizeof path, "/g/%s", array->scales[i]);
        h5_write_scale(writer, &(struct h5_label){path, "1", path}, NUMBER_U64, array->shape[i],
                       numbers);
    }
    h5_write_array(writer, array, NULL);
}

static void check_file(const struct io_comm *comm, const char *path, size_t most)
{
    struct h5_reader *reader = NULL;
    struct h5_numbers numbers = {0};
    bool good = h5_open(path, &reader) == STATUS_OK &&
                h5_read_numbers(reader, "/g/a", &numbers) == STATUS_OK &&
                numbers.info.nvalues == (uint64_t)ROWS * COLUMNS * LAYERS;
    for (uint64_t i = 0; good && i < numbers.info.nvalues; i++) {
        good = ((const uint64_t *)numbers.values)[i] == value_of(i, 3);
    }
    expect(comm, good, "rows are in the file as they were written", most);
    h5_numbers_free(&numbers);
    h5_reader_close(reader);
}

/* Each rank writes some rows, some write none; 0: in pieces as large as they may be. A piece has
 * one row at least. */
static void write_rows(const struct io_comm *comm, size_t most)
{
    static const struct h5_array array = {
        {"/g/a", "1", "numbers"}, NUMBER_U64, 3, {ROWS, COLUMNS, LAYERS}, {"r", "c", "l"}};
    uint64_t values[ROWS * COLUMNS * LAYERS];
    char path[64] = "/tmp/redistribute_test.XXXXXX";
    int made = comm->rank == 0 ? mkstemp(path) : 0;
    expect(comm, made >= 0, "a file could be made", most);
    io_broadcast(comm, path, sizeof path);
    struct h5_writer *writer = NULL;
    if (h5_create(comm, path, path, NULL, &writer) != STATUS_OK) {
        expect(comm, false, "created", most);
        return;
    }
    define(writer, &array);
    h5_share(writer);
    /* rank 0 has a third of the rows of the others, or all there are */
    const uint64_t shares = 3 * (uint64_t)comm->size - 2;
    const uint64_t first = comm->rank == 0 ? 0 : ROWS * (3 * (uint64_t)comm->rank - 2) / shares;
    const uint64_t n = ROWS * (3 * (uint64_t)comm->rank + 1) / shares - first;
    for (uint64_t i = 0; i < n * COLUMNS * LAYERS; i++) {
        values[i] = value_of(first * COLUMNS * LAYERS + i, 3);
    }
    begin_noting();
    const enum status status = most == 0 ? h5_write_rows(writer, &array, first, n, values)
                                         : h5_write_rows_in_pieces(writer, &array, most, first, n,
                                                                   values);
    expect(comm, status == STATUS_OK, "rows written", most);
    if (comm->size > 1) {
        const uint64_t rows = most == 0 ? ROWS : most < ROW_BYTES ? 1 : most / ROW_BYTES;
        expect_pieces(comm, "writing rows of", sent, n * ROW_BYTES, rows * ROW_BYTES);
    }
    expect(comm, h5_close(writer) == STATUS_OK, "closed", most);
    if (comm->rank == 0) {
        check_file(comm, path, most);
        (void)close(made);
        (void)unlink(path);
    }
}

int main(int argc, char **argv)
{
    static const uint64_t most[] = {1, 2, 7, 64, INT_MAX, 0};
    static const uint64_t nrows[] = {0, 1, 2, 5, 17, 64};
    MPI_Init(&argc, &argv);
    const struct io_comm comm = io_comm_of(MPI_COMM_WORLD);
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        for (size_t j = 0; j < sizeof nrows / sizeof nrows[0]; j++) {
            redistribute(&comm, nrows[j], 1, most[i]);
            redistribute(&comm, nrows[j], 13, most[i]);
        }
    }
    static const size_t pieces[] = {1, 7, 333, BYTES, INT_MAX};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        broadcast(&comm, pieces[i]);
        send_and_receive(&comm, pieces[i]);
        write_and_read(&comm, pieces[i]);
    }
    static const size_t row_pieces[] = {
        1, ROW_BYTES - 1, ROW_BYTES, 2 * ROW_BYTES + 1, 7 * ROW_BYTES, INT_MAX, 0};
    for (size_t i = 0; i < sizeof row_pieces / sizeof row_pieces[0]; i++) {
        write_rows(&comm, row_pieces[i]);
    }
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all > 0;
}
