/* Walks over the ptes that a page knows by itself: chains of blocks, and lists of entries. */
#include "oracle/rmap_walk.h"

bool o_chain_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    struct pte *ptes[MAPPERS_MAX];
    const unsigned n = o_chain_ptes(machine, page, ptes, MAPPERS_MAX);
    bool referenced = false;
    for (unsigned i = 0; i < n; i++) {
        referenced = o_walk_young(ptes[i]) || referenced;
    }
    o_walk_done(machine, n);
    o_walk_visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    if (o_chain_collapse(machine, page)) {
        charge(machine, actor, COST_CHAIN_ALLOC);
    }
    o_chain_check(machine, page);
    return referenced;
}

enum unmap_result o_chain_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    struct pte *ptes[MAPPERS_MAX];
    const unsigned n = o_chain_ptes(machine, page, ptes, MAPPERS_MAX);
    const uint64_t blocks_before = machine->chain_blocks;
    struct tried tried;
    tried.n = 0;
    unsigned cleared = 0;
    for (unsigned i = 0; i < n; i++) {
        if (o_walk_trylock_once(machine, actor, &tried, ptes[i]->mm)) {
            o_mm_clear_pte(machine, ptes[i]);
            o_chain_remove(machine, page, ptes[i]);
            cleared++;
        }
    }
    o_walk_done(machine, cleared);
    o_walk_visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_PTE_UNMAP, cleared);
    charge_times(machine, actor, COST_CHAIN_ALLOC, blocks_before - machine->chain_blocks);
    o_chain_check(machine, page);
    return cleared == n ? UNMAP_DONE : UNMAP_AGAIN;
}

bool o_list_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    bool referenced = page->direct != NULL && o_walk_young(page->direct);
    unsigned n = page->direct != NULL;
    for (const struct list_entry *entry = page->entries; entry != NULL; entry = entry->next) {
        referenced = o_walk_young(entry->pte) || referenced;
        n++;
    }
    o_walk_done(machine, n);
    o_walk_visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_CHAIN_BLOCK, page->direct == NULL ? n : 0);
    return referenced;
}

enum unmap_result o_list_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    const uint64_t free_before = machine->nfree_entries;
    const bool direct = page->direct != NULL;
    struct tried tried;
    tried.n = 0;
    unsigned n = 0;
    unsigned cleared = 0;
    if (page->direct != NULL) {
        n++;
        if (o_walk_trylock(machine, actor, page->direct->mm)) {
            struct pte *pte = page->direct;
            page->direct = NULL;
            o_mm_clear_pte(machine, pte);
            cleared++;
        }
    }
    for (struct list_entry **link = &page->entries; *link != NULL; n++) {
        struct pte *pte = (*link)->pte;
        if (o_walk_trylock_once(machine, actor, &tried, pte->mm)) {
            o_mm_clear_pte(machine, pte);
            o_list_remove(machine, link);
            cleared++;
        } else {
            link = &(*link)->next;
        }
    }
    o_list_collapse(machine, page);
    o_walk_done(machine, cleared);
    o_walk_visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_CHAIN_BLOCK, direct ? 0 : n);
    charge_times(machine, actor, COST_PTE_UNMAP, cleared);
    charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
    o_list_check(machine, page);
    return cleared == n ? UNMAP_DONE : UNMAP_AGAIN;
}
