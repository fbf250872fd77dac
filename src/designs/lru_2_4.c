#include "designs/lru_2_4.h"

#include "base/mutant.h"
#include "machine/lru.h"
#include "machine/residence.h"
#include "machine/writeback.h"

static const sim_time kswapd_pause = 5ULL * 1000000000 * TICKS_PER_NS;

_Static_assert(sizeof(struct lru_2_4_state) <= CONTEXT_STATE_BYTES, "fits in a context");

struct lru_2_4_state *lru_2_4_state(struct context *context)
{
    return (struct lru_2_4_state *)(void *)context->design;
}

/* --- allocation --------------------------------------------------------------------------- */

void lru_2_4_set_up(struct cell *cell)
{
    static const page_count reserve_ratio[ZONES] = {256, 32, 1};
    struct cell_core *core = cell->core;
    ((struct swap_out_machine *)(void *)core->design)->swap_mm = (uint32_t)cell->plan->nprocesses;
    for (int i = 0; i < ZONES; i++) {
        struct zone *zone = &core->zone[i];
        if (zone->present == 0) {
            continue;
        }
        page_count mask = max_u64(20, min_u64(zone->present / 128, 255));
        zone->min = mask;
        zone->low = 2 * mask;
        zone->high = 3 * mask;
        for (int zone_class = i + 1; zone_class < ZONES; zone_class++) {
            zone->reserve[zone_class] = core->zone[zone_class].present / reserve_ratio[i];
        }
    }
}

page_count lru_2_4_frames_kept(const struct cell *cell, enum zone_index zone_class,
                               enum zone_index index, enum watermark watermark)
{
    const struct zone *zone = &cell->core->zone[index];
    return zone_mark(zone, watermark) + zone->reserve[zone_class];
}

/* The first zone of a class, from the highest down, with more free than a watermark. */
static bool find_above(const struct cell *cell, enum zone_index zone_class,
                       enum watermark watermark, enum zone_index *zone_p)
{
    for (int i = (int)zone_class; i >= 0; i--) {
        const struct zone *zone = &cell->core->zone[i];
        if (zone->present > 0 &&
            zone->free > lru_2_4_frames_kept(cell, zone_class, (enum zone_index)i, watermark)) {
            *zone_p = (enum zone_index)i;
            return true;
        }
    }
    return false;
}

enum frame_result lru_2_4_find_frame(struct cell *cell, enum zone_index zone_class, sim_time now,
                                     enum zone_index *zone_p)
{
    if (find_above(cell, zone_class, WATERMARK_LOW, zone_p)) {
        return FRAME_OK;
    }
    cell->core->zone[zone_class].need_balance = true;
    context_wake_kswapd(cell, zone_class, now);
    if (find_above(cell, zone_class, WATERMARK_MIN, zone_p)) {
        return FRAME_OK;
    }
    return FRAME_RECLAIM;
}

bool lru_2_4_hand_over(struct cell *cell, struct actor *actor, struct context *context,
                       enum watermark watermark)
{
    enum zone_index zone;
    if (!find_above(cell, (enum zone_index)context->reclaim_class, watermark, &zone)) {
        return false;
    }
    zone_take(cell, zone, OWNER_HANDED);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    context->held_frame = true;
    context->held_zone = (uint8_t)zone;
    return true;
}

/* --- shrinking ---------------------------------------------------------------------------- */

static struct sim_lock *lru_lock(struct cell *cell)
{
    return &cell->core->lru_lock[0]; /* pagemap_lru_lock */
}

static void free_page(struct cell *cell, struct actor *actor, page_id page)
{
    charge(cell, actor, COST_PAGE_CACHE, 1);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    swap_out_drop_page(cell, actor, page);
}

/* From the old end of the active list; those referenced go round once more. */
enum step lru_2_4_refill(struct cell *cell, struct actor *actor, struct context *context,
                         struct free_call *call)
{
    lock_enter(cell, actor, lru_lock(cell), LOCK_KIND_LRU);
    enum step step = STEP_DONE;
    while (call->ratio > 0) {
        page_id page = lru_oldest(cell, lru_of(cell, ZONE_NORMAL, true));
        if (page == PAGE_NONE) {
            break;
        }
        if (actor->now >= context->slice_end) {
            context->may_resched = false; /* the whole refill is one critical section */
            step = STEP_AGAIN;
            break;
        }
        charge(cell, actor, COST_PAGE_SCAN, 1);
        if (page_test_and_clear(cell->words, page, PLANE_REFERENCED) &&
            MUTANT(REFILL_SECOND_CHANCE, true, false)) {
            lru_rotate_newest(cell, page);
            continue;
        }
        call->ratio--;
        charge(cell, actor, COST_LRU_MOVE, 1);
        lru_deactivate(cell, page);
        if (MUTANT(REFILL_REFERENCED, true, false)) {
            page_set(cell->words, page, PLANE_REFERENCED);
        }
    }
    lock_leave(actor, lru_lock(cell));
    return step;
}

/* What shrink_cache() did with a page. */
enum shrunk { NEXT_PAGE, TOO_MANY_MAPPED, WAIT_FOR_IT, WAIT_AND_RETRY };

/* writepage() on a dirty page that only its cache holds. */
static enum shrunk write_page(struct cell *cell, struct actor *actor, struct context *context,
                              page_id page)
{
    if (cell->slot[page] == 0 && page_object(cell, page)->kind == OBJECT_SHM) {
        if (!residence_to_swapcache(cell, actor, page)) {
            /* No slot: out of the way with it, as long as swap stays full. */
            lru_activate(cell, page);
            page_set(cell->words, page, PLANE_REFERENCED);
            return NEXT_PAGE;
        }
        enum step step = cell->design->writeout->moved_to_swap(cell, actor, context, page);
        return step == STEP_WAIT ? WAIT_AND_RETRY : NEXT_PAGE;
    }
    uint32_t device = residence_device(cell, page);
    if (!device_has_room(cell, device)) {
        context->wait = WAIT_QUEUE;
        context->wait_device = device;
        return WAIT_AND_RETRY;
    }
    page_set(cell->words, page, PLANE_RECLAIM); /* PG_launder */
    residence_start_write(cell, actor, page);
    return NEXT_PAGE;
}

/* try_to_free_buffers() and sync_page_buffers() on a page whose buffers are dirty or being written:
 * nothing the first time; the second time they are written, or waited for. PLANE_RECLAIM stands for
 * BH_Wait_IO, which the end of the I/O clears. */
static enum shrunk sync_buffers(struct cell *cell, struct actor *actor, struct context *context,
                                page_id page)
{
    if (MUTANT(WAIT_IO, !page_is(cell->words, page, PLANE_RECLAIM), false)) {
        page_set(cell->words, page, PLANE_RECLAIM);
    } else if (page_is(cell->words, page, PLANE_WRITEBACK)) {
        context->wait = WAIT_PAGE;
        context->wait_page = page;
        return WAIT_AND_RETRY;
    } else if (writeback_write(cell, actor, context, page) == STEP_WAIT) {
        return WAIT_AND_RETRY;
    }
    if (writeback_2_4_is_dirty(cell)) {
        context_wake_flusher(cell, actor->now);
    }
    return NEXT_PAGE;
}

/* One page from the old end of the inactive list; it has been moved to the new end. */
static enum shrunk shrink_page(struct cell *cell, struct actor *actor, struct context *context,
                               struct free_call *call, page_id page)
{
    struct page_word *words = cell->words;
    bool in_cache = !page_is_anon(cell, page) || page_is(words, page, PLANE_SWAPCACHE);
    bool mapped = cell->mapcount[page] > 0;
    bool buffers = page_is(words, page, PLANE_BUFFERS);
    if (!buffers && (mapped || !in_cache)) {
        return --call->max_mapped < 0 ? TOO_MANY_MAPPED : NEXT_PAGE;
    }
    if (page_is(words, page, PLANE_LOCKED)) {
        count(cell, METRIC_PAGE_LOCK_FAILURES, 1);
        if (page_is(words, page, PLANE_RECLAIM)) {
            context->wait = WAIT_PAGE;
            context->wait_page = page;
            return WAIT_FOR_IT;
        }
        return NEXT_PAGE;
    }
    if (page_object(cell, page)->written &&
        (page_is(words, page, PLANE_DIRTY) || page_is(words, page, PLANE_WRITEBACK))) {
        return sync_buffers(cell, actor, context, page);
    }
    if (page_is(words, page, PLANE_DIRTY) && !mapped && in_cache) {
        return write_page(cell, actor, context, page);
    }
    residence_drop_buffers(cell, page);
    if (!in_cache || mapped) {
        return --call->max_mapped < 0 ? TOO_MANY_MAPPED : NEXT_PAGE;
    }
    free_page(cell, actor, page);
    call->wanted--;
    return NEXT_PAGE;
}

static bool may_shrink(const struct cell *cell, const struct free_call *call)
{
    enum zone_index zone_class = call->scans_class ? (enum zone_index)call->zone_class : ZONES - 1;
    return call->wanted > 0 && call->max_scan > 0 && lru_class_inactive(cell, zone_class) > 0;
}

enum step lru_2_4_shrink(struct cell *cell, struct actor *actor, struct context *context,
                         struct free_call *call)
{
    lock_enter(cell, actor, lru_lock(cell), LOCK_KIND_LRU);
    enum step step = STEP_DONE;
    while (may_shrink(cell, call)) {
        if (actor->now >= context->slice_end) {
            step = STEP_AGAIN;
            break;
        }
        page_id page = lru_oldest(cell, lru_of(cell, ZONE_NORMAL, false));
        charge(cell, actor, COST_PAGE_SCAN, 1);
        lru_rotate_newest(cell, page);
        bool of_class = (uint32_t)page_zone(cell, page) <= call->zone_class;
        if (of_class || !call->scans_class) {
            call->max_scan--;
            count(cell, METRIC_PAGES_SCANNED, 1);
        }
        if (!of_class) {
            continue;
        }
        enum shrunk shrunk = shrink_page(cell, actor, context, call, page);
        if (shrunk == TOO_MANY_MAPPED) {
            call->phase = SWAP_FROM_SHRINK;
            break;
        }
        if (shrunk != NEXT_PAGE) {
            if (shrunk == WAIT_AND_RETRY) {
                lru_rotate_oldest(cell, page); /* it is taken up again */
            }
            step = STEP_WAIT;
            break;
        }
    }
    lock_leave(actor, lru_lock(cell));
    return step;
}

/* --- clean pages first -------------------------------------------------------------------- */

/* Clean, unlocked, and held by nothing but its cache and its buffers. */
static bool can_go_at_once(struct cell *cell, page_id page)
{
    const struct page_word *words = cell->words;
    if (cell->mapcount[page] > 0 ||
        (page_is_anon(cell, page) && !page_is(words, page, PLANE_SWAPCACHE))) {
        return false;
    }
    if (page_is(words, page, PLANE_LOCKED)) {
        count(cell, METRIC_PAGE_LOCK_FAILURES, 1);
        return false;
    }
    return !page_is(words, page, PLANE_DIRTY) && !page_is(words, page, PLANE_WRITEBACK) &&
           MUTANT(CLEAN_FIRST, true, false);
}

enum step lru_2_4_shrink_clean(struct cell *cell, struct actor *actor, struct context *context,
                               struct free_call *call)
{
    enum zone_index zone_class = (enum zone_index)call->zone_class;
    lock_enter(cell, actor, lru_lock(cell), LOCK_KIND_LRU);
    enum step step = STEP_DONE;
    while (call->wanted > 0 && call->max_clean > 0 && lru_class_inactive(cell, zone_class) > 0) {
        if (actor->now >= context->slice_end) {
            step = STEP_AGAIN;
            break;
        }
        page_id page = lru_oldest(cell, lru_of(cell, ZONE_NORMAL, false));
        charge(cell, actor, COST_PAGE_SCAN, 1);
        lru_rotate_newest(cell, page);
        if ((uint32_t)page_zone(cell, page) > call->zone_class) {
            continue;
        }
        call->max_clean--;
        count(cell, METRIC_PAGES_SCANNED, 1);
        if (can_go_at_once(cell, page)) {
            residence_drop_buffers(cell, page);
            free_page(cell, actor, page);
            call->wanted--;
        }
    }
    lock_leave(actor, lru_lock(cell));
    return step;
}

/* --- try_to_free_pages_zone() ------------------------------------------------------------- */

void lru_2_4_end_pass(struct free_call *call)
{
    call->phase = --call->passes_left > 0 ? TRY : GAVE_UP;
}

enum step lru_2_4_free(struct cell *cell, struct actor *actor, struct context *context,
                       const struct lru_2_4_release *release)
{
    struct free_call *call = &lru_2_4_state(context)->call;
    while (call->phase != FREED_ENOUGH && call->phase != GAVE_UP) {
        /* Passes that find nothing to do cost nothing; they must not keep others from running. */
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        enum step step = release->run_phase(cell, actor, context, call);
        if (step != STEP_DONE) {
            return step;
        }
    }
    return STEP_DONE;
}

/* --- kswapd ------------------------------------------------------------------------------- */

void lru_2_4_begin_balance(struct cell *cell, struct context *context)
{
    (void)cell;
    *lru_2_4_state(context) = (struct lru_2_4_state){.zone = ZONES - 1};
}

/* No zone of the class has more free than its high watermark. */
static bool still_needs_balance(const struct cell *cell, enum zone_index zone_class)
{
    enum zone_index zone;
    return !find_above(cell, zone_class, WATERMARK_HIGH, &zone);
}

static void step_down(struct lru_2_4_state *state)
{
    state->zone = state->zone == 0 ? ZONES - 1 : state->zone - 1;
}

/* The next zone to balance, from the highest down and round again; false when none needs it. */
static bool next_zone(const struct cell *cell, struct lru_2_4_state *state)
{
    for (int i = 0; i < ZONES; i++, step_down(state)) {
        if (cell->core->zone[state->zone].need_balance) {
            return true;
        }
    }
    return false;
}

enum step lru_2_4_balance(struct cell *cell, struct actor *actor, struct context *context,
                          const struct lru_2_4_release *release)
{
    struct lru_2_4_state *state = lru_2_4_state(context);
    for (;;) {
        if (!state->calling) {
            if (!next_zone(cell, state)) {
                return STEP_DONE;
            }
            release->begin_free(cell, &state->call, (enum zone_index)state->zone);
            state->calling = true;
        }
        enum step step = lru_2_4_free(cell, actor, context, release);
        if (step != STEP_DONE) {
            return step;
        }
        state->calling = false;
        enum zone_index zone_class = (enum zone_index)state->zone;
        step_down(state);
        if (state->call.phase == GAVE_UP) {
            cell->core->zone[zone_class].need_balance = false;
            context->wait = WAIT_TIME;
            context->wait_until = actor->now + kswapd_pause;
            return STEP_WAIT;
        }
        cell->core->zone[zone_class].need_balance = still_needs_balance(cell, zone_class);
    }
}
