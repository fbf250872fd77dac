/* What cells tell each other while the machine is populated, before there are epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "engine/run.h"
#include "machine/populate.h"
#include "run_fixture.h"

#include <cmocka.h>

enum { CELLS = 4, WOKEN = 1 };

/* Two nodes of two cells each. */
static const char scenario_text[] =
    "duration: 1s\n"
    "machine: { memory: 128MiB, nodes: 2, cells: 4 }\n"
    "design: { preset: linux-2.4.23 }\n"
    "workloads:\n"
    "  - { kind: database, processes: 4, segment: { size: 8MiB }, private_memory: 256KiB }\n"
    "phases: { warmup: 0s }\n"
    "costs: x86_64-2003\n";

struct machine {
    struct scenario scenario;
    struct sim_options options;
    struct sim_result result;
    struct run run;
};

static int set_up(void **state)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct run *run = &machine->run;
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/populate_cells_test.yaml", &none,
                                        &names.catalogue, &machine->scenario),
                     STATUS_OK);
    *run = (struct run){.scenario = &machine->scenario,
                        .options = &machine->options,
                        .comm = MPI_COMM_SELF,
                        .result = &machine->result,
                        .ncells_here = CELLS};
    assert_int_equal(design_resolve(run->scenario, &run->design), STATUS_OK);
    assert_int_equal(workloads_plan(run->scenario, &run->design, &run->set), STATUS_OK);
    assert_int_equal(ledger_create(run->scenario, &run->set.plan, &run->ledger), STATUS_OK);
    assert_int_equal(exchange_open(run->comm, CELLS, 0, &run->exchange), STATUS_OK);
    run->cells = calloc(CELLS, sizeof *run->cells);
    run->request_first = calloc(CELLS + 1, sizeof *run->request_first);
    for (cell_id i = 0; i < CELLS; i++) {
        assert_int_equal(
            cell_create(run->scenario, &run->set.plan, &run->design, i, &run->cells[i]), STATUS_OK);
        assert_int_equal(populate_boot(&run->cells[i]), STATUS_OK);
    }
    run_exchange_reports(run);
    *state = machine;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *machine = *state;
    struct run *run = &machine->run;
    for (cell_id i = 0; i < CELLS; i++) {
        cell_destroy(&run->cells[i]);
    }
    free(run->cells);
    free(run->requests);
    free(run->request_first);
    free(run->request_order);
    free(run->calls);
    exchange_close(run->exchange);
    ledger_free(&run->ledger);
    workloads_free(&run->set);
    scenario_free(&machine->scenario);
    free(machine);
    return 0;
}

static bool is_awake(const struct run *run, cell_id cell)
{
    return run->cells[cell].contexts[CONTEXT_KSWAPD].state == CONTEXT_RUNNING;
}

/* Woken while one process is populated, kswapd is awake in all cells of the node before the next
 * one is, and all know that it wants a CPU. */
static void test_kswapd_is_woken_in_all_cells_of_the_node(void **state)
{
    struct machine *machine = *state;
    struct run *run = &machine->run;
    run_level_cells(run);
    context_wake_kswapd(&run->cells[WOKEN], ZONE_NORMAL, 0);
    run_level_cells(run);
    for (cell_id i = 0; i < CELLS; i++) {
        assert_int_equal(is_awake(run, i), i < CELLS / 2);
        if (i != WOKEN) {
            assert_int_equal(run->cells[i].core->zone[ZONE_NORMAL].need_balance, i < CELLS / 2);
        }
    }
    run_level_cells(run); /* of a process that wakes nobody */
    assert_int_equal(run->ncalls, 0);
    for (cell_id i = 0; i < CELLS; i++) {
        assert_int_equal(is_awake(run, i), i < CELLS / 2);
        assert_int_equal(run->ledger.account[i].report.nwanting, i < CELLS / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kswapd_is_woken_in_all_cells_of_the_node, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, run_fixture_open, run_fixture_close);
}
