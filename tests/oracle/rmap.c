/* Reverse maps: docs/model.md, section 9. What each of them does when ptes come and go; the time of
 * all. */
#include "oracle/rmap_walk.h"

static bool uses_chain(const struct machine *machine, const struct page *page)
{
    const enum reverse_map rmap = machine->design.rmap;
    return rmap == RMAP_PTE_CHAINS || (rmap == RMAP_OBJECTS && page->object->has_nonlinear) ||
           ((rmap == RMAP_OBJECTS || rmap == RMAP_TREES) && page->object->kind == OBJECT_ANON);
}

static bool prepare(struct machine *machine, struct actor *actor, struct page *page,
                    struct chain_block **spare_p)
{
    *spare_p = NULL;
    if (machine->design.rmap == RMAP_PTE_LISTS) {
        return o_list_prepare(machine, actor, page);
    }
    return !uses_chain(machine, page) || o_chain_prepare(machine, actor, page, spare_p);
}

static void add(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte,
                struct chain_block *spare)
{
    if (uses_chain(machine, page)) {
        o_contention_chain(machine, actor, machine->cost[COST_CHAIN_INSERT], page->mapcount);
        o_chain_add(machine, page, pte, spare);
        o_chain_check(machine, page);
    } else if (machine->design.rmap == RMAP_PTE_LISTS) {
        o_contention_chain(machine, actor, machine->cost[COST_CHAIN_INSERT], page->mapcount);
        o_list_add(machine, page, pte);
        o_list_check(machine, page);
    } else if (machine->design.rmap != RMAP_NONE) {
        charge(machine, actor, COST_MAPCOUNT);
    }
}

/* Half of the chain of a page with so many ptes is searched, on average. */
static void charge_search(struct machine *machine, struct actor *actor, uint64_t mappers,
                          uint64_t blocks)
{
    sim_time time = machine->cost[COST_CHAIN_REMOVE];
    if (blocks > 0) {
        time += machine->cost[COST_CHAIN_BLOCK] * (blocks + 1) / 2;
        machine->count.rmap_searched += (blocks + 1) / 2;
    }
    o_contention_chain(machine, actor, time, mappers);
}

static uint64_t entries_of(const struct page *page)
{
    uint64_t entries = 0;
    for (const struct list_entry *entry = page->entries; entry != NULL; entry = entry->next) {
        entries++;
    }
    return entries;
}

static uint64_t blocks_of(const struct page *page)
{
    uint64_t blocks = 0;
    for (const struct chain_block *block = page->chain; block != NULL; block = block->next) {
        blocks++;
    }
    return blocks;
}

/* The page's ptes are counted without this one already. */
static void take_out(struct machine *machine, struct actor *actor, struct page *page,
                     struct pte *pte)
{
    if (machine->design.rmap == RMAP_PTE_LISTS) {
        const uint64_t free_before = machine->nfree_entries;
        charge_search(machine, actor, page->mapcount + 1, entries_of(page));
        o_list_remove_pte(machine, page, pte);
        charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
    } else if (uses_chain(machine, page)) {
        const uint64_t blocks_before = machine->chain_blocks;
        charge_search(machine, actor, page->mapcount + 1, blocks_of(page));
        o_chain_remove(machine, page, pte);
        charge_times(machine, actor, COST_CHAIN_ALLOC, blocks_before - machine->chain_blocks);
    } else if (machine->design.rmap != RMAP_NONE) {
        charge(machine, actor, COST_MAPCOUNT);
    }
}

static void move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                 struct pte *to)
{
    if (uses_chain(machine, page)) {
        charge_search(machine, actor, page->mapcount, blocks_of(page));
        o_chain_move(machine, actor, page, from, to);
        o_chain_check(machine, page);
    } else if (machine->design.rmap == RMAP_PTE_LISTS) {
        const uint64_t free_before = machine->nfree_entries;
        charge_search(machine, actor, page->mapcount, entries_of(page));
        o_list_remove_pte(machine, page, from);
        charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
        REQUIRE(o_list_prepare(machine, actor, page));
        add(machine, actor, page, to, NULL);
    } else if (machine->design.rmap == RMAP_OBJECTS) {
        charge_times(machine, actor, COST_MAPCOUNT, 2);
    }
}

static bool referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    if (uses_chain(machine, page)) {
        return o_chain_referenced(machine, actor, page);
    }
    switch (machine->design.rmap) {
    case RMAP_PTE_LISTS:
        return o_list_referenced(machine, actor, page);
    case RMAP_OBJECTS:
        return o_object_referenced(machine, actor, page);
    default:
        return o_tree_referenced(machine, actor, page);
    }
}

static enum unmap_result unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    if (uses_chain(machine, page)) {
        return o_chain_unmap(machine, actor, page);
    }
    switch (machine->design.rmap) {
    case RMAP_PTE_LISTS:
        return o_list_unmap(machine, actor, page);
    case RMAP_OBJECTS:
        return o_object_unmap(machine, actor, page);
    default:
        return o_tree_unmap(machine, actor, page);
    }
}

/* ---- the same, with the time they take -------------------------------------------------------
 */

bool o_rmap_prepare(struct machine *machine, struct actor *actor, struct page *page,
                    struct chain_block **spare_p)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const bool prepared = prepare(machine, actor, page, spare_p);
    machine->count.rmap_cpu_seconds += actor->now;
    return prepared;
}

void o_rmap_add(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte,
                struct chain_block *spare)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    add(machine, actor, page, pte, spare);
    machine->count.rmap_cpu_seconds += actor->now;
}

void o_rmap_remove(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    take_out(machine, actor, page, pte);
    machine->count.rmap_cpu_seconds += actor->now;
}

void o_rmap_move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                 struct pte *to)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    move(machine, actor, page, from, to);
    machine->count.rmap_cpu_seconds += actor->now;
}

bool o_rmap_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const bool was_referenced = page->mapcount > 0 && referenced(machine, actor, page);
    machine->count.rmap_cpu_seconds += actor->now;
    return was_referenced;
}

enum unmap_result o_rmap_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const enum unmap_result result = unmap(machine, actor, page);
    machine->count.rmap_cpu_seconds += actor->now;
    return result;
}

void o_rmap_unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                         struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    o_object_unmap_others(machine, actor, held, page);
    machine->count.rmap_cpu_seconds += actor->now;
}
