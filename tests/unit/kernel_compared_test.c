/* Page tables that this host has beside those of the simulated machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/kernel_compared.h"
#include "host/kernel/kernel.h"
#include "run_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define MIB ((byte_count)1 << 20)

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

static void show_nothing(void *who, uint64_t done, uint64_t total, const char *label)
{
    (void)who;
    (void)done;
    (void)total;
    (void)label;
}

/* What this host has, page for page. */
static void test_compared(void **state)
{
    (void)state;
#ifndef __x86_64__
    skip();
#endif
    volatile sig_atomic_t never = 0;
    const struct host_system system = host_system_here();
    struct host_topology topology;
    struct host_places places;
    assert_int_equal(host_topology_open(&topology), STATUS_OK);
    assert_int_equal(host_places_choose(&topology, "cores", true, &places), STATUS_OK);
    const struct host_measure measure = {
        .system = &system,
        .topology = &topology,
        .places = &places,
        .stop = &never,
        .progress = show_nothing,
    };
    const struct kernel_plan plan = {
        .repetitions = 2,
        .segment = 62 * MIB,
        .sharers = {1, 2, 5},
        .nsharers = 3,
        .probes = "page_tables",
    };
    struct measured_host host = {.name = "n01", .reason = ""};
    struct tables overall = {0};
    assert_int_equal(kernel_measure(&measure, &plan, &host.tables), STATUS_OK);
    assert_int_equal(kernel_compare(&host, 1, &overall), STATUS_OK);
    struct table_record difference;
    assert_true(tables_find(&overall, "kernel", "compared/n01/4KiB", "difference", &difference));
    assert_int_equal(difference.shape[0], 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(((const double *)difference.values)[i] == 0);
    }
    tables_free(&overall);
    tables_free(&host.tables);
    host_places_free(&places);
    host_topology_close(&topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simulated),
        cmocka_unit_test(test_compared),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
