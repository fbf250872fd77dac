/* The same scenario gives the same bits on any number of ranks.
 *
 * Run by mpirun with n ranks. Every scenario runs on k and on n - k ranks at once, for every k, so
 * that each number of ranks from 1 to n occurs; with k = 1 each part stops, and the other goes on
 * from its checkpoint. There is a scenario for every preset, every
 * workload that can join a database, and several numbers of cells, all taken from the tables.
 * With --workload NAME those of one workload, with --all every combination, with --some a quarter
 * of the workloads for each preset; with --write DIRECTORY none are run, but one of each preset and
 * workload is written there, for other tests. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "base/hash.h"
#include "base/text.h"
#include "commands/catalogue.h"
#include "engine/sim.h"
#include "io/comm.h"
#include "results_fixture.h"

static int failures;
static unsigned nstopped;   /* runs that went on from a checkpoint */
static char directory[256]; /* for those */

static void check(int good, const char *what, const char *scenario, int ranks)
{
    if (!good) {
        (void)fprintf(stderr, "invariance_test: %s (%s, %d ranks): %s\n", what, scenario, ranks,
                      status_last_message());
        failures++;
    }
}

/* --- scenarios ------------------------------------------------------------------------------- */

#define ALL_COMBINATIONS SIZE_MAX

/* Makes any workload fit into a machine of 24 MiB: for the options that its table has. */
static const struct {
    const char *key;
    const char *value;
    const char *beside_large_pages; /* where that is another: what can be swapped is private then */
} small_options[] = {
    {"processes", "24", NULL},
    {"segment", "{ size: 10MiB }", "{ size: 4MiB }"},
    {"size", "16MiB", NULL},
    {"private_memory", "64KiB", "512KiB"},
    {"touch_rate", "100000", NULL},
    {"rate", "40MB/s", NULL},
    {"private_touches", "50%", NULL},
    {"windows", "20", NULL},
    {"window", "256KiB", NULL},
    {"moves", "200", NULL},
    {"vmas", "1500", NULL},
    {"iterations", "3", NULL},
    {"populate", "none", NULL},
    {"memory", "192KiB", "96KiB"},
    {"syscalls_per_second", "30000", NULL},
    {"copied", "6000B", NULL},
    {"working_set", "90%", "40%"},
    {"loops", "6", NULL},
    {"children", "8", NULL},
    {"fork_every", "100", NULL},
};

/* Windows have pages in several cells, and several places to go to however many cells there are:
 * they lie at multiples of 2 MiB for each cell. */
static const struct {
    const char *key;
    const char *value;
} windows_options[] = {{"size", "48MiB"}, {"windows", "6"}, {"window", "5MiB"}};

static const char *small_value(const struct workload_kind_options *kind, size_t option,
                               bool large_pages)
{
    const char *other = small_options[option].beside_large_pages;
    for (size_t i = 0; i < sizeof windows_options / sizeof windows_options[0]; i++) {
        if (kind == &workload_windows.kind &&
            strcmp(windows_options[i].key, small_options[option].key) == 0) {
            return windows_options[i].value;
        }
    }
    return large_pages && other != NULL ? other : small_options[option].value;
}

/* Ways to move windows, one for each call: but there is no remap_file_pages() where ptes are
 * scanned. */
static const char *next_move(bool scans)
{
    static const char *const moves[] = {"mremap", "munmap_mmap", "remap_file_pages"};
    static size_t turn;
    return moves[turn++ % (scans ? 2 : 3)];
}

static void append_workload(struct text *text, const struct workload_kind_options *kind,
                            bool large_pages)
{
    text_append_format(text, "  - kind: %s\n", kind->name);
    for (size_t i = 0; i < sizeof small_options / sizeof small_options[0]; i++) {
        for (size_t row = 0; row < kind->options->nrows; row++) {
            if (strcmp(kind->options->rows[row].key, small_options[i].key) == 0) {
                text_append_format(text, "    %s: %s\n", small_options[i].key,
                                   small_value(kind, i, large_pages));
            }
        }
    }
}

static const char machine[] = "duration: 2s\n"
                              "stall: 500ms\n"
                              "phases: { warmup: 50ms }\n"
                              "output: { interval: 50ms }\n";

static const struct {
    enum machine_arch number;
    const char *arch;
    const char *costs;
    const char *tlb;
} processors[] = {{ARCH_X86_64, "x86_64", "x86_64-2003", "opteron"},
                  {ARCH_I386_PAE, "i386-pae", "p4-2003", "pentium4"}};

static bool has_processor(const struct preset *preset, size_t processor)
{
    return (preset_archs(preset) >> processors[processor].number & 1) != 0;
}

static void make_scenario(const struct preset *preset, const struct workload_ops *joined,
                          size_t processor, unsigned cells, struct text *text)
{
    text_append(text, machine);
    text_append_format(text,
                       "costs: %s\n"
                       "machine:\n"
                       "  arch: %s\n"
                       "  memory: 24MiB\n"
                       "  cpus: 2\n"
                       "  cells: %u\n"
                       "  tlb: %s\n"
                       "  tlb_sampling: 2\n"
                       "  swap: { size: 64MiB, devices: 2, bandwidth: 50MB/s, latency: 1ms, "
                       "queue: 16 }\n"
                       "design: { preset: %s }\n"
                       "workloads:\n",
                       processors[processor].costs, processors[processor].arch, cells,
                       processors[processor].tlb, preset->name);
    append_workload(text, &workload_database.kind, preset->large_pages);
    append_workload(text, &joined->kind, preset->large_pages);
    if (joined == &workload_windows) {
        text_append_format(text, "    move: %s\n", next_move(preset->reclaim->scans_ptes));
    }
}

/* --- running --------------------------------------------------------------------------------- */

/* What happened in a run, for the question whether the scenarios ask anything of the machine. */
struct outcome {
    struct digest digest;
    uint64_t freed, swapped_out, major_faults;
    bool stopped; /* before its end */
};

static uint64_t last_value(const struct recording *recording, enum metric metric)
{
    return recording->machine[(recording->npoints - 1) * METRIC_COUNT + metric];
}

/* The per-cell columns of all ranks, a digest for each cell. */
static void digest_cells(MPI_Comm comm, const struct recording *recording, struct digest *cells)
{
    size_t here = recording->ncells_here;
    uint64_t *column = malloc(recording->npoints * METRIC_COUNT * sizeof *column);
    for (size_t k = 0; column != NULL && k < here; k++) {
        size_t n = 0;
        for (size_t i = 0; i < recording->npoints * METRIC_COUNT; i++) {
            if (metric_table[i % METRIC_COUNT].scope == SCOPE_CELL) {
                column[n++] = recording->per_cell[i * here + k];
            }
        }
        cells[recording->first_cell + k] = hash_bytes(column, n * sizeof *column);
    }
    check(column != NULL, "memory for a column", "", 0);
    free(column);
    /* Every cell's is zero but on its own rank. */
    MPI_Allreduce(MPI_IN_PLACE, cells, 2 * (int)recording->ncells, MPI_UINT64_T, MPI_SUM, comm);
}

/* All that a result file has below /simulation. */
static struct digest digest_of(MPI_Comm comm, const struct recording *recording)
{
    struct digest digest = {0, 0};
    struct digest *cells = calloc(recording->ncells, sizeof *cells);
    struct hash_stream *stream = NULL;
    if (cells == NULL || hash_open(&stream) != STATUS_OK) {
        MPI_Abort(MPI_COMM_WORLD, 1);
        return digest;
    }
    digest_cells(comm, recording, cells);
    hash_update(stream, cells, recording->ncells * sizeof *cells);
    hash_update(stream, recording->time, recording->npoints * sizeof *recording->time);
    hash_update(stream, recording->machine, recording->npoints * METRIC_COUNT * sizeof(uint64_t));
    hash_update(stream, recording->peak, sizeof recording->peak);
    hash_update(stream, recording->at_pressure, sizeof recording->at_pressure);
    const uint64_t scalars[] = {recording->npoints,        recording->ncells,
                                recording->pressure_began, recording->verdict,
                                recording->verdict_time,   recording->ballast};
    hash_update(stream, scalars, sizeof scalars);
    hash_update(stream, recording->verdict_detail, strlen(recording->verdict_detail));
    digest = hash_value(stream);
    hash_close(stream);
    free(cells);
    return digest;
}

/* Where a run stops, and where it goes on from; with neither it does not. */
struct leg {
    const char *path; /* of the checkpoint; NULL: none */
    uint64_t stop_after_epochs;
    bool resume;
};

static struct outcome run(MPI_Comm comm, const struct text *text, const char *name,
                          const struct catalogue *catalogue, struct leg leg)
{
    struct outcome outcome = {.stopped = false};
    struct scenario scenario;
    struct sim_result result;
    const struct scenario_overrides none = {NULL, 0, NULL};
    const struct sim_options options = {.largest_message = 500,
                                        .stop_after_epochs = leg.stop_after_epochs,
                                        .checkpoints = {.path = leg.path,
                                                        .resume = leg.resume,
                                                        .version = "test",
                                                        .revision = "a1",
                                                        .hints = ""}};
    int ranks;
    MPI_Comm_size(comm, &ranks);
    enum status status = scenario_load_text(text->chars, text->size, CONFIGS_DIR "/invariance.yaml",
                                            &none, catalogue, &scenario);
    check(status == STATUS_OK, "loaded", name, ranks);
    if (status != STATUS_OK) {
        return outcome;
    }
    status = sim_run(&scenario, comm, &options, &result);
    const bool stopped = status == STATUS_INTERRUPTED && leg.stop_after_epochs > 0;
    check(status == STATUS_OK || stopped, "ran", name, ranks);
    if (status == STATUS_OK || stopped) {
        const struct recording *recording = &result.recording;
        outcome.digest = digest_of(comm, recording);
        outcome.freed = last_value(recording, METRIC_PAGES_FREED);
        outcome.swapped_out = last_value(recording, METRIC_SWAP_OUT_BYTES);
        outcome.major_faults = last_value(recording, METRIC_MAJOR_FAULTS);
        outcome.stopped = stopped;
        sim_result_free(&result);
    }
    scenario_free(&scenario);
    return outcome;
}

/* PRESET-and-WORKLOAD.ARCH.CELLS.yaml */
static void write_scenario(const char *where, const struct preset *preset,
                           const struct workload_ops *joined, size_t turn)
{
    static const unsigned cells[] = {1, 3, 4, 8};
    const unsigned number = cells[turn % (sizeof cells / sizeof cells[0])];
    const size_t nprocessors = sizeof processors / sizeof processors[0];
    size_t processor = turn / 2 % nprocessors;
    while (!has_processor(preset, processor)) {
        processor = (processor + 1) % nprocessors;
    }
    struct text text = {0};
    char path[4200];
    make_scenario(preset, joined, processor, number, &text);
    (void)snprintf(path, sizeof path, "%s/%s-and-%s.%s.%u.yaml", where, preset->name,
                   joined->kind.name, processors[processor].arch, number);
    FILE *file = fopen(path, "we");
    check(file != NULL && fwrite(text.chars, 1, text.size, file) == text.size, "written", path, 0);
    check(file != NULL && fclose(file) == 0, "closed", path, 0);
    text_free(&text);
}

static void write_scenarios(const char *where)
{
    for (size_t turn = 0; design_presets[turn].name != NULL; turn++) {
        for (size_t kind = 0; workload_table[kind] != NULL; kind++) {
            if (workload_table[kind] != &workload_database) {
                write_scenario(where, &design_presets[turn], workload_table[kind], turn + kind);
            }
        }
    }
}

/* The slower half is not to be disturbed by ranks that wait. */
static void wait_for_all(void)
{
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    io_wait(&request, 1);
}

/* Whatever a scenario remembers from one epoch to the next is in a checkpoint: one part of the
 * ranks goes on from that of the other. */
static struct outcome run_in_two_legs(MPI_Comm comm, int part, const struct text *text,
                                      const char *name, const struct catalogue *catalogue)
{
    static unsigned turn;
    char paths[2][300];
    const uint64_t epochs = 30 + 61 * (turn++ % 13);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s/%d.ckpt", directory, i);
    }
    struct outcome outcome = run(comm, text, name, catalogue,
                                 (struct leg){paths[part], epochs, false});
    nstopped += outcome.stopped;
    wait_for_all();
    if (outcome.stopped) {
        outcome = run(comm, text, name, catalogue, (struct leg){paths[1 - part], 0, true});
    }
    wait_for_all();
    (void)unlink(paths[part]);
    return outcome;
}

/* Runs a scenario on all ranks, and on every way to split them in two. */
static struct outcome test_scenario(const struct text *text, const char *name,
                                    const struct catalogue *catalogue)
{
    int rank;
    int size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    struct outcome first = {.stopped = false};
    for (int k = 0; k <= size / 2; k++) {
        MPI_Comm comm;
        MPI_Comm_split(MPI_COMM_WORLD, rank < k, rank, &comm);
        struct outcome outcome = k == 1 ? run_in_two_legs(comm, rank < k, text, name, catalogue)
                                        : run(comm, text, name, catalogue,
                                              (struct leg){NULL, 0, false});
        MPI_Comm_free(&comm);
        wait_for_all();
        if (k == 0) {
            first = outcome;
            MPI_Bcast(&first.digest, 2, MPI_UINT64_T, 0, MPI_COMM_WORLD);
        }
        check(digest_equal(first.digest, outcome.digest), "the digest is that of all ranks", name,
              rank < k ? k : size - k);
    }
    return first;
}

/* Adds to `sum` what happens on all ranks. A test of all combinations takes every processor and
 * number of cells; the short one takes them in turn, so that each preset and each workload meets
 * all of them. */
static void test_combination(const struct preset *preset, const struct workload_ops *joined,
                             const struct catalogue *catalogue, size_t turn, struct outcome *sum)
{
    static const unsigned cells[] = {1, 3, 5, 8};
    const size_t ncells = sizeof cells / sizeof cells[0];
    const size_t nprocessors = sizeof processors / sizeof processors[0];
    size_t its_turn = turn % (nprocessors * ncells);
    while (!has_processor(preset, its_turn / ncells)) {
        its_turn = (its_turn + ncells) % (nprocessors * ncells);
    }
    for (size_t i = 0; i < nprocessors * ncells; i++) {
        if (turn == ALL_COMBINATIONS ? !has_processor(preset, i / ncells) : i != its_turn) {
            continue;
        }
        struct text text = {0};
        char name[128];
        make_scenario(preset, joined, i / ncells, cells[i % ncells], &text);
        (void)snprintf(name, sizeof name, "%s on %s, database and %s, %u cells", preset->name,
                       processors[i / ncells].arch, joined->kind.name, cells[i % ncells]);
        struct outcome outcome = test_scenario(&text, name, catalogue);
        sum->freed += outcome.freed;
        sum->swapped_out += outcome.swapped_out;
        sum->major_faults += outcome.major_faults;
        text_free(&text);
    }
}

/* Files and shared segments of one unit each, in different cells, and no swap: processes give up in
 * cells that have nothing to free, and memory runs out where all of them have nothing. */
static void test_memory_runs_out(const struct preset *preset, const struct catalogue *catalogue)
{
    for (unsigned segments = 8; segments <= 12; segments += 4) {
        struct text text = {0};
        text_append_format(&text,
                           "duration: 4s\n"
                           "machine: { arch: %s, memory: 24MiB, cpus: 2, cells: 4, "
                           "disk: { bandwidth: 400MB/s, latency: 2ms } }\n"
                           "design: { preset: %s }\n"
                           "phases: { warmup: 0s }\n"
                           "costs: x86_64-2003\n"
                           "workloads:\n",
                           (preset_archs(preset) >> ARCH_X86_64 & 1) != 0 ? "x86_64" : "i386-pae",
                           preset->name);
        for (unsigned i = 0; i < segments; i++) {
            text_append_format(&text,
                               "  - { kind: page_cache_reader, name: file%u, size: %s }\n"
                               "  - { kind: shm_copy, name: segment%u, size: 2MiB, rate: 4MB/s }\n",
                               i, segments == 8 ? "2MiB" : "4KiB", i);
        }
        (void)test_scenario(&text, preset->name, catalogue);
        text_free(&text);
    }
}

/* So little memory that cells run out of frames while processes are populated, and go on with those
 * of others. */
static void test_tight_populate(const struct catalogue *catalogue)
{
    struct text text = {0};
    text_append(&text, "duration: 300ms\n"
                       "machine: { memory: 34MiB, ballast: 0, cells: 15, swap: { size: 16MiB } }\n"
                       "design: { preset: linux-2.6.0 }\n"
                       "phases: { warmup: 10ms }\n"
                       "costs: x86_64-2003\n"
                       "workloads:\n"
                       "  - { kind: database, processes: 60, segment: { size: 16MiB },\n"
                       "      private_memory: 100KiB }\n"
                       "  - { kind: shm_copy, size: 8MiB, rate: 40MB/s }\n");
    (void)test_scenario(&text, "tight populate", catalogue);
    text_free(&text);
}

/* One workload alone, with every preset: for who works on it. */
static void test_workload(const char *name, const struct catalogue *catalogue)
{
    struct outcome sum = {.stopped = false};
    for (size_t turn = 0; design_presets[turn].name != NULL; turn++) {
        for (size_t kind = 0; workload_table[kind] != NULL; kind++) {
            if (strcmp(workload_table[kind]->kind.name, name) == 0) {
                test_combination(&design_presets[turn], workload_table[kind], catalogue, turn,
                                 &sum);
            }
        }
    }
}

/* Of the workloads, every `step`-th, in turn. */
static void test_preset(const struct preset *preset, const struct catalogue *catalogue, size_t turn,
                        size_t step)
{
    struct outcome sum = {.stopped = false};
    unsigned stopped_before = nstopped;
    for (size_t kind = 0; workload_table[kind] != NULL; kind++) {
        if (workload_table[kind] != &workload_database && (kind + turn) % step == 0) {
            test_combination(preset, workload_table[kind], catalogue,
                             turn == ALL_COMBINATIONS ? turn : turn + kind, &sum);
        }
    }
    if (step > 1) {
        return;
    }
    /* Nothing is said by machines that are at rest. */
    check(sum.freed > 3000, "pages are freed", preset->name, 0);
    check(sum.swapped_out > 3000 * (uint64_t)PAGE_BYTES, "pages are swapped out", preset->name, 0);
    check(sum.major_faults > 300, "pages are swapped in", preset->name, 0);
    check(nstopped > stopped_before + 5, "runs are stopped on the way", preset->name, 0);
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    status_set_quiet(1);
    fixture_directory(MPI_COMM_WORLD, directory);
    const bool all_of_them = argc > 1 && strcmp(argv[1], "--all") == 0;
    const size_t step = argc > 1 && strcmp(argv[1], "--some") == 0 ? 4 : 1;
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0 && step > 1) {
        printf("sanitized: for each preset one of %zu workloads\n", step);
    }
    struct catalogue_names names;
    catalogue_fill(&names);
    if (argc > 2 && strcmp(argv[1], "--workload") == 0) {
        test_workload(argv[2], &names.catalogue);
    } else if (argc > 2 && strcmp(argv[1], "--write") == 0) {
        write_scenarios(argv[2]);
    } else {
        test_tight_populate(&names.catalogue);
    }
    for (const struct preset *preset = design_presets; preset->name != NULL && argc <= 2;
         preset++) {
        test_preset(preset, &names.catalogue,
                    all_of_them ? ALL_COMBINATIONS : (size_t)(preset - design_presets), step);
        test_memory_runs_out(preset, &names.catalogue);
    }
    int all = 0;
    if (rank == 0) {
        fixture_remove(directory);
    }
    MPI_Allreduce(&failures, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    return all == 0 ? 0 : 1;
}
