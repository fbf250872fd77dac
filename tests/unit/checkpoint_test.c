/* Checkpoints of runs: a run goes on with the same bits, and what is no checkpoint, or was damaged,
 * is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_fixture.h"
#include "engine/checkpoint_cell.h"
#include "engine/sections.h"
#include "run_fixture.h"

#include <cmocka.h>

/* --- runs ---------------------------------------------------------------------------------- */

static enum status run_leg_of(const struct scenario *scenario, bool resume,
                              uint64_t stop_after_epochs, const char *version, const char *revision,
                              struct sim_result *result)
{
    const struct sim_options options = {
        .stop_after_epochs = stop_after_epochs,
        .checkpoints = {.path = checkpoint_path,
                        .resume = resume,
                        .version = version,
                        .revision = revision,
                        .hints = ""},
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
        struct scenario scenario = checkpoint_scenario(set);
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
    struct scenario scenario = checkpoint_scenario(NULL);
    struct sim_result result;
    (void)unlink(checkpoint_path);
    assert_int_equal(mkdir(checkpoint_path, 0700), 0);
    int quiet = status_set_quiet(1);
    assert_int_equal(run_leg(&scenario, false, 1, "test", &result), STATUS_INTERRUPTED);
    (void)status_set_quiet(quiet);
    assert_int_equal(result.checkpoints.failed, 1);
    assert_false(result.checkpoints.saved_last);
    sim_result_free(&result);
    assert_int_equal(rmdir(checkpoint_path), 0);
    assert_int_equal(rmdir(checkpoint_directory), 0); /* it is empty */
    assert_int_equal(mkdir(checkpoint_directory, 0700), 0);
    scenario_free(&scenario);
}

static void assert_refused(const struct scenario *scenario, const char *version, enum status code,
                           const char *sentence)
{
    struct sim_result result;
    assert_int_equal(run_leg(scenario, true, 0, version, &result), code);
    assert_non_null(strstr(status_last_message(), checkpoint_path));
    if (strstr(status_last_message(), sentence) == NULL) {
        fail_msg("`%s` lacks `%s`", status_last_message(), sentence);
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct scenario scenario = checkpoint_scenario(NULL);
    struct scenario other = checkpoint_scenario("seed=2");
    struct sim_result result;
    assert_int_equal(run_leg(&scenario, false, 1, "1.0", &result), STATUS_INTERRUPTED);
    sim_result_free(&result);
    assert_refused(&scenario, "1.1", STATUS_USAGE, "was written by thrash 1.0, this is 1.1");
    assert_refused(&other, "1.0", STATUS_USAGE,
                   "seed is `1` in the checkpoint and `2` in this run");
    (void)unlink(checkpoint_path);
    assert_refused(&scenario, "1.0", STATUS_FAILED, "cannot open it");
    scenario_free(&scenario);
    scenario_free(&other);
}

/* --- other programs ------------------------------------------------------------------------ */

static unsigned char *read_whole(size_t *size_p)
{
    FILE *file = fopen(checkpoint_path, "re");
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
    FILE *file = fopen(checkpoint_path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* What the state is made of is the same: a run goes on from what another revision wrote, and says
 * which revisions brought it there. */
static void test_other_revision(void **state)
{
    (void)state;
    struct scenario scenario = checkpoint_scenario(NULL);
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
    struct scenario scenario = checkpoint_scenario(NULL);
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
        .path = checkpoint_path, .version = "test", .revision = "a1", .hints = ""};
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
    assert_int_equal(unlink(checkpoint_path), 0);
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
    struct scenario scenario = checkpoint_scenario(NULL);
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
        assert_non_null(strstr(status_last_message(), checkpoint_path));
    }
    (void)status_set_quiet(quiet);
    write_whole(whole, size);
    assert_int_equal(run_leg(&scenario, true, 1, "test", &result), STATUS_INTERRUPTED);
    sim_result_free(&result);
    free(whole);
    free(damaged);
    scenario_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_taken),     cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_epoch),    cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_other_revision), cmocka_unit_test(test_other_state),
    };
    return cmocka_run_group_tests(tests, checkpoint_fixture_open, checkpoint_fixture_close);
}
