/* A disk that one rank alone finds full: all ranks return, with one sentence, and no file is left.
 *
 * Run by mpirun with any number of ranks. The limit on the size of files stands for the disk. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mpi.h>

#include "results/run_file.h"
#include "results_fixture.h"

#define CELLS  64
#define POINTS 40

static int failures;

static void check(int good, const char *what, int limited, long long room)
{
    if (!good) {
        (void)fprintf(stderr, "results_full_disk_test: %s (rank %d limited to %lld bytes): %s\n",
                      what, limited, room, status_last_message());
        failures++;
    }
}

struct run {
    int rank;
    int size;
    char directory[256];
    char path[300];
    struct run_file file;
};

static void limit_file_size(rlim_t room)
{
    struct rlimit limit;
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = room;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* Writes the result while rank `limited` has files of at most `room` bytes. */
static void test_limited(const struct run *run, int limited, long long room)
{
    MPI_Barrier(MPI_COMM_WORLD);
    if (run->rank == limited) {
        limit_file_size((rlim_t)room);
    }
    enum status status = run_file_write(MPI_COMM_WORLD, &run->file, NULL);
    limit_file_size(RLIM_INFINITY);
    check(status == STATUS_FAILED, "STATUS_FAILED", limited, room);
    check(strstr(status_last_message(), run->path) != NULL, "the file is named", limited, room);
    check(strstr(status_last_message(), "File too large") != NULL, "the cause is named", limited,
          room);
    MPI_Barrier(MPI_COMM_WORLD);
    if (run->rank == 0) {
        check(fixture_count_files(run->directory) == 0, "no file is left", limited, room);
    }
    check(fixture_h5_open_objects() == 0, "HDF5 closed everything", limited, room);
}

/* The size of the whole file; nothing is wrong with it. */
static long long write_whole(const struct run *run)
{
    enum status status = run_file_write(MPI_COMM_WORLD, &run->file, NULL);
    check(status == STATUS_OK, "written without a limit", -1, 0);
    struct stat found = {0};
    long long size = 0;
    if (run->rank == 0) {
        check(stat(run->path, &found) == 0, "the file is there", -1, 0);
        size = (long long)found.st_size;
        (void)unlink(run->path);
    }
    MPI_Bcast(&size, 1, MPI_LONG_LONG, 0, MPI_COMM_WORLD);
    return size;
}

int main(int argc, char **argv)
{
    static char *const command[] = {"thrash", "simulate"};
    MPI_Init(&argc, &argv);
    status_set_quiet(1);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct run run;
    MPI_Comm_rank(MPI_COMM_WORLD, &run.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &run.size);
    fixture_directory(MPI_COMM_WORLD, run.directory);
    (void)snprintf(run.path, sizeof run.path, "%s/run.h5", run.directory);
    struct provenance provenance;
    if (provenance_gather(MPI_COMM_WORLD, 2, command, &provenance) != STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    struct recording recording = fixture_recording(run.rank, run.size, POINTS, CELLS);
    run.file = fixture_run(run.path, &recording, &provenance);

    long long whole = write_whole(&run);
    for (int limited = 0; limited < run.size; limited++) {
        /* The per-cell data, of which each rank writes a part, is the larger part of the file. */
        for (long long room = whole / 2; room < whole; room += whole / 5) {
            test_limited(&run, limited, room);
        }
    }
    test_limited(&run, 0, 65536); /* while rank 0 writes alone */
    (void)write_whole(&run);

    MPI_Barrier(MPI_COMM_WORLD);
    if (run.rank == 0) {
        fixture_remove(run.directory);
    }
    recording_free(&recording);
    provenance_free(&provenance);
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all == 0 ? 0 : 1;
}
