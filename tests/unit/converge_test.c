/* thrash converge: what is run, and what is made of the figures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/converge_report.h"

#include <cmocka.h>

#define MICROSECOND (1000 * TICKS_PER_NS)

static void test_lists(void **state)
{
    (void)state;
    struct converge_lists lists = {0};
    assert_int_equal(converge_parse_cells("2,4,16", &lists), STATUS_OK);
    assert_int_equal(lists.ncells, 4);
    assert_int_equal(lists.cells[0], 1);
    assert_int_equal(lists.cells[3], 16);
    assert_int_equal(converge_parse_cells("1", &lists), STATUS_OK);
    assert_int_equal(lists.ncells, 1);
    assert_int_equal(converge_parse_epochs("1ms,250us", &lists), STATUS_OK);
    assert_int_equal(lists.nepochs, 2);
    assert_int_equal(lists.epoch[1], 250 * MICROSECOND);

    const char *const bad_cells[] = {"", ",", "1,", ",1", "1,,2", "1,x", "0", "4,2", "2,2", "1ms"};
    for (size_t i = 0; i < sizeof bad_cells / sizeof bad_cells[0]; i++) {
        assert_int_equal(converge_parse_cells(bad_cells[i], &lists), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "--cells"));
    }
    const char *const bad_epochs[] = {"", "1", "1ms,1000us", "0", "1ms;2ms"};
    for (size_t i = 0; i < sizeof bad_epochs / sizeof bad_epochs[0]; i++) {
        assert_int_equal(converge_parse_epochs(bad_epochs[i], &lists), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "--epoch"));
    }
    const char *const many = "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17";
    assert_int_equal(converge_parse_cells(many, &lists), STATUS_USAGE);
    assert_int_equal(converge_parse_cells(many + 2, &lists), STATUS_USAGE);
}

static void expect_setting(const struct converge_setting *setting, uint64_t cells, uint64_t epoch,
                           uint64_t quantum)
{
    assert_int_equal(setting->cells, cells);
    assert_int_equal(setting->epoch, epoch * MICROSECOND);
    assert_int_equal(setting->quantum, quantum * MICROSECOND);
}

static void test_settings(void **state)
{
    (void)state;
    const struct scenario scenario = {.epoch = 1000 * MICROSECOND, .quantum = 100 * MICROSECOND};
    struct converge_setting settings[CONVERGE_SETTINGS_MAX];
    struct converge_lists lists = {0};
    assert_int_equal(converge_plan(&lists, &scenario, settings), 6);
    for (size_t i = 0; i < 4; i++) {
        expect_setting(&settings[i], (uint64_t)1 << i, 1000, 100);
    }
    expect_setting(&settings[4], 1, 500, 50);
    expect_setting(&settings[5], 8, 500, 50);

    assert_int_equal(converge_parse_cells("1", &lists), STATUS_OK);
    assert_int_equal(converge_parse_epochs("2ms,1ms", &lists), STATUS_OK);
    assert_int_equal(converge_plan(&lists, &scenario, settings), 2);
    expect_setting(&settings[0], 1, 2000, 200);
    expect_setting(&settings[1], 1, 1000, 100);

    assert_int_equal(converge_parse_cells("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", &lists),
                     STATUS_OK);
    assert_int_equal(converge_parse_epochs("1us,2us,3us,4us,5us,6us,7us,8us,9us,10us,11us,12us,"
                                           "13us,14us,15us,16us",
                                           &lists),
                     STATUS_OK);
    assert_in_range(converge_plan(&lists, &scenario, settings), 1, CONVERGE_SETTINGS_MAX);
}

static void test_arguments(void **state)
{
    (void)state;
    struct scenario_arguments given = {.config = "x.yaml"};
    assert_int_equal(scenario_arguments_set(&given, "duration=1s"), STATUS_OK);
    const struct converge_setting setting = {4, 500 * MICROSECOND, 50 * MICROSECOND};
    struct converge_arguments arguments;
    assert_int_equal(converge_arguments_fill(&given, &setting, 9, &arguments), STATUS_OK);
    const struct scenario_overrides *overrides = &arguments.scenario.overrides;
    const char *const expected[] = {"duration=1s", "machine.cells=4", "epoch=500us", "quantum=50us",
                                    "seed=9"};
    assert_int_equal(overrides->nset, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(overrides->set[i], expected[i]);
    }
    assert_int_equal(given.overrides.nset, 1);
}

/* --- figures --------------------------------------------------------------------------------- */

/* Two settings, three seeds; every figure is the same. */
static struct converge_figure figure_of(const double base[3], const double other[3])
{
    struct converge_run runs[6] = {0};
    struct converge_report report = {.nsettings = 2, .ndone = 2, .nseeds = 3, .runs = runs};
    for (size_t i = 0; i < 3; i++) {
        runs[i].values[HEADLINE_SPIN] = base[i];
        runs[3 + i].values[HEADLINE_SPIN] = other[i];
    }
    return converge_figure(&report, 1, HEADLINE_SPIN);
}

static void test_figures(void **state)
{
    (void)state;
    const double nan = NAN;
    const struct {
        double base[3], other[3];
        double mean, change, spread; /* change and spread in per cent */
        bool marked;
    } cases[] = {
        {{100, 100, 100}, {109, 110, 111}, 110, 10, 100 * 2 / 110., false}, /* not above 10 % */
        {{100, 100, 100}, {110, 111, 112}, 111, 11, 100 * 2 / 111., true},
        {{100, 100, 100}, {89, 88, 87}, 88, -12, 100 * 2 / 88., true},
        {{94, 100, 106}, {111, 111, 111}, 111, 11, 0, false}, /* the base spreads by 12 % */
        {{100, 100, 100}, {104, 111, 118}, 111, 11, 100 * 14 / 111., false},
        {{0, 0, 0}, {0, 0, 0}, 0, 0, 0, false},
        {{0, 0, 0}, {1, 1, 1}, 1, INFINITY, 0, true},
        {{5, 5, 5}, {0, 0, 0}, 0, -100, 0, true},
        {{1, 1, 1}, {1, nan, 1}, nan, nan, nan, true}, /* some run of one of the two lacks it */
        {{nan, nan, nan}, {1, 1, 1}, 1, nan, 0, true},
        {{nan, 1, 1}, {nan, nan, nan}, nan, nan, nan, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct converge_figure figure = figure_of(cases[i].base, cases[i].other);
        const double found[] = {figure.mean, 100 * figure.change, 100 * figure.spread};
        const double expected[] = {cases[i].mean, cases[i].change, cases[i].spread};
        for (size_t k = 0; k < 3; k++) {
            bool same = isnan(expected[k])   ? isnan(found[k])
                        : isinf(expected[k]) ? found[k] == expected[k]
                                             : fabs(found[k] - expected[k]) < 1e-9;
            if (!same) {
                fail_msg("case %zu, value %zu: expected %g, found %g", i, k, expected[k], found[k]);
            }
        }
        if (figure.marked != cases[i].marked) {
            fail_msg("case %zu: marked %d", i, figure.marked);
        }
    }
}

/* One seed has no spread, and nothing is marked. */
static void test_one_seed(void **state)
{
    (void)state;
    struct converge_run runs[2] = {0};
    runs[1].verdict = VERDICT_LIVELOCK;
    runs[0].values[HEADLINE_SPIN] = 1;
    runs[1].values[HEADLINE_SPIN] = 3;
    runs[0].values[HEADLINE_FIRST_FREE] = NAN;
    struct converge_report report = {.nsettings = 2, .ndone = 2, .nseeds = 1, .runs = runs};
    struct converge_figure figure = converge_figure(&report, 1, HEADLINE_SPIN);
    assert_true(isnan(figure.spread));
    assert_true(figure.change > 1.99 && figure.change < 2.01);
    assert_false(figure.marked);
    assert_false(converge_is_empty(&report, HEADLINE_SPIN));
    assert_true(converge_is_empty(&report, HEADLINE_FIRST_FREE));
    assert_true(converge_is_empty(&report, HEADLINE_PAGES_FREED));
    runs[1].values[HEADLINE_FIRST_FREE] = 1;
    assert_false(converge_is_empty(&report, HEADLINE_FIRST_FREE));
    assert_false(converge_figure(&report, 1, HEADLINE_FIRST_FREE).marked);
}

/* Three times as much spinning is marked where it is a tenth of reclaim, and not where it is less,
 * or where seeds do as much. */
static void test_spin(void **state)
{
    (void)state;
    const struct {
        double reclaim, from, to, other_seed;
        bool marked;
    } cases[] = {
        {10, 0.1, 0.3, 0.3, false}, {10, 0.4, 1.3, 1.3, false}, {10, 0.6, 1.8, 1.8, true},
        {10, 1.8, 0.6, 0.6, true},  {10, 2.0, 0.4, 6.0, false}, {0, 0.1, 0.3, 0.3, true},
        {NAN, 0.1, 0.3, 0.3, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct converge_run runs[4] = {0};
        const double spin[] = {cases[i].from, cases[i].from, cases[i].to, cases[i].other_seed};
        for (size_t k = 0; k < 4; k++) {
            runs[k].values[HEADLINE_SPIN] = spin[k];
            runs[k].values[HEADLINE_RECLAIM_CPU] = cases[i].reclaim;
        }
        const struct converge_report report = {
            .nsettings = 2, .ndone = 2, .nseeds = 2, .runs = runs};
        if (converge_figure(&report, 1, HEADLINE_SPIN).marked != cases[i].marked) {
            fail_msg("case %zu", i);
        }
        for (size_t k = 0; k < 4; k++) { /* another figure is marked by its own change */
            runs[k].values[HEADLINE_MAJOR_FAULTS] = k < 2 ? 1 : 3;
        }
        assert_true(converge_figure(&report, 1, HEADLINE_MAJOR_FAULTS).marked);
    }
}

static void test_verdicts_and_csv(void **state)
{
    (void)state;
    struct converge_run runs[4] = {0};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < HEADLINES; k++) {
            runs[i].values[k] = (double)(10 * i + k);
        }
    }
    runs[3].verdict = VERDICT_LIVELOCK;
    runs[3].values[HEADLINE_FIRST_FREE] = -NAN;
    const struct converge_report report = {
        .settings = {{1, 1000 * MICROSECOND, 100 * MICROSECOND},
                     {8, 500 * MICROSECOND, 50 * MICROSECOND}},
        .nsettings = 2,
        .ndone = 2,
        .nseeds = 2,
        .first_seed = 7,
        .runs = runs,
    };
    struct text text = {0};
    converge_verdicts(&report, 0, &text);
    assert_string_equal(text_string(&text), "completed");
    text_free(&text);
    converge_verdicts(&report, 1, &text);
    assert_string_equal(text_string(&text), "1 completed, 1 livelock");
    text_free(&text);

    converge_csv(&report, &text);
    assert_string_equal(
        text_string(&text),
        "cells,epoch_seconds,quantum_seconds,seed,verdict,visits_per_page_freed,"
        "minor_faults_per_page_freed,pages_freed,touches_per_second,major_faults,swap_out_bytes,"
        "time_to_first_free,longest_gap_without_free,reclaim_cpu_seconds,spin_seconds,"
        "elapsed_seconds\n"
        "1,0.001,0.0001,7,completed,0,1,2,3,4,5,6,7,8,9,10\n"
        "1,0.001,0.0001,8,completed,10,11,12,13,14,15,16,17,18,19,20\n"
        "8,0.0005,5e-05,7,completed,20,21,22,23,24,25,26,27,28,29,30\n"
        "8,0.0005,5e-05,8,livelock,30,31,32,33,34,35,nan,37,38,39,40\n");
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_one_seed),
        cmocka_unit_test(test_spin),
        cmocka_unit_test(test_verdicts_and_csv),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
