/* Objects mapped by many vmas: what a list of them costs, what a tree does, and what chains hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "machine/arch.h"
#include "machine/slab.h"
#include "run_fixture.h"

#include <cmocka.h>

static const char machine[] =
    "duration: 20s\n"
    "phases: { warmup: 0s }\n"
    "costs: p4-2003\n"
    "machine:\n"
    "  arch: i386\n"
    "  memory: 16MiB\n"
    "  cpus: 1\n"
    "  swap: { size: 64MiB, devices: 1, bandwidth: 50MB/s, latency: 1ms }\n"
    "  disk: { devices: 1, bandwidth: 50MB/s, latency: 1ms }\n"
    "output: { interval: 1s }\n"
    "design: { preset: linux-2.6.0 }\n";

/* Every page of some shared memory is a vma, in each of two processes. */
static const char one_page_vmas[] = "workloads:\n"
                                    "  - kind: one_page_vmas\n"
                                    "    vmas: 1024\n"
                                    "    processes: 2\n"
                                    "    iterations: 2\n"
                                    "  - kind: shm_copy\n"
                                    "    size: 16MiB\n";

/* Test 1 of rmap-test, smaller: 60 tasks that map the same 100 windows of a file. */
static const char rmap_test[] = "workloads:\n"
                                "  - kind: rmap_test\n"
                                "    processes: 60\n"
                                "    windows: 100\n"
                                "    window: 32KiB\n"
                                "    populate: write\n"
                                "    iterations: 2\n"
                                "  - kind: shm_copy\n"
                                "    size: 12MiB\n";

struct work {
    double per_vma;      /* list entries and nodes looked at for each vma over the page */
    double entries_only; /* the same without nodes that are not over the page */
    double reclaim_seconds;
};

static struct work work_of(const char *workload, const char *rmap)
{
    char text[4096];
    char choice[64];
    snprintf(text, sizeof text, "%s%s", machine, workload);
    snprintf(choice, sizeof choice, "design.rmap=%s", rmap);
    const char *const sets[] = {choice, NULL};
    struct sim_result result = run_scenario(text, CONFIGS_DIR "/rmap_shapes.yaml", sets);
    const uint64_t visits = result_count(&result, METRIC_RMAP_VISITS);
    const uint64_t nodes = result_count(&result, METRIC_RMAP_NODES);
    const uint64_t covering = result_count(&result, METRIC_RMAP_COVERING);
    const uint64_t walks = result_count(&result, METRIC_RMAP_WALKS);
    assert_true(walks > 1000 && covering > 1000);
    assert_true(result_count(&result, METRIC_PAGES_FREED) > 100);
    /* What is over a page is at least what has a pte of it. */
    assert_true(covering >= result_count(&result, METRIC_RMAP_PTES));
    const struct work work = {
        (double)visits / (double)covering,
        (double)(visits - nodes) / (double)covering,
        result_real(&result, METRIC_RECLAIM_CPU),
    };
    sim_result_free(&result);
    return work;
}

static void test_lists_have_pathologies(void **state)
{
    (void)state;
    const char *const shapes[] = {one_page_vmas, rmap_test};
    for (size_t i = 0; i < 2; i++) {
        const struct work list = work_of(shapes[i], "objrmap");
        const struct work tree = work_of(shapes[i], "objrmap_prio_tree");
        assert_true(list.per_vma >= 50);
        assert_true(tree.entries_only <= 1.2);
        assert_true(list.reclaim_seconds > 5 * tree.reclaim_seconds);
    }
}

/* The way down the tree is shared by all that map the same window; alone it is some nodes long. */
static void test_ways_down_the_tree(void **state)
{
    (void)state;
    assert_true(work_of(rmap_test, "objrmap_prio_tree").per_vma <= 1.2);
    const double alone = work_of(one_page_vmas, "objrmap_prio_tree").per_vma;
    assert_true(alone > 1.2 && alone <= 2 * 11); /* 1024 pages: 11 levels of two nodes */
}

static uint64_t rmap_bytes(const char *direct, const char *preset)
{
    static const char workload[] = "workloads:\n"
                                   "  - kind: database\n"
                                   "    processes: 2\n"
                                   "    segment: { size: 4KiB, populate: none }\n"
                                   "    private_memory: 2MiB\n"
                                   "    touch_rate: 1\n";
    char text[4096];
    snprintf(text, sizeof text, "%s%s", machine, workload);
    const char *const sets[] = {
        "duration=1ms", "output.interval=1ms", "machine.cache_line=128", preset, direct, NULL};
    struct sim_result result = run_scenario(text, CONFIGS_DIR "/rmap_shapes.yaml", sets);
    const uint64_t bytes = result_count(&result, METRIC_RMAP_BYTES);
    sim_result_free(&result);
    return bytes;
}

/* Private memory, mapped once: no blocks with page-direct, one for each page without. */
static void test_pages_mapped_once(void **state)
{
    (void)state;
    const uint64_t pages = 2 * 512;
    const uint64_t per_frame = slab_objects_per_page(&arch_table[ARCH_I386], 128);
    const uint64_t frames = (pages + per_frame - 1) / per_frame;
    assert_int_equal(rmap_bytes("design.page_direct=true", "design.preset=linux-2.6.0"), 0);
    assert_int_equal(rmap_bytes("design.page_direct=false", "design.preset=linux-2.6.0"),
                     frames * PAGE_BYTES);
    assert_int_equal(rmap_bytes("design.page_direct=false", "design.preset=linux-2.5-objrmap"),
                     frames * PAGE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_have_pathologies),
        cmocka_unit_test(test_ways_down_the_tree),
        cmocka_unit_test(test_pages_mapped_once),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
