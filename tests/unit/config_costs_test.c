/* Cost profiles: where they are found, what is wrong with them, single costs changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/arena.h"
#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define WITHOUT_COSTS                   \
    "duration: 60s\n"                   \
    "machine: { memory: 1GiB }\n"       \
    "design: { preset: linux-2.6.0 }\n" \
    "workloads: [ { kind: shm_copy, size: 1GiB } ]\n"

static void write_profile(const char *name, const char *pte_visit)
{
    struct text profile = fixture_profile("made-up", pte_visit);
    fixture_write(name, text_string(&profile));
    text_free(&profile);
}

static void expect_pte_visit(const char *scenario_name, const struct scenario_overrides *overrides,
                             uint64_t nanoseconds)
{
    struct scenario scenario;
    if (scenario_load(fixture_path(scenario_name), overrides, &fake_catalogue, &scenario) !=
        STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    assert_int_equal(scenario.costs.ticks[COST_PTE_VISIT], nanoseconds * TICKS_PER_NS);
    scenario_free(&scenario);
}

static void test_where_profiles_are_found(void **state)
{
    (void)state;
    write_profile("x/y/costs/near.yaml", "1ns");
    write_profile("x/costs/near.yaml", "2ns");
    write_profile("costs/near.yaml", "3ns"); /* the directory of THRASH_CONFIGS */
    write_profile("x/y/my.yaml", "4ns");
    write_profile("x/y/part/my.yaml", "5ns");
    fixture_write("x/y/s.yaml", WITHOUT_COSTS "costs: near\n");
    expect_pte_visit("x/y/s.yaml", NULL, 1);
    assert_int_equal(remove(fixture_path("x/y/costs/near.yaml")), 0);
    expect_pte_visit("x/y/s.yaml", NULL, 2);
    assert_int_equal(remove(fixture_path("x/costs/near.yaml")), 0);
    expect_pte_visit("x/y/s.yaml", NULL, 3);

    fixture_write("x/y/path.yaml", WITHOUT_COSTS "costs: my.yaml\n");
    expect_pte_visit("x/y/path.yaml", NULL, 4);
    fixture_write("x/y/part/part.yaml", "costs: my.yaml\n");
    fixture_write("x/y/whole.yaml", "include: part/part.yaml\n" WITHOUT_COSTS);
    expect_pte_visit("x/y/whole.yaml", NULL, 5);

    struct text absolute = {0};
    text_append_format(&absolute, WITHOUT_COSTS "costs: %s\n", fixture_path("x/y/my.yaml"));
    fixture_write("absolute.yaml", text_string(&absolute));
    expect_pte_visit("absolute.yaml", NULL, 4);
    text_free(&absolute);

    /* the command line wins, whatever the name of the file */
    write_profile("measured", "6ns");
    const struct scenario_overrides overrides = {.costs = fixture_path("measured")};
    expect_pte_visit("x/y/s.yaml", &overrides, 6);
    expect_pte_visit("x/y/path.yaml", &overrides, 6);
    fixture_write("x/y/none.yaml", WITHOUT_COSTS);
    expect_pte_visit("x/y/none.yaml", &overrides, 6);

    /* and may give a name, where there is no such file */
    const struct scenario_overrides named = {.costs = "near"};
    assert_int_equal(chdir("/"), 0);
    expect_pte_visit("x/y/none.yaml", &named, 3);
    expect_pte_visit("x/y/path.yaml", &named, 3);
    write_profile("x/near", "7ns");
    assert_int_equal(chdir(fixture_path("x")), 0);
    expect_pte_visit("x/y/none.yaml", &named, 7);

    /* a path in a setting is relative to the working directory */
    assert_int_equal(chdir(fixture_path("x")), 0);
    static const char *const setting = "costs=y/my.yaml";
    const struct scenario_overrides settings = {.set = &setting, .nset = 1};
    expect_pte_visit("x/y/s.yaml", &settings, 4);
    assert_int_equal(chdir("/"), 0);
}

static void test_values_and_overrides(void **state)
{
    (void)state;
    struct scenario scenario = fixture_load(MINIMAL);
    assert_string_equal(scenario.costs_name, "test");
    assert_string_equal(scenario.costs.name, "test");
    assert_string_equal(scenario.costs.description, "made up");
    assert_int_equal(scenario.costs.ticks[COST_PTE_VISIT], 60 * TICKS_PER_NS);
    assert_int_equal(scenario.costs.ticks[COST_SYSCALL], 1000 * TICKS_PER_NS);
    assert_int_equal(scenario.costs.origin[COST_SYSCALL], COST_ASSUMED);
    assert_string_equal(scenario.costs.source[COST_FAULT_MINOR], "guess 0");
    assert_true(scenario.cost_overrides[COST_PTE_VISIT] == OPTION_AUTO);
    scenario_free(&scenario);

    scenario = fixture_load(MINIMAL "cost_overrides: { pte_visit: 0.26ns, lock: auto }\n");
    assert_int_equal(scenario.costs.ticks[COST_PTE_VISIT], 266);
    assert_int_equal(scenario.cost_overrides[COST_PTE_VISIT], 266);
    assert_int_equal(scenario.costs.origin[COST_PTE_VISIT], COST_ASSUMED);
    assert_string_equal(scenario.costs.source[COST_PTE_VISIT], "cost_overrides of the scenario");
    assert_string_not_equal(scenario.costs.source[COST_LOCK], "cost_overrides of the scenario");
    scenario_free(&scenario);
}

/* A profile with one line replaced, or left out when `by` is NULL. */
static struct text changed_profile(const char *key, const char *by)
{
    struct text profile = fixture_profile("changed", "60ns");
    struct text changed = {0};
    struct text start = {0};
    text_append_format(&start, "  %s:", key);
    for (const char *line = text_string(&profile); *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        if (strncmp(line, text_string(&start), start.size) != 0) {
            text_append_bytes(&changed, line, length);
        } else if (by != NULL) {
            text_append_format(&changed, "  %s\n", by);
        }
        line += length;
    }
    text_free(&profile);
    text_free(&start);
    return changed;
}

static const struct {
    const char *key, *by, *message; /* the message behind the line in the profile */
} broken[] = {
    {"pte_visit", NULL, ":3: costs.pte_visit.time: must be given: what doing it once costs"},
    {"pte_visit", "pte_visits: { time: 1ns, from: assumed, source: x }",
     ":3: costs.pte_visits: unknown key, did you mean `pte_visit`?"},
    {"pte_visit", "pte_visit: 60ns",
     ":14: costs.pte_visit: expected a mapping of keys to values, found `60ns`"},
    {"pte_visit", "pte_visit: { time: 60, from: assumed, source: x }",
     ":22: costs.pte_visit.time: expected a time such as 60ns or 0.26ns, found `60`, did you "
     "mean `60ns`?"},
    {"pte_visit", "pte_visit: { time: 1001ms, from: assumed, source: x }",
     ":22: costs.pte_visit.time: expected a time from 0 to 1s, found `1001ms`"},
    {"pte_visit", "pte_visit: { time: -1ns, from: assumed, source: x }",
     ":22: costs.pte_visit.time: expected a time such as 60ns or 0.26ns, found `-1ns`, which is "
     "negative"},
    {"pte_visit", "pte_visit: { time: 60ns, from: guessed, source: x }",
     ":34: costs.pte_visit.from: expected one of measured, published, assumed, found `guessed`"},
    {"pte_visit", "pte_visit: { time: 60ns, source: x }",
     ":14: costs.pte_visit.from: must be given: where the time comes from"},
    {"pte_visit", "pte_visit: { time: 60ns, from: assumed }",
     ":14: costs.pte_visit.source: must be given: citation, host, or the reasoning of an "
     "assumption"},
};

static void test_broken_profiles(void **state)
{
    (void)state;
    struct text expected = {0};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct text profile = changed_profile(broken[i].key, broken[i].by);
        fixture_write("costs/changed.yaml", text_string(&profile));
        fixture_write("s.yaml", WITHOUT_COSTS "costs: changed\n");
        struct scenario scenario;
        assert_int_equal(scenario_load(fixture_path("s.yaml"), NULL, &fake_catalogue, &scenario),
                         STATUS_USAGE);
        /* three lines come before the first constant */
        int line = 4 + (broken[i].by == NULL ? 0 : (int)COST_PTE_VISIT);
        text_append_format(&expected, "%s:%d%s", fixture_path("costs/changed.yaml"), line,
                           broken[i].message);
        assert_string_equal(status_last_message(), text_string(&expected));
        text_free(&expected);
        text_free(&profile);
    }
}

static void test_profiles_that_are_not_there(void **state)
{
    (void)state;
    static const struct {
        const char *costs, *message; /* the message behind "{}/s.yaml:5:"; {} is the directory */
    } cases[] = {
        {"tset", "8: costs: expected a cost profile in {}/costs, {}/../costs or {}/costs, "
                 "found no `tset`, did you mean `test`?"},
        {"zzz", "8: costs: expected a cost profile in {}/costs, {}/../costs or {}/costs, "
                "found no `zzz`"},
        {"\"a\\x9bb.yaml\"", "8: costs: expected a path of at most 512 bytes without control "
                             "characters, found `a?b.yaml`"},
        {"a/b", "8: costs: expected the name of a profile or a path ending in .yaml, found `a/b`"},
        {"none.yaml", "8: {}/none.yaml: cannot be read: No such file or directory"},
        {"[ test ]",
         "8: costs: expected the name of a profile or a path ending in .yaml, found a list"},
        {"", "7: costs: expected the name of a profile or a path ending in .yaml, found nothing"},
        {"{ name: x }", "8: costs.costs.fault_minor.time: must be given: what doing it once costs"},
        {"costs", "8: costs: expected a cost profile in {}/costs, {}/../costs or {}/costs, "
                  "found no `costs`"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct text text = {0};
        struct text expected = {0};
        text_append_format(&text, WITHOUT_COSTS "costs: %s\n", cases[i].costs);
        text_append_format(&expected, "%s:5:", fixture_path("s.yaml"));
        for (const char *from = cases[i].message; *from != '\0';) {
            if (strncmp(from, "{}/", 3) == 0) {
                text_append(&expected, fixture_path(""));
                from += 3;
            } else {
                text_append_bytes(&expected, from++, 1);
            }
        }
        struct scenario scenario;
        assert_int_equal(scenario_load_text(text_string(&text), text.size, fixture_path("s.yaml"),
                                            NULL, &fake_catalogue, &scenario),
                         STATUS_USAGE);
        assert_string_equal(status_last_message(), text_string(&expected));
        text_free(&text);
        text_free(&expected);
    }
    struct scenario scenario;
    assert_int_equal(scenario_load_text(WITHOUT_COSTS, strlen(WITHOUT_COSTS), "s.yaml", NULL,
                                        &fake_catalogue, &scenario),
                     STATUS_USAGE);
    assert_string_equal(status_last_message(),
                        "s.yaml:1:1: costs: must be given: cost profile: a name in configs/costs/, "
                        "a path ending in .yaml, or a mapping");
    /* in the file, not in what is said besides it */
    static const char *const setting = "seed=1";
    const struct scenario_overrides settings = {.set = &setting, .nset = 1};
    assert_int_equal(scenario_load_text(WITHOUT_COSTS, strlen(WITHOUT_COSTS), "s.yaml", &settings,
                                        &fake_catalogue, &scenario),
                     STATUS_USAGE);
    assert_non_null(strstr(status_last_message(), "s.yaml:1:1: costs: must be given"));
    const struct scenario_overrides overrides = {.costs = "/nowhere/at.all"};
    assert_int_equal(scenario_load_text(MINIMAL, strlen(MINIMAL), "s.yaml", &overrides,
                                        &fake_catalogue, &scenario),
                     STATUS_USAGE);
    assert_string_equal(status_last_message(),
                        "/nowhere/at.all: cannot be read: No such file or directory");
}

/* What is written is read back unchanged, odd texts and all. */
static void test_write_and_load(void **state)
{
    (void)state;
    struct cost_profile profile = {.name = "host: \"a\"\\",
                                   .description = "line\nline\t\xe2\x80\xa8"};
    char source[3000];
    memset(source, 'x', sizeof source - 1);
    source[sizeof source - 1] = '\0';
    for (size_t i = 0; i < COST_COUNT; i++) {
        profile.ticks[i] = i * i * i * 977;
        profile.origin[i] = (enum cost_origin)(i % 3);
        profile.source[i] = i == 4 ? source : "{ V1, }: # no comment";
    }
    for (size_t i = 0; i < LOCK_KINDS; i++) {
        struct lock_curve *curve = &profile.contention.curve[i];
        for (size_t point = 0; point < LOCK_CURVE_POINTS; point++) {
            curve->factor[point] = 1000 + i * 77 + point * point;
        }
        curve->from = (unsigned)(i % 3);
        curve->source = "a: \"b\"";
    }
    profile.contention.limit = (struct utilisation_limit){.share = 123456789, .source = "c"};
    struct text text = {0};
    cost_profile_write(&profile, 0, &text);
    fixture_write("written.yaml", text_string(&text));
    text_free(&text);
    struct config_arena *arena = NULL;
    struct cost_profile again;
    assert_int_equal(arena_open(&arena), STATUS_OK);
    assert_int_equal(cost_profile_load(fixture_path("written.yaml"), arena, &again), STATUS_OK);
    assert_string_equal(again.name, profile.name);
    assert_string_equal(again.description, profile.description);
    for (size_t i = 0; i < COST_COUNT; i++) {
        assert_int_equal(again.ticks[i], profile.ticks[i]);
        assert_int_equal(again.origin[i], profile.origin[i]);
        assert_string_equal(again.source[i], profile.source[i]);
    }
    for (size_t i = 0; i < LOCK_KINDS; i++) {
        const struct lock_curve *curve = &again.contention.curve[i];
        assert_memory_equal(curve->factor, profile.contention.curve[i].factor,
                            sizeof curve->factor);
        assert_int_equal(curve->from, profile.contention.curve[i].from);
        assert_string_equal(curve->source, profile.contention.curve[i].source);
    }
    assert_int_equal(again.contention.limit.share, profile.contention.limit.share);
    arena_close(arena);
}

/* --- contention ------------------------------------------------------------------------------ */

static void load_curves(const char *section, struct scenario *scenario)
{
    struct text profile = fixture_profile("curves", "60ns");
    text_append(&profile, section);
    fixture_write("costs/curves.yaml", text_string(&profile));
    text_free(&profile);
    *scenario = fixture_load(WITHOUT_COSTS "costs: curves\n");
}

static void test_curves_that_are_left_out(void **state)
{
    (void)state;
    struct scenario scenario;
    load_curves("contention: { lru_lock: { cpus_4: 3000, from: measured, source: here } }\n",
                &scenario);
    const struct contention *contention = &scenario.costs.contention;
    for (int kind = 0; kind < LOCK_KINDS; kind++) {
        const struct lock_curve *curve = &contention->curve[kind];
        assert_int_equal(curve->factor[0], 1250);
        assert_int_equal(curve->factor[1], kind == LOCK_KIND_LRU ? 3000 : 1750);
        assert_int_equal(curve->factor[LOCK_CURVE_POINTS - 1], 16750);
        assert_int_equal(curve->from, kind == LOCK_KIND_LRU ? COST_MEASURED : COST_ASSUMED);
    }
    assert_int_equal(contention->limit.share, 950000000);
    assert_int_equal(contention->limit.from, COST_ASSUMED);
    scenario_free(&scenario);
}

static void test_curve_between_its_points(void **state)
{
    (void)state;
    static const struct lock_curve curve = {.factor = {1400, 3400, 3000, 3000, 5001, 4000}};
    static const struct {
        uint64_t cpus, factor;
    } points[] = {
        {0, 1000},     {1000, 1000},  {1250, 1100},  {2000, 1400},  {3000, 2400},
        {4000, 3400},  {5000, 3300},  {5003, 3300},  {8000, 3000},  {16000, 3000},
        {24000, 4000}, {32000, 5001}, {48000, 4501}, {64000, 4000}, {100000, 4000},
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        assert_int_equal(lock_curve_factor(&curve, points[i].cpus), points[i].factor);
    }
}

static void test_what_is_wrong_with_curves(void **state)
{
    (void)state;
    static const char *const sections[] = {
        "contention: { lru_lock: { cpus_4: 999 } }\n",
        "contention: { lru_lock: { cpus_3: 2000 } }\n",
        "contention: { zone_lock: { cpus_4: 2000 } }\n",
        "contention: { utilisation_limit: { share: 101% } }\n",
        "contention: { chain_lock: { from: guessed } }\n",
    };
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        struct text profile = fixture_profile("curves", "60ns");
        struct scenario scenario;
        text_append(&profile, sections[i]);
        fixture_write("costs/curves.yaml", text_string(&profile));
        text_free(&profile);
        fixture_write("curves.yaml", WITHOUT_COSTS "costs: curves\n");
        assert_int_equal(
            scenario_load(fixture_path("curves.yaml"), NULL, &fake_catalogue, &scenario),
            STATUS_USAGE);
    }
}

/* A curve is part of the configuration, where it comes from is not. */
static void test_curves_and_the_hash(void **state)
{
    (void)state;
    struct scenario assumed;
    struct scenario measured;
    struct scenario other;
    load_curves("", &assumed);
    load_curves("contention: { chain_lock: { from: measured, source: here } }\n", &measured);
    load_curves("contention: { chain_lock: { cpus_64: 16751 } }\n", &other);
    assert_memory_equal(&assumed.hash, &measured.hash, sizeof assumed.hash);
    assert_memory_not_equal(&assumed.hash, &other.hash, sizeof assumed.hash);
    scenario_free(&assumed);
    scenario_free(&measured);
    scenario_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_profiles_are_found),
        cmocka_unit_test(test_values_and_overrides),
        cmocka_unit_test(test_broken_profiles),
        cmocka_unit_test(test_profiles_that_are_not_there),
        cmocka_unit_test(test_write_and_load),
        cmocka_unit_test(test_curves_that_are_left_out),
        cmocka_unit_test(test_curve_between_its_points),
        cmocka_unit_test(test_what_is_wrong_with_curves),
        cmocka_unit_test(test_curves_and_the_hash),
    };
    status_set_quiet(1);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
