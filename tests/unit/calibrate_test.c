/* Cost profiles out of what hosts measured. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/calibrate_curves.h"
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

static struct tables overall_tables(void)
{
    struct tables tables = {0};
    tables_section(&tables, "calibrate", "");
    return tables;
}

static struct cost_profile base_profile(void)
{
    static const uint64_t factors[LOCK_CURVE_POINTS] = {1250, 1750, 2750, 4750, 8750, 16750};
    struct cost_profile profile = {.name = "base", .description = ""};
    for (size_t i = 0; i < LOCK_KINDS; i++) {
        memcpy(profile.contention.curve[i].factor, factors, sizeof factors);
        profile.contention.curve[i].from = COST_ASSUMED;
        profile.contention.curve[i].source = "a line";
    }
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
    struct tables overall = overall_tables();
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
    struct tables overall = overall_tables();
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
    struct tables overall = overall_tables();
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

/* --- contention curves ------------------------------------------------------------------------ */

static void put_times(struct tables *tables, const char *group, unsigned nthreads, unsigned rows,
                      double (*time)(unsigned row, double threads))
{
    uint64_t threads[8];
    double values[2 * 8];
    for (unsigned i = 0; i < nthreads; i++) {
        threads[i] = 1U << i;
        for (unsigned row = 0; row < rows; row++) {
            values[row * nthreads + i] = time(row, (double)threads[i]);
        }
    }
    tables_group(tables, group, "");
    tables_scale(tables, &(struct table_label){"threads", "1", ""}, NUMBER_U64, nthreads, threads);
    const struct table_axis axes[] = {{"row", rows}, {"threads", nthreads}};
    tables_array(tables, &(struct table_label){"time_median", "ns", ""}, NUMBER_F64, 2, axes,
                 values);
}

/* Chains add 20 ns to a fork and an exit of one thread, and (n + 1) / 2 times that to those of n.
 */
static double none_time(unsigned row, double threads)
{
    (void)row;
    (void)threads;
    return 30;
}

static double chains_time(unsigned row, double threads)
{
    return 30 + (row == 0 ? 15 : 5) * (threads + 1) / 2;
}

/* One thread passes a lock in 10 ns, n threads in (n + 1) / 2 times that, one after the other. */
static double pass_time(unsigned row, double threads)
{
    return row == 0 ? 1000 : threads * (5 + 5 * threads);
}

static struct tables contended_tables(unsigned nthreads)
{
    struct tables tables = {0};
    tables_section(&tables, "contention", "");
    put_times(&tables, "shared/none/no_lock", nthreads, 2, none_time);
    put_times(&tables, "shared/pte_chain_array/page_bit", nthreads, 2, chains_time);
    put_times(&tables, "passes", nthreads, 2, pass_time);
    tables_text(&tables, "types", "", "page_bit\nticket");
    return tables;
}

struct curve_case {
    unsigned nthreads; /* powers of two from 1 on; 0: nothing was measured */
    uint64_t chain[LOCK_CURVE_POINTS];
    uint64_t passes[LOCK_CURVE_POINTS];
    const char *says;
};

/* Chains take (n + 1) / 2 times as long, as passes do: of both USL knows exactly how they go on. */
static void test_curves(void **state)
{
    (void)state;
    static const struct curve_case cases[] = {
        {0, {1250, 1750, 2750, 4750, 8750, 16750}, {1250, 1750, 2750, 4750, 8750, 16750}, "a line"},
        {1, {1250, 1750, 2750, 4750, 8750, 16750}, {1250, 1750, 2750, 4750, 8750, 16750}, "a line"},
        {2,
         {1500, 1750, 2750, 4750, 8750, 16750},
         {1500, 1750, 2750, 4750, 8750, 16750},
         "cpus_4, cpus_8, cpus_16, cpus_32, cpus_64 assumed, as in base"},
        {3,
         {1500, 2500, 2750, 4750, 8750, 16750},
         {1500, 2500, 2750, 4750, 8750, 16750},
         "cpus_2, cpus_4 measured: "},
        {4,
         {1500, 2500, 4500, 8500, 16500, 32500},
         {1500, 2500, 4500, 8500, 16500, 32500},
         "cpus_16, cpus_32, cpus_64 extrapolated by the Universal Scalability Law"},
        {7,
         {1500, 2500, 4500, 8500, 16500, 32500},
         {1500, 2500, 4500, 8500, 16500, 32500},
         "cpus_2, cpus_4, cpus_8, cpus_16, cpus_32, cpus_64 measured: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct measured_host host = {.name = "n01", .reason = ""};
        struct tables overall = overall_tables();
        struct text sources = {0};
        struct cost_profile profile = base_profile();
        if (cases[i].nthreads > 0) {
            host.tables = contended_tables(cases[i].nthreads);
        }
        assert_int_equal(calibrate_curves(&host, 1, &overall, &sources, &profile), STATUS_OK);
        for (size_t kind = 0; kind < LOCK_KINDS; kind++) {
            const struct lock_curve *curve = &profile.contention.curve[kind];
            const uint64_t *expected = kind == LOCK_KIND_CHAIN ? cases[i].chain : cases[i].passes;
            for (size_t k = 0; k < LOCK_CURVE_POINTS; k++) {
                assert_in_range(curve->factor[k], expected[k] - expected[k] / 1000,
                                expected[k] + expected[k] / 1000);
            }
            assert_int_equal(curve->from, cases[i].nthreads > 1 ? COST_MEASURED : COST_ASSUMED);
            assert_non_null(strstr(curve->source, cases[i].says));
        }
        text_free(&sources);
        tables_free(&overall);
        tables_free(&host.tables);
    }
}

/* What is not measured is not below what is. */
static double slow_pass_time(unsigned row, double threads)
{
    return row == 0 ? 1000 : threads > 1 ? 60 : 10;
}

static void test_curve_does_not_fall(void **state)
{
    (void)state;
    static const uint64_t expected[LOCK_CURVE_POINTS] = {3000, 3000, 3000, 4750, 8750, 16750};
    struct measured_host host = {.name = "n01", .reason = ""};
    tables_section(&host.tables, "contention", "");
    put_times(&host.tables, "passes", 2, 2, slow_pass_time);
    tables_text(&host.tables, "types", "", "page_bit\nticket");
    struct tables overall = overall_tables();
    struct text sources = {0};
    struct cost_profile profile = base_profile();
    assert_int_equal(calibrate_curves(&host, 1, &overall, &sources, &profile), STATUS_OK);
    const struct lock_curve *curve = &profile.contention.curve[LOCK_KIND_LRU];
    assert_memory_equal(curve->factor, expected, sizeof expected);
    /* There are no chains in the tables. */
    assert_int_equal(profile.contention.curve[LOCK_KIND_CHAIN].from, COST_ASSUMED);
    assert_string_equal(profile.contention.curve[LOCK_KIND_CHAIN].source, "a line");
    text_free(&sources);
    tables_free(&overall);
    tables_free(&host.tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_host),
        cmocka_unit_test(test_outlier_is_named),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_curve_does_not_fall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
