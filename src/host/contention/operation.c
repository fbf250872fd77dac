#include "host/contention/operation.h"

#include <stddef.h>

const char *const operation_names[] = {
    [OPERATION_FORK] = "fork",   [OPERATION_EXIT] = "exit",       [OPERATION_FAULT] = "fault",
    [OPERATION_UNMAP] = "unmap", [OPERATION_RECLAIM] = "reclaim", [OPERATIONS] = NULL,
};

const char *const operation_descriptions[] = {
    [OPERATION_FORK] = "copies all ptes of a process to its child, per page",
    [OPERATION_EXIT] = "that child gives up all its ptes, per page",
    [OPERATION_FAULT] = "a process maps a page it did not map, per page",
    [OPERATION_UNMAP] = "a process unmaps a page, per page",
    [OPERATION_RECLAIM] = "looks for references to a page and unmaps it everywhere, per page",
    [OPERATIONS] = NULL,
};

/* How many pages are done between two looks at a limit. */
#define LOOK_EVERY 32U

static void get_page(struct world_page *page)
{
    (void)atomic_fetch_add_explicit(&page->count, 1, memory_order_relaxed);
}

static void put_page(struct world_page *page)
{
    (void)atomic_fetch_sub_explicit(&page->count, 1, memory_order_relaxed);
}

void operation_link(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    if (world->plan.rmap->link != NULL) {
        world->plan.rmap->link(world, worker, mm);
    }
    mm->linked = true;
}

void operation_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    if (world->plan.rmap->unlink != NULL) {
        world->plan.rmap->unlink(world, worker, mm);
    }
    mm->linked = false;
}

/* Sets a pte that is absent; the mm's lock is held. */
static void map_page(struct world *world, struct world_worker *worker, struct world_mm *mm,
                     uint32_t index, uint64_t young)
{
    struct world_page *page = world_page_at(world, mm->object, index);
    pte_t *pte = &mm->ptes[index];
    get_page(page);
    pte_set(pte, world_pte_for(world, page) | young);
    if (world->plan.rmap->add != NULL) {
        world->plan.rmap->add(world, worker, page, pte);
    }
}

static void unmap_page(struct world *world, struct world_worker *worker, pte_t *pte)
{
    struct world_page *page = world_page_of_pte(world, pte_get(pte));
    pte_set(pte, 0);
    if (world->plan.rmap->remove != NULL) {
        world->plan.rmap->remove(world, worker, page, pte);
    }
    put_page(page);
}

uint32_t operation_fork(struct world *world, struct world_worker *worker, struct world_mm *parent,
                        struct world_mm *child, const struct operation_limit *limit)
{
    uint32_t mapped = 0;
    bool over = false;
    operation_link(world, worker, child);
    for (uint32_t table = 0; table < world->plan.pages && !over; table += PTES_PER_TABLE) {
        const uint32_t end = (uint32_t)min_u64(table + PTES_PER_TABLE, world->plan.pages);
        (void)pthread_spin_lock(&child->lock);
        (void)pthread_spin_lock(&parent->lock);
        for (uint32_t i = table; i < end && !over; i++) {
            if (pte_get(&parent->ptes[i]) != 0) {
                map_page(world, worker, child, i, 0);
                mapped++;
            }
            over = limit != NULL && i % LOOK_EVERY == LOOK_EVERY - 1 && limit->over(limit->who);
        }
        (void)pthread_spin_unlock(&parent->lock);
        (void)pthread_spin_unlock(&child->lock);
    }
    return mapped;
}

uint32_t operation_exit(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    uint32_t unmapped = 0;
    for (uint32_t table = 0; table < world->plan.pages; table += PTES_PER_TABLE) {
        const uint32_t end = (uint32_t)min_u64(table + PTES_PER_TABLE, world->plan.pages);
        (void)pthread_spin_lock(&mm->lock);
        for (uint32_t i = table; i < end; i++) {
            if (pte_get(&mm->ptes[i]) != 0) {
                unmap_page(world, worker, &mm->ptes[i]);
                unmapped++;
            }
        }
        (void)pthread_spin_unlock(&mm->lock);
    }
    operation_unlink(world, worker, mm);
    return unmapped;
}

bool operation_fault(struct world *world, struct world_worker *worker, struct world_mm *mm,
                     uint32_t index, bool young)
{
    (void)pthread_spin_lock(&mm->lock);
    const bool absent = pte_get(&mm->ptes[index]) == 0;
    if (absent) {
        map_page(world, worker, mm, index, young ? PTE_YOUNG : 0);
    }
    (void)pthread_spin_unlock(&mm->lock);
    return absent;
}

bool operation_unmap(struct world *world, struct world_worker *worker, struct world_mm *mm,
                     uint32_t index)
{
    (void)pthread_spin_lock(&mm->lock);
    const bool present = pte_get(&mm->ptes[index]) != 0;
    if (present) {
        unmap_page(world, worker, &mm->ptes[index]);
    }
    (void)pthread_spin_unlock(&mm->lock);
    return present;
}

/* The virtual scan: one mm after the other, all its ptes of these pages. */
static uint64_t scan(struct world *world, struct world_worker *worker, struct world_object *object,
                     uint32_t first, uint32_t n)
{
    uint64_t left = 0;
    for (uint32_t i = 0; i < world->nmms; i++) {
        struct world_mm *mm = &world->mms[i];
        if (mm->object != object) {
            continue;
        }
        if (!reverse_map_trylock(worker, mm)) {
            left += n;
            continue;
        }
        for (pte_t *pte = &mm->ptes[first]; pte < &mm->ptes[first + n]; pte++) {
            if (pte_get(pte) != 0 && !reverse_map_clear_young(pte)) {
                struct world_page *page = world_page_of_pte(world, pte_get(pte));
                pte_set(pte, 0);
                put_page(page);
            }
        }
        (void)pthread_spin_unlock(&mm->lock);
    }
    return left;
}

uint64_t operation_reclaim(struct world *world, struct world_worker *worker,
                           struct world_object *object, uint32_t first, uint32_t n)
{
    const struct reverse_map *rmap = world->plan.rmap;
    uint64_t left = 0;
    if (rmap->reclaim == NULL) {
        return scan(world, worker, object, first, n);
    }
    for (uint32_t i = first; i < first + n; i++) {
        left += rmap->reclaim(world, worker, world_page_at(world, object, i));
    }
    return left;
}

void operation_populate(struct world *world, struct world_worker *worker,
                        struct world_object *object)
{
    const uint32_t number = (uint32_t)(object - world->objects);
    for (uint32_t i = 0; i < world->plan.mappers; i++) {
        struct world_mm *mm = &world->mms[number * world->plan.mappers + i];
        if (!mm->linked) {
            operation_link(world, worker, mm);
        }
        for (uint32_t k = 0; k < world->plan.pages; k++) {
            (void)operation_fault(world, worker, mm, k, false);
        }
    }
}
