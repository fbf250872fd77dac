/* The machine is a closed loop: what one part does, the others feel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>

#include "designs/designs.h"
#include "run_fixture.h"

#include <cmocka.h>

/* A machine of 64 MiB whose database of 8 processes does not fit once a copy begins. */
static const char scenario[] =
    "duration: 3s\n"
    "machine:\n"
    "  memory: 64MiB\n"
    "  cpus: 2\n"
    "  swap: { size: 64MiB, devices: 1, bandwidth: 50MB/s, latency: 5ms, queue: 32 }\n"
    "design: { preset: linux-2.6.0 }\n"
    "workloads:\n"
    "  - kind: database\n"
    "    processes: 8\n"
    "    segment: { size: 32MiB }\n"
    "    private_memory: 256KiB\n"
    "    touch_rate: 100000\n"
    "    log_writes: 500\n"
    "  - kind: shm_copy\n"
    "    size: 32MiB\n"
    "    rate: 20MB/s\n"
    "phases: { warmup: 200ms }\n"
    "costs: x86_64-2003\n"
    "output: { interval: 100ms }\n";

static double touches_per_second(const char *const *sets)
{
    struct sim_result result = run_scenario(scenario, CONFIGS_DIR "/closed_loop.yaml", sets);
    double elapsed = result_real(&result, METRIC_ELAPSED);
    double rate = (double)result_count(&result, METRIC_TOUCHES) / elapsed;
    sim_result_free(&result);
    return rate;
}

static void test_slower_swap_means_fewer_touches(void **state)
{
    (void)state;
    const char *const fast[] = {"machine.swap.latency=1ms", NULL};
    const char *const slow[] = {"machine.swap.latency=40ms", "machine.swap.bandwidth=5MB/s", NULL};
    double with_fast = touches_per_second(fast);
    double with_slow = touches_per_second(slow);
    assert_true(with_slow < 0.9 * with_fast);
}

/* One CPU that both the database and the scan of 2.4 need: what the scan takes, the touches lose.
 */
static void test_a_spinning_reclaimer_takes_cpu_from_the_database(void **state)
{
    (void)state;
    const char *const visit[] = {"cost_overrides.pte_visit=60ns", "cost_overrides.pte_visit=30us"};
    double rate[2];
    double reclaim[2];
    for (int i = 0; i < 2; i++) {
        const char *const sets[] = {"design.preset=linux-2.4.23",
                                    "machine.cpus=1",
                                    "workloads.database.cpu_use=80%",
                                    "duration=1s",
                                    "workloads.shm_copy.rate=100MB/s",
                                    visit[i],
                                    NULL};
        struct sim_result result = run_scenario(scenario, CONFIGS_DIR "/closed_loop.yaml", sets);
        double pressure = result_real(&result, METRIC_ELAPSED) - 0.2;
        rate[i] = (double)pressure_count(&result, METRIC_TOUCHES) / pressure;
        reclaim[i] = result_real(&result, METRIC_RECLAIM_CPU) / pressure;
        sim_result_free(&result);
    }
    assert_true(reclaim[1] > reclaim[0] + 0.1);
    assert_true(rate[1] < 0.95 * rate[0]);
}

/* User, system, I/O wait and idle time make up every CPU's every tick, at every sample. */
static void test_cpu_time_adds_up_exactly(void **state)
{
    (void)state;
    const char *const cpus[] = {"machine.cpus=1", "machine.cpus=3", "machine.cpus=16"};
    for (size_t i = 0; design_presets[i / 3].name != NULL; i++) {
        char preset[128];
        snprintf(preset, sizeof preset, "design.preset=%s", design_presets[i / 3].name);
        bool on_64_bits = (preset_archs(&design_presets[i / 3]) >> ARCH_X86_64 & 1) != 0;
        const char *const sets[] = {preset,
                                    cpus[i % 3],
                                    "epoch=700us",
                                    "quantum=33us",
                                    on_64_bits ? "machine.arch=x86_64" : "machine.arch=i386-pae",
                                    NULL};
        const uint64_t ncpus[] = {1, 3, 16};
        struct sim_result result = run_scenario(scenario, CONFIGS_DIR "/closed_loop.yaml", sets);
        for (size_t point = 0; point < result.recording.npoints; point++) {
            const uint64_t *value = &result.recording.machine[point * METRIC_COUNT];
            uint64_t sum = value[METRIC_USER] + value[METRIC_SYSTEM] + value[METRIC_IOWAIT] +
                           value[METRIC_IDLE];
            assert_int_equal(sum, ncpus[i % 3] * value[METRIC_ELAPSED]);
            assert_true(value[METRIC_RECLAIM_CPU] <= value[METRIC_SYSTEM]);
        }
        sim_result_free(&result);
    }
}

/* Without pressure nothing is reclaimed and every touch is made. */
static void test_unhindered_rate(void **state)
{
    (void)state;
    const char *const calm[] = {"phases.warmup=2s", "duration=2100ms", NULL};
    struct sim_result result = run_scenario(scenario, CONFIGS_DIR "/closed_loop.yaml", calm);
    double rate = (double)result.recording.at_pressure[METRIC_TOUCHES] / 2.0;
    assert_true(rate > 0.98 * 100000 && rate < 1.02 * 100000);
    assert_int_equal(result.recording.at_pressure[METRIC_PAGES_FREED], 0);
    assert_int_equal(result.recording.at_pressure[METRIC_MINOR_FAULTS], 0);
    sim_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slower_swap_means_fewer_touches),
        cmocka_unit_test(test_a_spinning_reclaimer_takes_cpu_from_the_database),
        cmocka_unit_test(test_cpu_time_adds_up_exactly),
        cmocka_unit_test(test_unhindered_rate),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
