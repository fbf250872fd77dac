/* Checkpoints: a cell comes back as it was, a run goes on with the same bits, and what is no
 * checkpoint, or was damaged, is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/catalogue.h"
#include "config/scenario_difference.h"
#include "designs/designs.h"
#include "engine/checkpoint_cell.h"
#include "engine/sections.h"
#include "machine/populate.h"
#include "run_fixture.h"

#include <cmocka.h>

static const char scenario_text[] =
    "duration: 200ms\n"
    "output: { interval: 10ms }\n"
    "machine: { memory: 36MiB, cpus: 2, cells: 3, swap: { size: 64MiB, latency: 200us } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - kind: database\n"
    "    processes: 20\n"
    "    segment: { size: 24MiB, populate: write }\n"
    "    private_memory: 256KiB\n"
    "    touch_rate: 10000\n"
    "    log_writes: 500\n"
    "  - kind: shm_copy\n"
    "    size: 48MiB\n"
    "    rate: 400MB/s\n"
    "phases: { warmup: 5ms }\n"
    "costs: x86_64-2003\n";

static char directory[] = "/tmp/thrash-checkpoint-XXXXXX";
static char path[64];

static int open_directory(void **state)
{
    if (run_fixture_open(state) != 0 || mkdtemp(directory) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/run.ckpt", directory);
    return 0;
}

static int close_directory(void **state)
{
    (void)unlink(path);
    (void)rmdir(directory);
    return run_fixture_close(state);
}

static struct scenario load(const char *set)
{
    struct catalogue_names names;
    struct scenario scenario;
    const struct scenario_overrides overrides = {&set, set != NULL, NULL};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/checkpoint_test.yaml", &overrides,
                                        &names.catalogue, &scenario),
                     STATUS_OK);
    return scenario;
}

/* --- blocks and cells ---------------------------------------------------------------------- */

enum { BLOCKS = 40 };

/* Exactly the blocks with something in them are found: pages that were only read, or written with
 * zeros, count for nothing; the last block is shorter. */
static void test_blocks(void **state)
{
    (void)state;
    struct state_table table = {0};
    unsigned char *bytes;
    struct state_blocks blocks = {0};
    const uint64_t size = BLOCKS * STATE_BLOCK_BYTES - 100;
    state_declare(&table, "bytes", "a byte", 1, size, size, (void **)&bytes);
    assert_int_equal(state_map(&table), STATUS_OK);
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 0);
    bytes[3 * STATE_BLOCK_BYTES] = 0;
    bytes[5 * STATE_BLOCK_BYTES - 1] = 1;
    bytes[7 * STATE_BLOCK_BYTES] = 1;
    bytes[size - 1] = 1;
    assert_int_equal(bytes[20 * STATE_BLOCK_BYTES], 0);
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 3);
    assert_int_equal(blocks.index[0], 4);
    assert_int_equal(blocks.index[1], 7);
    assert_int_equal(blocks.index[2], BLOCKS - 1);
    assert_int_equal(state_block_bytes(&table.array[0], BLOCKS - 1, 1), STATE_BLOCK_BYTES - 100);
    state_clear(&table);
    assert_int_equal(state_resident(&table.array[0]), 0);
    blocks.n = 0;
    assert_int_equal(state_find_blocks(&table.array[0], &blocks), STATUS_OK);
    assert_int_equal(blocks.n, 0);
    free(blocks.index);
    state_unmap(&table);
}

struct machine {
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct recording recording;
};

static void create_cell(struct machine *machine, cell_id id, struct cell *cell)
{
    assert_int_equal(
        cell_create(&machine->scenario, &machine->set.plan, &machine->design, id, cell), STATUS_OK);
}

static void open_file(struct shared_file **file_p)
{
    const struct io_comm comm = io_comm_of(MPI_COMM_SELF);
    FILE *empty = fopen(path, "we");
    assert_non_null(empty);
    assert_int_equal(fclose(empty), 0);
    assert_int_equal(shared_file_open(&comm, path, path, true, "", file_p), STATUS_OK);
}

/* A populated cell is written, and read into another that has been used for something else. */
static void test_cell(void **state)
{
    (void)state;
    struct machine machine = {.scenario = load(NULL)};
    struct cell cell;
    struct cell other;
    struct cell_image image;
    struct part_writer writer;
    struct checkpoint_part part;
    struct shared_file *file;
    uint64_t series[2 * METRIC_COUNT];
    assert_int_equal(design_resolve(&machine.scenario, &machine.design), STATUS_OK);
    assert_int_equal(workloads_plan(&machine.scenario, &machine.design, &machine.set), STATUS_OK);
    create_cell(&machine, 1, &cell);
    assert_int_equal(populate_boot(&cell), STATUS_OK);
    for (process_id i = 0; i < machine.set.plan.nprocesses; i++) {
        populate_process(&cell, i, false);
    }
    for (size_t i = 0; i < 2 * METRIC_COUNT; i++) {
        series[i] = 1000 + i;
    }
    machine.recording = (struct recording){
        .npoints = 2, .per_cell = series, .ncells = 3, .first_cell = 1, .ncells_here = 1};
    const struct digest whole = state_digest(&cell.state);

    open_file(&file);
    assert_int_equal(cell_image_make(&cell, &machine.recording, &image), STATUS_OK);
    part_begin(&writer, file, (uint64_t)5 << 30); /* beyond 32 bits; the file has a hole */
    cell_image_write(&image, &cell, &writer);
    assert_int_equal(part_end(&writer, &part), STATUS_OK);
    assert_int_equal(part.bytes, image.bytes);
    assert_int_equal(part_verify(file, path, &part), STATUS_OK);

    create_cell(&machine, 1, &other);
    assert_int_equal(populate_boot(&other), STATUS_OK);
    for (size_t i = 0; i < other.state.narrays; i++) {
        const struct state_array *array = &other.state.array[i];
        memset(*array->base, 0x55, (size_t)state_array_bytes(array));
    }
    assert_false(digest_equal(whole, state_digest(&other.state)));
    uint64_t column[2 * METRIC_COUNT] = {0};
    machine.recording.per_cell = column;
    assert_int_equal(cell_image_load(file, path, &part, &other, &machine.recording), STATUS_OK);
    assert_true(digest_equal(whole, state_digest(&other.state)));
    assert_memory_equal(series, column, sizeof series);
    for (size_t i = 0; i < other.state.narrays; i++) {
        /* Blocks are read whole, the pages in them that are zero as well. */
        struct state_blocks blocks = {0};
        assert_int_equal(state_find_blocks(&cell.state.array[i], &blocks), STATUS_OK);
        assert_true(state_resident(&other.state.array[i]) <=
                    state_resident(&cell.state.array[i]) + blocks.n * STATE_BLOCK_BYTES);
        free(blocks.index);
    }

    /* Another cell's part, a part cut short, and one that changed. */
    cell_destroy(&other);
    create_cell(&machine, 2, &other);
    assert_int_equal(cell_image_load(file, path, &part, &other, &machine.recording), STATUS_FAILED);
    struct checkpoint_part cut = part;
    cut.bytes -= 8;
    assert_int_equal(cell_image_load(file, path, &cut, &cell, &machine.recording), STATUS_FAILED);
    assert_int_equal(shared_file_write(file, part.offset + part.bytes / 2, "damage", 6), STATUS_OK);
    assert_int_equal(part_verify(file, path, &part), STATUS_FAILED);
    assert_non_null(strstr(status_last_message(), "is damaged"));

    shared_file_close(file);
    cell_image_free(&image);
    cell_destroy(&cell);
    cell_destroy(&other);
    workloads_free(&machine.set);
    scenario_free(&machine.scenario);
}

/* --- runs ---------------------------------------------------------------------------------- */

static enum status run_leg_of(const struct scenario *scenario, bool resume,
                              uint64_t stop_after_epochs, const char *version, const char *revision,
                              struct sim_result *result)
{
    const struct sim_options options = {
        .stop_after_epochs = stop_after_epochs,
        .checkpoints =
            {.path = path, .resume = resume, .version = version, .revision = revision, .hints = ""},
    };
    return sim_run(scenario, MPI_COMM_SELF, &options, result);
}

static enum status run_leg(const struct scenario *scenario, bool resume, uint64_t stop_after_epochs,
                           const char *version, struct sim_result *result)
{
    return run_leg_of(scenario, resume, stop_after_epochs, version, "a1", result);
}

static void assert_same(const struct recording *a, const struct recording *b)
{
    assert_int_equal(a->npoints, b->npoints);
    assert_memory_equal(a->time, b->time, a->npoints * sizeof *a->time);
    assert_memory_equal(a->machine, b->machine, a->npoints * METRIC_COUNT * sizeof *a->machine);
    assert_memory_equal(a->per_cell, b->per_cell,
                        a->npoints * METRIC_COUNT * a->ncells * sizeof *a->per_cell);
    assert_memory_equal(a->peak, b->peak, sizeof a->peak);
    assert_memory_equal(a->at_pressure, b->at_pressure, sizeof a->at_pressure);
    assert_int_equal(a->verdict, b->verdict);
    assert_string_equal(a->verdict_detail, b->verdict_detail);
}

/* Stopped after every epoch, through warm-up, the begin of pressure and many samples, a run is the
 * same as in one go. */
static void test_every_epoch(void **state)
{
    (void)state;
    static const char *const presets[] = {"linux-2.4.23", "linux-2.6.0", "linux-2.5-objrmap"};
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        char set[64];
        (void)snprintf(set, sizeof set, "design.preset=%s", presets[i]);
        struct scenario scenario = load(set);
        const struct sim_options plain = {.stop_after = 0};
        struct sim_result whole;
        struct sim_result leg;
        assert_int_equal(sim_run(&scenario, MPI_COMM_SELF, &plain, &whole), STATUS_OK);
        assert_true(result_count(&whole, METRIC_PAGES_FREED) > 0);
        assert_true(result_count(&whole, METRIC_SWAP_IN_BYTES) > 0);
        sim_time before = 0;
        struct checkpoint_totals checkpoints = {0};
        double waiting = 0;
        double first = 0;
        for (int epoch = 1; epoch <= 160; epoch++) {
            assert_int_equal(run_leg(&scenario, epoch > 1, 1, "test", &leg), STATUS_INTERRUPTED);
            assert_true(leg.checkpoints.saved_last);
            assert_int_equal(leg.epochs, epoch);
            /* What earlier starts had cost goes on being counted. */
            assert_int_equal(leg.checkpoints.written, epoch);
            assert_int_equal(leg.checkpoints.failed, 0);
            assert_true(leg.checkpoints.bytes > checkpoints.bytes + (1 << 16));
            assert_true(leg.exchange.seconds_waiting >= waiting);
            assert_true(leg.checkpoints.seconds < leg.wall_run);
            checkpoints = leg.checkpoints;
            first = epoch == 1 ? leg.checkpoints.seconds : first;
            waiting = leg.exchange.seconds_waiting;
            assert_int_equal(leg.resumed_from, epoch == 1 ? TIME_NEVER : before);
            before = leg.recording.verdict_time;
            sim_result_free(&leg);
        }
        assert_int_equal(run_leg(&scenario, true, 0, "test", &leg), STATUS_OK);
        assert_same(&whole.recording, &leg.recording);
        assert_int_equal(leg.messages, whole.messages);
        assert_int_equal(leg.epochs, whole.epochs);
        assert_int_equal(leg.exchange.exchanges, whole.exchange.exchanges);
        assert_int_equal(leg.checkpoints.written, checkpoints.written);
        assert_int_equal(leg.checkpoints.bytes, checkpoints.bytes);
        assert_true(leg.checkpoints.seconds > first);
        assert_true(leg.wall_run > leg.checkpoints.seconds);
        sim_result_free(&leg);
        sim_result_free(&whole);
        scenario_free(&scenario);
    }
}

/* A checkpoint that cannot get its name leaves nothing behind. */
static void test_name_taken(void **state)
{
    (void)state;
    struct scenario scenario = load(NULL);
    struct sim_result result;
    (void)unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    int quiet = status_set_quiet(1);
    assert_int_equal(run_leg(&scenario, false, 1, "test", &result), STATUS_INTERRUPTED);
    (void)status_set_quiet(quiet);
    assert_int_equal(result.checkpoints.failed, 1);
    assert_false(result.checkpoints.saved_last);
    sim_result_free(&result);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(directory), 0); /* it is empty */
    assert_int_equal(mkdir(directory, 0700), 0);
    scenario_free(&scenario);
}

static void assert_refused(const struct scenario *scenario, const char *version, enum status code,
                           const char *sentence)
{
    struct sim_result result;
    assert_int_equal(run_leg(scenario, true, 0, version, &result), code);
    assert_non_null(strstr(status_last_message(), path));
    if (strstr(status_last_message(), sentence) == NULL) {
        fail_msg("`%s` lacks `%s`", status_last_message(), sentence);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct scenario scenario = load(NULL);
    struct scenario other = load("seed=2");
    struct sim_result result;
    assert_int_equal(run_leg(&scenario, false, 1, "1.0", &result), STATUS_INTERRUPTED);
    sim_result_free(&result);
    assert_refused(&scenario, "1.1", STATUS_USAGE, "was written by thrash 1.0, this is 1.1");
    assert_refused(&other, "1.0", STATUS_USAGE,
                   "seed is `1` in the checkpoint and `2` in this run");
    (void)unlink(path);
    assert_refused(&scenario, "1.0", STATUS_FAILED, "cannot open it");
    scenario_free(&scenario);
    scenario_free(&other);
}

/* --- other programs ------------------------------------------------------------------------ */

static unsigned char *read_whole(size_t *size_p)
{
    FILE *file = fopen(path, "re");
    struct stat found;
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &found), 0);
    unsigned char *bytes = malloc((size_t)found.st_size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)found.st_size, file), found.st_size);
    assert_int_equal(fclose(file), 0);
    *size_p = (size_t)found.st_size;
    return bytes;
}

/* What a run leaves that is stopped. */
static unsigned char *checkpoint_of(const struct scenario *scenario, size_t *size_p)
{
    struct sim_result result;
    assert_int_equal(run_leg(scenario, false, 1, "test", &result), STATUS_INTERRUPTED);
    sim_result_free(&result);
    return read_whole(size_p);
}

static void write_whole(const unsigned char *bytes, size_t size)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* What the state is made of is the same: a run goes on from what another revision wrote, and says
 * which revisions brought it there. */
static void test_other_revision(void **state)
{
    (void)state;
    struct scenario scenario = load(NULL);
    const struct sim_options plain = {.stop_after = 0};
    struct sim_result whole;
    struct sim_result leg;
    assert_int_equal(sim_run(&scenario, MPI_COMM_SELF, &plain, &whole), STATUS_OK);
    static const struct {
        const char *revision, *revisions;
    } legs[] = {{"a1", ""}, {"a1", "a1"}, {"b2-dirty", "a1"}, {"a1", "a1, b2-dirty"}};
    int quiet = status_set_quiet(1);
    for (size_t i = 0; i < sizeof legs / sizeof legs[0]; i++) {
        assert_int_equal(run_leg_of(&scenario, i > 0, 20, "1.0", legs[i].revision, &leg),
                         STATUS_INTERRUPTED);
        assert_string_equal(leg.checkpoints.revisions, legs[i].revisions);
        sim_result_free(&leg);
    }
    assert_int_equal(run_leg_of(&scenario, true, 0, "1.0", "c3", &leg), STATUS_OK);
    (void)status_set_quiet(quiet);
    assert_string_equal(leg.checkpoints.revisions, "a1, b2-dirty, a1");
    assert_same(&whole.recording, &leg.recording);
    sim_result_free(&leg);
    sim_result_free(&whole);
    scenario_free(&scenario);
}

static unsigned char *find_bytes(unsigned char *bytes, size_t size, const char *text, bool in_cells)
{
    struct checkpoint_header header;
    memcpy(&header, bytes, sizeof header);
    const size_t first = in_cells ? (size_t)(header.common.offset + header.common.bytes) : 0;
    unsigned char *found = memmem(bytes + first, size - first, text, strlen(text));
    assert_non_null(found);
    return found;
}

/* Makes digests fit again after a change, as a program would have written them. */
static void seal_again(unsigned char *bytes)
{
    struct checkpoint_header header;
    memcpy(&header, bytes, sizeof header);
    for (uint64_t i = 0; i < header.ncells; i++) {
        struct checkpoint_part part;
        unsigned char *place = bytes + header.table.offset + i * sizeof part;
        memcpy(&part, place, sizeof part);
        part.digest = hash_bytes(bytes + part.offset, (size_t)part.bytes);
        memcpy(place, &part, sizeof part);
    }
    struct checkpoint_part *const parts[] = {&header.table, &header.types, &header.scenario,
                                             &header.common};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        parts[i]->digest = hash_bytes(bytes + parts[i]->offset, (size_t)parts[i]->bytes);
    }
    checkpoint_seal(&header);
    memcpy(bytes, &header, sizeof header);
}

/* A checkpoint of a program whose state is another is refused by what differs, whether the program
 * says that it is of the same revision or not; and found out before anything runs, where all of it
 * is looked at. */
static void test_other_state(void **state)
{
    (void)state;
    struct scenario scenario = load(NULL);
    size_t size;
    unsigned char *whole = checkpoint_of(&scenario, &size);
    unsigned char *changed = malloc(size);
    assert_non_null(changed);
    const size_t name = SECTION_NAME_SIZE;
    static const struct {
        const char *found; /* in the file */
        int at;            /* from there: -1, the number after a section's head */
        const char *sentence;
        bool in_cells;
    } rows[] = {
        {"struct home=", 12, "the definition of struct home differs", false},
        {"struct home=", 8, "it has no struct home", false},
        {"enum process_state=", 20, "the definition of enum process_state differs", false},
        {"constants of machine/pte.h=", 27, "the definition of constants of machine/pte.h differs",
         false},
        {"mapcount", 3, "it has no array mapcount where this one has it", true},
        {"vma_nodes", -1, "bytes of an element of its array vma_nodes", true},
        {"written_at", -2, "elements of its array written_at", true},
    };
    const struct checkpoint_options options = {
        .path = path, .version = "test", .revision = "a1", .hints = ""};
    bool damaged = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        memcpy(changed, whole, size);
        unsigned char *place = find_bytes(changed, size, rows[i].found, rows[i].in_cells);
        const size_t head = name + 2 * sizeof(uint64_t); /* of a section */
        place += rows[i].at >= 0 ? (size_t)rows[i].at
                                 : head + (size_t)(-rows[i].at - 1) * sizeof(uint64_t);
        *place ^= 1;
        seal_again(changed);
        write_whole(changed, size);
        assert_refused(&scenario, "test", STATUS_USAGE, rows[i].sentence);
        assert_int_equal(checkpoint_look(&scenario, &options, true, &damaged), STATUS_USAGE);
        assert_false(damaged);
        assert_non_null(strstr(status_last_message(), rows[i].sentence));
        assert_int_equal(checkpoint_look(&scenario, &options, false, &damaged),
                         rows[i].in_cells ? STATUS_OK : STATUS_USAGE);
    }
    write_whole(whole, size);
    assert_int_equal(checkpoint_look(&scenario, &options, true, &damaged), STATUS_OK);
    assert_false(damaged);
    whole[size - 100] ^= 1; /* in the last cell */
    write_whole(whole, size);
    assert_int_equal(checkpoint_look(&scenario, &options, false, &damaged), STATUS_OK);
    assert_int_equal(checkpoint_look(&scenario, &options, true, &damaged), STATUS_FAILED);
    assert_true(damaged);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(checkpoint_look(&scenario, &options, true, &damaged), STATUS_FAILED);
    assert_false(damaged);
    free(whole);
    free(changed);
    scenario_free(&scenario);
}

/* --- damage -------------------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return *seed >> 33;
}

/* Flips, cuts, swaps and blanks; half of them near the begin, where everything is said. */
static size_t damage(unsigned char *bytes, size_t size, uint64_t *seed)
{
    size_t range = next_random(seed) % 2 == 0 ? 1024 : size;
    size_t at = (size_t)(next_random(seed) % range);
    switch (next_random(seed) % 4) {
    case 0:
        bytes[at] ^= (unsigned char)(1U << next_random(seed) % 8);
        return size;
    case 1:
        return at;
    case 2:
        bytes[at] ^= 0xff;
        bytes[size - 1 - at] ^= 0x0f;
        return size;
    default:
        bytes[at] ^= 1;
        memset(bytes + at + 1, 0, size - at - 1 < 4096 ? size - at - 1 : 4096);
        return size;
    }
}

/* Whatever happens to a file, it is refused with a sentence that names it. */
static void test_damaged(void **state)
{
    (void)state;
    struct scenario scenario = load(NULL);
    size_t size;
    unsigned char *whole = checkpoint_of(&scenario, &size);
    unsigned char *damaged = malloc(size);
    struct sim_result result;
    assert_non_null(damaged);
    int quiet = status_set_quiet(1);
    for (uint64_t first = 1; first <= 200; first++) {
        uint64_t seed = first;
        memcpy(damaged, whole, size);
        write_whole(damaged, damage(damaged, size, &seed));
        enum status status = run_leg(&scenario, true, 1, "test", &result);
        if (status != STATUS_FAILED && status != STATUS_USAGE) {
            fail_msg("seed %d: status %d", (int)first, (int)status);
        }
        assert_non_null(strstr(status_last_message(), path));
    }
    (void)status_set_quiet(quiet);
    write_whole(whole, size);
    assert_int_equal(run_leg(&scenario, true, 1, "test", &result), STATUS_INTERRUPTED);
    sim_result_free(&result);
    free(whole);
    free(damaged);
    scenario_free(&scenario);
}

/* Sections whose heads lie are not taken, and never read beyond their end. */
static void test_sections(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 2, 3};
    struct sections sections = {0};
    const void *data;
    uint64_t n;
    sections_put(&sections, "bytes", "abcde", 1, 5);
    sections_put(&sections, "none", NULL, 16, 0);
    sections_put(&sections, "numbers", numbers, sizeof numbers[0], 3);
    assert_false(sections.failed);
    struct sections_reader reader = {sections.bytes, sections.size, 0};
    assert_false(sections_take(&reader, "numbers", 1, &data, &n));
    assert_false(sections_take(&reader, "bytes", 2, &data, &n));
    assert_true(sections_take(&reader, "bytes", 1, &data, &n));
    assert_int_equal(n, 5);
    assert_memory_equal(data, "abcde", 5);
    assert_true(sections_take(&reader, "none", 16, &data, &n));
    uint64_t copy[3];
    assert_false(sections_copy(&(struct sections_reader){reader.bytes, reader.size, reader.at},
                               "numbers", sizeof copy[0], 2, copy));
    assert_true(sections_copy(&reader, "numbers", sizeof copy[0], 3, copy));
    assert_memory_equal(copy, numbers, sizeof copy);
    assert_false(sections_take(&reader, "numbers", sizeof copy[0], &data, &n));
    for (size_t size = 0; size < sections.size; size++) {
        unsigned char *cut = malloc(size + 1);
        assert_non_null(cut);
        memcpy(cut, sections.bytes, size);
        for (size_t at = 0; at < size; at++) {
            struct sections_reader other = {cut, size, 0};
            cut[at] ^= 0xff;
            (void)(sections_take(&other, "bytes", 1, &data, &n) &&
                   sections_take(&other, "none", 16, &data, &n) &&
                   sections_copy(&other, "numbers", sizeof copy[0], 3, copy));
            assert_true(other.at <= other.size);
            cut[at] ^= 0xff;
        }
        free(cut);
    }
    free(sections.bytes);
}

/* --- scenarios ----------------------------------------------------------------------------- */

static void test_difference(void **state)
{
    (void)state;
    const struct {
        const char *a, *b, *difference;
    } rows[] = {
        {"seed: 1\n", "seed: 1\n", ""},
        {"seed: 1\ntitle: a\n", "seed: 1\ntitle: b\n", ""},
        {"output: { file: a, interval: 1s }\n", "output: { file: b, interval: 1s }\n", ""},
        {"output: { interval: 1s }\n", "output: { interval: 2s }\n",
         "output.interval is `1s` in A and `2s` in B"},
        {"m: { a: 1, b: 2 }\n", "m: { b: 2, a: 1 }\n", ""},
        {"m: { a: 1 }\n", "m: { a: 1, b: 2 }\n", "m.b is missing in A and `2` in B"},
        {"m: { a: 1, b: 2 }\n", "m: { a: 1 }\n", "m.b is `2` in A and missing in B"},
        {"m: 1\n", "m: { a: 1 }\n", "m is `1` in A and a mapping in B"},
        {"workloads: [{ kind: x, n: 1 }, { kind: y }]\n",
         "workloads: [{ kind: y }, { kind: x, n: 2 }]\n", "workloads.x.n is `1` in A and `2` in B"},
        {"workloads: [{ kind: x }]\n", "workloads: [{ kind: x }, { kind: y }]\n",
         "workloads.y is missing in A and a mapping in B"},
        {"costs: { name: a, costs: { x: { time: 1ns, source: s } } }\n",
         "costs: { name: b, costs: { x: { time: 1ns, source: t } } }\n", ""},
        {"costs: { costs: { x: { time: 1ns } } }\n", "costs: { costs: { x: { time: 2ns } } }\n",
         "costs.costs.x.time is `1ns` in A and `2ns` in B"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        assert_int_equal(scenario_difference(rows[i].a, "A", rows[i].b, "B", &text), STATUS_OK);
        assert_string_equal(text_string(&text), rows[i].difference);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),         cmocka_unit_test(test_cell),
        cmocka_unit_test(test_name_taken),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_epoch),    cmocka_unit_test(test_sections),
        cmocka_unit_test(test_difference),     cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_other_revision), cmocka_unit_test(test_other_state),
    };
    return cmocka_run_group_tests(tests, open_directory, close_directory);
}
