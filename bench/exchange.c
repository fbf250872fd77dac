/* The exchange at the end of an epoch, beside what MPI and the host can do in the same run.
 *
 * usage: mpirun -n RANKS exchange [SECONDS]
 *
 * Every rank has the same number of cells, and each of them has as many messages to send. Times are
 * per exchange, as rank 0 sees them: of some twenty batches the fastest and the median one. On a
 * host that others use as well the fastest is the one to read. SECONDS is what each line may take,
 * 0.3 unless given. Nothing here passes or fails. */
#include <math.h>
#include <mpi.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/exchange.h"
#include "io/comm.h"

enum { BATCHES = 21, MESSAGES_MAX = 100000 };

struct bench {
    int rank, ranks;
    bool crowded; /* more ranks than cores */
    double seconds;
    struct exchange *exchange;
    cell_id own_cells;
    size_t nmessages; /* of each cell */
    struct message *messages;
    unsigned char *out, *in; /* bytes for MPI alone, [ranks] parts to receive */
    size_t bytes;            /* to each other rank */
    MPI_Request *requests;   /* [2 * ranks] */
};

struct timing {
    double fastest, median; /* seconds for each */
};

/* --- what is timed ------------------------------------------------------------------------- */

typedef void action(struct bench *bench);

static void exchange_once(struct bench *bench)
{
    struct cell_report report = {.nmessages = bench->nmessages};
    for (cell_id i = 0; i < bench->own_cells; i++) {
        if (exchange_post(bench->exchange, &report, bench->messages) != STATUS_OK) {
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    if (exchange_finish(bench->exchange) != STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void barrier(struct bench *bench)
{
    (void)bench;
    MPI_Barrier(MPI_COMM_WORLD);
}

/* To the next rank and from the one before: both ways at once. */
static void send_and_receive(struct bench *bench)
{
    int next = (bench->rank + 1) % bench->ranks;
    int before = (bench->rank + bench->ranks - 1) % bench->ranks;
    MPI_Sendrecv(bench->out, (int)bench->bytes, MPI_BYTE, next, 0, bench->in, (int)bench->bytes,
                 MPI_BYTE, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* Every rank to every other, by MPI alone; 2 * (ranks - 1) requests. */
static int start_all_to_all(struct bench *bench)
{
    int n = 0;
    for (int rank = 0; rank < bench->ranks; rank++) {
        if (rank != bench->rank) {
            MPI_Irecv(bench->in + (size_t)rank * bench->bytes, (int)bench->bytes, MPI_BYTE, rank, 1,
                      MPI_COMM_WORLD, &bench->requests[n++]);
            MPI_Isend(bench->out, (int)bench->bytes, MPI_BYTE, rank, 1, MPI_COMM_WORLD,
                      &bench->requests[n++]);
        }
    }
    return n;
}

static void wait_in_mpi(struct bench *bench)
{
    MPI_Waitall(start_all_to_all(bench), bench->requests, MPI_STATUSES_IGNORE);
}

static void wait_by_testing(struct bench *bench)
{
    int n = start_all_to_all(bench);
    for (int done = 0; !done;) {
        MPI_Testall(n, bench->requests, &done, MPI_STATUSES_IGNORE);
    }
}

static void wait_by_yielding(struct bench *bench)
{
    int n = start_all_to_all(bench);
    for (int done = 0; !done;) {
        MPI_Testall(n, bench->requests, &done, MPI_STATUSES_IGNORE);
        if (!done) {
            sched_yield();
        }
    }
}

static void wait_patiently(struct bench *bench)
{
    io_wait(bench->requests, start_all_to_all(bench));
}

static void copy(struct bench *bench)
{
    memcpy(bench->in, bench->out, bench->bytes);
}

/* --- timing -------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double time_of(struct bench *bench, action *run, int repeats)
{
    double begun = MPI_Wtime();
    for (int i = 0; i < repeats; i++) {
        run(bench);
    }
    return (MPI_Wtime() - begun) / repeats;
}

/* Batches as long as SECONDS allow, but of so many repeats that it does not matter by how much one
 * rank is ahead of another: equally many on all ranks. */
static struct timing measure(struct bench *bench, action *run)
{
    double each[BATCHES];
    int least = bench->crowded ? 10 : 100;
    int repeats = least;
    double once = time_of(bench, run, least);
    if (bench->seconds / BATCHES / once > least) {
        repeats = (int)fmin(bench->seconds / BATCHES / once, 1e6);
    }
    MPI_Bcast(&repeats, 1, MPI_INT, 0, MPI_COMM_WORLD);
    for (int i = 0; i < BATCHES; i++) {
        each[i] = time_of(bench, run, repeats);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    qsort(each, BATCHES, sizeof each[0], ascending);
    return (struct timing){each[0], each[BATCHES / 2]};
}

static void set_bytes(struct bench *bench, size_t bytes)
{
    free(bench->out);
    free(bench->in);
    bench->bytes = bytes;
    bench->out = malloc(bytes + 1);
    bench->in = malloc(bytes * (size_t)bench->ranks + 1);
    if (bench->out == NULL || bench->in == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    memset(bench->out, 1, bytes);
    memset(bench->in, 1, bytes * (size_t)bench->ranks);
}

static void open_exchange(struct bench *bench, cell_id own_cells, size_t nmessages)
{
    bench->own_cells = own_cells;
    bench->nmessages = nmessages;
    if (exchange_open(MPI_COMM_WORLD, own_cells * (cell_id)bench->ranks, 0, &bench->exchange) !=
        STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
}

/* --- tables -------------------------------------------------------------------------------- */

static void print_line(const struct bench *bench, const char *what, struct timing t)
{
    if (bench->rank == 0) {
        printf("%-40s %10.2f us %10.2f us\n", what, 1e6 * t.fastest, 1e6 * t.median);
        (void)fflush(stdout);
    }
}

static void compare_sizes(struct bench *bench)
{
    const struct {
        cell_id cells;
        size_t messages;
    } line[] = {{1, 0}, {4, 0}, {8, 0}, {1, 10}, {1, 100}, {1, 1000}, {1, 10000}, {1, 100000}};
    if (bench->rank == 0) {
        printf(
            "\neach cell's report and messages to every other rank, beside MPI_Sendrecv and memcpy "
            "of as many\nbytes; fastest of %d batches\n"
            "%5s %9s %10s %12s %12s %7s %12s %9s %9s\n",
            BATCHES, "cells", "messages", "bytes", "exchange us", "sendrecv us", "ratio",
            "memcpy us", "GB/s", "median us");
    }
    for (size_t i = 0; i < sizeof line / sizeof line[0]; i++) {
        open_exchange(bench, line[i].cells, line[i].messages);
        set_bytes(bench, line[i].cells * (sizeof(struct cell_report) +
                                          line[i].messages * sizeof(struct message)));
        struct timing ours = measure(bench, exchange_once);
        struct timing mpi = measure(bench, send_and_receive);
        struct timing host = measure(bench, copy);
        exchange_close(bench->exchange);
        if (bench->rank == 0) {
            double other = (double)(bench->ranks - 1);
            printf("%5u %9zu %10zu %12.2f %12.2f %7.2f %12.2f %9.2f %9.2f\n", line[i].cells,
                   line[i].messages, bench->bytes, 1e6 * ours.fastest, 1e6 * mpi.fastest,
                   ours.fastest / (mpi.fastest * fmax(other, 1)), 1e6 * host.fastest,
                   other * (double)bench->bytes / ours.fastest / 1e9, 1e6 * ours.median);
            (void)fflush(stdout);
        }
    }
}

/* How ranks wait decides what an exchange takes when there are more of them than cores. */
static void compare_waiting(struct bench *bench)
{
    set_bytes(bench, sizeof(struct cell_report));
    if (bench->rank == 0) {
        printf("\n%zu bytes from every rank to every other %28s %13s\n", bench->bytes, "fastest",
               "median");
    }
    print_line(bench, "testing only", measure(bench, wait_by_testing));
    print_line(bench, "MPI_Waitall", measure(bench, wait_in_mpi));
    print_line(bench, "testing and yielding", measure(bench, wait_by_yielding));
    print_line(bench, "testing, yielding, then sleeping", measure(bench, wait_patiently));
    open_exchange(bench, 1, 0);
    print_line(bench, "exchange of one empty cell for each rank", measure(bench, exchange_once));
    exchange_close(bench->exchange);
}

int main(int argc, char **argv)
{
    struct bench bench = {.seconds = 0.3};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &bench.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &bench.ranks);
    if (argc > 1) {
        bench.seconds = strtod(argv[1], NULL);
    }
    bench.crowded = bench.ranks > sysconf(_SC_NPROCESSORS_ONLN);
    bench.messages = calloc(MESSAGES_MAX, sizeof *bench.messages);
    bench.requests = calloc(2 * (size_t)bench.ranks, sizeof *bench.requests);
    if (bench.messages == NULL || bench.requests == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 3);
    }
    if (bench.rank == 0) {
        printf("%d ranks, %ld cores\n%-40s %13s %13s\n", bench.ranks, sysconf(_SC_NPROCESSORS_ONLN),
               "", "fastest", "median");
    }
    print_line(&bench, "MPI_Barrier", measure(&bench, barrier));
    set_bytes(&bench, 8);
    print_line(&bench, "MPI_Sendrecv of 8 bytes", measure(&bench, send_and_receive));
    compare_waiting(&bench);
    if (!bench.crowded && argc < 3) {
        compare_sizes(&bench);
    }
    free(bench.messages);
    free(bench.requests);
    free(bench.out);
    free(bench.in);
    MPI_Finalize();
    return 0;
}
