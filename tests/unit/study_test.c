/* Files of studies: axes, ranges, exclusions, names, repetitions, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/study.h"
#include "config_fixture.h"

#include <cmocka.h>

#define BASE "base: s.yaml\n"

static struct study load(const char *text, bool quick)
{
    struct study study;
    fixture_write("s.yaml", MINIMAL);
    fixture_write("j.yaml", text);
    assert_int_equal(study_load(fixture_path("j.yaml"), quick, &study), STATUS_OK);
    return study;
}

static void assert_values(const struct study *study, size_t axis, const char *values)
{
    struct text text = {0};
    for (size_t i = 0; i < study->axis[axis].nvalues; i++) {
        text_append_format(&text, "%s%s", i == 0 ? "" : " ", study->axis[axis].value[i]);
    }
    assert_string_equal(text_string(&text), values);
    text_free(&text);
}

static void assert_names(const struct study *study, const char *const *names, size_t n)
{
    assert_int_equal(study->npoints, n);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(study->point[i].name, names[i]);
    }
}

static void test_product(void **state)
{
    (void)state;
    struct study study = load(BASE "title: both\n"
                                   "set: { machine.cells: 2, run.ranks: 2 }\n"
                                   "product:\n"
                                   "  machine.memory: 4GiB..16GiB x2\n"
                                   "  design.preset: [linux-2.6.0, linux-2.4.23]\n"
                                   "exclude: [ { machine.memory: [8GiB, 16GiB], design.preset: "
                                   "linux-2.4.23 } ]\n",
                              false);
    assert_string_equal(study.title, "both");
    assert_string_equal(study.stem, "j");
    assert_string_equal(study.base, fixture_path("s.yaml"));
    assert_int_equal(study.naxes, 2);
    assert_values(&study, 0, "4GiB 8GiB 16GiB");
    static const char *const names[] = {
        "memory-4GiB_preset-linux-2.6.0", "memory-4GiB_preset-linux-2.4.23",
        "memory-8GiB_preset-linux-2.6.0", "memory-16GiB_preset-linux-2.6.0"};
    assert_names(&study, names, 4);
    assert_int_equal(study.point[0].ranks, 2);
    const char *const *settings;
    size_t nsettings;
    assert_int_equal(study_overrides(&study, &study.point[1], study.arena, &settings, &nsettings),
                     STATUS_OK);
    assert_int_equal(nsettings, 3);
    assert_string_equal(settings[0], "machine.cells=2");
    assert_string_equal(settings[1], "machine.memory=4GiB");
    assert_string_equal(settings[2], "design.preset=linux-2.4.23");
    study_free(&study);
}

static void test_zip(void **state)
{
    (void)state;
    struct study study = load(BASE "zip:\n"
                                   "  - { a.x: [1, 2], b.x: 10..20 +10 }\n"
                                   "  - { run.ranks: 1..4 x2, machine.cells: [8, 16, 32] }\n"
                                   "repeat: 2\n",
                              false);
    assert_int_equal(study.naxes, 4);
    assert_int_equal(study.ndimensions, 2);
    assert_string_equal(study.axis[0].name, "a-x");
    assert_string_equal(study.axis[1].name, "b-x");
    assert_string_equal(study.axis[3].name, "cells");
    assert_int_equal(study.npoints, 2 * 3 * 2);
    assert_string_equal(study.point[0].name, "a-x-1_b-x-10_ranks-1_cells-8_r0");
    assert_string_equal(study.point[11].name, "a-x-2_b-x-20_ranks-4_cells-32_r1");
    assert_int_equal(study.point[11].ranks, 4);
    assert_int_equal(study.point[11].repetition, 1);
    study_free(&study);
}

static void test_quick(void **state)
{
    (void)state;
    static const char text[] = BASE "set: { duration: 60s, machine.cells: 2 }\n"
                                    "product: { machine.memory: 1GiB..8GiB x2 }\n"
                                    "repeat: 9\n"
                                    "quick:\n"
                                    "  set: { duration: 1s, seed: 3 }\n"
                                    "  product: { machine.memory: 1GiB..2GiB x2 }\n"
                                    "  repeat: 1\n";
    struct study study = load(text, false);
    assert_int_equal(study.npoints, 36);
    assert_int_equal(study.nsettings, 2);
    study_free(&study);
    study = load(text, true);
    assert_int_equal(study.npoints, 2);
    assert_int_equal(study.nsettings, 3);
    struct text settings = {0};
    for (size_t i = 0; i < 3; i++) {
        text_append_format(&settings, "%s=%s ", study.setting[i].key, study.setting[i].value);
    }
    assert_string_equal(text_string(&settings), "duration=1s seed=3 machine.cells=2 ");
    text_free(&settings);
    study_free(&study);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *range;
        const char *values;
    } cases[] = {
        {"1..4 x2", "1 2 4"},
        {"1..5 x2", "1 2 4"},
        {"1..3 +1", "1 2 3"},
        {"50..300 +100", "50 150 250"},
        {"1MiB..1GiB x32", "1MiB 32MiB 1GiB"},
        {"1ms..4ms x2", "1ms 2ms 4ms"},
        {"10%..30% +10%", "10% 20% 30%"},
        {"10MB/s..40MB/s x2", "10MB/s 20MB/s 40MB/s"},
        {"7..7 x2", "7"},
        {"[1, 4..6 +1, 9]", "1 4 5 6 9"},
        {"512GiB..2TiB x2", "512GiB 1TiB 2TiB"},
        {"9223372036854775808..18446744073709551614 x2", "9223372036854775808"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        text_append_format(&text, BASE "product: { a.b: %s }\n", cases[i].range);
        struct study study = load(text_string(&text), false);
        assert_values(&study, 0, cases[i].values);
        text_free(&text);
        study_free(&study);
    }
}

static void test_names(void **state)
{
    (void)state;
    struct study study = load(BASE
                              "product:\n  output.file: [a/b, \"x y\"]\n"
                              "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
                              "[cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc, "
                              "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccd]\n",
                              false);
    for (size_t i = 0; i < study.npoints; i++) {
        assert_true(strlen(study.point[i].name) < STUDY_NAME_SIZE);
        assert_null(strpbrk(study.point[i].name, "/ "));
    }
    assert_int_equal(strncmp(study.point[0].name, "file-a-b_", 9), 0);
    assert_string_not_equal(study.point[0].name, study.point[1].name);
    study_free(&study);
    study = load(BASE, false);
    static const char *const alone[] = {"r0"};
    assert_names(&study, alone, 1);
    study_free(&study);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"product: { a: [1] }\n", "base: expected the scenario"},
        {"base: none.yaml\n", "there is no file"},
        {BASE "prodct: { a: [1] }\n", "did you mean `product`"},
        {BASE "product: [ a ]\n", "product: expected a mapping"},
        {BASE "product: { a: [] }\n", "at least one value"},
        {BASE "product: { a: [1, 1] }\n", "the value `1` is there twice"},
        {BASE "product: { a: [[1]] }\n", "expected a value"},
        {BASE "product: { a: 4..1 +1 }\n", "a range that grows"},
        {BASE "product: { a: 0..4 x2 }\n", "a range that grows"},
        {BASE "product: { a: 1..4 x1 }\n", "a range that grows"},
        {BASE "product: { a: 1..4 }\n", "expected a range such as"},
        {BASE "product: { a: 1G..4G x2 }\n", "expected a range such as"},
        {BASE "product: { a: 1GiB..4s x2 }\n", "expected a range such as"},
        {BASE "product: { a: 1..9999 +1 }\n", "at most 1024 values"},
        {BASE "product: { a: [1], b: [1] }\nzip: { a: [1] }\n", "`a` is there twice"},
        {BASE "set: { a: 1 }\nproduct: { a: [1] }\n", "`a` is there twice, first in line 2"},
        {BASE "zip: { a: [1, 2], b: [1] }\n", "found 2 values of a and 1 of b"},
        {BASE "zip: {}\n", "zip: expected at least one key"},
        {BASE "product: { a: [1, 2] }\nexclude: [ { b: 1 } ]\n", "expected the key of an axis"},
        {BASE "product: { a: [10, 20] }\nexclude: [ { a: 21 } ]\n", "expected a value of a"},
        {BASE "product: { a: [1, 2] }\nexclude: [ { a: 1 }, { a: 1 } ]\n", "not excluded before"},
        {BASE "product: { a: [1, 2] }\nexclude: [ { a: [1, 2] } ]\n", "all points are excluded"},
        {BASE "product: { a: [1, 2] }\nexclude: [ {} ]\n", "at least one key"},
        {BASE "repeat: 0\n", "repeat: expected 1 to"},
        {BASE "repeat: many\n", "repeat:"},
        {BASE "product: { run.ranks: [0] }\n", "run.ranks: expected 1 to"},
        {BASE "product: { run.rank: [1] }\n", "expected run.ranks or run.ranks_per_node"},
        {BASE "product: { a: 1..1000 +1, b: 1..1000 +1 }\n", "at most 100000 points"},
        {BASE "product: { a: [x y, x-y] }\n", "two points would have the same name"},
        {BASE "quick: [ 1 ]\n", "quick: expected a mapping"},
        {BASE "quick: { quick: {} }\n", "unknown key `quick`"},
    };
    struct study study;
    fixture_write("s.yaml", MINIMAL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_write("j.yaml", cases[i].text);
        const bool quick = strstr(cases[i].text, "quick") != NULL;
        assert_int_equal(study_load(fixture_path("j.yaml"), quick, &study), STATUS_USAGE);
        if (strstr(status_last_message(), cases[i].words) == NULL) {
            fail_msg("expected \"%s\", found \"%s\"", cases[i].words, status_last_message());
        }
        assert_non_null(strstr(status_last_message(), "j.yaml"));
    }
    fixture_write("j.yaml", BASE);
    assert_int_equal(study_load(fixture_path("j.yaml"), true, &study), STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "no short form"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product), cmocka_unit_test(test_zip),
        cmocka_unit_test(test_quick),   cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_names),   cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
