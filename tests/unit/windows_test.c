/* How windows move, and what stays as it is while they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include "machine/metric.h"
#include "run_fixture.h"

#include <cmocka.h>

/* 4 processes have 2 windows of 1024 pages each, on whole page tables of i386. */
#define WINDOW_PAGES 1024
static const char yaml[] =
    "duration: 1s\n"
    "machine: { arch: i386, memory: 256MiB, cpus: 4, swap: { size: 0 } }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - { kind: windows, processes: 4, size: 8MiB, backing: shm, window: 4MiB, windows: 2,\n"
    "      populate: write, moves: 50, touch_rate: 40000 }\n"
    "phases: { warmup: 0s }\n"
    "costs: p4-2003\n"
    "output: { interval: 10ms }\n";

static const char *const presets[] = {"linux-2.4.23", "linux-2.5.27", "linux-2.6.0",
                                      "linux-2.5-objrmap", "linux-2.6.7"};
enum { PRESETS = sizeof presets / sizeof presets[0] };

static struct sim_result run(const char *preset, const char *move, unsigned cells)
{
    char design[64];
    char how[64];
    char machine[32];
    snprintf(design, sizeof design, "design.preset=%s", preset);
    snprintf(how, sizeof how, "workloads.windows.move=%s", move);
    snprintf(machine, sizeof machine, "machine.cells=%u", cells);
    const char *const sets[] = {design, how, machine, NULL};
    return run_scenario(yaml, CONFIGS_DIR "/windows.yaml", sets);
}

/* All ptes go along, and nothing is mapped anew: one window of the 8 at a time may be under way. */
static void test_mremap_keeps_ptes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PRESETS; i++) {
        struct sim_result result = run(presets[i], "mremap", 1);
        const uint64_t moves = result_count(&result, METRIC_OPERATIONS);
        const uint64_t moved = result_count(&result, METRIC_PTES_MOVED);
        assert_true(moves > 50);
        assert_true(moved >= moves * WINDOW_PAGES && moved < (moves + 4) * WINDOW_PAGES);
        assert_int_equal(result_count(&result, METRIC_MINOR_FAULTS), 0);
        assert_int_equal(result_count(&result, METRIC_PTES_ZAPPED), 0);
        assert_int_equal(result_count(&result, METRIC_PTES_PRESENT), 8 * WINDOW_PAGES);
        sim_result_free(&result);
    }
}

/* Page tables that are left behind are given back: at most one for each process under way, beside
 * those of 8 windows and the 4 directories. Chains take what they took. */
static void test_mremap_keeps_memory(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PRESETS; i++) {
        struct sim_result result = run(presets[i], "mremap", 1);
        const struct recording *recording = &result.recording;
        const uint64_t chains = recording->machine[METRIC_RMAP_BYTES];
        for (size_t point = 0; point < recording->npoints; point++) {
            const uint64_t *value = &recording->machine[point * METRIC_COUNT];
            assert_true(value[METRIC_PAGETABLE_BYTES] >= 12ULL * 4096);
            assert_true(value[METRIC_PAGETABLE_BYTES] <= 16ULL * 4096);
            assert_int_equal(value[METRIC_RMAP_BYTES], chains);
        }
        sim_result_free(&result);
    }
}

/* munmap and mmap map all anew, so that the two cannot be taken for each other. */
static void test_munmap_drops_ptes(void **state)
{
    (void)state;
    struct sim_result result = run("linux-2.6.0", "munmap_mmap", 1);
    assert_int_equal(result_count(&result, METRIC_PTES_MOVED), 0);
    assert_true(result_count(&result, METRIC_MINOR_FAULTS) > 1000);
    sim_result_free(&result);
}

/* Who searches a chain for a pte that moves pays for it; who finds ptes through objects does not.
 */
static void test_chains_are_searched(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PRESETS; i++) {
        struct sim_result result = run(presets[i], "mremap", 1);
        const bool has_chains = i == 1 || i == 2;
        assert_true((result_count(&result, METRIC_RMAP_SEARCHED) > 0) == has_chains);
        sim_result_free(&result);
    }
}

/* Moves fall due at the same user time in all cells, and move the same ptes. */
static void test_cells_move_the_same(void **state)
{
    (void)state;
    for (unsigned cells = 2; cells <= 3; cells++) {
        struct sim_result result = run("linux-2.6.0", "mremap", cells);
        assert_int_equal(result_count(&result, METRIC_MINOR_FAULTS), 0);
        assert_int_equal(result_count(&result, METRIC_PTES_PRESENT), 8 * WINDOW_PAGES);
        assert_true(result_count(&result, METRIC_PTES_MOVED) > 50ULL * WINDOW_PAGES);
        sim_result_free(&result);
    }
}

/* remap_file_pages() finds all pages in the page cache and maps them at once; who has no chains
 * finds nonlinear ptes by looking through all of them. */
static void test_remap_maps_at_once(void **state)
{
    (void)state;
    for (unsigned i = 2; i < PRESETS; i++) {
        struct sim_result result = run(presets[i], "remap_file_pages", 1);
        const uint64_t moves = result_count(&result, METRIC_OPERATIONS);
        const uint64_t zapped = result_count(&result, METRIC_PTES_ZAPPED);
        assert_true(moves > 20);
        assert_true(zapped >= moves * WINDOW_PAGES && zapped < (moves + 4) * WINDOW_PAGES);
        assert_int_equal(result_count(&result, METRIC_MINOR_FAULTS), 0);
        assert_true(result_count(&result, METRIC_PTES_PRESENT) > 4 * WINDOW_PAGES);
        /* The objects' list has chains for pages that are mapped nonlinearly, the tree has none. */
        assert_true((result_count(&result, METRIC_RMAP_BYTES) > 0) == (i < 4));
        sim_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mremap_keeps_ptes),   cmocka_unit_test(test_mremap_keeps_memory),
        cmocka_unit_test(test_munmap_drops_ptes),   cmocka_unit_test(test_chains_are_searched),
        cmocka_unit_test(test_cells_move_the_same), cmocka_unit_test(test_remap_maps_at_once),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
