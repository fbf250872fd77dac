/* What is measured of the kernel of this host: memory, segments, and each probe. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "host/kernel/memory_use.h"
#include "host/kernel/primitives.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "kernel_bench.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void test_samples(void **state)
{
    (void)state;
    struct samples samples;
    assert_true(samples_make(2, 5, &samples));
    assert_true(isnan(samples_median(&samples, 0)));
    assert_false(samples_all_equal(&samples, 1, 7));
    static const double values[] = {5, 1, 4, 2, 3};
    for (unsigned i = 0; i < 5; i++) {
        samples_set(&samples, 0, i, values[i]);
        samples_set(&samples, 1, i, 7);
    }
    assert_true(fabs(samples_median(&samples, 0) - 3) < 1e-9);
    assert_true(fabs(samples_spread(&samples, 0) - 2) < 1e-9);
    assert_true(samples_all_equal(&samples, 1, 7));
    assert_false(samples_all_equal(&samples, 0, 3));
    samples_set(&samples, 1, 4, NAN);
    assert_true(samples_all_equal(&samples, 1, 7));
    assert_true(fabs(samples_median(&samples, 1) - 7) < 1e-9);
    samples_free(&samples);
}

/* Half of a mapping is written; what the page tables grow by. */
static byte_count write_half(byte_count size)
{
    byte_count before, after;
    struct memory_use use;
    assert_true(memory_use_page_tables(&before));
    volatile char *memory = map_apart(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    assert_non_null(memory);
    (void)madvise((void *)memory, size, MADV_NOHUGEPAGE);
    for (byte_count at = 0; at < size / 2; at += PAGE_BYTES) {
        memory[at] = 1;
    }
    assert_true(memory_use_page_tables(&after));
    assert_true(memory_use_mapping((const void *)memory, &use));
    assert_int_equal(use.size, size);
    assert_int_equal(use.resident, size / 2);
    assert_int_equal(use.large, 0);
    assert_int_equal(use.kernel_page, PAGE_BYTES);
    assert_int_equal(munmap((void *)memory, size), 0);
    assert_false(memory_use_mapping((const void *)memory, &use));
    return after - before;
}

static void test_memory_use(void **state)
{
    (void)state;
    /* The first time the code itself may need page tables. */
    (void)write_half(8 * MIB);
    if (!counts_are_exact) {
        skip();
    }
    /* Two tables of ptes and two directories above them. */
    assert_int_equal(write_half(8 * MIB), 4 * PAGE_BYTES);
}

static void test_segment(void **state)
{
    (void)state;
    static const byte_count sizes[] = {PAGE_BYTES, 2 * MIB, 1024 * MIB};
    for (size_t i = 0; i < 3; i++) {
        struct segment segment;
        char how[400] = "", why[400] = "";
        const byte_count size = i == 2 ? 1024 * MIB : 4 * MIB;
        if (!segment_open(sizes[i], size, &segment, how, why, sizeof why)) {
            assert_true(i > 0);
            assert_non_null(strstr(why, "memfd"));
            continue;
        }
        assert_true(how[0] != '\0');
        void *memory = segment_map(&segment);
        assert_non_null(memory);
        segment_read(&segment, memory);
        struct memory_use use;
        assert_true(memory_use_mapping(memory, &use));
        assert_int_equal(use.resident, size);
        assert_int_equal(use.large, i == 0 ? 0 : size);
        assert_int_equal(munmap(memory, size), 0);
        segment_close(&segment);
    }
}

static void test_page_tables(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "page_tables");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    if (!counts_are_exact) {
        bench_close(&bench);
        skip();
    }
    const double *bytes = find_values(&bench, "page_tables/4KiB", "pagetable_bytes");
    assert_non_null(bytes);
    for (unsigned i = 0; i < 6; i++) {
        /* 32 tables and two directories above them, for each process. */
        assert_int_equal((uint64_t)bytes[i], 34 * PAGE_BYTES * (i < 3 ? 1 : 3));
    }
    const double *left = find_values(&bench, "page_tables/4KiB", "pagetable_bytes_left");
    assert_non_null(left);
    assert_int_equal((uint64_t)left[0], 0);
    /* Large pages are there and need directories alone, or are absent with a reason. */
    const double *large = find_values(&bench, "page_tables/2MiB", "pagetable_bytes");
    char reason[400];
    find_absence(&bench, "page_tables/2MiB", "pagetable_bytes", reason);
    assert_true(large ? (uint64_t)large[0] == 2 * PAGE_BYTES : reason[0] != '\0');
    bench_close(&bench);
}

static void test_page_size_that_is_missing(void **state)
{
    (void)state;
    struct bench bench;
    uint64_t free_pages;
    bench_open(&bench, "page_tables");
    if (host_file_number(&bench.system,
                         "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages",
                         &free_pages) &&
        free_pages > 0) {
        bench_close(&bench);
        skip();
    }
    bench.plan.page = 1024 * MIB;
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_RESOURCE);
    assert_non_null(strstr(status_last_message(), "no pages of 1GiB: memfd of hugetlb"));
    bench_close(&bench);
}

static void test_fork_exit(void **state)
{
    (void)state;
    struct bench bench;
    bench_open(&bench, "fork_exit");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    if (!counts_are_exact) {
        bench_close(&bench);
        skip();
    }
    const double *copied = find_values(&bench, "fork_exit/private", "child_pagetable_bytes");
    const double *times = find_values(&bench, "fork_exit/private", "fork_exit_time");
    const double *forks = find_values(&bench, "fork_exit/private", "fork_time");
    assert_non_null(copied);
    assert_non_null(times);
    assert_non_null(forks);
    /* Tables of 4096 pages and two directories, and the code that the child is in. */
    assert_true(copied[1] - copied[0] >= 8 * 4096);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(forks[i] > 0);
        assert_true(times[i] >= forks[i]);
    }
    /* 2.6.15 and later leave out ptes that a fault can make again. */
    assert_true(has_attribute(&bench, "fork_exit/shared", "ptes",
                              "not copied by fork, as the child's page tables show: the child "
                              "would fault on each page"));
    assert_true(has_attribute(&bench, "fork_exit/private", "ptes",
                              "copied by fork, as the child's page tables show"));
    bench_close(&bench);
}

static void test_faults(void **state)
{
    (void)state;
    static const char *const exact[] = {"faults/private_write", "faults/shared_create",
                                        "faults/shared_write"};
    struct bench bench;
    bench_open(&bench, "faults,fault_rate");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    if (!counts_are_exact) {
        bench_close(&bench);
        skip();
    }
    for (size_t i = 0; i < 3; i++) {
        const double *counted = find_values(&bench, exact[i], "minor_faults");
        const double *accounted = find_values(&bench, exact[i], "minor_faults_accounted");
        assert_non_null(accounted);
        for (unsigned k = 0; k < 3; k++) {
            assert_int_equal((uint64_t)accounted[k], 1024);
            assert_true(!counted || (uint64_t)counted[k] == 1024);
        }
        assert_true(has_attribute(&bench, exact[i], "one_fault_per_page", "yes"));
        assert_true(find_values(&bench, exact[i], "fault_time")[0] > 0);
    }
    /* What is mapped around a fault is whole pages, and the whole segment at most. */
    const double *around = find_values(&bench, "faults/shared_read", "bytes_per_fault");
    assert_non_null(around);
    assert_true(*around >= (double)PAGE_BYTES && *around <= 1024.0 * (double)PAGE_BYTES);
    const double *rates = find_values(&bench, "fault_rate/private", "faults_per_second_median");
    assert_non_null(rates);
    assert_true(rates[0] > 0);
    bench_close(&bench);
}

static void test_reclaim(void **state)
{
    (void)state;
    struct bench bench;
    char reason[400];
    bench_open(&bench, "reclaim");
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    const double *freed = find_values(&bench, "reclaim/cgroup", "pages_freed");
    find_absence(&bench, "reclaim/cgroup", "reclaim_time_per_page", reason);
    assert_true(freed || reason[0] != '\0');
    for (unsigned i = 0; freed && i < 9; i++) {
        assert_int_equal((uint64_t)freed[i], 64);
    }
    bench_close(&bench);
}

/* Areas need not be of whole pages: nothing beyond them is written. */
static void test_primitives(void **state)
{
    (void)state;
    const byte_count size = 16 * MIB + 100;
    struct bench bench;
    bench_open(&bench, "all");
    /* Addresses are given from above: beyond the areas is this, or nothing. */
    void *above = mmap(NULL, 64 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(above != MAP_FAILED);
    assert_int_equal(primitives_measure(&bench.measure, 2, size, &bench.tables), STATUS_OK);
    for (size_t i = 0; i < 3; i++) {
        static const char *const groups[] = {"page_zero", "page_copy", "syscall"};
        struct table_record time;
        assert_true(tables_find(&bench.tables, "primitives", groups[i], "time_median", &time));
        assert_true(*(const double *)time.values > 0);
    }
    assert_int_equal(munmap(above, 64 * MIB), 0);
    bench_close(&bench);
}

static void test_probe_names(void **state)
{
    (void)state;
    assert_int_equal(kernel_check_probes("all"), STATUS_OK);
    assert_int_equal(kernel_check_probes("faults,reclaim"), STATUS_OK);
    assert_int_equal(kernel_check_probes("faults,reclam"), STATUS_USAGE);
    assert_string_equal(status_last_message(),
                        "probes: unknown probe `reclam`, did you mean `reclaim`?");
    assert_int_equal(kernel_check_probes(""), STATUS_USAGE);
    assert_int_equal(kernel_check_probes("faults,"), STATUS_USAGE);
    assert_int_equal(kernel_check_probes("faults,,reclaim"), STATUS_USAGE);
}

static void test_plan_fits(void **state)
{
    (void)state;
    struct kernel_plan plan;
    kernel_plan_make(false, 64 * 1024 * MIB, &plan);
    assert_int_equal(plan.segment, 1024 * MIB);
    assert_int_equal(plan.repetitions, 9);
    kernel_plan_make(false, 256 * MIB, &plan);
    assert_int_equal(plan.segment, 64 * MIB);
    assert_true(plan.forked[plan.nforked - 1] * PAGE_BYTES <= 64 * MIB);
    assert_true(plan.touched * PAGE_BYTES <= 64 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_memory_use),
        cmocka_unit_test(test_segment),
        cmocka_unit_test(test_page_tables),
        cmocka_unit_test(test_page_size_that_is_missing),
        cmocka_unit_test(test_fork_exit),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_reclaim),
        cmocka_unit_test(test_primitives),
        cmocka_unit_test(test_probe_names),
        cmocka_unit_test(test_plan_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
