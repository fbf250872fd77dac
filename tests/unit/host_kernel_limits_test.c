/* Probes of the kernel that may not, have too little, or are stopped: what they say, and that what
 * can be measured is. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_fixture.h"
#include "kernel_bench.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void test_little_memory_for_many(void **state)
{
    (void)state;
    struct bench bench;
    char reason[400];
    bench_open(&bench, "fault_rate");
    bench.plan.memory = 16 * PAGE_BYTES * bench.places.n;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    find_absence(&bench, "fault_rate/private", "faults_per_second", reason);
    assert_string_equal(reason, "there is too little memory for each process");
    bench_close(&bench);
}

/* Without time each point has its first repetition, the others are absent and counted. */
static void test_budget(void **state)
{
    (void)state;
    static const struct {
        const char *group, *name;
        unsigned points;
    } arrays[] = {
        {"page_tables/4KiB", "pagetable_bytes", 2},     {"fork_exit/private", "fork_time", 2},
        {"fork_exit/shared", "fork_exit_cpu_time", 2},  {"faults/private_write", "fault_time", 1},
        {"fault_rate/private", "faults_per_second", 1}, {"reclaim/pageout", "pages_freed", 1},
    };
    struct bench bench;
    bench_open(&bench, "all");
    bench.plan.budget = 1;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        const double *values = find_values(&bench, arrays[i].group, arrays[i].name);
        if (values == NULL || isnan(values[0])) {
            assert_string_equal(arrays[i].group, "reclaim/pageout"); /* not every host permits it */
            continue;
        }
        for (unsigned k = 0; k < arrays[i].points * bench.plan.repetitions; k++) {
            assert_int_equal(isnan(values[k]) != 0, k % bench.plan.repetitions > 0);
        }
    }
    struct table_record left;
    assert_true(tables_find(&bench.tables, "kernel", "conditions", "repetitions_left_out", &left));
    uint64_t count;
    memcpy(&count, left.values, sizeof count);
    /* Two of each point: 2 of page tables, 4 of forks, 5 of faults, 2 kinds of rates at least. */
    assert_true(count >= 2 * (2 + 4 + 5 + 2));
    assert_true(!counts_are_exact ||
                has_attribute(&bench, "faults/private_write", "one_fault_per_page", "yes"));
    bench_close(&bench);
}

/* Pages in memory cannot be reclaimed without swap: they are not measured. */
static void test_reclaim_in_memory(void **state)
{
    (void)state;
    static const char *const groups[] = {"reclaim/cgroup", "reclaim/pageout"};
    struct bench bench;
    char reason[400];
    bench_open(&bench, "reclaim");
    bench.plan.directory = "/dev/shm";
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < 2; i++) {
        find_absence(&bench, groups[i], "reclaim_time_per_page", reason);
        assert_string_equal(reason, "a file in /dev/shm: it would be in memory, which cannot be "
                                    "reclaimed without swap");
    }
    bench_close(&bench);
}

static void test_stopped(void **state)
{
    (void)state;
    static atomic_int stop = 1;
    static const char *const probes[] = {"page_tables", "fork_exit", "faults", "fault_rate",
                                         "reclaim"};
    for (size_t i = 0; i < 5; i++) {
        struct bench bench;
        bench_open(&bench, probes[i]);
        bench.measure.stop = &stop;
        assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables),
                         STATUS_INTERRUPTED);
        bench_close(&bench);
    }
}

static int measure_forbidden(void)
{
    struct bench bench;
    char reason[400];
    bench_open(&bench, "faults");
    if (forbid_perf_events()) {
        return CHILD_SKIPS;
    }
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_OK) {
        return 1;
    }
    find_absence(&bench, "faults/private_write", "minor_faults", reason);
    if (strncmp(reason, "perf::MINOR-FAULTS: ", 20) != 0) {
        return 2;
    }
    /* What getrusage counts is there all the same. */
    if (counts_are_exact &&
        !has_attribute(&bench, "faults/private_write", "one_fault_per_page", "yes")) {
        return 3;
    }
    bench.plan.needs_counter = true;
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_RESOURCE) {
        return 4;
    }
    bench_close(&bench);
    return 0;
}

static int measure_without_memory(void)
{
    struct bench bench;
    char reason[400];
    bench_open(&bench, "page_tables,fork_exit,faults,fault_rate");
    bench.plan.segment = 1024 * MIB;
    bench.plan.touched = 1 << 18;
    const struct rlimit little = {512 * MIB, 512 * MIB};
    if (setrlimit(RLIMIT_AS, &little)) {
        return CHILD_SKIPS;
    }
    if (kernel_measure(&bench.measure, &bench.plan, &bench.tables) != STATUS_OK) {
        return 1;
    }
    static const char *const absent[][2] = {
        {"page_tables/4KiB", "pagetable_bytes"},
        {"faults/private_write", "minor_faults"},
        {"fault_rate/private", "faults_per_second of more processes"},
    };
    for (int i = 0; i < 3; i++) {
        find_absence(&bench, absent[i][0], absent[i][1], reason);
        if (!strstr(reason, "Cannot allocate memory")) {
            return 2 + i;
        }
    }
    bench_close(&bench);
    return 0;
}

static void test_forbidden(void **state)
{
    (void)state;
    run_in_child(measure_forbidden);
}

static void test_no_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers need address space without a limit */
#endif
    run_in_child(measure_without_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_little_memory_for_many),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_reclaim_in_memory),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_forbidden),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
