/* The memory that is predicted for a run is what it then takes: no less, and not much more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include "commands/catalogue.h"
#include "engine/predict.h"
#include "run_fixture.h"

#include <cmocka.h>

#define MIB ((byte_count)1 << 20)

/* 80 processes map 1 GiB: 21 million ptes, and 41,000 rows of 5 MiB if none of them is uniform. */
static const char scenario_text[] =
    "duration: 2s\n"
    "machine: { memory: 1536MiB, cpus: 4, ballast: auto, swap: { size: 1GiB } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "phases: { warmup: 100ms, pressure: { until_freed: 20% } }\n"
    "costs: x86_64-2003\n"
    "workloads:\n"
    "  - { kind: database, processes: 80, segment: { size: 1GiB }, private_memory: 256KiB,\n"
    "      touch_rate: 400000 }\n"
    "  - { kind: shm_copy, size: 512MiB, rate: 400MB/s }\n";

struct outcome {
    byte_count predicted, measured;           /* of all arrays */
    byte_count rows_predicted, rows_measured; /* likewise */
    byte_count slots_predicted, slots_measured;
    struct prediction prediction;
};

static struct prediction predict_with(const char *const *sets)
{
    struct prediction prediction;
    struct catalogue_names *names = test_malloc(sizeof *names);
    struct scenario scenario;
    catalogue_fill(names);
    struct scenario_overrides overrides = {sets, 0, NULL};
    while (sets[overrides.nset] != NULL) {
        overrides.nset++;
    }
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/predict_test.yaml", &overrides,
                                        &names->catalogue, &scenario),
                     STATUS_OK);
    assert_int_equal(predict(&scenario, 1, &prediction), STATUS_OK);
    scenario_free(&scenario);
    test_free(names);
    return prediction;
}

static struct outcome run(const char *const *sets)
{
    struct outcome outcome = {.prediction = predict_with(sets)};
    struct sim_result result = run_scenario(scenario_text, CONFIGS_DIR "/predict_test.yaml", sets);
    assert_int_equal(result.nmemory, outcome.prediction.nmemory);
    for (size_t i = 0; i < result.nmemory; i++) {
        const struct sim_memory *memory = &result.memory[i];
        assert_int_equal(memory->predicted, outcome.prediction.memory[i].predicted);
        if (strcmp(memory->name, "slot") == 0) {
            outcome.slots_predicted = memory->predicted;
            outcome.slots_measured = memory->measured;
        }
        outcome.predicted += memory->predicted;
        if (memory->measured > memory->predicted) {
            print_message("%s: %.3f MiB, predicted %.3f\n", memory->name,
                          (double)memory->measured / MIB, (double)memory->predicted / MIB);
        }
        outcome.measured += memory->measured;
        if (strcmp(memory->name, "rows") == 0) {
            outcome.rows_predicted = memory->predicted;
            outcome.rows_measured = memory->measured;
        }
    }
    print_message("predicted %.1f MiB, measured %.1f; rows %.1f, %.1f; slots %.1f\n",
                  (double)outcome.predicted / MIB, (double)outcome.measured / MIB,
                  (double)outcome.rows_predicted / MIB, (double)outcome.rows_measured / MIB,
                  (double)outcome.slots_predicted / MIB);
    sim_result_free(&result);
    return outcome;
}

/* Free memory lasts: only rows that are mapped in part are mixed, two for each process. */
static void test_without_reclaim(void **state)
{
    (void)state;
    const char *const sets[] = {"workloads.shm_copy.rate=1MB/s", NULL};
    struct outcome outcome = run(sets);
    assert_int_equal(outcome.prediction.use.reclaim, TIME_NEVER);
    assert_int_equal(outcome.prediction.use.ptes_passed, 0);
    assert_true(outcome.rows_predicted <= 2 * MIB);
    assert_true(outcome.rows_measured <= outcome.rows_predicted);
    assert_int_equal(outcome.slots_predicted, 0);
    assert_int_equal(outcome.slots_measured, 0); /* although every slot has been looked at */
    assert_true(outcome.measured <= outcome.predicted);
}

/* It does not, and reclaim passes every pte more than once. */
static void test_with_reclaim(void **state)
{
    (void)state;
    static const char *const presets[] = {"design.preset=linux-2.6.0",
                                          "design.preset=linux-2.4.23"};
    for (size_t i = 0; i < 2; i++) {
        const char *const sets[] = {presets[i], "duration=20s", NULL};
        struct outcome outcome = run(sets);
        assert_true(outcome.prediction.use.reclaim < (sim_time)1 << 40);
        assert_true(outcome.prediction.use.ptes_passed > outcome.prediction.use.ptes);
        assert_true(outcome.rows_predicted >= 4 * MIB);
        assert_true(outcome.rows_measured <= outcome.rows_predicted);
        assert_true(outcome.slots_predicted > 0);
        assert_true(outcome.measured <= outcome.predicted);
        /* Large pages are predicted; where the host has none it takes less. */
        assert_true(outcome.predicted <= outcome.measured * 5 / 4 + 8 * MIB);
    }
}

/* It begins late: what it cannot get to takes nothing. */
static void test_with_a_little_reclaim(void **state)
{
    (void)state;
    const char *const sets[] = {"design.preset=linux-2.5-objrmap", "duration=500ms",
                                "machine.cells=2", NULL};
    struct outcome outcome = run(sets);
    assert_true(outcome.prediction.use.reclaim < (sim_time)1 << 39);
    assert_true(outcome.prediction.use.ptes_passed > 0);
    assert_true(outcome.prediction.use.ptes_passed < outcome.prediction.use.ptes);
    assert_true(outcome.rows_measured <= outcome.rows_predicted);
    assert_int_equal(outcome.slots_predicted, 0);
    assert_int_equal(outcome.slots_measured, 0); /* although every slot has been looked at */
    assert_true(outcome.measured <= outcome.predicted);
}

/* Where shared pages have no chains, none are counted, neither in memory nor in time: by list or by
 * tree, a vma is visited and a page table walked for each pte. */
static void test_shared_pages_without_chains(void **state)
{
    (void)state;
    static const char *const rmaps[] = {"design.rmap=objrmap", "design.rmap=objrmap_prio_tree",
                                        "design.rmap=anonmm", "design.rmap=anon_vma"};
    const char *const with_chains[] = {"duration=500ms", NULL};
    const uint64_t by_chains = predict_with(with_chains).use.ptes_passed;
    for (size_t i = 0; i < sizeof rmaps / sizeof rmaps[0]; i++) {
        const char *const sets[] = {rmaps[i], "duration=500ms", NULL};
        const uint64_t by_object = predict_with(sets).use.ptes_passed;
        assert_true(by_object > 0);
        assert_in_range(by_object, by_chains / 2, by_chains / 2 + 1); /* 200 ns each, not 100 */
        /* Too little for the chains of 21 million ptes. */
        const char *const tight[] = {rmaps[i], "machine.memory=1300MiB", NULL};
        assert_true(predict_with(tight).use.ptes > 0);
    }
}

/* --- what is accepted has room ---------------------------------------------------------------- */

static const char tight_text[] =
    "duration: 2ms\n"
    "machine: { memory: 64MiB, ballast: 0 }\n"
    "design: { preset: linux-2.6.0 }\n"
    "phases: { warmup: 1ms }\n"
    "costs: x86_64-2003\n"
    "workloads:\n"
    "  - { kind: database, processes: 60, segment: { size: 16MiB }, private_memory: 100KiB }\n";

static enum status tight(const char *preset, unsigned cells, unsigned kib, const char *ballast,
                         bool run)
{
    char set[4][64];
    const char *const sets[] = {set[0], set[1], set[2], set[3]};
    struct catalogue_names *names = test_malloc(sizeof *names);
    struct scenario scenario;
    struct prediction prediction;
    struct sim_result result;
    const struct scenario_overrides overrides = {sets, 4, NULL};
    (void)snprintf(set[0], sizeof set[0], "design.preset=%s", preset);
    (void)snprintf(set[1], sizeof set[1], "machine.cells=%u", cells);
    (void)snprintf(set[2], sizeof set[2], "machine.memory=%uKiB", kib);
    (void)snprintf(set[3], sizeof set[3], "machine.ballast=%s", ballast);
    catalogue_fill(names);
    assert_int_equal(scenario_load_text(tight_text, strlen(tight_text),
                                        CONFIGS_DIR "/predict_test.yaml", &overrides,
                                        &names->catalogue, &scenario),
                     STATUS_OK);
    const struct sim_options options = {0};
    enum status status = run ? sim_run(&scenario, MPI_COMM_SELF, &options, &result)
                             : predict(&scenario, 1, &prediction);
    if (run && status == STATUS_OK) {
        sim_result_free(&result);
    }
    scenario_free(&scenario);
    test_free(names);
    return status;
}

/* The least memory that is accepted, in KiB, to within 64. */
static unsigned least_accepted(const char *preset, unsigned cells)
{
    unsigned refused = 8192;
    unsigned accepted = 262144;
    assert_int_equal(tight(preset, cells, refused, "0", false), STATUS_USAGE);
    assert_int_equal(tight(preset, cells, accepted, "0", false), STATUS_OK);
    while (accepted - refused > 64) {
        const unsigned kib = (accepted + refused) / 2 / 64 * 64;
        if (tight(preset, cells, kib, "0", false) == STATUS_OK) {
            accepted = kib;
        } else {
            refused = kib;
        }
    }
    return accepted;
}

/* A scenario that predict() accepts can be populated, in any number of cells: a cell that has no
 * frame left gets those of others. Much less would not do: one cell needs it all but for some 10
 * frames, and each further one may leave 8 unused. */
static void test_what_is_accepted_has_room(void **state)
{
    (void)state;
    static const char *const presets[] = {"linux-2.4.23",      "linux-2.5.27",
                                          "linux-2.6.0",       "linux-2.6.0-no-direct",
                                          "linux-2.5-objrmap", "linux-2.6.7"};
    static const unsigned cells[] = {1, 4, 15};
    status_set_quiet(1);
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++) {
            const unsigned least = least_accepted(presets[i], cells[k]);
            const unsigned unused = 256 + (cells[k] > 1 ? 32 * cells[k] : 0);
            if (tight(presets[i], cells[k], least, "0", true) != STATUS_OK) {
                fail_msg("%s in %u cells: %u KiB are accepted, but too little", presets[i],
                         cells[k], least);
            }
            if (tight(presets[i], cells[k], least - unused, "0", true) != STATUS_USAGE) {
                fail_msg("%s in %u cells: %u KiB are refused, but %u less would do", presets[i],
                         cells[k], least - 64, unused);
            }
        }
    }
    status_set_quiet(0);
}

/* A ballast that would not be free when the clock starts is refused before. */
static void test_ballast_that_has_no_room(void **state)
{
    (void)state;
    status_set_quiet(1);
    const unsigned least = least_accepted("linux-2.6.0", 1);
    assert_int_equal(tight("linux-2.6.0", 1, least + 8192, "8MiB", false), STATUS_OK);
    assert_int_equal(tight("linux-2.6.0", 1, least + 8192, "8MiB", true), STATUS_OK);
    assert_int_equal(tight("linux-2.6.0", 1, least + 8192, "12MiB", false), STATUS_USAGE);
    assert_int_equal(tight("linux-2.6.0", 1, least + 8192, "12MiB", true), STATUS_USAGE);
    status_set_quiet(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_reclaim),
        cmocka_unit_test(test_with_reclaim),
        cmocka_unit_test(test_with_a_little_reclaim),
        cmocka_unit_test(test_shared_pages_without_chains),
        cmocka_unit_test(test_what_is_accepted_has_room),
        cmocka_unit_test(test_ballast_that_has_no_room),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
