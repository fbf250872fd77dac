/* Every check of invariants.c can fail: a machine is sound, one thing in it is broken, and the
 * check says what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "machine/invariants.h"
#include "machine/lru.h"
#include "machine/populate.h"
#include "machine/pte.h"
#include "machine/residence.h"

#include <cmocka.h>

static const char scenario_text[] = "duration: 1s\n"
                                    "machine: { memory: 64MiB, swap: { size: 8MiB } }\n"
                                    "design: { preset: linux-2.6.0 }\n"
                                    "workloads:\n"
                                    "  - kind: database\n"
                                    "    processes: 3\n"
                                    "    segment: { size: 4MiB, populate: write }\n"
                                    "    private_memory: 256KiB\n"
                                    "phases: { warmup: 0s }\n"
                                    "costs: x86_64-2003\n";

struct machine {
    struct scenario scenario;
    struct workload_set set;
    struct design design;
    struct cell cell;
    page_id shared; /* a page that all three processes map */
    page_id cached; /* an anonymous page in the swap cache */
};

static page_id first_page_of(const struct cell *cell, enum object_kind kind)
{
    for (page_id page = 0; page < cell->npages; page++) {
        if (page_is(cell->words, page, PLANE_RESIDENT) && page_object(cell, page)->kind == kind) {
            return page;
        }
    }
    fail_msg("no page of kind %d", (int)kind);
    return 0;
}

static void set_up(struct machine *machine)
{
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    struct cell *cell = &machine->cell;
    struct actor actor = {0, CONTEXT_KSWAPD};
    catalogue_fill(&names);
    assert_int_equal(scenario_load_text(scenario_text, strlen(scenario_text),
                                        CONFIGS_DIR "/invariants_test.yaml", &none,
                                        &names.catalogue, &machine->scenario),
                     STATUS_OK);
    assert_int_equal(design_resolve(&machine->scenario, &machine->design), STATUS_OK);
    assert_int_equal(workloads_plan(&machine->scenario, &machine->design, &machine->set),
                     STATUS_OK);
    assert_int_equal(cell_create(&machine->scenario, &machine->set.plan, &machine->design, 0, cell),
                     STATUS_OK);
    assert_int_equal(populate_boot(cell), STATUS_OK);
    populate_all(cell, false);
    machine->shared = first_page_of(cell, OBJECT_SHM);
    machine->cached = first_page_of(cell, OBJECT_ANON);
    assert_true(residence_to_swapcache(cell, &actor, machine->cached));
    assert_int_equal(invariants_check(cell), STATUS_OK);
}

static void tear_down(struct machine *machine)
{
    cell_destroy(&machine->cell);
    workloads_free(&machine->set);
    scenario_free(&machine->scenario);
}

/* The vma of a process that maps a page. */
static const struct vma *vma_of(const struct cell *cell, page_id page)
{
    for (size_t i = 0; i < cell->plan->nvmas; i++) {
        const struct vma *vma = &cell->vmas[i];
        if (page >= vma->first && page < vma->first + vma->npages) {
            return vma;
        }
    }
    fail_msg("page %u is in no vma", page);
    return NULL;
}

static struct pte_pair *pte_of(struct machine *machine, page_id page)
{
    struct cell *cell = &machine->cell;
    return pte_write(cell, pte_ref(cell, vma_of(cell, page), page), page);
}

static enum zone_index zone_of(const struct machine *machine)
{
    return page_zone(&machine->cell, machine->shared);
}

/* --- what is broken ------------------------------------------------------------------------ */

static void bad_row(struct machine *machine)
{
    struct cell *cell = &machine->cell;
    *pte_ref(cell, vma_of(cell, machine->shared), machine->shared) = cell->max_rows + 1;
}

static void young_and_absent(struct machine *machine)
{
    struct pte_pair *pair = pte_of(machine, machine->cached);
    pair->present &= ~page_bit(machine->cached);
    pair->young |= page_bit(machine->cached);
}

static void lost_pte(struct machine *machine)
{
    struct pte_pair *pair = pte_of(machine, machine->shared);
    pair->present &= ~page_bit(machine->shared);
    pair->young &= ~page_bit(machine->shared);
}

static void mapped_and_absent(struct machine *machine)
{
    page_clear(machine->cell.words, machine->shared, PLANE_RESIDENT);
}

static void ptes_present(struct machine *machine)
{
    machine->cell.core->ptes_present++;
}

static void nr_mapped(struct machine *machine)
{
    machine->cell.core->nr_mapped--;
}

static void rss(struct machine *machine)
{
    machine->cell.mms[0].rss++;
}

static void torn_list(struct machine *machine)
{
    machine->cell.lru[machine->shared].prev = machine->shared;
}

static void wrong_list(struct machine *machine)
{
    struct page_word *words = machine->cell.words;
    if (page_is(words, machine->shared, PLANE_ACTIVE)) {
        page_clear(words, machine->shared, PLANE_ACTIVE);
    } else {
        page_set(words, machine->shared, PLANE_ACTIVE);
    }
}

static void list_length(struct machine *machine)
{
    machine->cell.core->list_pages[lru_of(&machine->cell, zone_of(machine), true)]++;
}

static void off_all_lists(struct machine *machine)
{
    struct cell *cell = &machine->cell;
    lru_remove(cell, machine->shared);
}

static void lost_frame(struct machine *machine)
{
    machine->cell.core->zone[zone_of(machine)].free--;
}

static void wrong_owner(struct machine *machine)
{
    zone_change_owner(&machine->cell, zone_of(machine), OWNER_SHM, OWNER_KERNEL);
}

static void wrong_anonymous_owner(struct machine *machine)
{
    zone_change_owner(&machine->cell, zone_of(machine), OWNER_ANON, OWNER_KERNEL);
}

static void file_owner(struct machine *machine)
{
    zone_change_owner(&machine->cell, zone_of(machine), OWNER_KERNEL, OWNER_FILE);
}

static void active_count(struct machine *machine)
{
    machine->cell.core->zone[zone_of(machine)].nr_active++;
}

static void inactive_count(struct machine *machine)
{
    machine->cell.core->zone[zone_of(machine)].nr_inactive++;
}

static void page_tables(struct machine *machine)
{
    machine->cell.mms[1].pt_pages++;
}

static void foreign_slot(struct machine *machine)
{
    machine->cell.swap_map[machine->cell.slot[machine->cached] - 1] = machine->shared + 1;
}

static void slots_used(struct machine *machine)
{
    machine->cell.core->swap.used++;
}

static void swap_cache_plane(struct machine *machine)
{
    page_clear(machine->cell.words, machine->cached, PLANE_SWAPCACHE);
}

static void slot_without_map(struct machine *machine)
{
    struct cell *cell = &machine->cell;
    cell->slot[machine->shared] = 2;
    page_set(cell->words, machine->shared, PLANE_SWAPCACHE);
}

static void swap_cache_count(struct machine *machine)
{
    machine->cell.core->swapcache++;
}

static void dirty_count(struct machine *machine)
{
    machine->cell.core->swapcache_dirty++;
}

static void forgotten_dirty_page(struct machine *machine)
{
    page_object(&machine->cell, machine->shared)->written = true;
    page_set(machine->cell.words, machine->shared, PLANE_DIRTY);
}

static void written_and_not_cached(struct machine *machine)
{
    machine->cell.written_at[machine->shared] = 1;
}

static void dirty_file_count(struct machine *machine)
{
    machine->cell.core->nr_dirty++;
}

static void writeback_count(struct machine *machine)
{
    machine->cell.core->nr_writeback++;
}

static void chained_once(struct machine *machine)
{
    page_set(machine->cell.words, machine->shared, PLANE_MAPPED_ONCE_CHAINED);
}

static void chain_blocks(struct machine *machine)
{
    machine->cell.core->slab[SLAB_PTE_CHAIN].in_use--;
}

static void chain_frames(struct machine *machine)
{
    machine->cell.core->slab[SLAB_PTE_CHAIN].frames++;
}

static void buffers_plane(struct machine *machine)
{
    page_set(machine->cell.words, machine->shared, PLANE_BUFFERS);
}

static void node_count(struct machine *machine)
{
    machine->cell.core->slab[SLAB_RADIX_NODE].in_use++;
}

static void table_of_another(struct machine *machine)
{
    struct zone *zone = machine->cell.core->zone;
    int index = 0;
    while (zone[index].held[OWNER_KERNEL] == 0) {
        index++;
    }
    zone_change_owner(&machine->cell, (enum zone_index)index, OWNER_KERNEL, OWNER_TASK);
}

static const struct {
    void (*corrupt)(struct machine *machine);
    const char *reported;
} cases[] = {
    {bad_row, "refers to row"},
    {young_and_absent, "a young pte of vma"},
    {lost_pte, "its mapcount is"},
    {mapped_and_absent, "is mapped but not resident"},
    {ptes_present, "the number of present ptes"},
    {nr_mapped, "the number of mapped pages"},
    {rss, "an rss"},
    {torn_list, "is damaged at"},
    {wrong_list, "is on LRU list"},
    {list_length, "the length of an LRU list"},
    {off_all_lists, "the number of resident pages on lists"},
    {lost_frame, "the frames of a zone, free and held"},
    {wrong_owner, "frames of shared memory"},
    {wrong_anonymous_owner, "anonymous frames"},
    {file_owner, "frames of files"},
    {active_count, "active pages of a zone"},
    {inactive_count, "inactive pages of a zone"},
    {page_tables, "page-table frames of all mms"},
    {foreign_slot, "is for page"},
    {slots_used, "swap slots in use"},
    {swap_cache_plane, "and the swap cache disagree"},
    {slot_without_map, "pages that have a swap slot"},
    {swap_cache_count, "pages in the swap cache"},
    {dirty_count, "dirty pages in the swap cache"},
    {forgotten_dirty_page, "would not be written back"},
    {written_and_not_cached, "is not in the swap cache"},
    {dirty_file_count, "dirty pages of written files"},
    {writeback_count, "pages under write I/O"},
    {chained_once, "is marked as mapped once through a chain"},
    {chain_blocks, "chain blocks"},
    {chain_frames, "frames of slab caches"},
    {buffers_plane, "buffer heads"},
    {node_count, "radix-tree nodes"},
    {table_of_another, "frames of slab caches"},
};

static void test_what_is_broken_is_reported(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct machine machine;
        set_up(&machine);
        cases[i].corrupt(&machine);
        if (invariants_check(&machine.cell) != STATUS_FAILED) {
            fail_msg("nothing was found, expected: %s", cases[i].reported);
        }
        if (strstr(status_last_message(), cases[i].reported) == NULL) {
            fail_msg("expected \"%s\", found \"%s\"", cases[i].reported, status_last_message());
        }
        tear_down(&machine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_broken_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
