/* Reclaim of 2.6.0: docs/model.md, section 11. */
#include "oracle/parts.h"

enum {
    CLUSTER = 32,
    REFILL_MAX = 128,
    BATCH_MAX = 1024,
    PRIORITY = 12,
    SWAPPINESS = 60,
};

/* One call of shrink_zone(). */
struct shrinking {
    struct machine *machine;
    struct actor *actor;
    struct zone *zone;
    bool reclaim_mapped;
    uint64_t freed;
};

/* Pages that were taken off a list, in that order. */
struct batch {
    struct page *pages[BATCH_MAX];
    unsigned n;
};

static bool may_reclaim_mapped(const struct machine *machine, const struct zone *zone,
                               uint64_t nr_mapped)
{
    const uint64_t distress = 100 >> zone->prev_priority;
    return nr_mapped * 100 / machine->frames / 2 + distress + SWAPPINESS >= 100;
}

static void take_oldest(struct shrinking *shrinking, struct lru_list *list, uint64_t most,
                        struct batch *batch)
{
    struct machine *machine = shrinking->machine;
    struct lock *lock = &shrinking->zone->lru->lock;
    o_lock_enter(machine, shrinking->actor, lock, LOCK_KIND_LRU);
    batch->n = 0;
    while (batch->n < most && batch->n < BATCH_MAX && list->oldest != NULL) {
        charge(machine, shrinking->actor, COST_LRU_MOVE);
        struct page *page = list->oldest;
        o_lru_remove(page);
        page->in_batch = true;
        batch->pages[batch->n++] = page;
    }
    o_lock_leave(shrinking->actor, lock);
}

/* Nobody has it any more: it is gone from the batch. */
static bool is_gone(struct page **page)
{
    if (*page != NULL && (*page)->dropped) {
        (*page)->in_batch = false;
        *page = NULL;
    }
    return *page == NULL;
}

/* Puts back those that are to go to the active, or to the inactive list. */
static void put_back(struct shrinking *shrinking, struct batch *batch, const bool *active,
                     bool which)
{
    for (unsigned i = 0; i < batch->n; i++) {
        struct page *page = batch->pages[i];
        if (!is_gone(&batch->pages[i]) && active[i] == which) {
            page->in_batch = false;
            charge(shrinking->machine, shrinking->actor, COST_LRU_MOVE);
            o_lru_add_new(shrinking->machine, page, active[i]);
        }
    }
}

static bool test_and_clear_referenced(struct shrinking *shrinking, struct page *page)
{
    const bool flag = page->referenced;
    page->referenced = false;
    const bool young = o_rmap_referenced(shrinking->machine, shrinking->actor, page);
    return flag || young;
}

static bool stays_active(struct shrinking *shrinking, struct page *page)
{
    if (page->mapcount > 0 && shrinking->machine->design.is_2_6_7 && !shrinking->reclaim_mapped) {
        return true;
    }
    if (page->mapcount > 0 &&
        (test_and_clear_referenced(shrinking, page) || !shrinking->reclaim_mapped)) {
        return true;
    }
    return page->object->kind == OBJECT_ANON && shrinking->machine->swap_slots == 0;
}

static void refill(struct shrinking *shrinking, uint64_t count)
{
    struct machine *machine = shrinking->machine;
    struct actor *actor = shrinking->actor;
    struct lru *lru = shrinking->zone->lru;
    struct batch batch;
    bool active[REFILL_MAX];
    o_yield_point(actor);
    take_oldest(shrinking, &lru->active, count, &batch);
    for (unsigned i = 0; i < batch.n; i++) {
        o_yield_point(actor);
        if (is_gone(&batch.pages[i])) {
            continue;
        }
        charge(machine, actor, COST_PAGE_SCAN);
        active[i] = stays_active(shrinking, batch.pages[i]);
        machine->count.deactivations += !active[i];
    }
    o_yield_point(actor);
    o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
    put_back(shrinking, &batch, active, false);
    put_back(shrinking, &batch, active, true);
    o_lock_leave(actor, &lru->lock);
}

static bool object_is_mapped(const struct page *page)
{
    for (const struct vma *vma = page->object->vmas; vma != NULL; vma = vma->next_of_object) {
        if (page->object->kind != OBJECT_ANON && !vma->gone) {
            return true;
        }
    }
    return false;
}

enum fate { FREED, KEPT, ACTIVATED, ONCE_MORE, GONE };

static enum fate write_out(struct shrinking *shrinking, struct page *page, bool referenced)
{
    struct machine *machine = shrinking->machine;
    struct actor *actor = shrinking->actor;
    if (referenced) {
        return KEPT;
    }
    if (page->object->kind == OBJECT_SHM && !o_page_in_swap_cache(page)) {
        if (!o_page_to_swap_cache(machine, actor, page)) {
            return ACTIVATED;
        }
        if (!machine->design.prompt) {
            return KEPT;
        }
    }
    struct device *device = o_page_device(page);
    if (page->object->kind == OBJECT_FILE && actor->process != NULL && device->congested) {
        return KEPT;
    }
    if (!o_device_has_room(device)) {
        o_sleep_for_room(actor, device);
        return ONCE_MORE;
    }
    page->reclaim = true;
    o_write_page(machine, actor, page);
    return KEPT;
}

static enum fate shrink_page(struct shrinking *shrinking, struct page *page)
{
    struct machine *machine = shrinking->machine;
    struct actor *actor = shrinking->actor;
    charge(machine, actor, COST_PAGE_SCAN);
    if (page->locked) {
        machine->count.page_lock_failures++;
        return KEPT;
    }
    if (page->writeback) {
        return KEPT;
    }
    const bool referenced = test_and_clear_referenced(shrinking, page);
    if (referenced &&
        (page->mapcount > 0 || o_page_in_swap_cache(page) || object_is_mapped(page))) {
        return ACTIVATED;
    }
    if (page->object->kind == OBJECT_ANON && page->mapcount > 0 && !o_page_in_swap_cache(page) &&
        !o_page_to_swap_cache(machine, actor, page)) {
        return ACTIVATED;
    }
    enum unmap_result result = UNMAP_DONE;
    if (page->mapcount > 0 && page->object->locked) {
        const bool by_chain = machine->design.rmap == RMAP_PTE_CHAINS ||
                              machine->design.rmap == RMAP_PTE_LISTS;
        machine->count.rmap_visits++;
        machine->count.unmap_visits++;
        charge(machine, actor, by_chain ? COST_CHAIN_VISIT : COST_VMA_VISIT);
        return ACTIVATED;
    }
    if (page->mapcount > 0) {
        machine->count.unmap_visits -= machine->count.rmap_visits;
        result = o_rmap_unmap(machine, actor, page);
        machine->count.unmap_visits += machine->count.rmap_visits;
        machine->count.pages_unmapped += result == UNMAP_DONE;
    }
    if (result != UNMAP_DONE) {
        return result == UNMAP_YOUNG ? ACTIVATED : KEPT;
    }
    if (page->dirty) {
        return write_out(shrinking, page, referenced);
    }
    charge(machine, actor, COST_PAGE_CACHE);
    charge(machine, actor, COST_PAGE_ALLOC);
    o_page_leave(machine, actor, page);
    return FREED;
}

/* Pages that were looked at; 0: there were none. */
static unsigned shrink_batch(struct shrinking *shrinking, uint64_t wanted)
{
    struct machine *machine = shrinking->machine;
    struct actor *actor = shrinking->actor;
    struct zone *zone = shrinking->zone;
    struct batch batch;
    bool active[BATCH_MAX];
    take_oldest(shrinking, &zone->lru->inactive, max_u64(wanted, CLUSTER), &batch);
    machine->count.pages_scanned += batch.n;
    zone->scanned_since_free += batch.n;
    if (batch.n == 0) {
        return 0;
    }
    for (unsigned i = 0; i < batch.n; i++) {
        enum fate fate = ONCE_MORE;
        while (fate == ONCE_MORE) {
            o_yield_point(actor);
            fate = is_gone(&batch.pages[i]) ? GONE : shrink_page(shrinking, batch.pages[i]);
        }
        active[i] = fate == ACTIVATED;
        machine->count.activations += active[i];
        shrinking->freed += fate == FREED;
        if (fate == FREED) {
            batch.pages[i]->in_batch = false;
            batch.pages[i] = NULL;
        }
    }
    o_yield_point(actor);
    o_lock_enter(machine, actor, &zone->lru->lock, LOCK_KIND_LRU);
    for (unsigned i = 0; i < batch.n; i++) {
        if (!is_gone(&batch.pages[i])) {
            batch.pages[i]->in_batch = false;
            charge(machine, actor, COST_LRU_MOVE);
            o_lru_add_new(machine, batch.pages[i], active[i]);
        }
    }
    o_lock_leave(actor, &zone->lru->lock);
    return batch.n;
}

/* Frames freed. */
static uint64_t shrink_zone(struct machine *machine, struct actor *actor, struct zone *zone,
                            unsigned priority, uint64_t wanted, uint64_t nr_mapped)
{
    struct shrinking shrinking = {
        .machine = machine,
        .actor = actor,
        .zone = zone,
        .reclaim_mapped = may_reclaim_mapped(machine, zone, nr_mapped),
    };
    uint64_t max_scan = max_u64(max_u64(zone->nr_inactive >> priority, 2 * wanted), CLUSTER);
    zone->refill_counter += wanted * zone->nr_active / (2 * (zone->nr_inactive | 1)) + 1;
    if (zone->refill_counter > CLUSTER) {
        const uint64_t count = min_u64(zone->refill_counter, REFILL_MAX);
        zone->refill_counter = 0;
        refill(&shrinking, count);
    }
    o_yield_point(actor);
    while (max_scan > 0 && shrinking.freed < wanted) {
        const unsigned taken = shrink_batch(&shrinking, wanted);
        if (taken == 0) {
            break;
        }
        max_scan -= min_u64(max_scan, taken);
        o_yield_point(actor);
    }
    return shrinking.freed;
}

static void keep_priorities(struct machine *machine, enum zone_number class)
{
    for (int z = 0; z <= (int)class; z++) {
        machine->zones[z].prev_priority = machine->zones[z].temp_priority;
    }
}

static void reset_priorities(struct machine *machine, enum zone_number class)
{
    for (int z = 0; z <= (int)class; z++) {
        machine->zones[z].temp_priority = PRIORITY;
    }
}

void o_begin_reclaim_2_6(struct machine *machine, struct context *context, enum zone_number class)
{
    reset_priorities(machine, class);
    context->nr_mapped = machine->nr_mapped;
}

void o_kswapd_2_6(struct machine *machine, struct actor *actor)
{
    const uint64_t nr_mapped = actor->context->nr_mapped;
    for (unsigned priority = PRIORITY; priority >= 1; priority--) {
        bool all_fine = true;
        o_yield_point(actor);
        for (int z = 0; z < ZONES; z++) {
            struct zone *zone = &machine->zones[z];
            if (zone->frames == 0 || zone->free >= zone->high ||
                (zone->unreclaimable && priority != PRIORITY)) {
                continue;
            }
            all_fine = false;
            zone->temp_priority = priority;
            shrink_zone(machine, actor, zone, priority, zone->high - zone->free, nr_mapped);
            if (zone->scanned_since_free > 2 * zone->frames) {
                zone->unreclaimable = true;
            }
        }
        if (all_fine || priority == 1) {
            break;
        }
        o_sleep_for_congestion(actor, 100 * MILLISECOND);
    }
    keep_priorities(machine, ZONES - 1);
}

/* Frames freed by one pass over the zones of a class; it stops at enough. */
static uint64_t shrink_class(struct machine *machine, struct actor *actor, enum zone_number class,
                             unsigned priority, uint64_t freed)
{
    const uint64_t nr_mapped = machine->nr_mapped;
    for (int z = (int)class; z >= 0 && freed < CLUSTER; z--) {
        struct zone *zone = &machine->zones[z];
        if (zone->frames == 0) {
            continue;
        }
        if (zone->free < zone->high) {
            zone->temp_priority = priority;
        }
        if (!zone->unreclaimable || priority == PRIORITY) {
            freed += shrink_zone(machine, actor, zone, priority, CLUSTER, nr_mapped);
        }
    }
    return freed;
}

static bool try_to_free(struct machine *machine, struct actor *actor, enum zone_number class)
{
    uint64_t freed = 0;
    for (int priority = PRIORITY; priority >= 0; priority--) {
        o_yield_point(actor);
        freed = shrink_class(machine, actor, class, (unsigned)priority, freed);
        if (freed >= CLUSTER) {
            keep_priorities(machine, class);
            return true;
        }
        if (priority > 0) {
            o_sleep_for_congestion(actor, 100 * MILLISECOND);
        }
    }
    keep_priorities(machine, class);
    return false;
}

void o_direct_2_6(struct machine *machine, struct actor *actor, enum zone_number class)
{
    struct process *process = actor->process;
    for (;;) {
        if (!try_to_free(machine, actor, class)) {
            if (o_swap_used(machine) == machine->swap_slots) {
                o_run_out_of_memory(machine, actor, class);
                o_sleep_for(actor, TIME_NEVER - actor->now);
            }
            o_sleep_for_congestion(actor, 100 * MILLISECOND);
        }
        struct zone *zone = o_frame_over_min_2_6(machine, class);
        if (zone != NULL) {
            o_frame_take_from(zone, HELD_BY_PROCESS);
            charge(machine, actor, COST_PAGE_ALLOC);
            process->frame = zone;
            break;
        }
        o_sleep_for(actor, 20 * MILLISECOND);
        reset_priorities(machine, class);
    }
}
