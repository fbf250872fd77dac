/* Times and sums of times at the ends of what options allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/ledger.h"
#include "machine/populate.h"
#include "machine/residence.h"
#include "workloads/workloads.h"

#include <cmocka.h>

static const char reader_text[] = "duration: 1s\n"
                                  "machine: { memory: 64MiB, cells: 2 }\n"
                                  "design: { preset: linux-2.6.0 }\n"
                                  "phases: { warmup: 0s }\n"
                                  "costs: x86_64-2003\n"
                                  "workloads: [{ kind: page_cache_reader, size: 4GiB }]\n";

static enum status load(const char *const *sets, size_t nsets, struct scenario *scenario)
{
    struct catalogue_names *names = test_malloc(sizeof *names);
    catalogue_fill(names);
    const struct scenario_overrides overrides = {sets, nsets, NULL};
    enum status status = scenario_load_text(reader_text, strlen(reader_text),
                                            CONFIGS_DIR "/limits_test.yaml", &overrides,
                                            &names->catalogue, scenario);
    test_free(names);
    return status;
}

/* 2^64 ticks are 18,014,398.509481984 s of CPU time: refused from the first microsecond beyond. */
static void test_cpu_time_fits(void **state)
{
    (void)state;
    static const struct {
        uint64_t cpus;
        const char *most, *more;
    } cases[] = {
        {3, "6004799503160us", "6004799503161us"},
        {65536, "274877906us", "274877907us"},
    };
    (void)status_set_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char cpus[64];
        char duration[64];
        const char *const sets[] = {cpus, duration};
        struct scenario scenario;
        (void)snprintf(cpus, sizeof cpus, "machine.cpus=%" PRIu64, cases[i].cpus);
        (void)snprintf(duration, sizeof duration, "duration=%s", cases[i].most);
        assert_int_equal(load(sets, 2, &scenario), STATUS_OK);
        assert_true((uint128)scenario.duration * cases[i].cpus <= UINT64_MAX);
        scenario_free(&scenario);
        (void)snprintf(duration, sizeof duration, "duration=%s", cases[i].more);
        assert_int_equal(load(sets, 2, &scenario), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "CPU time"));
    }
    (void)status_set_quiet(0);
}

/* A file of 2^20 pages, a million times, at a second for each page, is read for longer than any
 * duration: what comes too late to be told apart never comes. */
static void test_touches_beyond_the_end_of_time(void **state)
{
    (void)state;
    const char *const sets[] = {"workloads.page_cache_reader.rounds=1000000",
                                "cost_overrides.page_copy=1s"};
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct cell cell;
    assert_int_equal(load(sets, 2, &scenario), STATUS_OK);
    assert_int_equal(design_resolve(&scenario, &design), STATUS_OK);
    assert_int_equal(workloads_plan(&scenario, &design, &set), STATUS_OK);
    assert_int_equal(set.plan.processes[0].touches, (uint64_t)1000000 << 20);
    assert_int_equal(cell_create(&scenario, &set.plan, &design, 0, &cell), STATUS_OK);
    const struct workload *reader = &set.workload[0];
    const struct process_draws none = {0};
    const struct random_block bits = {{0}};
    sim_time before = 0;
    uint64_t late = 0;
    for (uint64_t ordinal = 0; ordinal < 1000000 * ((uint64_t)1 << 19); ordinal += 999983) {
        sim_time at = reader->ops->due(reader, &cell, &none, 0, ordinal, before, &bits);
        assert_true(at == TIME_NEVER || at > before);
        assert_true(before != TIME_NEVER || at == TIME_NEVER);
        late += at == TIME_NEVER;
        before = at;
    }
    assert_true(late > 0);
    cell_destroy(&cell);
    workloads_free(&set);
    scenario_free(&scenario);
}

/* What processes waited for memory is counted up to 2^64 ticks, over all cells, and not beyond. */
static void test_waiting_of_very_many(void **state)
{
    (void)state;
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct cell cell;
    struct ledger ledger;
    assert_int_equal(load(NULL, 0, &scenario), STATUS_OK);
    assert_int_equal(design_resolve(&scenario, &design), STATUS_OK);
    assert_int_equal(workloads_plan(&scenario, &design, &set), STATUS_OK);
    assert_int_equal(ledger_create(&scenario, &set.plan, &ledger), STATUS_OK);
    ledger.account[0].report.waited = (sim_time)1 << 63;
    ledger.account[1].report.waited = ((sim_time)1 << 63) - 2;
    assert_false(ledger_sum(&ledger).too_long);
    ledger.account[1].report.waited++;
    assert_true(ledger_sum(&ledger).too_long);
    ledger.account[1].report.waited = UINT64_MAX;
    assert_true(ledger_sum(&ledger).too_long);
    ledger_free(&ledger);

    assert_int_equal(cell_create(&scenario, &set.plan, &design, 0, &cell), STATUS_OK);
    uint64_t *waited = &cell.core->counter[METRIC_ALLOCATION_WAIT];
    *waited = UINT64_MAX - 1000;
    for (int i = 0; i < 3; i++) {
        cell.contexts[CONTEXT_FIRST_PROCESS].asked_for_memory = true;
        cell.contexts[CONTEXT_FIRST_PROCESS].wait_began = 5;
        residence_end_memory_wait(&cell, CONTEXT_FIRST_PROCESS, 605);
    }
    assert_int_equal(*waited, UINT64_MAX);
    cell_destroy(&cell);
    workloads_free(&set);
    scenario_free(&scenario);
}

/* A process whose faults cost more than there is time for neither runs nor wraps. */
static void test_debt_of_a_process(void **state)
{
    (void)state;
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct ledger ledger;
    assert_int_equal(load(NULL, 0, &scenario), STATUS_OK);
    assert_int_equal(design_resolve(&scenario, &design), STATUS_OK);
    assert_int_equal(workloads_plan(&scenario, &design, &set), STATUS_OK);
    assert_int_equal(ledger_create(&scenario, &set.plan, &ledger), STATUS_OK);
    ledger_start_phase(&ledger, START_PRESSURE);
    const struct message costs[] = {
        {MESSAGE_USED, 0, UINT64_MAX - 5, UINT64_MAX - 5},
        {MESSAGE_USED, 0, UINT64_MAX - 5, UINT64_MAX - 5},
    };
    ledger_plan_epoch(&ledger, 0, 1000);
    ledger_receive(&ledger, costs, 2);
    assert_int_equal(ledger.homes[0].debt, UINT64_MAX);
    ledger_settle(&ledger);
    assert_int_equal(ledger.homes[0].lock_share, UINT32_MAX);
    ledger_plan_epoch(&ledger, 1000, 2000);
    assert_int_equal(ledger.homes[0].debt, UINT64_MAX - 1000);
    assert_int_equal(ledger.homes[0].grant, 0);
    ledger_free(&ledger);
    workloads_free(&set);
    scenario_free(&scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time_fits),
        cmocka_unit_test(test_touches_beyond_the_end_of_time),
        cmocka_unit_test(test_waiting_of_very_many),
        cmocka_unit_test(test_debt_of_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
