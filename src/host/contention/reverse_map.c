#include "host/contention/reverse_map.h"

bool reverse_map_clear_young(pte_t *pte)
{
    return (pte_get(pte) & PTE_YOUNG) != 0 &&
           (atomic_fetch_and_explicit(pte, ~(uint64_t)PTE_YOUNG, memory_order_relaxed) &
            PTE_YOUNG) != 0;
}

bool reverse_map_trylock(struct world_worker *worker, struct world_mm *mm)
{
    const bool locked = pthread_spin_trylock(&mm->lock) == 0;
    worker->failed += !locked;
    return locked;
}

/* The mm is found through the page table, as through the struct page of a page-table page. */
bool reverse_map_clear(struct world *world, struct world_worker *worker, pte_t *pte)
{
    struct world_mm *mm = world_mm_of_pte(world, pte);
    if (!reverse_map_trylock(worker, mm)) {
        return false;
    }
    struct world_page *page = world_page_of_pte(world, pte_get(pte));
    pte_set(pte, 0);
    (void)atomic_fetch_sub_explicit(&page->count, 1, memory_order_relaxed);
    (void)pthread_spin_unlock(&mm->lock);
    return true;
}

/* Page direct alone: the first mapping of a page is kept, others are only counted. */
static void direct_add(struct world *world, struct world_worker *worker, struct world_page *page,
                       pte_t *pte)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    const int before = atomic_load_explicit(&page->mapcount, memory_order_relaxed);
    if (before == 0) {
        worker->nr_mapped++;
        page->chain = (uint64_t)(uintptr_t)pte;
        (void)atomic_fetch_or_explicit(&page->flags, PAGE_FLAG_DIRECT, memory_order_relaxed);
    }
    atomic_store_explicit(&page->mapcount, before + 1, memory_order_relaxed);
    world_unlock(world, worker, object, page);
}

static void direct_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                          pte_t *pte)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    const int before = atomic_load_explicit(&page->mapcount, memory_order_relaxed);
    if (page->chain == (uint64_t)(uintptr_t)pte) {
        page->chain = 0;
        (void)atomic_fetch_and_explicit(&page->flags, ~PAGE_FLAG_DIRECT, memory_order_relaxed);
    }
    atomic_store_explicit(&page->mapcount, before - 1, memory_order_relaxed);
    worker->nr_mapped -= before == 1;
    world_unlock(world, worker, object, page);
}

const struct reverse_map reverse_maps[REVERSE_MAPS] = {
    [RMAP_NONE] =
        {
            .name = "none",
            .description = "no reverse map: reclaim goes through the page tables of all processes",
            .source = "2.4.23 mm/vmscan.c",
        },
    [RMAP_DIRECT_ONLY] =
        {
            .name = "page_direct_only",
            .description = "the pte of the first mapping in the page, no chains: further mappings "
                           "are counted only",
            .source = "lower bound of pte chains",
            .page_locks = true,
            .locks = true,
            .no_reclaim = "mappings beyond the first are counted, and cannot be found",
            .add = direct_add,
            .remove = direct_remove,
        },
    [RMAP_CHAIN_LINKED] =
        {
            .name = "pte_chain_linked",
            .description = "list of ptes in entries of 8 bytes, page direct",
            .source = "2.5.27 mm/rmap.c",
            .chains = CHAIN_LINKED,
            .page_direct = true,
            .page_locks = true,
            .locks = true,
            .add = list_add,
            .remove = list_remove,
            .reclaim = list_reclaim,
            .referenced = list_referenced,
        },
    [RMAP_CHAIN_ARRAY] =
        {
            .name = "pte_chain_array",
            .description = "ptes in blocks of one cache line, page direct",
            .source = "2.6.0 mm/rmap.c",
            .chains = CHAIN_ARRAY,
            .page_direct = true,
            .page_locks = true,
            .locks = true,
            .add = chain_add,
            .remove = chain_remove,
            .reclaim = chain_reclaim,
            .referenced = chain_referenced,
        },
    [RMAP_CHAIN_ARRAY_NO_DIRECT] =
        {
            .name = "pte_chain_array_no_direct",
            .description = "ptes in blocks of one cache line, for pages mapped once too",
            .source = "2.6.0 mm/rmap.c without its page direct flag: hypothetical",
            .chains = CHAIN_ARRAY,
            .page_locks = true,
            .locks = true,
            .add = chain_add,
            .remove = chain_remove,
            .reclaim = chain_reclaim,
            .referenced = chain_referenced,
        },
    [RMAP_OBJECT_LIST] =
        {
            .name = "objrmap",
            .description = "list of the object's vmas, looked through to its end",
            .source = "partial objrmap for 2.5.62, its file half",
            .locks = true,
            .assumes_referenced = true,
            .link = object_link,
            .unlink = object_unlink,
            .add = object_add,
            .remove = object_remove,
            .reclaim = object_list_reclaim,
        },
    [RMAP_PRIO_TREE] =
        {
            .name = "objrmap_prio_tree",
            .description = "radix priority search tree of the object's vmas",
            .source = "2.6.7 mm/prio_tree.c, mm/rmap.c",
            .locks = true,
            .stops_early = true,
            .link = object_tree_link,
            .unlink = object_tree_unlink,
            .add = object_add,
            .remove = object_remove,
            .reclaim = object_tree_reclaim,
        },
    [RMAP_ANONMM] =
        {
            .name = "anonmm",
            .description = "list of the mms that descend from one exec",
            .source = "\"rmap 10/11\" of May 2004",
            .locks = true,
            .stops_early = true,
            .link = anonmm_link,
            .unlink = anonmm_unlink,
            .add = object_add,
            .remove = object_remove,
            .reclaim = anonmm_reclaim,
        },
    [RMAP_ANON_VMA] =
        {
            .name = "anon_vma",
            .description = "list of the vmas that descend from one by fork or split",
            .source = "2.6.7 mm/rmap.c",
            .locks = true,
            .stops_early = true,
            .link = object_link,
            .unlink = object_unlink,
            .add = object_add,
            .remove = object_remove,
            .reclaim = object_list_reclaim,
        },
};
