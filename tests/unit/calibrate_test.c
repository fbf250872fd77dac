/* Cost profiles out of what hosts measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/calibrate_profile.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static void put_array(struct tables *tables, const char *name, uint64_t n, const double *values)
{
    const struct table_axis axis = {"n", n};
    tables_array(tables, &(struct table_label){name, "ns", "a time"}, NUMBER_F64, 1, &axis, values);
}

/* Tables of a host on which everything takes `scale` times as long. */
static struct tables host_tables(double scale)
{
    struct tables tables = {0};
    const double fault = 1000 * scale, zero = 200 * scale, copy = 400 * scale, call = 100 * scale;
    const double locks[] = {1 * scale, 9 * scale, 21 * scale};
    const double none[] = {10 * scale, 20 * scale}, chains[] = {110 * scale, 70 * scale};
    tables_section(&tables, "primitives", "");
    tables_group(&tables, "page_zero", "");
    put_array(&tables, "time_median", 1, &zero);
    tables_group(&tables, "page_copy", "");
    put_array(&tables, "time_median", 1, &copy);
    tables_group(&tables, "syscall", "");
    put_array(&tables, "time_median", 1, &call);
    tables_section(&tables, "kernel", "");
    tables_group(&tables, "faults/shared_write", "");
    put_array(&tables, "fault_time_median", 1, &fault);
    tables_group(&tables, "fork_exit/private", "");
    tables_real(&tables, &(struct table_label){"fork_cpu_time_per_page", "ns", ""}, 50 * scale);
    tables_real(&tables, &(struct table_label){"fork_exit_cpu_time_per_page", "ns", ""},
                80 * scale);
    tables_section(&tables, "locks", "");
    tables_group(&tables, "uncontended", "");
    tables_text(&tables, "kinds", "", "plain loop\npthread_mutex\nticket");
    put_array(&tables, "time_median", 3, locks);
    tables_group(&tables, "disjoint/none/no_lock", "");
    put_array(&tables, "time_median", 2, none);
    tables_group(&tables, "disjoint/pte_chain_array/object_ticket", "");
    put_array(&tables, "time_median", 2, chains);
    return tables;
}

static struct cost_profile base_profile(void)
{
    struct cost_profile profile = {.name = "base", .description = ""};
    for (size_t i = 0; i < COST_COUNT; i++) {
        profile.ticks[i] = 7 * TICKS_PER_NS;
        profile.origin[i] = COST_ASSUMED;
        profile.source[i] = "a guess";
    }
    return profile;
}

static const char *outliers_of(const struct tables *overall)
{
    struct table_record record;
    return tables_find(overall, "calibrate", "costs", "outliers", &record) ? record.text : NULL;
}

static void test_one_host(void **state)
{
    (void)state;
    static const struct {
        enum cost cost;
        unsigned time;
    } expected[] = {
        {COST_FAULT_MINOR, 1000}, {COST_PAGE_ZERO, 200},    {COST_PAGE_COPY, 400},
        {COST_SYSCALL, 100},      {COST_LOCK, 20},          {COST_PTE_COPY, 50},
        {COST_PTE_ZAP, 30},       {COST_CHAIN_INSERT, 100}, {COST_CHAIN_REMOVE, 50},
    };
    struct measured_host host = {.name = "n01", .reason = "", .tables = host_tables(1)};
    struct tables overall = {0};
    struct text sources = {0};
    struct cost_profile profile = base_profile();
    assert_int_equal(calibrate_profile(&host, 1, &overall, &sources, &profile), STATUS_OK);
    assert_int_equal(ncalibrated_costs, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < ncalibrated_costs; i++) {
        const enum cost cost = expected[i].cost;
        assert_int_equal(profile.ticks[cost], expected[i].time * TICKS_PER_NS);
        assert_int_equal(profile.origin[cost], COST_MEASURED);
        assert_non_null(strstr(profile.source[cost], "; on n01"));
    }
    /* What is not measured stays what it was. */
    assert_int_equal(profile.ticks[COST_FAULT_MAJOR], 7 * TICKS_PER_NS);
    assert_int_equal(profile.origin[COST_FAULT_MAJOR], COST_ASSUMED);
    assert_string_equal(profile.source[COST_FAULT_MAJOR], "a guess");
    assert_null(outliers_of(&overall));
    text_free(&sources);
    tables_free(&overall);
    tables_free(&host.tables);
}

static void test_outlier_is_named(void **state)
{
    (void)state;
    struct measured_host hosts[] = {
        {.name = "n01", .reason = "", .tables = host_tables(1)},
        {.name = "n02", .reason = "", .tables = host_tables(2)},
        {.name = "n03", .reason = "", .tables = host_tables(1.125)},
    };
    struct tables overall = {0};
    struct text sources = {0};
    struct cost_profile profile = base_profile();
    assert_int_equal(calibrate_profile(hosts, 3, &overall, &sources, &profile), STATUS_OK);
    assert_int_equal(profile.ticks[COST_FAULT_MINOR], 1125 * TICKS_PER_NS);
    const char *outliers = outliers_of(&overall);
    assert_non_null(outliers);
    assert_non_null(strstr(outliers, "n02: fault_minor is 2000 ns, the median of 3 hosts 1125 ns"));
    assert_null(strstr(outliers, "n01"));
    assert_null(strstr(outliers, "n03"));
    text_free(&sources);
    tables_free(&overall);
    for (size_t i = 0; i < 3; i++) {
        tables_free(&hosts[i].tables);
    }
}

/* A host that measured nothing changes nothing, and times lost in noise are not taken. */
static void test_what_is_missing(void **state)
{
    (void)state;
    struct measured_host hosts[] = {
        {.name = "n01", .reason = ""},
        {.name = "n02", .reason = "", .tables = host_tables(-1)},
    };
    struct tables overall = {0};
    struct text sources = {0};
    struct cost_profile profile = base_profile();
    assert_int_equal(calibrate_profile(hosts, 2, &overall, &sources, &profile), STATUS_OK);
    for (size_t i = 0; i < COST_COUNT; i++) {
        assert_int_equal(profile.ticks[i], 7 * TICKS_PER_NS);
        assert_int_equal(profile.origin[i], COST_ASSUMED);
    }
    text_free(&sources);
    tables_free(&overall);
    tables_free(&hosts[1].tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host),
        cmocka_unit_test(test_outlier_is_named),
        cmocka_unit_test(test_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
