/* Page reclaim of 2.6.0: active and inactive lists for each zone, aged through the reverse map.
 *
 * vm-designs.md 1.4 and 1.6 are the specification; the functions below carry the kernel's names.
 * The pages a reclaimer has taken off a list are in private lists of its context, where no mark can
 * activate them. */
#include <assert.h>

#include "base/mutant.h"
#include "designs/designs.h"
#include "machine/lru.h"
#include "machine/residence.h"

enum {
    DEF_PRIORITY = 12,
    SWAP_CLUSTER_MAX = 32, /* of the whole machine; see cell_batch() */
    VM_SWAPPINESS = 60,
    MIN_FREE_KBYTES = 1024,
    HIGHMEM_MIN_PAGES = 128,
};

static const sim_time congestion_wait = 100ULL * 1000000 * TICKS_PER_NS;
static const sim_time allocation_pause = 20ULL * 1000000 * TICKS_PER_NS;

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

struct shrink_call {
    uint32_t phase;
    uint32_t zone;
    uint32_t priority;
    uint64_t wanted;      /* pages to free */
    uint64_t freed;       /* pages freed */
    int64_t max_scan;     /* inactive pages still to be looked at */
    uint64_t refill;      /* active pages to look at */
    page_count nr_mapped; /* of the machine, as page_state said when the caller last asked */
    bool reclaim_mapped;
};

/* balance_pgdat() and try_to_free_pages(), in one context. */
enum reclaim_phase { PASS_BEGIN, PASS_ZONES, PASS_END, ALLOCATE };

struct reclaim_state {
    uint32_t phase;
    uint32_t priority;
    int32_t zone; /* the one being shrunk, or about to be */
    bool shrinking;
    bool all_zones_ok;
    uint64_t freed;
    page_count nr_mapped;
    struct shrink_call shrink;
};

_Static_assert(sizeof(struct reclaim_state) <= CONTEXT_STATE_BYTES, "fits in a context");

static struct reclaim_state *state_of(struct context *context)
{
    return (struct reclaim_state *)(void *)context->design;
}

/* --- allocation --------------------------------------------------------------------------- */

static void set_up(struct cell *cell)
{
    struct cell_core *core = cell->core;
    const page_count min_free = MIN_FREE_KBYTES * 1024 / PAGE_BYTES;
    page_count lowmem = core->zone[ZONE_DMA].present + core->zone[ZONE_NORMAL].present;
    for (int i = 0; i < ZONES; i++) {
        struct zone *zone = &core->zone[i];
        if (i == ZONE_HIGHMEM) {
            zone->min = max_u64(SWAP_CLUSTER_MAX, min_u64(zone->present / 1024, HIGHMEM_MIN_PAGES));
        } else {
            zone->min = min_free * zone->present / lowmem;
        }
        zone->low = 2 * zone->min;
        zone->high = 3 * zone->min;
        zone->prev_priority = DEF_PRIORITY;
        zone->temp_priority = DEF_PRIORITY;
    }
}

/* The first zone of a class, from the highest down, whose free pages reach the sum of a watermark
 * over itself and the zones above it. */
static bool find_incremental(const struct cell *cell, enum zone_index class, size_t watermark,
                             enum zone_index *zone_p)
{
    page_count min = 1;
    for (int i = (int)class; i >= 0; i--) {
        const struct zone *zone = &cell->core->zone[i];
        if (zone->present == 0) {
            continue;
        }
        min += *(const page_count *)(const void *)((const char *)zone + watermark);
        if (zone->free >= min) {
            *zone_p = (enum zone_index)i;
            return true;
        }
    }
    return false;
}

/* wakeup_kswapd() for every zone of a class: kswapd sleeps on as long as none is below its low
 * mark. */
static void wake_kswapd(struct cell *cell, enum zone_index class, sim_time now)
{
    for (int i = (int)class; i >= 0; i--) {
        if (cell->core->zone[i].present > 0 &&
            cell->core->zone[i].free <= cell->core->zone[i].low) {
            context_wake_kswapd(cell, now);
            return;
        }
    }
}

static enum frame_result find_frame(struct cell *cell, enum zone_index class, sim_time now,
                                    enum zone_index *zone_p)
{
    if (find_incremental(cell, class, offsetof(struct zone, low), zone_p)) {
        return FRAME_OK;
    }
    wake_kswapd(cell, class, now);
    if (find_incremental(cell, class, offsetof(struct zone, min), zone_p)) {
        return FRAME_OK;
    }
    return FRAME_RECLAIM;
}

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
    lock_enter(cell, actor, lock);
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
        referenced += cell->design->rmap->referenced(cell, actor, page);
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
        (void)cell->design->writeout->moved_to_swap(cell, actor, context, page);
        return KEEP;
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
    if (referenced > 0 && page_mapping_inuse(cell, page)) {
        return ACTIVATE;
    }
    bool anon = page_is_anon(cell, page);
    if (anon && cell->mapcount[page] > 0 && !page_is(words, page, PLANE_SWAPCACHE) &&
        !residence_to_swapcache(cell, actor, page)) {
        return ACTIVATE;
    }
    if (cell->mapcount[page] > 0) {
        enum unmap_result unmapped = cell->design->rmap->unmap(cell, actor, page);
        if (unmapped != UNMAP_DONE) {
            return unmapped == UNMAP_FAIL ? ACTIVATE : KEEP;
        }
    }
    if (page_is(words, page, PLANE_DIRTY)) {
        return referenced > 0 ? KEEP : write_page(cell, actor, context, page);
    }
    charge(cell, actor, COST_PAGE_CACHE, 1);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
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

static void begin_shrink_zone(struct cell *cell, struct shrink_call *call, enum zone_index index,
                              uint32_t priority, uint64_t wanted, int64_t max_scan,
                              page_count nr_mapped)
{
    struct zone *zone = &cell->core->zone[index];
    *call = (struct shrink_call){
        .phase = SHRINK_ISOLATE,
        .zone = (uint32_t)index,
        .priority = priority,
        .wanted = wanted,
        .max_scan = max_scan,
        .nr_mapped = nr_mapped,
    };
    uint64_t ratio = wanted * zone->nr_active / ((zone->nr_inactive | 1) * 2);
    zone->refill_counter += ratio + 1;
    if (zone->refill_counter > cell_batch(cell)) {
        call->refill = min_u64(zone->refill_counter, 4 * cell_batch(cell));
        zone->refill_counter = 0;
        call->reclaim_mapped = wants_mapped_pages(cell, call);
        call->phase = REFILL_ISOLATE;
    }
}

static void put_back_locked(struct cell *cell, struct actor *actor, enum zone_index zone,
                            enum private_list first, enum private_list second)
{
    struct sim_lock *lock = &cell->core->lru_lock[zone];
    lock_enter(cell, actor, lock);
    put_back(cell, actor, first);
    put_back(cell, actor, second);
    lock_leave(actor, lock);
}

static enum step shrink_zone(struct cell *cell, struct actor *actor, struct context *context,
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
            if (call->max_scan <= 0 || call->freed >= call->wanted) {
                call->phase = SHRUNK;
                break;
            }
            uint64_t batch = max_u64(call->wanted, cell_batch(cell));
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

static int64_t scan_limit(const struct cell *cell, const struct zone *zone, uint32_t priority,
                          uint64_t wanted)
{
    uint64_t limit = max_u64(zone->nr_inactive >> priority, 2 * wanted);
    return (int64_t)max_u64(limit, cell_batch(cell));
}

/* Before a pass over the zones, and after the last one: distress follows the previous run. */
static void forget_priorities(struct cell *cell)
{
    for (int i = 0; i < ZONES; i++) {
        cell->core->zone[i].temp_priority = DEF_PRIORITY;
    }
}

static void keep_priorities(struct cell *cell)
{
    for (int i = 0; i < ZONES; i++) {
        cell->core->zone[i].prev_priority = cell->core->zone[i].temp_priority;
    }
}

static enum step wait_congested(struct context *context, const struct actor *actor)
{
    context->wait = WAIT_CONGESTION;
    context->wait_until = actor->now + congestion_wait;
    return STEP_WAIT;
}

/* --- try_to_free_pages() ------------------------------------------------------------------ */

static void begin_direct(struct cell *cell, struct context *context)
{
    forget_priorities(cell);
    *state_of(context) = (struct reclaim_state){.phase = PASS_BEGIN, .priority = DEF_PRIORITY};
}

/* Starts on the next zone of a class that direct reclaim looks at; false when there is none. */
static bool next_direct_zone(struct cell *cell, struct reclaim_state *state)
{
    for (; state->zone >= 0; state->zone--) {
        struct zone *zone = &cell->core->zone[state->zone];
        if (zone->present == 0) {
            continue;
        }
        if (zone->free < zone->high) {
            zone->temp_priority = state->priority;
        }
        if (zone->all_unreclaimable && state->priority != DEF_PRIORITY) {
            continue;
        }
        begin_shrink_zone(cell, &state->shrink, (enum zone_index)state->zone, state->priority,
                          cell_batch(cell),
                          scan_limit(cell, zone, state->priority, cell_batch(cell)),
                          state->nr_mapped);
        return true;
    }
    return false;
}

/* The allocation that reclaimed tries again, down to the min watermarks. */
static bool allocate(struct cell *cell, struct actor *actor, struct context *context)
{
    enum zone_index zone;
    if (!find_incremental(cell, (enum zone_index)context->reclaim_class, offsetof(struct zone, min),
                          &zone)) {
        return false;
    }
    zone_take(cell, zone, OWNER_HANDED);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    context->held_frame = true;
    context->held_zone = (uint8_t)zone;
    return true;
}

/* No page could be freed down to priority 0. With swap left the kernel does not give up. */
static bool out_of_memory(struct cell *cell, const struct context *context)
{
    if (cell->nswap_devices > 0 && !swap_is_full(cell)) {
        return false;
    }
    return context_out_of_memory(cell, context);
}

static enum step direct(struct cell *cell, struct actor *actor, struct context *context)
{
    struct reclaim_state *state = state_of(context);
    for (;;) {
        switch ((enum reclaim_phase)state->phase) {
        case PASS_BEGIN:
            if (actor->now >= context->slice_end) {
                return STEP_AGAIN;
            }
            state->nr_mapped = cell_nr_mapped(cell);
            state->zone = context->reclaim_class;
            state->phase = PASS_ZONES;
            break;
        case PASS_ZONES:
            if (!state->shrinking) {
                state->shrinking = next_direct_zone(cell, state);
            }
            if (state->shrinking) {
                enum step step = shrink_zone(cell, actor, context, &state->shrink);
                if (step != STEP_DONE) {
                    return step;
                }
                state->shrinking = false;
                state->freed += state->shrink.freed;
                state->zone--;
                if (state->freed < cell_batch(cell)) {
                    break;
                }
            }
            state->phase = PASS_END;
            break;
        case PASS_END:
            if (state->freed >= cell_batch(cell)) {
                keep_priorities(cell);
                state->phase = ALLOCATE;
                break;
            }
            if (state->priority == 0) {
                keep_priorities(cell);
                if (out_of_memory(cell, context)) {
                    context->wait = WAIT_TIME; /* the run ends with this epoch */
                    context->wait_until = TIME_NEVER;
                    return STEP_WAIT;
                }
                state->phase = ALLOCATE;
            } else {
                state->priority--;
                state->phase = PASS_BEGIN;
            }
            return wait_congested(context, actor);
        case ALLOCATE:
            if (allocate(cell, actor, context)) {
                return STEP_DONE;
            }
            begin_direct(cell, context);
            context->wait = WAIT_TIME;
            context->wait_until = actor->now + allocation_pause;
            return STEP_WAIT;
        }
    }
}

/* --- kswapd: balance_pgdat() -------------------------------------------------------------- */

static void begin_balance(struct cell *cell, struct context *context)
{
    forget_priorities(cell);
    *state_of(context) = (struct reclaim_state){
        .phase = PASS_BEGIN,
        .priority = DEF_PRIORITY,
        .nr_mapped = cell_nr_mapped(cell),
    };
}

/* Starts on the next zone below its high watermark; false when there is none left in this pass. */
static bool next_balance_zone(struct cell *cell, struct reclaim_state *state)
{
    for (; state->zone < ZONES; state->zone++) {
        struct zone *zone = &cell->core->zone[state->zone];
        if (zone->present == 0 || zone->free >= zone->high ||
            (zone->all_unreclaimable && state->priority != DEF_PRIORITY)) {
            continue;
        }
        uint64_t wanted = zone->high - zone->free;
        zone->temp_priority = state->priority;
        state->all_zones_ok = false;
        begin_shrink_zone(cell, &state->shrink, (enum zone_index)state->zone, state->priority,
                          wanted, scan_limit(cell, zone, state->priority, wanted), state->nr_mapped);
        return true;
    }
    return false;
}

static enum step balance(struct cell *cell, struct actor *actor, struct context *context)
{
    struct reclaim_state *state = state_of(context);
    for (;;) {
        switch ((enum reclaim_phase)state->phase) {
        case PASS_BEGIN:
            if (actor->now >= context->slice_end) {
                return STEP_AGAIN;
            }
            state->zone = 0;
            state->all_zones_ok = true;
            state->phase = PASS_ZONES;
            break;
        case PASS_ZONES: {
            if (!state->shrinking) {
                state->shrinking = next_balance_zone(cell, state);
            }
            if (!state->shrinking) {
                state->phase = PASS_END;
                break;
            }
            enum step step = shrink_zone(cell, actor, context, &state->shrink);
            if (step != STEP_DONE) {
                return step;
            }
            state->shrinking = false;
            struct zone *zone = &cell->core->zone[state->zone++];
            if (zone->pages_scanned > 2 * zone->present) {
                zone->all_unreclaimable = true;
            }
            break;
        }
        case PASS_END:
            if (state->all_zones_ok || state->priority == 1) {
                keep_priorities(cell);
                return STEP_DONE;
            }
            state->priority--;
            state->phase = PASS_BEGIN;
            return wait_congested(context, actor);
        case ALLOCATE:
            assert(false && "kswapd allocates nothing");
            return STEP_DONE;
        }
    }
}

const struct reclaim_ops reclaim_lru_2_6_0 = {
    .choice = {.name = "lru_2_6_0",
               .description =
                   "active and inactive lists per zone, scan priority and swap tendency (2.6.0)",
               .source = "vm-designs 1.4, 1.4a, 1.6; linux v2.6.0 mm/vmscan.c, mm/page_alloc.c"},
    .rules =
        {
            .zone_lists = true,
            .anon_new_active = true,
            .anon_readahead_active = true,
            .written_goes_oldest = true,
        },
    .set_up = set_up,
    .find_frame = find_frame,
    .begin_direct = begin_direct,
    .direct = direct,
    .begin_balance = begin_balance,
    .balance = balance,
};
