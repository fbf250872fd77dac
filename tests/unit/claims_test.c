/* Judging: figures and verdicts, fits, what a run counts for, and scenarios divided by a factor. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims/claim.h"
#include "claims/scale.h"
#include "commands/catalogue.h"
#include "judged.h"

#include <cmocka.h>

static void test_figures_decide(void **state)
{
    (void)state;
    static const struct {
        double low, high, value;
        enum claim_verdict verdict;
    } rows[] = {
        {10, INFINITY, 10, CLAIM_REPRODUCED},
        {10, INFINITY, 9.999, CLAIM_NOT_REPRODUCED},
        {-INFINITY, 0.1, 0.1, CLAIM_REPRODUCED},
        {-INFINITY, 0.1, 0.11, CLAIM_NOT_REPRODUCED},
        {16, 16, 16, CLAIM_REPRODUCED},
        {16, 16, 24, CLAIM_NOT_REPRODUCED},
        {0, 1, NAN, CLAIM_NOT_REPRODUCED},
        {-INFINITY, INFINITY, NAN, CLAIM_REPRODUCED}, /* only reported */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judgement judgement = {.nfigures = 0};
        judge_between(&judgement, rows[i].low, rows[i].high, rows[i].value, "1", "figure_%zu", i);
        assert_int_equal(judgement.verdict, rows[i].verdict);
        judgement_free(&judgement);
    }
}

/* Later figures do not make good for earlier ones, and what cannot be judged stands above all. */
static void test_verdicts_only_sink(void **state)
{
    (void)state;
    struct judgement judgement = {.nfigures = 0};
    judge_at_least(&judgement, 10, 1, "1", "ratio");
    judge_at_most(&judgement, 10, 1, "s", "time");
    assert_int_equal(judgement.verdict, CLAIM_NOT_REPRODUCED);
    judge_inconclusive(&judgement, "only %d laps", 3);
    assert_int_equal(judgement.verdict, CLAIM_INCONCLUSIVE);
    judge_at_least(&judgement, 10, 1, "1", "other");
    assert_int_equal(judgement.verdict, CLAIM_INCONCLUSIVE);
    judge_unavailable(&judgement, "no such preset");
    assert_int_equal(judgement.verdict, CLAIM_UNAVAILABLE);
    struct text text = {0};
    judgement_write(&judgement, &text);
    assert_string_equal(text_string(&text),
                        "ratio 1 (is to be >= 10), time 1 (is to be <= 10), other 1 (is to be >= "
                        "10); only 3 laps; no such preset");
    text_free(&text);
    judgement_free(&judgement);
}

static void test_line_fit(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 4};
    const double line[] = {3, 5, 7, 9};
    const double bent[] = {1, 4, 9, 16};
    struct line_fit fit = line_fit(x, line, 4);
    assert_true(fabs(fit.slope - 2) < 1e-12 && fabs(fit.r2 - 1) < 1e-12);
    fit = line_fit(x, bent, 4);
    assert_true(fabs(fit.slope - 5) < 1e-12 && fit.r2 > 0.96 && fit.r2 < 0.97);
    assert_true(isnan(line_fit(x, line, 1).slope));
}

/* A recording of two points. */
static void fill(struct outcome *outcome, uint64_t freed, double laps)
{
    struct recording *recording = &outcome->recording;
    recording->npoints = 2;
    recording->time = calloc(2, sizeof *recording->time);
    recording->machine = calloc((size_t)2 * METRIC_COUNT, sizeof *recording->machine);
    assert_non_null(recording->time);
    assert_non_null(recording->machine);
    uint64_t *last = recording->machine + METRIC_COUNT;
    last[METRIC_PAGES_FREED] = freed;
    last[METRIC_PTES_VISITED] = 5000;
    last[METRIC_RMAP_VISITS] = 2000;
    last[METRIC_ELAPSED] = 3000000000ULL * TICKS_PER_NS;
    memcpy(&last[METRIC_LAPS], &laps, sizeof laps);
    recording->at_pressure[METRIC_PTES_VISITED] = 1000;
    recording->at_pressure[METRIC_ELAPSED] = 1000000000ULL * TICKS_PER_NS;
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        uint64_t freed;
        double laps, visits_per_freed;
        bool few_freed, few_laps;
    } rows[] = {
        {200, 0.5, 30, false, true}, {99, 4.9, 6000.0 / 99, true, true},
        {100, 5, 60, false, false},  {99, 5, 6000.0 / 99, true, false},
        {0, 5, 6000, true, false}, /* a lower bound */
        {0, NAN, 6000, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct outcome outcome = {.wall = 0};
        fill(&outcome, rows[i].freed, rows[i].laps);
        assert_true(fabs(outcome_visits_per_freed(&outcome) - rows[i].visits_per_freed) < 1e-9);
        assert_true(fabs(outcome_freed_per_second(&outcome) - (double)rows[i].freed / 2) < 1e-9);
        const struct outcome *const one[] = {NULL, &outcome};
        assert_int_equal(outcomes_freed_few(one, 2), rows[i].few_freed);
        assert_int_equal(outcomes_made_few_laps(one, 2), rows[i].few_laps);
        assert_true(outcome_named(&outcome, "rmap_visits") == 2000);
        assert_true(isnan(outcome_named(&outcome, "no_such_metric")));
        outcome_free(&outcome);
    }
}

static void load(const char *path, const char *const *sets, size_t nsets,
                 const struct catalogue *catalogue, struct scenario *scenario)
{
    const struct scenario_overrides overrides = {sets, nsets, NULL};
    assert_int_equal(scenario_load(path, &overrides, catalogue, scenario), STATUS_OK);
}

/* Scenario A divided by 64 simulates what quickstart does, but for its shorter run length there. */
static void test_scale(void **state)
{
    (void)state;
    struct catalogue_names *names = calloc(1, sizeof *names);
    struct scale_sets *scale = calloc(1, sizeof *scale);
    assert_non_null(names);
    assert_non_null(scale);
    catalogue_fill(names);
    struct scenario full;
    struct scenario divided;
    struct scenario quick;
    load(CONFIGS_DIR "/lwn-32g.yaml", NULL, 0, &names->catalogue, &full);
    assert_int_equal(scale_down(&full, &names->catalogue, 64, scale), STATUS_OK);
    load(CONFIGS_DIR "/lwn-32g.yaml", scale->set, scale->nset, &names->catalogue, &divided);
    assert_int_equal(divided.duration, full.duration / 64);
    const char *const same_length[] = {"duration=9375ms"};
    load(CONFIGS_DIR "/quickstart.yaml", same_length, 1, &names->catalogue, &quick);
    assert_true(digest_equal(divided.hash, quick.hash));
    assert_int_equal(scale_down(&full, &names->catalogue, 1, scale), STATUS_OK);
    assert_int_equal(scale->nset, 0);
    scenario_free(&quick);
    scenario_free(&divided);
    scenario_free(&full);
    free(scale);
    free(names);
}

/* Runs that all end alike, with `tasks` that map everything: which figures of L3 are as required.
 */
static void judge_tasks(enum verdict verdict, uint64_t tasks, struct judgement *judgement)
{
    const struct claim *l3 = claim_table[2];
    const struct outcome *runs[64];
    struct outcome outcome = {.wall = 0};
    assert_string_equal(l3->id, "L3");
    assert_in_range(l3->nruns, 1, sizeof runs / sizeof runs[0]);
    fill(&outcome, 0, 0);
    outcome.recording.verdict = verdict;
    outcome.recording.machine[METRIC_COUNT + METRIC_PTES_PRESENT] = tasks * 707788;
    for (size_t i = 0; i < l3->nruns; i++) {
        runs[i] = &outcome;
    }
    l3->judge(runs, judgement);
    outcome_free(&outcome);
}

/* A limit is met by running out of low memory, and "none" by completing: nothing else will do. */
static void test_ends_of_tasks(void **state)
{
    (void)state;
    static const struct {
        enum verdict verdict;
        uint64_t tasks;
        bool meets_limit, meets_none; /* 87 tasks, and 1,000 that complete */
    } rows[] = {
        {VERDICT_LOWMEM_EXHAUSTED, 86, true, false},
        {VERDICT_LOWMEM_EXHAUSTED, 10, false, false},
        {VERDICT_COMPLETED, 1000, false, true},
        {VERDICT_COMPLETED, 10, false, false},
        {VERDICT_OOM, 86, false, false},
        {VERDICT_OOM, 1000, false, false},
        {VERDICT_LIVELOCK, 1000, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct judgement judgement = {.nfigures = 0};
        judge_tasks(rows[i].verdict, rows[i].tasks, &judgement);
        const struct claim_figure *limit = figure_named(&judgement, "tasks_2_4_23");
        const struct claim_figure *none = figure_named(&judgement, "tasks_completed_2_6_7_highpte");
        assert_int_equal(limit->value >= limit->low && limit->value <= limit->high,
                         rows[i].meets_limit);
        assert_int_equal(none->value >= none->low && none->value <= none->high, rows[i].meets_none);
        assert_int_equal(judgement.verdict, CLAIM_NOT_REPRODUCED);
        judgement_free(&judgement);
    }
}

/* Every row says all that is printed, and can be judged or says why not. */
static void test_tables(void **state)
{
    (void)state;
    const struct claim *const *tables[] = {claim_table, published_table};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; tables[k][i] != NULL; i++) {
            const struct claim *claim = tables[k][i];
            assert_true(claim->sentence != NULL && claim->source != NULL);
            assert_true(claim->compared != NULL && claim->required != NULL);
            const bool by_runs = claim->judge != NULL && claim->nruns > 0;
            const bool by_hosts = claim->judge_measured != NULL && claim->measured_by != NULL;
            const bool by_host = claim->judge_host != NULL && claim->host_probe != NULL;
            assert_int_equal((claim->unavailable != NULL) + by_runs + by_hosts + by_host, 1);
            for (size_t j = 0; j < i; j++) {
                assert_string_not_equal(claim->id, tables[k][j]->id);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_decide), cmocka_unit_test(test_verdicts_only_sink),
        cmocka_unit_test(test_line_fit),       cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_scale),          cmocka_unit_test(test_tables),
        cmocka_unit_test(test_ends_of_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
