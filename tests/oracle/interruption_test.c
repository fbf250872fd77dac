/* Contexts can be left at any point: kswapd that stops after every charge, at every pte and page,
 * comes to the same state as kswapd that is never interrupted, and as the oracle, where it is a
 * plain function. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/context.h"
#include "machine/invariants.h"
#include "machine/lru.h"
#include "machine/populate.h"
#include "machine/pte.h"
#include "oracle/compare.h"
#include "oracle/machines.h"
#include "workloads/workloads.h"

#include <cmocka.h>

/* The oracle's machine; its structs have the names of the simulator's. */
struct oracle_machine;
struct oracle_machine *interruption_oracle(const struct scenario *scenario);
bool interruption_oracle_run(struct oracle_machine *machine, struct counters *values,
                             sim_time *now_p);
void interruption_oracle_free(struct oracle_machine *machine);

static uint64_t nmachines = 300;

/* A cell that is populated and has no free frame. */
static bool set_up(const struct scenario *scenario, const struct workload_set *set,
                   const struct design *design, struct cell *cell)
{
    assert_int_equal(cell_create(scenario, &set->plan, design, 0, cell), STATUS_OK);
    if (populate_boot(cell) != STATUS_OK) {
        return false;
    }
    populate_all(cell, false);
    if (cell->core->out_of_memory) {
        return false;
    }
    for (int zone = 0; zone < ZONES; zone++) {
        while (cell->core->zone[zone].free > 0) {
            zone_take(cell, (enum zone_index)zone, OWNER_BALLAST);
        }
    }
    cell->core->zone[zone_user_class(cell)].need_balance = true;
    cell->core->epoch_end = TIME_NEVER;
    return true;
}

/* Runs kswapd until it sleeps or is done; returns the number of steps. */
static uint64_t balance(struct cell *cell, sim_time slice, sim_time *now_p)
{
    struct context *context = &cell->contexts[CONTEXT_KSWAPD];
    struct actor actor = {0, CONTEXT_KSWAPD};
    uint64_t steps = 0;
    enum step step = STEP_AGAIN;
    context->task = TASK_BALANCE;
    cell->design->reclaim->begin_balance(cell, context);
    while (step == STEP_AGAIN) {
        context->may_resched = true;
        context->slice_end = slice == TIME_NEVER ? TIME_NEVER : actor.now + slice;
        step = cell->design->reclaim->balance(cell, &actor, context);
        steps++;
    }
    assert_int_not_equal(step, STEP_SPIN);
    *now_p = actor.now;
    return steps;
}

static void assert_same_state(const struct cell *a, const struct cell *b)
{
    const size_t words = (a->npages + PAGES_PER_WORD - 1) / PAGES_PER_WORD;
    assert_memory_equal(a->words, b->words, words * sizeof *a->words);
    assert_memory_equal(a->mapcount, b->mapcount, a->npages * sizeof *a->mapcount);
    assert_memory_equal(a->slot, b->slot, a->npages * sizeof *a->slot);
    assert_memory_equal(a->core->counter, b->core->counter, sizeof a->core->counter);
    for (lru_list list = 0; list < LRU_ZONE_LISTS + LRU_CONTEXT_LISTS; list++) {
        const page_id head = lru_head(a, list);
        page_id page = head;
        do {
            assert_int_equal(a->lru[page].next, b->lru[page].next);
            page = a->lru[page].next;
        } while (page != head);
    }
    for (size_t i = 0; i < a->plan->nvmas; i++) {
        const struct vma *vma = &a->vmas[i];
        for (page_id page = vma->first; page < vma->first + vma->npages; page++) {
            const struct pte_pair x = pte_read(a, *pte_ref(a, vma, page), page);
            const struct pte_pair y = pte_read(b, *pte_ref(b, vma, page), page);
            assert_int_equal(x.present, y.present);
            assert_int_equal(x.young, y.young);
        }
    }
}

struct tally {
    uint64_t machines, steps, looked_at, freed;
};

static void compare_kswapds(struct scenario *scenario, struct tally *tally)
{
    struct workload_set set;
    struct design design;
    struct cell whole;
    struct cell interrupted;
    scenario->quantum = TIME_NEVER / 4;
    assert_int_equal(design_resolve(scenario, &design), STATUS_OK);
    assert_int_equal(workloads_plan(scenario, &design, &set), STATUS_OK);
    struct oracle_machine *oracle = interruption_oracle(scenario);
    const bool fits = set_up(scenario, &set, &design, &whole);
    const bool fits_too = set_up(scenario, &set, &design, &interrupted);
    assert_int_equal(fits, fits_too);
    assert_int_equal(fits, oracle != NULL);
    if (fits) {
        sim_time now;
        sim_time now_interrupted;
        sim_time now_oracle;
        struct counters expected;
        char difference[512] = "";
        balance(&whole, TIME_NEVER, &now);
        const uint64_t steps = balance(&interrupted, 1, &now_interrupted);
        assert_int_equal(now, now_interrupted);
        assert_same_state(&whole, &interrupted);
        assert_int_equal(invariants_check(&whole), STATUS_OK);
        assert_true(interruption_oracle_run(oracle, &expected, &now_oracle));
        assert_int_equal(now, now_oracle);
        cell_sample(&whole, 0);
        if (!compare_cell(whole.core->counter, &expected, difference)) {
            fail_msg("%s", difference);
        }
        const uint64_t *counter = whole.core->counter;
        const uint64_t looked_at = counter[METRIC_PTES_VISITED] + counter[METRIC_PAGES_SCANNED];
        /* Each pte that the scan visits and each page that reclaim takes up ends a step. */
        assert_true(steps >= looked_at);
        tally->machines++;
        tally->steps += steps;
        tally->looked_at += looked_at + counter[METRIC_RMAP_VISITS];
        tally->freed += counter[METRIC_PAGES_FREED];
    }
    cell_destroy(&whole);
    cell_destroy(&interrupted);
    interruption_oracle_free(oracle);
    workloads_free(&set);
}

static void test_with(unsigned design, bool fixes)
{
    struct tally tally = {0};
    struct catalogue_names names;
    catalogue_fill(&names);
    for (uint64_t number = 0; number < nmachines; number++) {
        struct machine_choice machine;
        struct text yaml = {0};
        struct scenario scenario;
        const struct scenario_overrides none = {0};
        machine_choose_drawn(number, &machine);
        machine.design = design;
        machine.by_axes = false;
        machine.scan_uses_objects = fixes;
        machine.prompt = fixes;
        machine.clean_first = fixes;
        machine.frames += 512;
        machine.ballast = 0;
        machine.auto_ballast = false;
        machine.low_left = 0;
        machine.workloads[0].populate = 2;
        for (int i = 0; i < COST_COUNT; i++) {
            machine.cost_ps[i] = max_u64(machine.cost_ps[i], 1000); /* so that each ends a step */
        }
        machine_write(&machine, &yaml);
        const char *text = text_string(&yaml);
        assert_int_equal(scenario_load_text(text, strlen(text), "random.yaml", &none,
                                            &names.catalogue, &scenario),
                         STATUS_OK);
        compare_kswapds(&scenario, &tally);
        scenario_free(&scenario);
        text_free(&yaml);
    }
    print_message("%" PRIu64 " machines, %" PRIu64 " steps, %" PRIu64
                  " ptes and pages looked at, %" PRIu64 " frames freed\n",
                  tally.machines, tally.steps, tally.looked_at, tally.freed);
    assert_true(tally.machines * 2 > nmachines);
    assert_true(tally.looked_at > 100 * nmachines);
}

static void test_design(unsigned design)
{
    test_with(design, false);
}

static void test_virtual_scan(void **state)
{
    (void)state;
    test_design(DESIGN_2_4_23);
}

static void test_virtual_scan_with_fixes(void **state)
{
    (void)state;
    test_with(DESIGN_2_4_23, true);
}

static void test_virtual_scan_of_2_4_22(void **state)
{
    (void)state;
    test_design(DESIGN_2_4_22);
}

static void test_chains(void **state)
{
    (void)state;
    test_design(DESIGN_2_6_0);
}

static void test_lists(void **state)
{
    (void)state;
    test_design(DESIGN_2_5_27);
}

static void test_objects(void **state)
{
    (void)state;
    test_design(DESIGN_OBJRMAP);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        nmachines = strtoull(argv[1], NULL, 10);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtual_scan), cmocka_unit_test(test_virtual_scan_of_2_4_22),
        cmocka_unit_test(test_chains),       cmocka_unit_test(test_lists),
        cmocka_unit_test(test_objects),      cmocka_unit_test(test_virtual_scan_with_fixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
