/* Page tables that this host has beside those of the simulated machine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/kernel_compared.h"
#include "kernel_bench.h"
#include "run_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

/* Against the closed form: a page of ptes for 2 MiB, a directory for each GiB, one above it. */
static void test_simulated(void **state)
{
    (void)state;
    static const struct {
        byte_count page, segment;
        uint64_t processes, pages;
    } cases[] = {
        {PAGE_BYTES, 2 * MIB, 1, 1 + 1 + 1},      {PAGE_BYTES, 6 * MIB, 4, 4 * (3 + 1 + 1)},
        {PAGE_BYTES, 1024 * MIB, 1, 512 + 1 + 1}, {PAGE_BYTES, 1026 * MIB, 2, 2 * (513 + 2 + 1)},
        {2 * MIB, 64 * MIB, 3, 3 * (1 + 1)},      {1024 * MIB, 1024 * MIB, 2, 2 * 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        byte_count bytes;
        assert_int_equal(
            kernel_simulated_tables(cases[i].page, cases[i].segment, cases[i].processes, &bytes),
            STATUS_OK);
        assert_int_equal(bytes, cases[i].pages * PAGE_BYTES);
    }
}

/* What this host has, page for page. */
static void test_compared(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    struct bench bench;
    bench_open(&bench, "page_tables");
    bench.plan.segment = 62 * MIB;
    bench.plan.sharers[1] = 2;
    bench.plan.sharers[2] = 5;
    bench.plan.nsharers = 3;
    struct tables overall = {0};
    assert_int_equal(kernel_measure(&bench.measure, &bench.plan, &bench.tables), STATUS_OK);
    const struct measured_host host = {.name = "n01", .reason = "", .tables = bench.tables};
    assert_int_equal(kernel_compare(&host, 1, &overall), STATUS_OK);
    struct table_record difference;
    assert_true(tables_find(&overall, "kernel", "compared/n01/4KiB", "difference", &difference));
    assert_int_equal(difference.shape[0], 3);
    for (size_t i = 0; i < 3 && counts_are_exact; i++) {
        assert_true(((const double *)difference.values)[i] == 0);
    }
    tables_free(&overall);
    bench_release(&bench);
}

/* Whether a record of that kind has that text. */
static bool says(const struct tables *tables, enum table_kind kind, const char *text)
{
    struct table_record record;
    bool found = false;
    for (size_t at = 0; tables_next(tables, &at, &record);) {
        found = found || (record.kind == kind && strstr(record.text, text) != NULL);
    }
    return found;
}

/* A page too many is said, and so is that nothing was measured. */
static void test_different(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    static const struct {
        double more[2]; /* than simulated, pages */
        enum table_kind kind;
        const char *text;
    } cases[] = {
        {{0, 0}, TABLE_REPORT, ": equal, 2 of 2 points"},
        {{0, NAN}, TABLE_REPORT, ": equal, 1 of 1 points"},
        {{0, 1}, TABLE_REPORT, ": DIFFERENT, 1 of 2 points"},
        {{-1, NAN}, TABLE_REPORT, ": DIFFERENT, 0 of 1 points"},
        {{NAN, NAN}, TABLE_ABSENCE, "no point was measured"},
    };
    static const uint64_t processes[2] = {1, 3};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct measured_host host = {.name = "n01", .reason = ""};
        struct tables overall = {0};
        double bytes[2];
        for (size_t k = 0; k < 2; k++) {
            byte_count simulated;
            assert_int_equal(
                kernel_simulated_tables(PAGE_BYTES, 64 * MIB, processes[k], &simulated), STATUS_OK);
            bytes[k] = (double)simulated + cases[i].more[k] * (double)PAGE_BYTES;
        }
        const struct table_axis axis = {"processes", 2};
        tables_section(&host.tables, "kernel", "a kernel");
        tables_group(&host.tables, "page_tables", "page tables");
        tables_group(&host.tables, "page_tables/4KiB", "of base pages");
        tables_count(&host.tables, &(struct table_label){"segment_bytes", "byte", "size"},
                     64 * MIB);
        tables_scale(&host.tables, &(struct table_label){"processes", "1", "processes"}, NUMBER_U64,
                     2, processes);
        tables_array(&host.tables,
                     &(struct table_label){"pagetable_bytes_median", "byte", "page tables"},
                     NUMBER_F64, 1, &axis, bytes);
        assert_int_equal(kernel_compare(&host, 1, &overall), STATUS_OK);
        assert_true(says(&overall, cases[i].kind, cases[i].text));
        tables_free(&overall);
        tables_free(&host.tables);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulated),
        cmocka_unit_test(test_compared),
        cmocka_unit_test(test_different),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
