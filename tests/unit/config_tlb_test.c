/* `machine.tlb`: none, a name, a path or a mapping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "config_fixture.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#define WITH(tlb)                                     \
    "duration: 60s\n"                                 \
    "machine: { memory: 1GiB" tlb " }\n"              \
    "design: { preset: linux-2.6.0 }\n"               \
    "workloads: [ { kind: shm_copy, size: 1GiB } ]\n" \
    "costs: test\n"

static enum status load(const char *text, const char *set, struct scenario *scenario)
{
    const char *const sets[] = {set};
    const struct scenario_overrides overrides = {sets, set == NULL ? 0 : 1, NULL};
    fixture_write("x/s.yaml", text);
    return scenario_load(fixture_path("x/s.yaml"), &overrides, &fake_catalogue, scenario);
}

static void expect_entries(const char *text, const char *set, uint64_t entries, const char *name)
{
    struct scenario scenario;
    if (load(text, set, &scenario) != STATUS_OK) {
        fail_msg("%s", status_last_message());
    }
    assert_int_equal(scenario.machine.tlb.level[0].array[0].entries, entries);
    assert_string_equal(scenario.machine.tlb.name, name);
    assert_int_equal(tlb_config_is_there(&scenario.machine.tlb), entries > 0);

    /* What it resolves to needs no other file, and is the same scenario. */
    struct scenario again;
    const struct scenario_overrides none = {0};
    assert_int_equal(scenario_load_text(scenario.resolved, strlen(scenario.resolved),
                                        "/nowhere/resolved.yaml", &none, &fake_catalogue, &again),
                     STATUS_OK);
    assert_true(digest_equal(scenario.hash, again.hash));
    assert_string_equal(scenario.resolved, again.resolved);
    scenario_free(&again);
    scenario_free(&scenario);
}

static void test_where_it_comes_from(void **state)
{
    (void)state;
    fixture_write("tlb/far.yaml", "name: far\nl1: { array1: { entries: 16, ways: 4 } }\n");
    fixture_write("x/tlb/near.yaml", "name: near\nl1: { array1: { entries: 8 } }\n");
    fixture_write("x/my.yaml", "name: mine\nl1: { array1: { entries: 4 } }\n");
    expect_entries(WITH(""), NULL, 0, "none");
    expect_entries(WITH(", tlb: none"), NULL, 0, "none");
    expect_entries(WITH(", tlb: far"), NULL, 16, "far");
    expect_entries(WITH(", tlb: near"), NULL, 8, "near");
    expect_entries(WITH(", tlb: my.yaml"), NULL, 4, "mine");
    expect_entries(WITH(", tlb: { name: own, l1: { array1: { entries: 2 } } }"), NULL, 2, "own");
    expect_entries(WITH(", tlb: far"), "machine.tlb=near", 8, "near");
    expect_entries(WITH(", tlb: far"), "machine.tlb=none", 0, "none");
    expect_entries(WITH(""), "machine.tlb=far", 16, "far");
}

static void test_refusals(void **state)
{
    (void)state;
    fixture_write("tlb/wrong.yaml", "name: wrong\nl1: { array1: { entrys: 16 } }\n");
    fixture_write("tlb/opteron.yaml", "name: opteron\nl1: { array1: { entries: 32 } }\n");
    const struct {
        const char *text;
        const char *part;
    } rows[] = {
        {WITH(", tlb: opteran"), "machine.tlb: expected a TLB in"},
        {WITH(", tlb: opteran"), "found no `opteran`, did you mean `opteron`?"},
        {WITH(", tlb: a/b"),
         "expected none, the name of a TLB, a path ending in .yaml or a mapping"},
        {WITH(", tlb: [ 1 ]"), "machine.tlb: expected"},
        {WITH(", tlb: gone.yaml"), "gone.yaml"},
        {WITH(", tlb: wrong"), "wrong.yaml:2"},
        {WITH(", tlb: wrong"), "did you mean `entries`?"},
        {WITH(", tlb: { l2: { array3: { entries: 30, ways: 4 } } }"),
         "machine.tlb.l2.array3: expected sets of equal size, found 30 entries in sets of 4"},
        {WITH(", tlb: { l1: { array1: { pages: medium } } }"), "found `medium`"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario scenario;
        assert_int_equal(load(rows[i].text, NULL, &scenario), STATUS_USAGE);
        if (strstr(status_last_message(), rows[i].part) == NULL) {
            fail_msg("expected `%s` in: %s", rows[i].part, status_last_message());
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_it_comes_from),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
