/* Contexts of a cell that is one of several: from when on they run, and what they do together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/epoch.h"
#include "machine/populate.h"

#include <cmocka.h>

#define EPOCH ((sim_time)1000 * 1000 * TICKS_PER_NS)

enum { CELLS = 4, PROCESS = 1, OTHER_CELL = 2 };

static const char scenario_text[] = "duration: 1s\n"
                                    "machine: { memory: 64MiB, swap: { size: 8MiB }, cells: 4 }\n"
                                    "design: { preset: linux-2.6.0 }\n"
                                    "workloads:\n"
                                    "  - kind: database\n"
                                    "    processes: 3\n"
                                    "    segment: { size: 8MiB, populate: write }\n"
                                    "    private_memory: 256KiB\n"
                                    "phases: { warmup: 0s }\n"
                                    "costs: x86_64-2003\n";

struct machine {
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct cell cell;
    struct home *homes;
    struct cell_share share;
};

/* The next epoch, with CPUs for as many contexts. */
static void begin_epoch_with(struct machine *machine, uint64_t cpus)
{
    struct cell *cell = &machine->cell;
    sim_time start = cell->core->epoch_end;
    machine->share = (struct cell_share){.start = start,
                                         .end = start + EPOCH,
                                         .contexts = cpus,
                                         .room = cpus,
                                         .spare = cpus * EPOCH};
    for (int zone = 0; zone < ZONES; zone++) {
        machine->share.free[zone] = cell->core->zone[zone].free;
    }
    epoch_begin(cell, &machine->share, machine->homes);
}

/* Every context that wants a CPU gets one. */
static void begin_epoch(struct machine *machine)
{
    begin_epoch_with(machine, 8);
}

static void end_epoch(struct machine *machine)
{
    struct cell_report report;
    epoch_end(&machine->cell, &report);
    machine->cell.outbox.count = 0;
}

static int set_up(void **state)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/cell_contexts_test.yaml", &none,
                                        &names.catalogue, &machine->scenario),
                     STATUS_OK);
    assert_int_equal(design_resolve(&machine->scenario, &machine->design), STATUS_OK);
    assert_int_equal(workloads_plan(&machine->scenario, &machine->design, &machine->set),
                     STATUS_OK);
    assert_int_equal(
        cell_create(&machine->scenario, &machine->set.plan, &machine->design, 0, &machine->cell),
        STATUS_OK);
    assert_int_equal(populate_boot(&machine->cell), STATUS_OK);
    populate_all(&machine->cell, false);
    machine->homes = calloc(machine->set.plan.nprocesses, sizeof *machine->homes);
    begin_epoch(machine);
    *state = machine;
    return 0;
}

static int tear_down(void **state)
{
    struct machine *machine = *state;
    free(machine->homes);
    cell_destroy(&machine->cell);
    workloads_free(&machine->set);
    scenario_free(&machine->scenario);
    free(machine);
    return 0;
}

static struct context *kswapd(struct machine *machine)
{
    return &machine->cell.contexts[CONTEXT_KSWAPD];
}

static struct context *helper(struct machine *machine)
{
    size_t nprocesses = machine->set.plan.nprocesses;
    return &machine->cell.contexts[CONTEXT_FIRST_PROCESS + nprocesses + PROCESS];
}

/* Woken after the window, it has done nothing that it had to make up for. */
static void test_woken_after_the_window(void **state)
{
    struct machine *machine = *state;
    const struct cell_core *core = machine->cell.core;
    assert_int_equal(core->window_end - core->epoch_start, EPOCH / CELLS);
    context_wake_kswapd(&machine->cell, ZONE_NORMAL, core->epoch_start + EPOCH / 2);
    assert_false(kswapd(machine)->on_cpu);
    end_epoch(machine);
    begin_epoch(machine);
    assert_true(kswapd(machine)->on_cpu);
    assert_int_equal(kswapd(machine)->now, core->epoch_start);
}

/* What a clock has run beyond the window is made up for. */
static void test_clock_beyond_the_window(void **state)
{
    struct machine *machine = *state;
    const struct cell_core *core = machine->cell.core;
    context_wake_kswapd(&machine->cell, ZONE_NORMAL, core->epoch_start);
    assert_true(kswapd(machine)->on_cpu);
    kswapd(machine)->now = core->window_end + 7;
    end_epoch(machine);
    begin_epoch(machine);
    assert_int_equal(kswapd(machine)->now, core->epoch_start + 7);
}

/* However long it waits for a CPU in between. */
static void test_clock_beyond_the_window_while_queued(void **state)
{
    struct machine *machine = *state;
    const struct cell_core *core = machine->cell.core;
    context_wake_kswapd(&machine->cell, ZONE_NORMAL, core->epoch_start);
    kswapd(machine)->now = core->window_end + 7;
    for (int i = 0; i < 3; i++) {
        end_epoch(machine);
        begin_epoch_with(machine, 0);
        assert_false(kswapd(machine)->on_cpu);
    }
    end_epoch(machine);
    begin_epoch(machine);
    assert_true(kswapd(machine)->on_cpu);
    assert_int_equal(kswapd(machine)->now, core->epoch_start + 7);
    end_epoch(machine);
    begin_epoch(machine);
    assert_int_equal(kswapd(machine)->now, core->epoch_start);
}

static void test_kswapd_is_woken_everywhere(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    context_wake_kswapd(cell, ZONE_NORMAL, cell->core->epoch_start);
    assert_int_equal(cell->outbox.count, 1);
    assert_int_equal(cell->outbox.messages[0].kind, MESSAGE_BALANCE);
    assert_int_equal(cell->outbox.messages[0].subject, ZONE_NORMAL);
    context_wake_kswapd(cell, ZONE_NORMAL, cell->core->epoch_start);
    assert_int_equal(cell->outbox.count, 1); /* it is awake */
}

static void test_kswapd_woken_elsewhere(void **state)
{
    struct machine *machine = *state;
    end_epoch(machine);
    context_kswapd_woken_elsewhere(&machine->cell, OTHER_CELL, ZONE_NORMAL);
    assert_int_equal(kswapd(machine)->state, CONTEXT_RUNNING);
    assert_int_equal(machine->cell.outbox.count, 0); /* one waking, one message */
    begin_epoch(machine);
    assert_int_equal(kswapd(machine)->now, machine->cell.core->epoch_start);
}

/* A helper that is at work ends where its design lets it, and not before. */
static void test_helper_ends_with_its_process(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    end_epoch(machine);
    context_help(cell, PROCESS, ZONE_NORMAL);
    context_end_help(cell, PROCESS);
    assert_int_equal(helper(machine)->state, CONTEXT_RUNNING);
    assert_true(context_should_end(helper(machine)));
    begin_epoch(machine);
    epoch_run(cell, NULL, 0);
    assert_int_equal(helper(machine)->state, CONTEXT_IDLE);
    assert_false(context_should_end(helper(machine)));
    assert_int_equal(cell->core->counter[METRIC_RECLAIM_CPU], 0);
}

/* Nothing can be freed here (all pages were just touched): the helper waits before its next pass.
 */
static void let_helper_wait(struct machine *machine)
{
    end_epoch(machine);
    context_help(&machine->cell, PROCESS, ZONE_NORMAL);
    for (int i = 0; i < 100 && helper(machine)->state != CONTEXT_WAITING; i++) {
        begin_epoch(machine);
        epoch_run(&machine->cell, NULL, 0);
        end_epoch(machine);
    }
    assert_int_equal(helper(machine)->state, CONTEXT_WAITING);
    assert_int_equal(helper(machine)->wait, WAIT_CONGESTION);
}

static void test_waiting_helper_ends_at_once(void **state)
{
    struct machine *machine = *state;
    let_helper_wait(machine);
    context_end_help(&machine->cell, PROCESS);
    assert_int_equal(helper(machine)->state, CONTEXT_IDLE);
    assert_int_equal(machine->cell.core->congestion_waiters, CONTEXT_NONE);
}

/* Distress is that of the last call of a process, wherever it was: a helper leaves none. */
static void test_distress_follows_calls(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    struct zone *zone = cell->core->zone;
    zone[ZONE_DMA].prev_priority = 12;
    zone[ZONE_NORMAL].prev_priority = 5;
    let_helper_wait(machine);
    context_end_help(cell, PROCESS);
    assert_int_equal(helper(machine)->state, CONTEXT_IDLE);
    assert_int_equal(zone[ZONE_NORMAL].prev_priority, 5);
    cell->outbox.count = 0;
    context_call_ended(cell, helper(machine), 1);
    assert_int_equal(cell->outbox.count, 0);
    context_call_ended(cell, &cell->contexts[CONTEXT_FIRST_PROCESS + PROCESS], 7);
    assert_int_equal(cell->outbox.messages[0].kind, MESSAGE_CALLED);
    assert_int_equal(cell->outbox.messages[0].value, 7);
    context_call_ended_elsewhere(cell, (uint64_t)(2 + 1) << (8 * ZONE_NORMAL));
    assert_int_equal(zone[ZONE_DMA].prev_priority, 12); /* not of the call's class */
    assert_int_equal(zone[ZONE_NORMAL].prev_priority, 2);
}

/* A process that reclaims in two cells at once does so once in each. */
static void test_one_process_in_each_cell(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    struct touch touch = {.process = PROCESS, .vma = VMA_NONE, .at = cell->core->epoch_start};
    let_helper_wait(machine);
    begin_epoch(machine);
    cell->contexts[CONTEXT_FIRST_PROCESS + PROCESS].waited_for_frames = true;
    context_begin_reclaim(cell, &touch, ZONE_NORMAL, cell->core->epoch_start);
    assert_int_equal(helper(machine)->state, CONTEXT_IDLE);
    context_help(cell, PROCESS, ZONE_NORMAL);
    assert_int_equal(helper(machine)->help_wanted, 2);
    assert_int_equal(helper(machine)->state, CONTEXT_IDLE);
}

/* A process that finds no frame in its cell first waits for those of the others. */
static void test_waits_for_frames_of_others(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + PROCESS];
    struct touch touch = {.process = PROCESS, .vma = VMA_NONE, .at = cell->core->epoch_start};
    context_begin_reclaim(cell, &touch, ZONE_NORMAL, cell->core->epoch_start);
    assert_int_equal(own->state, CONTEXT_WAITING);
    assert_int_equal(own->wait_until, cell->core->epoch_end);
    assert_true(own->asked_for_memory);
    assert_int_equal(cell->outbox.count, 1);
    assert_int_equal(cell->outbox.messages[0].kind, MESSAGE_BLOCKED);

    /* There were none: now it reclaims, in all cells. */
    event_remove(cell, CONTEXT_FIRST_PROCESS + PROCESS);
    own->state = CONTEXT_IDLE;
    context_begin_reclaim(cell, &touch, ZONE_NORMAL, cell->core->epoch_start);
    assert_int_equal(own->state, CONTEXT_RUNNING);
    assert_int_equal(own->task, TASK_RECLAIM);
    assert_int_equal(cell->outbox.messages[cell->outbox.count - 1].kind, MESSAGE_RECLAIM);
}

/* 32 pages that the call has freed, wherever, are enough; 31 are not. */
static void test_freed_in_all_cells(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    let_helper_wait(machine);
    context_freed_elsewhere(cell, PROCESS, 28);
    context_freed(cell, helper(machine), 3);
    assert_int_equal(cell->outbox.count, 1);
    assert_int_equal(cell->outbox.messages[0].kind, MESSAGE_FREED);
    assert_int_equal(cell->outbox.messages[0].subject, PROCESS);
    assert_int_equal(cell->outbox.messages[0].value, 3);
    assert_false(context_freed_enough(cell, helper(machine)));
    context_freed_elsewhere(cell, PROCESS, 1);
    assert_true(context_freed_enough(cell, helper(machine)));
    begin_epoch(machine);
    epoch_run(cell, NULL, 0);
    /* Its call is over: it pauses as a process that found no frame does. */
    assert_int_equal(helper(machine)->state, CONTEXT_WAITING);
    assert_int_equal(helper(machine)->wait, WAIT_TIME);
}

/* The end of a helper's own call leaves no distress: at what priority it was depends on how far it
 * had come in its cell. */
static void test_helper_leaves_no_distress(void **state)
{
    struct machine *machine = *state;
    struct cell *cell = &machine->cell;
    struct zone *zone = &cell->core->zone[ZONE_NORMAL];
    const uint32_t before = 3;
    zone->prev_priority = before;
    let_helper_wait(machine);
    assert_int_not_equal(zone->temp_priority, before); /* the helper has come by */
    context_freed_elsewhere(cell, PROCESS, 32);
    begin_epoch(machine);
    epoch_run(cell, NULL, 0);
    assert_int_equal(helper(machine)->wait, WAIT_TIME); /* its call has ended */
    assert_int_equal(zone->prev_priority, before);
    for (size_t i = 0; i < cell->outbox.count; i++) {
        assert_int_not_equal(cell->outbox.messages[i].kind, MESSAGE_CALLED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_woken_after_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_beyond_the_window, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_beyond_the_window_while_queued, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_kswapd_is_woken_everywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kswapd_woken_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_helper_ends_with_its_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_helper_ends_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_distress_follows_calls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_process_in_each_cell, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_for_frames_of_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_freed_in_all_cells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_helper_leaves_no_distress, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
