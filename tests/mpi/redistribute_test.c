/* A table that is spread by columns is the same table when it is spread by rows, whatever its form,
 * and in however many messages it went.
 *
 * Run by mpirun with any number of ranks. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <mpi.h>

#include "io/comm.h"
#include "io/redistribute.h"

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
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all > 0;
}
