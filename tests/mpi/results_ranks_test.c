/* results_ranks_test [FILE]: a result does not depend on how many ranks write it.
 *
 * Run by mpirun with any number of ranks. With FILE, writes the made-up result there and does no
 * more: tests/cli/results_readers_test.py looks at it with other programs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "results/reader.h"
#include "results/result_file.h"
#include "results/run_file.h"
#include "results_fixture.h"

static int failures;

static void check(int good, const char *what, int ranks, int cells)
{
    if (!good) {
        (void)fprintf(stderr, "results_ranks_test: %s (%d ranks, %d cells)\n", what, ranks, cells);
        failures++;
    }
}

/* Writes the made-up result with all ranks of a communicator. */
static enum status write_result(MPI_Comm comm, const char *path, cell_id ncells,
                                const char *mpi_hints, struct digest *digest_p)
{
    static char *const command[] = {"thrash", "simulate"};
    int rank, size;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    struct provenance provenance;
    enum status status = provenance_gather(comm, 2, command, &provenance);
    if (status != STATUS_OK) {
        return status;
    }
    struct recording recording = fixture_recording(rank, size, FIXTURE_POINTS, ncells);
    struct run_file run = fixture_run(path, &recording, rank == 0 ? &provenance : NULL);
    run.header.mpi_hints = mpi_hints;
    status = run_file_write(comm, &run, digest_p);
    recording_free(&recording);
    provenance_free(&provenance);
    return status;
}

static int same_numbers(const struct h5_reader *a, const struct h5_reader *b, const char *path)
{
    struct h5_numbers left, right;
    if (h5_read_numbers(a, path, &left) != STATUS_OK) {
        return 0;
    }
    int same = h5_read_numbers(b, path, &right) == STATUS_OK;
    if (same) {
        same = left.info.nvalues == right.info.nvalues && left.info.type == right.info.type &&
               memcmp(left.values, right.values, left.info.nvalues * number_size(left.info.type)) ==
                   0;
        h5_numbers_free(&right);
    }
    h5_numbers_free(&left);
    return same;
}

/* Compares every dataset of numbers below /simulation bit by bit. */
static int same_values(const char *path_a, const char *path_b)
{
    struct h5_reader *a = NULL;
    struct h5_reader *b = NULL;
    struct h5_names names = {0};
    int same = results_open(path_a, &a) == STATUS_OK && results_open(path_b, &b) == STATUS_OK &&
               h5_list_below(a, "/simulation", &names) == STATUS_OK;
    size_t compared = 0;
    for (size_t i = 0; i < names.n && same; i++) {
        struct h5_info info;
        same = h5_inspect(a, names.name[i], &info) == STATUS_OK;
        if (same && info.kind == H5_KIND_NUMBERS) {
            same = same_numbers(a, b, names.name[i]);
            compared++;
        }
    }
    h5_names_free(&names);
    h5_reader_close(a);
    h5_reader_close(b);
    return same && compared > 2 * (size_t)METRIC_COUNT;
}

static int file_verifies(const char *path, struct digest digest)
{
    struct h5_reader *reader = NULL;
    char expected[DIGEST_TEXT_SIZE];
    char found[DIGEST_TEXT_SIZE] = "";
    bool match = false;
    digest_to_text(digest, expected);
    if (results_open(path, &reader) != STATUS_OK) {
        return 0;
    }
    enum status status = results_verify(reader, found, &match);
    h5_reader_close(reader);
    return status == STATUS_OK && match && strcmp(found, expected) == 0;
}

/* The first 1, 2, ... ranks of the world write the same simulation. */
static void test_any_number_of_ranks(const char *directory, cell_id ncells)
{
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct digest first = {0, 0};
    char first_path[300];
    (void)snprintf(first_path, sizeof first_path, "%s/%u-1.h5", directory, ncells);
    for (int ranks = 1; ranks <= size; ranks++) {
        MPI_Comm comm;
        MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &comm);
        if (comm == MPI_COMM_NULL) {
            continue;
        }
        char path[300];
        struct digest digest = {0, 0};
        (void)snprintf(path, sizeof path, "%s/%u-%d.h5", directory, ncells, ranks);
        enum status status = write_result(comm, path, ncells, "cb_nodes=1", &digest);
        check(status == STATUS_OK, "written", ranks, (int)ncells);
        if (rank == 0) {
            first = ranks == 1 ? digest : first;
            check(digest_equal(first, digest), "same digest as from one rank", ranks, (int)ncells);
            check(file_verifies(path, digest), "digest of the file", ranks, (int)ncells);
            check(same_values(first_path, path), "same values as from one rank", ranks,
                  (int)ncells);
        }
        MPI_Comm_free(&comm);
    }
}

/* Columns that leave a gap are refused by all ranks, and no file is left. */
static void test_columns_that_do_not_tile(const char *directory)
{
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    static char *const command[] = {"thrash"};
    struct provenance provenance;
    char path[300];
    (void)snprintf(path, sizeof path, "%s/gap.h5", directory);
    if (provenance_gather(MPI_COMM_WORLD, 1, command, &provenance) != STATUS_OK) {
        check(0, "provenance", size, 5);
        return;
    }
    struct recording recording = fixture_recording(rank, size, FIXTURE_POINTS, FIXTURE_CELLS);
    struct run_file run = fixture_run(path, &recording, &provenance);
    recording.ncells_here -= recording.ncells_here > 0 && rank == size - 1;
    check(run_file_write(MPI_COMM_WORLD, &run, NULL) == STATUS_FAILED, "gap refused", size, 5);
    check(strstr(status_last_message(), "columns") != NULL, "gap named", size, 5);
    check(access(path, F_OK) != 0, "no file after a gap", size, 5);
    recording_free(&recording);
    provenance_free(&provenance);
}

/* What one rank finds wrong is returned, and known, by all. */
static void test_agreement(void)
{
    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct io_comm comm = io_comm_of(MPI_COMM_WORLD);
    for (int failing = 0; failing < size; failing++) {
        enum status status = STATUS_OK;
        if (rank == failing) {
            status = fail(STATUS_RESOURCE, "rank %d lacks something", failing);
        }
        char expected[64];
        (void)snprintf(expected, sizeof expected, "rank %d lacks something", failing);
        check(io_agree(&comm, status) == STATUS_RESOURCE, "agreed status", size, 0);
        check(strcmp(status_last_message(), expected) == 0, "agreed sentence", size, 0);
    }
    check(io_agree(&comm, STATUS_OK) == STATUS_OK, "agreed success", size, 0);
    char *copy = NULL;
    check(io_broadcast_text(&comm, rank == 0 ? "from rank 0" : "elsewhere", &copy) == STATUS_OK &&
              strcmp(copy, "from rank 0") == 0,
          "broadcast text", size, 0);
    free(copy);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc == 2) {
        status_set_quiet(rank != 0);
        enum status status = write_result(MPI_COMM_WORLD, argv[1], FIXTURE_CELLS, NULL, NULL);
        MPI_Finalize();
        return (int)status;
    }
    status_set_quiet(1);
    char directory[256];
    fixture_directory(MPI_COMM_WORLD, directory);
    test_any_number_of_ranks(directory, FIXTURE_CELLS);
    test_any_number_of_ranks(directory, 2);
    test_columns_that_do_not_tile(directory);
    test_agreement();
    MPI_Barrier(MPI_COMM_WORLD);
    long leaked = fixture_h5_open_objects();
    check(leaked == 0, "HDF5 objects left open", 0, 0);
    if (rank == 0) {
        fixture_remove(directory);
    }
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all == 0 ? 0 : 1;
}
