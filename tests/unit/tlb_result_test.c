/* What a measurement becomes in tables, with events that are counted and points that are missing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/tlb_result.h"

#include <cmocka.h>

enum { KINDS = 2, SIZES = 2, REPETITIONS = 3, POINTS = KINDS * SIZES };
enum { SAMPLES = ACCESS_PATTERNS * POINTS * REPETITIONS };
enum { WALKS = HOST_WALKS - HOST_TRANSLATION_FIRST };

struct fixture {
    struct config_arena *arena;
    struct host_pages pages;
    struct backing backings[KINDS];
    byte_count footprints[SIZES];
    struct host_counters counters;
    struct tlb_geometry geometry;
    struct tlb_predictor predictor;
    struct sweep_plan plan;
    struct sweep_point points[POINTS];
    double time[SAMPLES], counts[HOST_TRANSLATION_COUNT][SAMPLES];
    struct sweep_samples samples;
    struct tlb_prediction predictions[ACCESS_PATTERNS * POINTS];
    struct tlb_result result;
};

/* Base pages were measured at both footprints, walks counted; large pages at none. */
static struct fixture *make(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(arena_open(&f->arena), STATUS_OK);
    const struct host_cpu cpu = {.hypervisor = true};
    assert_int_equal(
        tlb_predictor_open("zen4", &cpu, HOST_PROCESSOR_UNKNOWN, f->arena, &f->predictor),
        STATUS_OK);
    f->backings[0] = (struct backing){BACKING_BASE, 4096, "4KiB"};
    f->backings[1] = (struct backing){BACKING_TRANSPARENT, 2 << 20, "2MiB-thp"};
    f->footprints[0] = 1 << 20;
    f->footprints[1] = 64 << 20;
    f->counters.usable = true;
    f->counters.nevents = HOST_MEANINGS;
    for (int i = 0; i < HOST_MEANINGS; i++) {
        f->counters.events[i] = (struct host_event){
            .kind = (enum host_meaning)i, .meaning = host_meanings[i].text, .why = "no such event"};
    }
    struct host_event *walks = &f->counters.events[HOST_WALKS];
    *walks = (struct host_event){.kind = HOST_WALKS,
                                 .counts = true,
                                 .name = "THE_WALKS",
                                 .covers = "all of them",
                                 .value = 99,
                                 .check = "100 loads"};
    (void)snprintf(f->geometry.why, sizeof f->geometry.why, "nobody says");
    f->plan = (struct sweep_plan){.pages = &f->pages,
                                  .backings = f->backings,
                                  .nbackings = KINDS,
                                  .footprints = f->footprints,
                                  .nfootprints = SIZES,
                                  .repetitions = REPETITIONS};
    f->plan.events.event[WALKS] = walks;
    for (size_t i = 0; i < SAMPLES; i++) {
        const bool measured = i / REPETITIONS % POINTS < SIZES;
        f->time[i] = measured ? (double)(10 + i % REPETITIONS) : NAN;
        for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
            f->counts[e][i] = measured && e == WALKS ? 0.75 : NAN;
        }
    }
    for (size_t i = 0; i < ACCESS_PATTERNS * POINTS; i++) {
        const double walks_predicted = i % POINTS < SIZES ? 0.5 : NAN;
        f->predictions[i] = (struct tlb_prediction){walks_predicted, walks_predicted, 7};
    }
    for (size_t i = 0; i < POINTS; i++) {
        f->points[i] = (struct sweep_point){.measured = i < SIZES, .got = 4096, .has_region = true};
        (void)snprintf(f->points[i].why, REGION_WHY, "%s", i < SIZES ? "" : "got 4KiB pages");
    }
    f->samples.time = f->time;
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        f->samples.counts[e] = f->counts[e];
    }
    f->result = (struct tlb_result){&f->plan,       f->points,     &f->samples,
                                    f->predictions, &f->predictor, &f->counters,
                                    &f->geometry,   "from here",   "to there"};
    return f;
}

static void test_tables(void **state)
{
    (void)state;
    struct fixture *f = make();
    struct tables tables = {0};
    tables_section(&tables, "tlb", "translation");
    tlb_result_put(&f->result, &tables);
    assert_false(tables.bytes.failed);
    struct table_record record;
    static const char *const groups[] = {"dependent", "independent"};
    for (size_t g = 0; g < 2; g++) {
        assert_true(tables_find(&tables, "tlb", groups[g], "time", &record));
        assert_int_equal(record.ndims, 3);
        assert_int_equal(record.shape[0], KINDS);
        assert_int_equal(record.shape[1], SIZES);
        assert_int_equal(record.shape[2], REPETITIONS);
        assert_string_equal(record.scales[1], "footprint");
        assert_true(tables_find(&tables, "tlb", groups[g], "time_median", &record));
        const double *medians = record.values;
        assert_true(medians[0] == 11 && medians[1] == 11 && isnan(medians[2]));
        assert_true(tables_find(&tables, "tlb", groups[g], "dtlb_walks", &record));
        assert_true(((const double *)record.values)[0] == 0.75);
        assert_true(tables_find(&tables, "tlb", groups[g], "dtlb_walks_median", &record));
        assert_false(tables_find(&tables, "tlb", groups[g], "dtlb_load_misses", &record));
        assert_true(tables_find(&tables, "tlb", groups[g], "predicted_time", &record));
        assert_true(((const double *)record.values)[0] == 7);
    }
    assert_true(tables_find(&tables, "tlb", "", "events", &record));
    assert_string_equal(record.text,
                        "dtlb_walks: THE_WALKS (all of them); checked: 99 for 100 loads\n");
    assert_true(tables_find(&tables, "tlb", "", "kinds", &record));
    assert_string_equal(record.text, "4KiB\n2MiB-thp");
    assert_true(tables_find(&tables, "tlb", "", "simulated_reach", &record));
    assert_int_equal(((const uint64_t *)record.values)[0], 3072 * 4096);
    tables_free(&tables);
    tlb_predictor_close(&f->predictor);
    arena_close(f->arena);
    free(f);
}

/* Every record that says something to people, or why something is missing. */
static void test_words(void **state)
{
    (void)state;
    struct fixture *f = make();
    struct tables tables = {0};
    tables_section(&tables, "tlb", "translation");
    tlb_result_put(&f->result, &tables);
    struct text report = {0}, absences = {0};
    struct table_record record;
    for (size_t at = 0; tables_next(&tables, &at, &record);) {
        if (record.kind == TABLE_REPORT) {
            text_append(&report, record.text);
        } else if (record.kind == TABLE_ABSENCE) {
            text_append_format(&absences, "%s: %s\n", record.label.name, record.text);
        }
    }
    static const char *const said[] = {
        "zen4, as asked for",
        "from here; to there",
        "walks counted",
        "0.500  0.750",
        "11.0 (10.5-11.5)",
        "  2MiB-thp: 2 of 2 footprints, from 1MiB: got 4KiB pages\n",
        "  processor_tlb: nobody says\n",
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (!strstr(text_string(&report), said[i])) {
            fail_msg("`%s` is not in:\n%s", said[i], text_string(&report));
        }
    }
    assert_null(strstr(text_string(&report), "times faster"));
    assert_non_null(strstr(text_string(&absences), "dtlb_load_misses: no such event"));
    assert_null(strstr(text_string(&absences), "dtlb_walks:"));
    text_free(&report);
    text_free(&absences);
    tables_free(&tables);
    tlb_predictor_close(&f->predictor);
    arena_close(f->arena);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_words),
    };
    return setenv("THRASH_CONFIGS", CONFIGS_DIR, 1) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
