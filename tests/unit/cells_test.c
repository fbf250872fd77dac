/* What is judged of the machine as a whole is so however many cells it has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include "base/text.h"
#include "run_fixture.h"

#include <cmocka.h>

/* Files and shared segments of one unit each, by turns: object 2i is a file and in the even cells,
 * object 2i + 1 a segment, which cannot be freed as there is no swap, and in the odd ones. */
static struct sim_result fill(const char *preset, unsigned cells, unsigned files, unsigned segments)
{
    struct text text = {0};
    text_append_format(&text,
                       "duration: 20s\n"
                       "stall: 10s\n"
                       "machine:\n"
                       "  memory: 24MiB\n"
                       "  cpus: 2\n"
                       "  cells: %u\n"
                       "  disk: { bandwidth: 400MB/s, latency: 2ms }\n"
                       "design: { preset: %s }\n"
                       "phases: { warmup: 0s }\n"
                       "costs: x86_64-2003\n"
                       "workloads:\n",
                       cells, preset);
    for (unsigned i = 0; i < files || i < segments; i++) {
        if (i < files) {
            text_append_format(&text,
                               "  - { kind: page_cache_reader, name: file%u, size: 2MiB, "
                               "rate: 40MB/s }\n",
                               i);
        } else {
            text_append_format(&text, "  - { kind: page_cache_reader, name: file%u, size: 4KiB }\n",
                               i);
        }
        if (i < segments) {
            text_append_format(
                &text, "  - { kind: shm_copy, name: segment%u, size: 2MiB, rate: 4MB/s }\n", i);
        }
    }
    struct sim_result result = run_scenario(text_string(&text), CONFIGS_DIR "/cells_test.yaml",
                                            NULL);
    text_free(&text);
    return result;
}

static const char *const presets[] = {"linux-2.4.22", "linux-2.4.23", "linux-2.6.0",
                                      "linux-2.5-objrmap", NULL};
static const unsigned cells[] = {1, 2, 4, 0};

/* The cell that the segments are in has nothing it could free, but the one of the files has. */
static void test_who_finds_nothing_lives_on_other_cells(void **state)
{
    (void)state;
    for (size_t p = 0; presets[p] != NULL; p++) {
        for (size_t c = 0; cells[c] != 0; c++) {
            struct sim_result result = fill(presets[p], cells[c], 8, 8);
            print_message("%s, %u cells: verdict %d after %.2f s, %s\n", presets[p], cells[c],
                          (int)result.recording.verdict,
                          (double)result.recording.verdict_time / (1e9 * TICKS_PER_NS),
                          result.recording.verdict_detail);
            assert_int_equal(result.recording.verdict, VERDICT_COMPLETED);
            assert_int_equal(result_count(&result, METRIC_SHM_BYTES), 8 << 21);
            assert_true(result_count(&result, METRIC_PAGES_FREED) > 1000);
            sim_result_free(&result);
        }
    }
}

/* Where no cell can free anything the run ends, and says for whom. */
static void test_out_of_memory_ends_the_run(void **state)
{
    (void)state;
    for (size_t p = 0; presets[p] != NULL; p++) {
        for (size_t c = 0; cells[c] != 0; c++) {
            struct sim_result result = fill(presets[p], cells[c], 2, 12);
            print_message("%s, %u cells: verdict %d after %.2f s, %s\n", presets[p], cells[c],
                          (int)result.recording.verdict,
                          (double)result.recording.verdict_time / (1e9 * TICKS_PER_NS),
                          result.recording.verdict_detail);
            assert_int_equal(result.recording.verdict, VERDICT_OOM);
            assert_true(result_count(&result, METRIC_FILE_BYTES) < 1 << 20);
            sim_result_free(&result);
        }
    }
}

/* Epochs of 100 ms, and a reader that is stopped in each cell again and again: it may make its last
 * touch in one cell long before it has made those in others, and is done when it has made all. */
static void test_finite_processes_make_all_their_touches(void **state)
{
    (void)state;
    for (size_t c = 0; cells[c] != 0; c++) {
        char sets[2][64];
        snprintf(sets[0], sizeof sets[0], "machine.cells=%u", cells[c]);
        const char *const all[] = {sets[0], NULL};
        struct sim_result result = run_scenario(
            "duration: 300s\n"
            "epoch: 100ms\n"
            "machine: { memory: 64MiB, disk: { bandwidth: 100MB/s, latency: 1ms } }\n"
            "design: { preset: linux-2.6.0 }\n"
            "phases: { warmup: 0s }\n"
            "costs: x86_64-2003\n"
            "workloads:\n"
            "  - { kind: page_cache_reader, size: 2052KiB, rounds: 3, rate: 400MB/s }\n"
            "  - { kind: shm_copy, size: 6MiB, rate: 400MB/s }\n",
            CONFIGS_DIR "/cells_test.yaml", all);
        assert_int_equal(result.recording.verdict, VERDICT_COMPLETED);
        assert_int_equal(result_count(&result, METRIC_TOUCHES), 3 * 513 + 1536);
        sim_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_finds_nothing_lives_on_other_cells),
        cmocka_unit_test(test_out_of_memory_ends_the_run),
        cmocka_unit_test(test_finite_processes_make_all_their_touches),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
