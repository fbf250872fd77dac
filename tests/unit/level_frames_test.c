/* Free frames are levelled so that cells find as many as one cell would: none is hidden in a cell
 * that wants none, and none is there to be had that the machine as a whole keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/cell.h"
#include "machine/epoch.h"
#include "machine/ledger.h"
#include "workloads/workloads.h"

#include <cmocka.h>

enum { MOST_CELLS = 8 };

struct machine {
    struct scenario scenario;
    struct design design;
    struct workload_set set;
    struct ledger ledger;
    struct cell cells[MOST_CELLS];
    cell_id ncells;
};

static void build(struct machine *machine, const char *preset, const char *arch, cell_id ncells)
{
    char text[400];
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    snprintf(
        text, sizeof text,
        "duration: 1s\n"
        "machine: { arch: %s, memory: 1GiB, cells: %u }\n"
        "design: { preset: %s }\n"
        "workloads:\n"
        "  - { kind: database, processes: 1, segment: { size: 4MiB }, private_memory: 64KiB }\n"
        "phases: { warmup: 0s }\n"
        "costs: x86_64-2003\n",
        arch, (unsigned)ncells, preset);
    *machine = (struct machine){.ncells = ncells};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(text, strlen(text), CONFIGS_DIR "/level_frames_test.yaml",
                                        &none, &names.catalogue, &machine->scenario),
                     STATUS_OK);
    assert_int_equal(design_resolve(&machine->scenario, &machine->design), STATUS_OK);
    assert_int_equal(workloads_plan(&machine->scenario, &machine->design, &machine->set),
                     STATUS_OK);
    const struct plan *plan = &machine->set.plan;
    assert_int_equal(ledger_create(&machine->scenario, plan, &machine->ledger), STATUS_OK);
    for (cell_id i = 0; i < ncells; i++) {
        assert_int_equal(
            cell_create(&machine->scenario, plan, &machine->design, i, &machine->cells[i]),
            STATUS_OK);
    }
}

static void take_down(struct machine *machine)
{
    for (cell_id i = 0; i < machine->ncells; i++) {
        cell_destroy(&machine->cells[i]);
    }
    ledger_free(&machine->ledger);
    workloads_free(&machine->set);
    scenario_free(&machine->scenario);
}

/* Leaves n frames of one zone free, in equal parts, and none of the others. */
static void fill_but(struct machine *machine, enum zone_index index, page_count n)
{
    for (cell_id i = 0; i < machine->ncells; i++) {
        for (enum zone_index k = ZONE_DMA; k < ZONES; k++) {
            struct zone *zone = &machine->cells[i].core->zone[k];
            zone->free = k == index ? even_part(n, i, machine->ncells) : 0;
            memset(zone->held, 0, sizeof zone->held);
            zone->held[OWNER_BALLAST] = zone->present - zone->free;
        }
    }
}

/* As after an epoch in which one cell wanted frames. */
static void level(struct machine *machine, cell_id wanting)
{
    for (cell_id i = 0; i < machine->ncells; i++) {
        struct cell_report *report = &machine->ledger.account[i].report;
        epoch_report(&machine->cells[i], report);
        report->frames_wanted = i == wanting;
    }
    ledger_level_frames(&machine->ledger);
    for (cell_id i = 0; i < machine->ncells; i++) {
        epoch_level_frames(&machine->cells[i], machine->ledger.account[i].free);
    }
}

/* How many frames for user pages a cell has before they are to be reclaimed. */
static page_count take_all(struct cell *cell)
{
    page_count taken = 0;
    enum zone_index zone;
    const enum zone_index class = zone_user_class(cell);
    while (cell->design->reclaim->find_frame(cell, class, 0, &zone) == FRAME_OK) {
        zone_take(cell, zone, OWNER_ANON);
        taken++;
    }
    return taken;
}

static page_count low_mark(const struct machine *machine, enum zone_index zone)
{
    const struct cell *cell = &machine->cells[0];
    return cell->design->reclaim->frames_kept(cell, zone_user_class(cell), zone, WATERMARK_LOW);
}

static void compare(struct machine *one, struct machine *many, enum zone_index zone)
{
    const page_count most = low_mark(one, zone);
    page_count found = 0;
    for (page_count n = 0; n <= most; n++) {
        const cell_id wanting = (cell_id)(n % many->ncells);
        fill_but(one, zone, n);
        fill_but(many, zone, n);
        level(many, wanting);
        for (cell_id i = 0; i < many->ncells; i++) {
            const page_count expected = i == wanting ? take_all(&one->cells[0]) : 0;
            const page_count taken = take_all(&many->cells[i]);
            if (taken != expected) {
                print_error("of %u cells, %u gets %u of %u free frames of zone %d\n",
                            (unsigned)many->ncells, (unsigned)i, (unsigned)taken, (unsigned)n,
                            (int)zone);
            }
            assert_int_equal(taken, expected);
            found += taken;
        }
    }
    assert_true(found > 0);
}

static void test_cells_find_what_one_would(void **state)
{
    static const char *const presets[] = {"linux-2.4.23", "linux-2.6.0"};
    static const char *const archs[] = {"x86_64", "i386-pae"};
    static const cell_id counts[] = {2, 3, MOST_CELLS};
    (void)state;
    for (size_t i = 0; i < 12; i++) {
        struct machine one;
        struct machine many;
        build(&one, presets[i % 2], archs[i / 2 % 2], 1);
        build(&many, presets[i % 2], archs[i / 2 % 2], counts[i / 4]);
        compare(&one, &many, ZONE_DMA);
        compare(&one, &many, ZONE_NORMAL);
        if (one.cells[0].has_lowmem_limit) {
            compare(&one, &many, ZONE_HIGHMEM);
        }
        take_down(&one);
        take_down(&many);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_find_what_one_would),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
