#include "designs/shrink_zone_2_6.h"

#include "base/mutant.h"
#include "machine/lru.h"
#include "machine/residence.h"
#include "machine/rmap.h"

enum { VM_SWAPPINESS = 60 };

/* shrink_zone() and below, in one context. */
enum shrink_phase {
    REFILL_ISOLATE,
    REFILL_PAGE,
    REFILL_PUT_BACK,
    SHRINK_ISOLATE,
    SHRINK_PAGE,
    SHRINK_PUT_BACK,
    SHRUNK,
};

/* --- pages off the lists ------------------------------------------------------------------ */

enum private_list { HOLD, TO_INACTIVE, TO_ACTIVE };

static lru_list private_list(const struct actor *actor, enum private_list which)
{
    return lru_private(actor->context, (unsigned)which);
}

/* Takes up to n of the oldest pages of a zone's list, under its lock; returns how many. */
static uint64_t isolate(struct cell *cell, struct actor *actor, enum zone_index zone, bool active,
                        uint64_t n)
{
    struct sim_lock *lock = &cell->core->lru_lock[zone];
    uint64_t taken = 0;
    lock_enter(cell, actor, lock, LOCK_KIND_LRU);
    for (; taken < n; taken++) {
        page_id page = lru_oldest(cell, lru_of(cell, zone, active));
        if (page == PAGE_NONE) {
            break;
        }
        lru_remove(cell, page);
        lru_link_newest(cell, private_list(actor, HOLD), page);
        charge(cell, actor, COST_LRU_MOVE, 1);
    }
    lock_leave(actor, lock);
    return taken;
}

/* Takes the oldest page out of a private list; PAGE_NONE when it is empty. */
static page_id take_oldest(struct cell *cell, lru_list list)
{
    page_id page = lru_oldest(cell, list);
    if (page != PAGE_NONE) {
        lru_unlink(cell, page);
    }
    return page;
}

/* Puts the pages of a private list back, oldest first, on the lists that PLANE_ACTIVE says. */
static void put_back(struct cell *cell, struct actor *actor, enum private_list which)
{
    lru_list list = private_list(actor, which);
    for (page_id page = take_oldest(cell, list); page != PAGE_NONE;
         page = take_oldest(cell, list)) {
        charge(cell, actor, COST_LRU_MOVE, 1);
        lru_add(cell, page);
    }
}

/* page_referenced(): PG_referenced and the young bits of all ptes, cleared. */
static unsigned page_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    unsigned referenced = page_test_and_clear(cell->words, page, PLANE_REFERENCED) ? 1 : 0;
    if (cell->mapcount[page] > 0) {
        referenced += rmap_referenced(cell, actor, page);
    }
    return referenced;
}

/* --- refill_inactive_zone() --------------------------------------------------------------- */

static bool wants_mapped_pages(const struct cell *cell, const struct shrink_call *call)
{
    page_count total = cell->scenario->machine.memory >> PAGE_SHIFT;
    uint64_t distress = 100U >> cell->core->zone[call->zone].prev_priority;
    uint64_t mapped_ratio = call->nr_mapped * 100 / total;
    uint64_t swap_tendency = mapped_ratio / 2 + MUTANT(SWAP_TENDENCY, distress, 100) +
                             VM_SWAPPINESS;
    return swap_tendency >= 100;
}

/* Which list a page of the active list goes to. */
static enum private_list judge_active(struct cell *cell, struct actor *actor,
                                      const struct shrink_call *call, page_id page)
{
    charge(cell, actor, COST_PAGE_SCAN, 1);
    if (cell->mapcount[page] > 0) {
        if (!call->reclaim_mapped &&
            MUTANT(SKIP_MAPPED, cell->design->reclaim->rules.refill_skips_mapped, false)) {
            return TO_ACTIVE;
        }
        unsigned referenced = page_referenced(cell, actor, page);
        if (referenced > 0 || !call->reclaim_mapped) {
            return TO_ACTIVE;
        }
    }
    if (cell->nswap_devices == 0 && page_is_anon(cell, page)) {
        return TO_ACTIVE;
    }
    return TO_INACTIVE;
}

static enum step refill_pages(struct cell *cell, struct actor *actor, struct context *context,
                              const struct shrink_call *call)
{
    while (lru_oldest(cell, private_list(actor, HOLD)) != PAGE_NONE) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        page_id page = take_oldest(cell, private_list(actor, HOLD));
        enum private_list to = judge_active(cell, actor, call, page);
        if (to == TO_INACTIVE) {
            page_clear(cell->words, page, PLANE_ACTIVE);
            count(cell, METRIC_DEACTIVATIONS, 1);
        }
        lru_link_newest(cell, private_list(actor, to), page);
    }
    return STEP_DONE;
}

/* --- shrink_list() ------------------------------------------------------------------------ */

enum shrunk { KEEP, ACTIVATE, FREED, WAIT_FOR_QUEUE };

static bool page_mapping_inuse(const struct cell *cell, page_id page)
{
    return cell->mapcount[page] > 0 || page_is(cell->words, page, PLANE_SWAPCACHE) ||
           (!page_is_anon(cell, page) && page_object(cell, page)->nvmas > 0);
}

/* writepage() on a dirty page that nobody maps. */
static enum shrunk write_page(struct cell *cell, struct actor *actor, struct context *context,
                              page_id page)
{
    bool to_swap = cell->slot[page] != 0;
    if (!to_swap && page_object(cell, page)->kind == OBJECT_SHM) {
        if (!residence_to_swapcache(cell, actor, page)) {
            return ACTIVATE;
        }
        enum step step = cell->design->writeout->moved_to_swap(cell, actor, context, page);
        return step == STEP_WAIT ? WAIT_FOR_QUEUE : KEEP;
    }
    uint32_t device = residence_device(cell, page);
    bool is_kswapd = context->task == TASK_BALANCE;
    if (!to_swap && !is_kswapd && cell->devices[device].congested) {
        return KEEP;
    }
    if (!device_has_room(cell, device)) {
        context->wait = WAIT_QUEUE;
        context->wait_device = device;
        return WAIT_FOR_QUEUE;
    }
    page_set(cell->words, page, PLANE_RECLAIM);
    residence_start_write(cell, actor, page);
    return KEEP;
}

/* try_to_unmap(): the first mapping of a page of a locked segment ends it, before any trylock. */
static enum unmap_result try_to_unmap(struct cell *cell, struct actor *actor, page_id page)
{
    const struct rmap_ops *rmap = cell->design->rmap;
    if (!MUTANT(LOCKED_VMA, page_object(cell, page)->locked, false)) {
        return rmap_unmap(cell, actor, page);
    }
    count(cell, METRIC_RMAP_VISITS, 1);
    charge(cell, actor, rmap->keeps_chain(cell, page) ? COST_CHAIN_VISIT : COST_VMA_VISIT, 1);
    return UNMAP_FAIL;
}

/* The same, and what it visited. */
static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    const uint64_t before = cell->core->counter[METRIC_RMAP_VISITS];
    const enum unmap_result result = try_to_unmap(cell, actor, page);
    count(cell, METRIC_UNMAP_VISITS, cell->core->counter[METRIC_RMAP_VISITS] - before);
    count(cell, METRIC_PAGES_UNMAPPED, result == UNMAP_DONE ? 1 : 0);
    return result;
}

static enum shrunk shrink_page(struct cell *cell, struct actor *actor, struct context *context,
                               page_id page)
{
    struct page_word *words = cell->words;
    charge(cell, actor, COST_PAGE_SCAN, 1);
    if (page_is(words, page, PLANE_LOCKED)) {
        count(cell, METRIC_PAGE_LOCK_FAILURES, 1);
        return KEEP;
    }
    if (page_is(words, page, PLANE_WRITEBACK)) {
        return KEEP;
    }
    unsigned referenced = page_referenced(cell, actor, page);
    if (MUTANT(REFERENCED_PAGE, referenced > 0, false) && page_mapping_inuse(cell, page)) {
        return ACTIVATE;
    }
    bool anon = page_is_anon(cell, page);
    if (anon && cell->mapcount[page] > 0 && !page_is(words, page, PLANE_SWAPCACHE) &&
        !residence_to_swapcache(cell, actor, page)) {
        return ACTIVATE;
    }
    if (cell->mapcount[page] > 0) {
        switch (unmap(cell, actor, page)) {
        case UNMAP_DONE:
            break;
        case UNMAP_AGAIN:
            return KEEP;
        case UNMAP_YOUNG:
        case UNMAP_FAIL:
            return ACTIVATE;
        }
    }
    if (page_is(words, page, PLANE_DIRTY)) {
        return referenced > 0 ? KEEP : write_page(cell, actor, context, page);
    }
    charge(cell, actor, COST_PAGE_CACHE, 1);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    residence_count_delay(cell, page, actor->now);
    residence_leave(cell, page);
    count(cell, METRIC_PAGES_FREED, 1);
    return FREED;
}

static enum step shrink_pages(struct cell *cell, struct actor *actor, struct context *context,
                              struct shrink_call *call)
{
    lru_list hold = private_list(actor, HOLD);
    for (page_id page = lru_oldest(cell, hold); page != PAGE_NONE; page = lru_oldest(cell, hold)) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        lru_unlink(cell, page);
        enum shrunk shrunk = shrink_page(cell, actor, context, page);
        switch (shrunk) {
        case WAIT_FOR_QUEUE:
            /* Taken up again when there is room: it must be the oldest still. */
            lru_link_oldest(cell, hold, page);
            return STEP_WAIT;
        case FREED:
            call->freed++;
            continue;
        case ACTIVATE:
            page_set(cell->words, page, PLANE_ACTIVE);
            count(cell, METRIC_ACTIVATIONS, 1);
            break;
        case KEEP:
            break;
        }
        lru_link_newest(cell, private_list(actor, TO_INACTIVE), page);
    }
    return STEP_DONE;
}

/* --- shrink_zone() ------------------------------------------------------------------------ */

static int64_t scan_limit(const struct cell *cell, const struct zone *zone, uint32_t priority,
                          uint64_t wanted)
{
    uint64_t share = zone->nr_inactive >> (priority + MUTANT(SCAN_PRIORITY, 0, 1));
    uint64_t limit = max_u64(share, 2 * wanted);
    return (int64_t)max_u64(limit, cell_batch(cell));
}

void shrink_zone_begin(struct cell *cell, struct shrink_call *call, enum zone_index index,
                       uint32_t priority, uint64_t wanted, page_count nr_mapped)
{
    struct zone *zone = &cell->core->zone[index];
    *call = (struct shrink_call){
        .phase = SHRINK_ISOLATE,
        .zone = (uint32_t)index,
        .wanted = wanted,
        .max_scan = scan_limit(cell, zone, priority, wanted),
        .nr_mapped = nr_mapped,
    };
    /* As if the zone were all cells' and each of them did its part. */
    uint64_t n = cell->ncells;
    uint64_t ratio = wanted * n * zone->nr_active * n / ((zone->nr_inactive * n | 1) * 2);
    zone->refill_counter += ratio + 1;
    if (zone->refill_counter > SWAP_CLUSTER_MAX) {
        uint64_t all = min_u64(zone->refill_counter, 4 * SWAP_CLUSTER_MAX);
        call->refill = max_u64(all / n, 1);
        zone->refill_counter = 0;
        call->reclaim_mapped = wants_mapped_pages(cell, call);
        call->phase = REFILL_ISOLATE;
    }
}

static void put_back_locked(struct cell *cell, struct actor *actor, enum zone_index zone,
                            enum private_list first, enum private_list second)
{
    struct sim_lock *lock = &cell->core->lru_lock[zone];
    lock_enter(cell, actor, lock, LOCK_KIND_LRU);
    put_back(cell, actor, first);
    put_back(cell, actor, second);
    lock_leave(actor, lock);
}

enum step shrink_zone_step(struct cell *cell, struct actor *actor, struct context *context,
                           struct shrink_call *call)
{
    enum zone_index zone = (enum zone_index)call->zone;
    enum step step = STEP_DONE;
    while (call->phase != SHRUNK) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        switch ((enum shrink_phase)call->phase) {
        case REFILL_ISOLATE:
            isolate(cell, actor, zone, true, call->refill);
            call->phase = REFILL_PAGE;
            break;
        case REFILL_PAGE:
            step = refill_pages(cell, actor, context, call);
            call->phase = step == STEP_DONE ? REFILL_PUT_BACK : REFILL_PAGE;
            break;
        case REFILL_PUT_BACK:
            put_back_locked(cell, actor, zone, TO_INACTIVE, TO_ACTIVE);
            call->phase = SHRINK_ISOLATE;
            break;
        case SHRINK_ISOLATE: {
            if (call->max_scan <= 0 || call->freed >= call->wanted || context_should_end(context) ||
                (context->task != TASK_BALANCE && context_freed_enough(cell, context))) {
                call->phase = SHRUNK;
                break;
            }
            uint64_t batch = max_u64(call->wanted, cell_batch(cell)) / MUTANT(SCAN_BATCH, 1, 2);
            uint64_t taken = isolate(cell, actor, zone, false, batch);
            cell->core->zone[zone].pages_scanned += taken;
            count(cell, METRIC_PAGES_SCANNED, taken);
            call->max_scan -= (int64_t)taken;
            call->phase = taken > 0 ? SHRINK_PAGE : SHRUNK;
            break;
        }
        case SHRINK_PAGE:
            step = shrink_pages(cell, actor, context, call);
            call->phase = step == STEP_DONE ? SHRINK_PUT_BACK : SHRINK_PAGE;
            break;
        case SHRINK_PUT_BACK:
            put_back_locked(cell, actor, zone, TO_INACTIVE, TO_ACTIVE);
            call->phase = SHRINK_ISOLATE;
            break;
        case SHRUNK:
            break;
        }
        if (step != STEP_DONE) {
            return step;
        }
    }
    return STEP_DONE;
}
