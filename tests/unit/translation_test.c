/* Translations within a run: what they cost, what they depend on and what they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "machine/recording.h"
#include "run_fixture.h"

#include <cmocka.h>

static const char uniform[] = CONFIGS_DIR "/tlb-uniform.yaml";

/* Without pressure: several processes with memory of their own, more of them than CPUs. */
static const char calm[] = "duration: 400ms\n"
                           "machine: { memory: 256MiB, cpus: 2, timeslice: 2ms, tlb: opteron }\n"
                           "design: { preset: linux-2.6.0 }\n"
                           "workloads:\n"
                           "  - kind: database\n"
                           "    processes: 10\n"
                           "    segment: { size: 64MiB }\n"
                           "    private_memory: 1MiB\n"
                           "    touch_rate: 400000\n"
                           "phases: { warmup: 100ms }\n"
                           "costs: x86_64-2003\n"
                           "output: { interval: 100ms }\n";

static struct sim_result run_calm(const char *const *sets)
{
    return run_scenario(calm, CONFIGS_DIR "/calm.yaml", sets);
}

/* The model's ratio is one minus reach over footprint, on every TLB and for every size of pages. */
static void test_ratio_is_one_minus_reach_over_footprint(void **state)
{
    (void)state;
    const struct {
        const char *tlb, *arch, *pages;
        double reach_mib;
        const char *footprints[6];
    } rows[] = {
        {"pentium3", "i386", "4KiB", 0.25, {"200KiB", "320KiB", "1MiB", "16MiB"}},
        {"pentium3", "i386", "4MiB", 32, {"24MiB", "40MiB", "128MiB", "1GiB"}},
        {"pentium4", "i386-pae", "2MiB", 128, {"100MiB", "160MiB", "1GiB"}},
        {"opteron", "x86_64", "4KiB", 2, {"1MiB", "1638KiB", "2560KiB", "16MiB", "1GiB"}},
        {"opteron", "x86_64", "2MiB", 16, {"12MiB", "20MiB", "64MiB", "4GiB", "16GiB"}},
        {"icelake-sp", "x86_64", "4KiB", 8, {"1MiB", "6MiB", "10MiB", "64MiB", "1GiB"}},
        {"icelake-sp", "x86_64", "2MiB", 2048, {"1GiB", "1638MiB", "2560MiB", "16GiB"}},
        {"icelake-sp", "x86_64", "1GiB", 1048576, {"1GiB", "16GiB"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < 6 && rows[i].footprints[k] != NULL; k++) {
            char tlb[64];
            char arch[64];
            char pages[64];
            char size[64];
            snprintf(tlb, sizeof tlb, "machine.tlb=%s", rows[i].tlb);
            snprintf(arch, sizeof arch, "machine.arch=%s", rows[i].arch);
            snprintf(pages, sizeof pages, "design.shared_page_size=%s", rows[i].pages);
            snprintf(size, sizeof size, "workloads.database.segment.size=%s",
                     rows[i].footprints[k]);
            const char *const sets[] = {tlb, arch, pages, size, "duration=1500ms", NULL};
            struct sim_result result = run_scenario(NULL, uniform, sets);
            double n;
            char unit;
            assert_int_equal(sscanf(rows[i].footprints[k], "%lf%c", &n, &unit), 2);
            double mib = unit == 'K' ? n / 1024 : (unit == 'G' ? n * 1024 : n);
            double accesses = (double)pressure_count(&result, METRIC_TLB_ACCESSES);
            double ratio = (double)pressure_count(&result, METRIC_TLB_MISSES) / accesses;
            assert_true(accesses > 300000);
            if (mib <= 0.8 * rows[i].reach_mib) {
                assert_true(ratio <= 0.01);
            } else {
                double expected = 1 - rows[i].reach_mib / mib;
                assert_true(mib >= 1.249 * rows[i].reach_mib);
                assert_true(fabs(ratio - expected) <= 0.02);
                assert_int_equal(result_count(&result, METRIC_TLB_REACH),
                                 (uint64_t)(rows[i].reach_mib * 1048576));
            }
            sim_result_free(&result);
        }
    }
}

/* Work and translations share user time: touches become rarer by what a miss costs. */
static void test_translations_slow_touches(void **state)
{
    (void)state;
    const char *const none[] = {"machine.tlb=none", NULL};
    const char *const walks[] = {"machine.tlb=opteron", NULL};
    struct sim_result without = run_scenario(NULL, uniform, none);
    struct sim_result with = run_scenario(NULL, uniform, walks);
    assert_non_null(recording_lacks(&without.recording, METRIC_TLB_MISSES));
    assert_null(recording_lacks(&with.recording, METRIC_TLB_MISSES));
    assert_int_equal(result_count(&without, METRIC_TLB_MISSES), 0);
    /* 500 ns of work, and a walk that reads four entries, one of them from memory. */
    double cost = 3 + 4 * 6 + 100;
    double expected = 500 / (500 + cost * (1 - 2.0 / 1024));
    double slowed = (double)result_count(&with, METRIC_TOUCHES) /
                    (double)result_count(&without, METRIC_TOUCHES);
    assert_true(fabs(slowed - expected) < 0.005);
    assert_true(fabs(result_real(&with, METRIC_USER) - result_real(&without, METRIC_USER)) < 1e-3);
    double part = result_real(&with, METRIC_TRANSLATION) / result_real(&with, METRIC_USER);
    assert_true(fabs(part - (1 - expected)) < 0.005);
    sim_result_free(&without);
    sim_result_free(&with);
}

/* The same accesses and misses, to the last one, for any number of cells. */
static void test_cells_change_nothing(void **state)
{
    (void)state;
    const char *const pages[] = {"design.shared_page_size=4KiB", "design.shared_page_size=2MiB"};
    for (size_t i = 0; i < 2; i++) {
        const char *const cells[] = {"machine.cells=1", "machine.cells=2", "machine.cells=4",
                                     "machine.cells=7"};
        uint64_t expected[3] = {0};
        for (size_t k = 0; k < 4; k++) {
            const char *const sets[] = {cells[k], pages[i], NULL};
            struct sim_result result = run_calm(sets);
            const uint64_t found[3] = {result_count(&result, METRIC_TLB_ACCESSES),
                                       result_count(&result, METRIC_TLB_MISSES),
                                       result_count(&result, METRIC_TRANSLATION)};
            assert_true(found[1] > 1000 && found[1] < found[0]);
            if (k == 0) {
                memcpy(expected, found, sizeof expected);
            }
            assert_memory_equal(found, expected, sizeof expected);
            sim_result_free(&result);
        }
    }
}

/* Accounting for one slice in four gives nearly what accounting for all gives. */
static void test_sampling(void **state)
{
    (void)state;
    const char *const all[] = {"machine.tlb_sampling=1", "duration=1s", NULL};
    const char *const some[] = {"machine.tlb_sampling=4", "duration=1s", NULL};
    struct sim_result of_all = run_calm(all);
    struct sim_result of_some = run_calm(some);
    double ratio_of_all = (double)result_count(&of_all, METRIC_TLB_MISSES) /
                          (double)result_count(&of_all, METRIC_TLB_ACCESSES);
    double ratio_of_some = (double)result_count(&of_some, METRIC_TLB_MISSES) /
                           (double)result_count(&of_some, METRIC_TLB_ACCESSES);
    assert_true(fabs(ratio_of_all - ratio_of_some) < 0.01);
    assert_true(fabs((double)result_count(&of_all, METRIC_TLB_ACCESSES) /
                         (double)result_count(&of_some, METRIC_TLB_ACCESSES) -
                     1) < 0.01);
    sim_result_free(&of_all);
    sim_result_free(&of_some);
}

static double misses_per_access(const char *const *sets)
{
    struct sim_result result = run_calm(sets);
    double ratio = (double)result_count(&result, METRIC_TLB_MISSES) /
                   (double)result_count(&result, METRIC_TLB_ACCESSES);
    sim_result_free(&result);
    return ratio;
}

/* A working set that fits is fetched again after each switch, unless entries are tagged or each
 * process has a CPU to itself. */
static void test_switches_flush(void **state)
{
    (void)state;
#define FITS                                                          \
    "machine.tlb_sampling=1", "workloads.database.segment.size=1MiB", \
        "workloads.database.private_memory=256KiB"
    const char *const shared[] = {FITS, NULL};
    const char *const longer[] = {FITS, "machine.timeslice=8ms", NULL};
    const char *const tagged[] = {
        FITS, "machine.tlb={ l1: { array1: { entries: 512 } }, tagged: true }", NULL};
    const char *const alone[] = {FITS, "machine.cpus=10", NULL};
    double with_shared = misses_per_access(shared);
    /* Of 1600 touches in a slice some 226 are the first of a page; the opteron holds them all. */
    assert_true(with_shared > 0.12 && with_shared < 0.16);
    assert_true(misses_per_access(longer) < with_shared / 2);
    assert_true(misses_per_access(tagged) < 0.05);
    assert_true(misses_per_access(alone) < 0.05);
}

/* Children of a server touch its memory, each through a TLB that is empty when it is forked: of 400
 * touches, spread over 64 pages, 64 (1 - (63 / 64)^400) miss, and hardly any of the server's. */
static const char tree[] = "duration: 2s\n"
                           "machine: { memory: 64MiB, cpus: 8, tlb: opteron, tlb_sampling: 1 }\n"
                           "design: { preset: linux-2.6.7 }\n"
                           "workloads:\n"
                           "  - { kind: anon_fork_tree, children: 2, memory: 256KiB,\n"
                           "      fork_every: 1000, child_touches: 400, write_share: 0% }\n"
                           "phases: { warmup: 0s }\n"
                           "costs: x86_64-2003\n"
                           "output: { interval: 500ms }\n";

static void test_children_begin_with_an_empty_tlb(void **state)
{
    (void)state;
    for (unsigned cells = 1; cells <= 3; cells += 2) {
        char set[32];
        snprintf(set, sizeof set, "machine.cells=%u", cells);
        const char *const sets[] = {set, NULL};
        struct sim_result result = run_scenario(tree, CONFIGS_DIR "/tree.yaml", sets);
        const double children = (double)result_count(&result, METRIC_FORKS);
        const double accesses = (double)result_count(&result, METRIC_TLB_ACCESSES);
        const double misses = (double)result_count(&result, METRIC_TLB_MISSES);
        assert_true(children > 20);
        assert_true(fabs(misses / (64 * children) - 1) < 0.1);
        assert_true(accesses > 1000 * children);
        assert_true(accesses < 1000 * (children + 1) + 400 * (children + 1));
        assert_true(result_real(&result, METRIC_TRANSLATION) > 0);
        sim_result_free(&result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ratio_is_one_minus_reach_over_footprint),
        cmocka_unit_test(test_translations_slow_touches),
        cmocka_unit_test(test_cells_change_nothing),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_switches_flush),
        cmocka_unit_test(test_children_begin_with_an_empty_tlb),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
