/* The transport alone: random reports and messages reach every rank as they were given.
 *
 * Run by mpirun with any number of ranks; tests the first 1, 2, ... of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <mpi.h>

#include "base/random.h"
#include "engine/exchange.h"
#include "io/comm.h"

static int failures;

static void check(int good, const char *what, int ranks, cell_id ncells, size_t largest)
{
    if (!good) {
        (void)fprintf(stderr, "exchange_test: %s (%d ranks, %u cells, messages of %zu bytes)\n",
                      what, ranks, ncells, largest);
        failures++;
    }
}

/* --- what cells say: a function of cell and round, so that every rank can tell ---------------- */

#define SEED         20040101
#define MESSAGES_MAX 6000 /* 144,000 bytes */

static struct random_block draw(cell_id cell, uint64_t round, uint64_t ordinal)
{
    return random_draw(SEED, RANDOM_TEST, (uint32_t)round, cell, ordinal);
}

/* Often nothing; often a few; at times about as many as the first message of a part holds; at times
 * many more. */
static uint64_t messages_of(cell_id cell, uint64_t round)
{
    struct random_block bits = draw(cell, round, 0);
    switch (bits.word[0] % 8) {
    case 0:
    case 1:
        return 0;
    case 2:
        return 325 + random_below(bits.word[1], 20);
    case 3:
        return random_below(bits.word[1], MESSAGES_MAX);
    default:
        return random_below(bits.word[1], 16);
    }
}

static void fill(cell_id cell, uint64_t round, struct cell_report *report, struct message *messages)
{
    unsigned char *bytes = (unsigned char *)report;
    for (size_t at = 0; at < sizeof *report; at += sizeof(struct random_block)) {
        struct random_block bits = draw(cell, round, 1 + at);
        size_t left = sizeof *report - at;
        memcpy(bytes + at, &bits, left < sizeof bits ? left : sizeof bits);
    }
    report->nmessages = messages_of(cell, round);
    for (uint64_t i = 0; i < report->nmessages; i++) {
        struct random_block bits = draw(cell, round, 1000 + i);
        messages[i] = (struct message){bits.word[0], bits.word[1], bits.word[2], bits.word[3] + i};
    }
}

/* --- exchanges ------------------------------------------------------------------------------- */

struct setting {
    MPI_Comm comm;
    int rank, ranks;
    cell_id ncells, first, own;
    size_t largest;
    struct exchange *exchange;
    struct message *messages; /* [MESSAGES_MAX] */
};

static void expect(const struct setting *setting, int good, const char *what)
{
    check(good, what, setting->ranks, setting->ncells, setting->largest);
}

static void post_all(const struct setting *setting, uint64_t round)
{
    for (cell_id i = 0; i < setting->own; i++) {
        struct cell_report report;
        fill(setting->first + i, round, &report, setting->messages);
        expect(setting, exchange_post(setting->exchange, &report, setting->messages) == STATUS_OK,
               "posted");
        memset(setting->messages, 0, (size_t)report.nmessages * sizeof *setting->messages);
    }
}

static void compare_all(const struct setting *setting, uint64_t round)
{
    for (cell_id cell = 0; cell < setting->ncells; cell++) {
        struct cell_report report;
        fill(cell, round, &report, setting->messages);
        const struct cell_report *came = exchange_report(setting->exchange, cell);
        expect(setting, memcmp(came, &report, sizeof report) == 0, "a report came as it was given");
        if (came->nmessages != report.nmessages) {
            continue;
        }
        expect(setting,
               memcmp(exchange_messages(setting->exchange, cell), setting->messages,
                      (size_t)report.nmessages * sizeof *setting->messages) == 0,
               "messages came as they were given");
    }
}

static void sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void open_setting(struct setting *setting)
{
    MPI_Comm_rank(setting->comm, &setting->rank);
    MPI_Comm_size(setting->comm, &setting->ranks);
    exchange_range(setting->ncells, setting->rank, setting->ranks, &setting->first, &setting->own);
    setting->messages = calloc(MESSAGES_MAX, sizeof *setting->messages);
    if (setting->messages == NULL || exchange_open(setting->comm, setting->ncells, setting->largest,
                                                   &setting->exchange) != STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static void close_setting(struct setting *setting)
{
    exchange_close(setting->exchange);
    free(setting->messages);
}

/* Many exchanges in a row, with one rank or another a little late. */
static void test_random_traffic(MPI_Comm comm, cell_id ncells, size_t largest)
{
    enum { ROUNDS = 60 };
    struct setting setting = {.comm = comm, .ncells = ncells, .largest = largest};
    open_setting(&setting);
    uint64_t bytes = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        if (draw(ncells, round, (uint64_t)setting.rank).word[0] % 64 == 0) {
            sleep_ms(3);
        }
        post_all(&setting, round);
        expect(&setting, exchange_finish(setting.exchange) == STATUS_OK, "finished");
        compare_all(&setting, round);
        for (cell_id i = 0; i < setting.own; i++) {
            bytes += sizeof(struct cell_report) +
                     messages_of(setting.first + i, round) * sizeof(struct message);
        }
    }
    struct exchange_totals totals = exchange_totals(setting.exchange);
    expect(&setting, totals.exchanges == ROUNDS, "exchanges are counted");
    /* Each part is preceded by its length. */
    uint64_t parts = setting.own < 2 ? ROUNDS : 2 * ROUNDS;
    uint64_t others = (uint64_t)setting.ranks - 1;
    expect(&setting, totals.bytes_sent == others * (bytes + parts * sizeof(uint64_t)),
           "bytes sent are counted");
    close_setting(&setting);
}

/* --- waiting --------------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* One rank comes 200 ms late; the others leave the cores to whoever has work. The host may be slow
 * at times, so one round of all has to show it: who is never asleep shows it in none. */
static void test_late_rank(MPI_Comm comm, int late)
{
    enum { ROUNDS = 4 };
    double least = 1;
    struct setting setting = {.comm = comm, .largest = 0};
    MPI_Comm_size(comm, &setting.ranks);
    setting.ncells = 2 * (cell_id)setting.ranks;
    open_setting(&setting);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        if (setting.rank == late && round > 0) {
            sleep_ms(200);
        }
        double waited = exchange_totals(setting.exchange).seconds_waiting;
        post_all(&setting, round);
        double begun = cpu_seconds();
        expect(&setting, exchange_finish(setting.exchange) == STATUS_OK, "finished");
        double used = cpu_seconds() - begun;
        waited = exchange_totals(setting.exchange).seconds_waiting - waited;
        compare_all(&setting, round);
        if (setting.rank != late && round > 0) {
            expect(&setting, waited > 0.1, "the others wait for the one that is late");
            least = used < least * waited ? used / waited : least;
        }
    }
    if (setting.rank != late) {
        expect(&setting, least < 0.3, "who waits long does not keep a core busy");
    }
    close_setting(&setting);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int rank;
    int size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int ranks = 1; ranks <= size; ranks++) {
        MPI_Comm comm;
        MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &comm);
        if (comm != MPI_COMM_NULL) {
            const cell_id ncells[] = {(cell_id)ranks, (cell_id)ranks + 1, 5 * (cell_id)ranks + 3};
            /* No multiples of anything that is sent. */
            const size_t largest[] = {0, 1000, 300, 65536};
            for (size_t i = 0; i < 12; i++) {
                test_random_traffic(comm, ncells[i % 3], largest[i / 3]);
            }
            test_late_rank(comm, 0);
            test_late_rank(comm, ranks - 1);
            MPI_Comm_free(&comm);
        }
        MPI_Request all_done; /* who has no part in it sleeps, too */
        MPI_Ibarrier(MPI_COMM_WORLD, &all_done);
        io_wait(&all_done, 1);
    }
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all == 0 ? 0 : 1;
}
