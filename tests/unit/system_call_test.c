/* System calls at a rate: how many there are, what they cost, and what they do not depend on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include "machine/metric.h"
#include "machine/recording.h"
#include "machine/system_call.h"
#include "run_fixture.h"

#include <cmocka.h>

#define SECOND (1000000000ULL * TICKS_PER_NS)

static void test_none_is_lost_between_epochs(void **state)
{
    (void)state;
    const uint64_t rates[] = {0, 1, 3, 999, 1000000, 1000000000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const struct plan_process process = {.syscalls_per_second = rates[i]};
        uint64_t calls = 0;
        sim_time work = 0;
        for (sim_time step = 1; work + step < 10 * SECOND; step += step / 3 + 12345) {
            calls += system_calls_between(&process, work, work + step);
            work += step;
        }
        calls += system_calls_between(&process, work, 10 * SECOND);
        assert_int_equal(calls, 10 * rates[i]);
    }
}

static void test_time_of_one(void **state)
{
    (void)state;
    sim_time cost[COST_COUNT] = {0};
    cost[COST_SYSCALL] = 1000;
    cost[COST_SPACE_SWITCH] = 3000;
    cost[COST_PAGE_COPY] = 4096;
    cost[COST_PTE_WALK] = 70;
    cost[COST_KMAP] = 7;
    assert_int_equal(system_call_time(cost, false, 0), 1000);
    assert_int_equal(system_call_time(cost, true, 0), 4000);
    assert_int_equal(system_call_time(cost, false, 6000), 7000);
    assert_int_equal(system_call_time(cost, true, 6000), 10000 + 2 * 77);
    assert_int_equal(system_call_time(cost, true, 8192), 4000 + 8192 + 2 * 77);
}

static const char yaml[] =
    "duration: 1s\n"
    "machine: { arch: i386-pae, memory: 256MiB, cpus: 2, swap: { size: 0 } }\n"
    "design: { preset: linux-2.6.0-4g4g }\n"
    "workloads:\n"
    "  - { kind: syscall_heavy, processes: 3, copied: 6000B }\n"
    "phases: { warmup: 100ms }\n"
    "costs: p4-2003\n"
    "output: { interval: 100ms }\n";

/* 3 processes keep 2 CPUs busy; calls follow user time, and system time the calls. */
static void test_same_for_any_number_of_cells(void **state)
{
    (void)state;
    uint64_t first[3] = {0};
    const enum metric metrics[3] = {METRIC_SYSCALLS, METRIC_USER, METRIC_SYSTEM};
    for (unsigned cells = 1; cells <= 5; cells += 2) {
        char set[32];
        snprintf(set, sizeof set, "machine.cells=%u", cells);
        const char *const sets[] = {set, NULL};
        struct sim_result result = run_scenario(yaml, CONFIGS_DIR "/calls.yaml", sets);
        for (unsigned i = 0; i < 3; i++) {
            const uint64_t value = result_count(&result, metrics[i]);
            first[i] = cells == 1 ? value : first[i];
            assert_int_equal(value, first[i]);
        }
        sim_result_free(&result);
    }
    assert_true(first[0] * SECOND <= 100000 * first[1]);
    assert_true((first[0] + 100) * SECOND > 100000 * first[1]);
    /* What dealing out CPU time rounds off is idle. */
    assert_true(first[1] + first[2] > 2 * SECOND - 100000 && first[1] + first[2] <= 2 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_is_lost_between_epochs),
        cmocka_unit_test(test_time_of_one),
        cmocka_unit_test(test_same_for_any_number_of_cells),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
