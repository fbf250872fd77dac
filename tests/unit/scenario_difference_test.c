/* In what two scenarios differ, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "config/scenario_difference.h"

#include <cmocka.h>

static void test_difference(void **state)
{
    (void)state;
    const struct {
        const char *a, *b, *difference;
    } rows[] = {
        {"seed: 1\n", "seed: 1\n", ""},
        {"seed: 1\ntitle: a\n", "seed: 1\ntitle: b\n", ""},
        {"output: { file: a, interval: 1s }\n", "output: { file: b, interval: 1s }\n", ""},
        {"output: { interval: 1s }\n", "output: { interval: 2s }\n",
         "output.interval is `1s` in A and `2s` in B"},
        {"m: { a: 1, b: 2 }\n", "m: { b: 2, a: 1 }\n", ""},
        {"m: { a: 1 }\n", "m: { a: 1, b: 2 }\n", "m.b is missing in A and `2` in B"},
        {"m: { a: 1, b: 2 }\n", "m: { a: 1 }\n", "m.b is `2` in A and missing in B"},
        {"m: 1\n", "m: { a: 1 }\n", "m is `1` in A and a mapping in B"},
        {"workloads: [{ kind: x, n: 1 }, { kind: y }]\n",
         "workloads: [{ kind: y }, { kind: x, n: 2 }]\n", "workloads.x.n is `1` in A and `2` in B"},
        {"workloads: [{ kind: x }]\n", "workloads: [{ kind: x }, { kind: y }]\n",
         "workloads.y is missing in A and a mapping in B"},
        {"costs: { name: a, costs: { x: { time: 1ns, source: s } } }\n",
         "costs: { name: b, costs: { x: { time: 1ns, source: t } } }\n", ""},
        {"costs: { costs: { x: { time: 1ns } } }\n", "costs: { costs: { x: { time: 2ns } } }\n",
         "costs.costs.x.time is `1ns` in A and `2ns` in B"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        assert_int_equal(scenario_difference(rows[i].a, "A", rows[i].b, "B", &text), STATUS_OK);
        assert_string_equal(text_string(&text), rows[i].difference);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_difference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
