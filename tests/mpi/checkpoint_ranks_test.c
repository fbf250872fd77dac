/* Checkpoints of several ranks: resumed on fewer and on more of them, and on a disk that one rank
 * alone finds full.
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

#include "commands/catalogue.h"
#include "engine/sim.h"
#include "results_fixture.h"

static const char segment_text[] =
    "duration: 200ms\n"
    "output: { interval: 10ms }\n"
    "machine: { memory: 36MiB, cpus: 2, cells: 5, tlb: opteron, tlb_sampling: 2, timeslice: 1ms, "
    "swap: { size: 64MiB, latency: 200us } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - kind: database\n"
    "    processes: 20\n"
    "    segment: { size: 24MiB, populate: write }\n"
    "    private_memory: 256KiB\n"
    "    touch_rate: 10000\n"
    "  - kind: shm_copy\n"
    "    size: 48MiB\n"
    "    rate: 400MB/s\n"
    "phases: { warmup: 5ms }\n"
    "costs: x86_64-2003\n";

/* Operations on address spaces that find no memory, trees of vmas, chains and tables in low memory,
 * finite processes, two nodes: pages are freed and swapped, and windows are moved, in every cell.
 */
static const char windows_text[] =
    "duration: 250ms\n"
    "output: { interval: 10ms }\n"
    "machine: { arch: i386-pae, memory: 22MiB, ballast: 0, cpus: 8, nodes: 2, cells: 4, "
    "tlb: pentium4, tlb_sampling: 2, timeslice: 1ms, "
    "swap: { size: 64MiB, devices: 2, latency: 100us, bandwidth: 1GB/s, queue: 8 }, "
    "disk: { latency: 100us, bandwidth: 1GB/s } }\n"
    "design: { preset: linux-2.6.7 }\n"
    "workloads:\n"
    "  - kind: windows\n"
    "    processes: 6\n"
    "    size: 48MiB\n"
    "    window: 5MiB\n"
    "    windows: 3\n"
    "    moves: 3000\n"
    "    touch_rate: 200000\n"
    "  - kind: rmap_test\n"
    "    processes: 4\n"
    "    windows: 20\n"
    "    window: 600KiB\n"
    "    backing: shm\n"
    "    touch_time: 2us\n"
    "    iterations: 30\n"
    "  - kind: shm_copy\n"
    "    size: 8MiB\n"
    "    rate: 30MB/s\n"
    "phases: { warmup: 5ms }\n"
    "costs: p4-2003\n";

static int failures;

static void check(int good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "checkpoint_ranks_test: %s: %s\n", what, status_last_message());
        failures++;
    }
}

struct fixture {
    int rank, size;
    char directory[256];
    char path[300];
    struct scenario scenario;
};

static void load(struct fixture *fixture, const char *text)
{
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    catalogue_fill(&names);
    if (scenario_load_text(text, strlen(text), CONFIGS_DIR "/test.yaml", &none, &names.catalogue,
                           &fixture->scenario) != STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
}

static enum status run_on(const struct fixture *fixture, MPI_Comm comm, bool resume,
                          uint64_t stop_after_epochs, struct sim_result *result)
{
    const struct sim_options options = {
        .stop_after_epochs = stop_after_epochs,
        .checkpoints = {.path = fixture->path, .resume = resume, .version = "test", .revision = "a1", .hints = ""},
    };
    return sim_run(&fixture->scenario, comm, &options, result);
}

/* Of what all ranks know alike; the columns of the cells follow from the same state. */
static struct digest digest_of(const struct recording *recording)
{
    const struct digest parts[] = {
        hash_bytes(recording->time, recording->npoints * sizeof *recording->time),
        hash_bytes(recording->machine,
                   recording->npoints * METRIC_COUNT * sizeof *recording->machine),
        hash_bytes(recording->peak, sizeof recording->peak),
    };
    return hash_bytes(parts, sizeof parts);
}

static struct digest finish_on(const struct fixture *fixture, MPI_Comm comm, bool resume)
{
    struct sim_result result;
    struct digest digest = {0, 0};
    enum status status = run_on(fixture, comm, resume, 0, &result);
    check(status == STATUS_OK, resume ? "resumed" : "run");
    if (status == STATUS_OK) {
        check(result.exchange.exchanges > result.epochs, "exchanges of all starts are counted");
        check(fixture->rank != 0 || fixture->size == 1 || !resume || result.exchange.bytes_sent > 0,
              "bytes sent on more ranks are not forgotten");
        digest = digest_of(&result.recording);
        sim_result_free(&result);
    }
    return digest;
}

/* One epoch on some of the ranks, or the rest of the run. */
static void go_on(const struct fixture *fixture, int ranks, bool to_the_end, struct digest whole)
{
    struct sim_result result;
    MPI_Comm some;
    MPI_Comm_split(MPI_COMM_WORLD, fixture->rank < ranks ? 0 : MPI_UNDEFINED, fixture->rank, &some);
    if (some != MPI_COMM_NULL && to_the_end) {
        check(digest_equal(finish_on(fixture, some, true), whole), "the same bits");
    } else if (some != MPI_COMM_NULL) {
        enum status status = run_on(fixture, some, true, 1, &result);
        check(status == STATUS_INTERRUPTED, "one epoch");
        if (status == STATUS_INTERRUPTED) {
            sim_result_free(&result);
        }
    }
    if (some != MPI_COMM_NULL) {
        MPI_Comm_free(&some);
    }
    MPI_Barrier(MPI_COMM_WORLD);
}

/* Epoch after epoch on another number of ranks; then, from the same checkpoint, to the end on each.
 */
static void test_other_ranks(const struct fixture *fixture)
{
    struct sim_result result;
    struct digest whole = finish_on(fixture, MPI_COMM_WORLD, false);
    check(run_on(fixture, MPI_COMM_WORLD, false, 1, &result) == STATUS_INTERRUPTED, "stopped");
    sim_result_free(&result);
    for (int epoch = 0; epoch < 150; epoch++) {
        go_on(fixture, 1 + epoch % fixture->size, false, whole);
    }
    for (int ranks = 1; ranks <= fixture->size; ranks++) {
        go_on(fixture, ranks, true, whole);
    }
}

static void limit_file_size(rlim_t room)
{
    struct rlimit limit;
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = room;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

static struct digest digest_of_file(const char *path)
{
    static unsigned char bytes[1 << 20];
    struct hash_stream *hash = NULL;
    struct digest digest = {0, 0};
    FILE *file = fopen(path, "re");
    if (file == NULL || hash_open(&hash) != STATUS_OK) {
        return digest;
    }
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;) {
        hash_update(hash, bytes, n);
    }
    digest = hash_value(hash);
    hash_close(hash);
    (void)fclose(file);
    return digest;
}

/* Each rank in turn can write nothing: the run ends as it would, the checkpoint stays as it was. */
static void test_full_disk(const struct fixture *fixture)
{
    struct sim_result result;
    check(run_on(fixture, MPI_COMM_WORLD, false, 1, &result) == STATUS_INTERRUPTED, "stopped");
    sim_result_free(&result);
    MPI_Barrier(MPI_COMM_WORLD);
    const struct digest kept = digest_of_file(fixture->path);
    for (int limited = 0; limited < fixture->size; limited++) {
        MPI_Barrier(MPI_COMM_WORLD);
        if (fixture->rank == limited) {
            limit_file_size(100);
        }
        enum status status = run_on(fixture, MPI_COMM_WORLD, true, 1, &result);
        limit_file_size(RLIM_INFINITY);
        check(status == STATUS_INTERRUPTED, "the run is not hurt");
        if (status == STATUS_INTERRUPTED) {
            check(result.checkpoints.failed == 1 && result.checkpoints.written == 1 &&
                      !result.checkpoints.saved_last,
                  "all ranks know of the failure, and of the one before");
            sim_result_free(&result);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        check(digest_equal(digest_of_file(fixture->path), kept), "the old checkpoint is kept");
        check(fixture_count_files(fixture->directory) == 1, "nothing else is left");
    }
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    status_set_quiet(1);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct fixture fixture;
    MPI_Comm_rank(MPI_COMM_WORLD, &fixture.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &fixture.size);
    fixture_directory(MPI_COMM_WORLD, fixture.directory);
    (void)snprintf(fixture.path, sizeof fixture.path, "%s/run.ckpt", fixture.directory);
    load(&fixture, segment_text);
    test_other_ranks(&fixture);
    test_full_disk(&fixture);
    scenario_free(&fixture.scenario);
    load(&fixture, windows_text);
    test_other_ranks(&fixture);
    scenario_free(&fixture.scenario);
    MPI_Barrier(MPI_COMM_WORLD);
    if (fixture.rank == 0) {
        fixture_remove(fixture.directory);
    }
    int all = 0;
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all == 0 ? 0 : 1;
}
