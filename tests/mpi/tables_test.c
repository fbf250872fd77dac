/* Ranks on hosts whose libm round differently draw the same touches, and a run goes on with the
 * tables that it was begun with.
 *
 * Run by mpirun with any number of ranks. This program has a pow() of its own, which can be told to
 * be wrong. */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "base/hash.h"
#include "commands/catalogue.h"
#include "engine/sim.h"

static double error_of_pow;

double pow(double x, double y)
{
    return exp(y * log(x)) + error_of_pow * x;
}

static const char scenario_text[] =
    "duration: 100ms\n"
    "output: { interval: 10ms }\n"
    "machine: { memory: 36MiB, cpus: 2, cells: 6, swap: { size: 64MiB, latency: 200us } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - kind: database\n"
    "    processes: 20\n"
    "    segment: { size: 24MiB, populate: none }\n"
    "    private_memory: 256KiB\n"
    "    touch_rate: 100000\n"
    "    access: zipf\n"
    "phases: { warmup: 5ms }\n"
    "costs: x86_64-2003\n";

static int failures;

static void check(int good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "tables_test: %s: %s\n", what, status_last_message());
        failures++;
    }
}

/* The machine-wide series of a run; `stop` after its first epoch, or resume. */
static struct digest run(const struct scenario *scenario, const char *path, bool stop, bool resume)
{
    const struct sim_options options = {
        .stop_after_epochs = stop ? 1 : 0,
        .checkpoints = {.path = path, .resume = resume, .version = "test", .revision = "a1", .hints = ""},
    };
    struct digest digest = {0, 0};
    struct sim_result result;
    enum status status = sim_run(scenario, MPI_COMM_WORLD, &options, &result);
    check(status == (stop ? STATUS_INTERRUPTED : STATUS_OK), "run");
    if (status == STATUS_OK || status == STATUS_INTERRUPTED) {
        const struct recording *recording = &result.recording;
        digest = hash_bytes(recording->machine,
                            recording->npoints * METRIC_COUNT * sizeof *recording->machine);
        sim_result_free(&result);
    }
    return digest;
}

int main(void)
{
    static struct catalogue_names names;
    const struct scenario_overrides none = {NULL, 0, NULL};
    struct scenario scenario;
    char directory[64] = "/tmp/thrash-tables-XXXXXX";
    char path[80];
    int rank;
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && mkdtemp(directory) == NULL) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Bcast(directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
    (void)snprintf(path, sizeof path, "%s/run.ckpt", directory);
    catalogue_fill(&names);
    check(scenario_load_text(scenario_text, strlen(scenario_text), CONFIGS_DIR "/tables_test.yaml",
                             &none, &names.catalogue, &scenario) == STATUS_OK,
          "scenario");

    const struct digest right = run(&scenario, NULL, false, false);
    error_of_pow = rank == 0 ? 0 : 1e-4;
    check(digest_equal(right, run(&scenario, NULL, false, false)),
          "other ranks' libm must not matter");
    error_of_pow = 1e-4;
    check(!digest_equal(right, run(&scenario, NULL, false, false)),
          "a wrong pow() everywhere must show");
    error_of_pow = 0;
    (void)run(&scenario, path, true, false);
    error_of_pow = 1e-4;
    check(digest_equal(right, run(&scenario, path, false, true)),
          "a run must go on with the tables it was begun with");

    scenario_free(&scenario);
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        (void)unlink(path);
        (void)rmdir(directory);
    }
    MPI_Allreduce(MPI_IN_PLACE, &failures, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return failures == 0 ? 0 : 1;
}
