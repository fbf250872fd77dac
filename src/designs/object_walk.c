#include "designs/object_walk.h"

#include "base/mutant.h"
#include "machine/map.h"
#include "machine/residence.h"

/* down_trylock() of i_shared_sem, spin_trylock() of i_shared_lock and i_mmap_lock. */
static bool trylock_object(struct cell *cell, const struct actor *actor, struct object *object)
{
    if (lock_is_free(&object->lock, actor->now)) {
        return true;
    }
    count(cell, METRIC_TRYLOCK_FAILURES, 1);
    count(cell, METRIC_OBJECT_TRYLOCK_FAILURES, 1);
    return false;
}

/* --- a list, walked to its end ------------------------------------------------------------ */

/* Charges the walk and lets go of the object. */
static void leave_list(struct cell *cell, struct actor *actor, struct object *object,
                       const struct map_walk *walk, uint64_t cleared)
{
    count(cell, METRIC_RMAP_VISITS, object->nvmas);
    count(cell, METRIC_RMAP_COVERING, walk->covering);
    charge(cell, actor, COST_VMA_VISIT, object->nvmas);
    charge(cell, actor, COST_PTE_WALK, walk->walked);
    charge_table_access(cell, actor, walk->walked);
    charge(cell, actor, COST_PTE_UNMAP, cleared);
    lock_leave(actor, &object->lock);
}

unsigned object_list_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    struct object *object = page_object(cell, page);
    if (cell->mapcount[page] == 0) {
        return 0;
    }
    if (!trylock_object(cell, actor, object)) {
        return 1;
    }
    struct map_walk walk = map_clear_young(cell, actor, page, LOCK_COVERERS);
    leave_list(cell, actor, object, &walk, 0);
    return walk.young + walk.failed;
}

enum unmap_result object_list_unmap(struct cell *cell, struct actor *actor, page_id page)
{
    struct object *object = page_object(cell, page);
    if (!trylock_object(cell, actor, object)) {
        return UNMAP_AGAIN;
    }
    struct map_walk walk = map_clear_all(cell, actor, page, LOCK_COVERERS);
    leave_list(cell, actor, object, &walk, walk.present);
    return walk.failed > 0 ? UNMAP_AGAIN : UNMAP_DONE;
}

void object_list_unmap_others(struct cell *cell, struct actor *actor, uint32_t mm, page_id page)
{
    struct object *object = page_object(cell, page);
    if (MUTANT(SCAN_TRYLOCK_OBJECT, !trylock_object(cell, actor, object), false)) {
        return;
    }
    struct map_walk walk = map_clear_others(cell, actor, page, mm);
    leave_list(cell, actor, object, &walk, walk.present);
}

/* --- a tree, until all ptes are found ----------------------------------------------------- */

static void charge_search(struct cell *cell, struct actor *actor, const struct map_walk *walk)
{
    count(cell, METRIC_RMAP_VISITS, walk->entries);
    count(cell, METRIC_RMAP_COVERING, walk->covering);
    count(cell, METRIC_RMAP_NODES, walk->useless);
    charge(cell, actor, COST_VMA_VISIT, walk->entries);
    charge(cell, actor, COST_PTE_WALK, walk->walked);
    charge_table_access(cell, actor, walk->walked);
}

static enum unmap_result result_of(const struct cell *cell, page_id page,
                                   const struct map_walk *walk)
{
    if (cell->mapcount[page] == 0) {
        return UNMAP_DONE;
    }
    return walk->young > 0 ? UNMAP_YOUNG : UNMAP_AGAIN;
}

unsigned object_tree_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    struct object *object = page_object(cell, page);
    if (cell->mapcount[page] == 0 || !trylock_object(cell, actor, object)) {
        return 0;
    }
    struct map_walk walk = map_clear_young(cell, actor, page, LOCK_BY_TREE);
    charge_search(cell, actor, &walk);
    lock_leave(actor, &object->lock);
    return walk.young;
}

/* What a search where no tree leads to costs. */
static void charge_scan(struct cell *cell, struct actor *actor, const struct map_scan *scan)
{
    count(cell, METRIC_PTES_VISITED, scan->present);
    charge(cell, actor, COST_PTE_WALK, scan->clusters);
    charge_table_access(cell, actor, scan->clusters);
    charge(cell, actor, COST_PTE_VISIT, scan->present);
    charge(cell, actor, COST_PTE_SKIP, scan->absent);
    charge(cell, actor, COST_PTE_UNMAP, scan->cleared);
}

enum unmap_result object_tree_unmap(struct cell *cell, struct actor *actor, page_id page)
{
    struct object *object = page_object(cell, page);
    if (!trylock_object(cell, actor, object)) {
        return UNMAP_AGAIN;
    }
    struct map_walk walk = map_clear_old(cell, actor, page, LOCK_BY_TREE);
    struct map_scan scan = {0};
    if (object->nonlinear != 0 && cell->mapcount[page] > 0 && walk.young == 0) {
        scan = map_scan_nonlinear(cell, actor, page);
    }
    charge_search(cell, actor, &walk);
    charge(cell, actor, COST_PTE_UNMAP, walk.present - walk.young);
    charge_scan(cell, actor, &scan);
    lock_leave(actor, &object->lock);
    return result_of(cell, page, &walk);
}

/* --- anonymous pages ---------------------------------------------------------------------- */

static unsigned anon_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    struct sim_lock *lock = &page_object(cell, page)->lock;
    if (cell->mapcount[page] == 0) {
        return 0;
    }
    lock_enter(cell, actor, lock);
    struct map_walk walk = map_clear_young(cell, actor, page, LOCK_IN_ORDER);
    charge_search(cell, actor, &walk);
    lock_leave(actor, lock);
    return walk.young;
}

static enum unmap_result anon_unmap(struct cell *cell, struct actor *actor, page_id page,
                                    bool finds_vma)
{
    struct sim_lock *lock = &page_object(cell, page)->lock;
    lock_enter(cell, actor, lock);
    struct map_walk walk = map_clear_old(cell, actor, page, LOCK_IN_ORDER);
    charge_search(cell, actor, &walk);
    charge(cell, actor, COST_VMA_VISIT, finds_vma ? walk.present : 0);
    charge(cell, actor, COST_PTE_UNMAP, walk.present - walk.young);
    lock_leave(actor, lock);
    return result_of(cell, page, &walk);
}

/* --- pages of any kind -------------------------------------------------------------------- */

unsigned object_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? anon_referenced(cell, actor, page)
                                    : object_tree_referenced(cell, actor, page);
}

enum unmap_result object_unmap(struct cell *cell, struct actor *actor, page_id page, bool finds_vma)
{
    return page_is_anon(cell, page) ? anon_unmap(cell, actor, page, finds_vma)
                                    : object_tree_unmap(cell, actor, page);
}
