/* A table that is spread by columns is the same table when it is spread by rows, whatever its form,
 * and in however many messages it went. So is what is broadcast, and what goes through a file.
 *
 * Run by mpirun with any number of ranks. */
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <mpi.h>

#include "io/comm.h"
#include "io/redistribute.h"
#include "io/shared_file.h"

static int failures;

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
    const enum status status = most == 0 ? redistribute_to_rows(comm, sizeof *values, nrows, here,
                                                                values, &first, &n, &rows)
                                         : redistribute_in_pieces(comm, sizeof *values, most, nrows,
                                                                  here, values, &first, &n, &rows);
    if (status != STATUS_OK) {
        failures++;
    } else {
        check_rows(comm, nrows, ncolumns, first, n, rows);
    }
    free(rows);
    free(values);
}

static void expect(const struct io_comm *comm, bool good, const char *what, size_t most)
{
    if (!good) {
        (void)fprintf(stderr, "redistribute_test: rank %d, in pieces of %zu bytes: %s\n",
                      comm->rank, most, what);
        failures++;
    }
}

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
    io_broadcast_in_pieces(comm, most, bytes, BYTES - 1);
    for (size_t i = 0; i < BYTES - 1; i++) {
        good = good && bytes[i] == byte_of(7, i);
    }
    expect(comm, good && bytes[BYTES - 1] == (comm->rank == 0 ? byte_of(7, BYTES - 1) : 0),
           "broadcast", most);
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
    expect(comm,
           shared_file_write(file, (uint64_t)comm->rank * BYTES, bytes, BYTES) == STATUS_OK &&
               shared_file_sync(file) == STATUS_OK &&
               shared_file_read(file, (uint64_t)next * BYTES, bytes, BYTES) == STATUS_OK,
           "written and read", most);
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
        write_and_read(&comm, pieces[i]);
    }
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all > 0;
}
