/* Page reclaim of 2.4.23: two global lists, and the virtual scan when mapped pages are in the way.
 *
 * docs/model.md, sections 6 and 10, has the rules; mm/vmscan.c and mm/page_alloc.c of 2.4.23 are
 * where they are from, and the functions below carry the kernel's names.
 * Each call in progress is a struct of its own within the context, so that any of them can be left
 * at any point and gone on with. */
#include <assert.h>

#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/swap_out_2_4.h"
#include "machine/lru.h"
#include "machine/residence.h"

enum {
    VM_PASSES = 60,
    VM_CACHE_SCAN_RATIO = 6,
    VM_MAPPED_RATIO = 100,
    VM_LRU_BALANCE_RATIO = 2,
    SWAP_OUT_ROUNDS = 2,
};

static const sim_time kswapd_pause = 5ULL * 1000000000 * TICKS_PER_NS;

/* try_to_free_pages_zone() and below, in one context. */
enum phase {
    TRY,              /* begin one of the passes: shrink_caches() */
    REFILL,           /* refill_inactive(), then shrink_cache() */
    SHRINK,           /* shrink_cache() */
    SWAP_FROM_SHRINK, /* swap_out() because too many mapped pages were met */
    REFILL_IN_SHRINK, /* and the refill that follows it */
    SWAP_FROM_TRY,    /* swap_out() because the pass did not free enough */
    FREED_ENOUGH,
    GAVE_UP,
};

struct free_call {
    uint32_t phase;
    uint32_t zone_class; /* enum zone_index */
    uint32_t tries_left;
    int64_t wanted; /* pages still to be freed */
    bool failed_swapout;
    uint64_t ratio;      /* refill: pages still to be moved */
    page_count max_scan; /* shrink_cache */
    int64_t max_mapped;
    struct swap_out_call swap_out;
};

struct reclaim_state {
    struct free_call call;
    bool calling;  /* a try_to_free_pages_zone() is in progress */
    uint32_t zone; /* kswapd: the zone it balances */
};

_Static_assert(sizeof(struct reclaim_state) <= CONTEXT_STATE_BYTES, "fits in a context");

static struct reclaim_state *state_of(struct context *context)
{
    return (struct reclaim_state *)(void *)context->design;
}

/* --- allocation --------------------------------------------------------------------------- */

static void set_up(struct cell *cell)
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

/* The first zone of a class, from the highest down, with more free than a watermark. */
static bool find_above(const struct cell *cell, enum zone_index zone_class,
                       enum watermark watermark, enum zone_index *zone_p)
{
    for (int i = (int)zone_class; i >= 0; i--) {
        const struct zone *zone = &cell->core->zone[i];
        if (zone->present > 0 &&
            zone->free > zone_mark(zone, watermark) + zone->reserve[zone_class]) {
            *zone_p = (enum zone_index)i;
            return true;
        }
    }
    return false;
}

static enum frame_result find_frame(struct cell *cell, enum zone_index zone_class, sim_time now,
                                    enum zone_index *zone_p)
{
    if (find_above(cell, zone_class, WATERMARK_LOW, zone_p)) {
        return FRAME_OK;
    }
    cell->core->zone[zone_class].need_balance = true;
    context_wake_kswapd(cell, now);
    if (find_above(cell, zone_class, WATERMARK_MIN, zone_p)) {
        return FRAME_OK;
    }
    return FRAME_RECLAIM;
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

static uint64_t refill_ratio(const struct cell *cell, const struct free_call *call)
{
    enum zone_index zone_class = (enum zone_index)call->zone_class;
    return (uint64_t)call->wanted * lru_class_active(cell, zone_class) /
           (lru_class_inactive(cell, zone_class) * VM_LRU_BALANCE_RATIO + 1);
}

/* refill_inactive(): from the old end of the active list; those referenced go round once more. */
static enum step refill_inactive(struct cell *cell, struct actor *actor, struct context *context,
                                 struct free_call *call)
{
    lock_enter(cell, actor, lru_lock(cell));
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

static void begin_shrink(const struct cell *cell, struct free_call *call)
{
    enum zone_index zone_class = (enum zone_index)call->zone_class;
    call->max_scan = (lru_class_inactive(cell, zone_class) + lru_class_active(cell, zone_class)) /
                     VM_CACHE_SCAN_RATIO;
    call->max_mapped = MUTANT(MAPPED_LIMIT, 1, 2) * VM_MAPPED_RATIO * call->wanted;
    call->phase = SHRINK;
}

/* What shrink_cache() did with a page. */
enum shrunk { NEXT_PAGE, TOO_MANY_MAPPED, WAIT_FOR_IT, WAIT_FOR_QUEUE };

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
        return step == STEP_WAIT ? WAIT_FOR_QUEUE : NEXT_PAGE;
    }
    uint32_t device = residence_device(cell, page);
    if (!device_has_room(cell, device)) {
        context->wait = WAIT_QUEUE;
        context->wait_device = device;
        return WAIT_FOR_QUEUE;
    }
    page_set(cell->words, page, PLANE_RECLAIM); /* PG_launder */
    residence_start_write(cell, actor, page);
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
    if (page_is(words, page, PLANE_DIRTY) && !mapped && in_cache) {
        return write_page(cell, actor, context, page);
    }
    page_clear(words, page, PLANE_BUFFERS);
    if (!in_cache || mapped) {
        return --call->max_mapped < 0 ? TOO_MANY_MAPPED : NEXT_PAGE;
    }
    free_page(cell, actor, page);
    call->wanted--;
    return NEXT_PAGE;
}

static bool may_shrink(const struct cell *cell, const struct free_call *call)
{
    return call->wanted > 0 && call->max_scan > 0 &&
           lru_class_inactive(cell, (enum zone_index)call->zone_class) > 0;
}

/* shrink_cache(): leaves for swap_out() by setting the phase. */
static enum step shrink_cache(struct cell *cell, struct actor *actor, struct context *context,
                              struct free_call *call)
{
    lock_enter(cell, actor, lru_lock(cell));
    enum step step = STEP_DONE;
    while (may_shrink(cell, call)) {
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
        call->max_scan--;
        count(cell, METRIC_PAGES_SCANNED, 1);
        enum shrunk shrunk = shrink_page(cell, actor, context, call, page);
        if (shrunk == TOO_MANY_MAPPED) {
            call->phase = SWAP_FROM_SHRINK;
            break;
        }
        if (shrunk != NEXT_PAGE) {
            if (shrunk == WAIT_FOR_QUEUE) {
                lru_rotate_oldest(cell, page); /* it is taken up again when there is room */
            }
            step = STEP_WAIT;
            break;
        }
    }
    lock_leave(actor, lru_lock(cell));
    return step;
}

/* --- try_to_free_pages_zone() ------------------------------------------------------------- */

static void begin_free(const struct cell *cell, struct free_call *call, enum zone_index zone_class)
{
    *call = (struct free_call){
        .phase = TRY,
        .zone_class = (uint32_t)zone_class,
        .tries_left = VM_PASSES,
        .wanted = cell_batch(cell),
    };
}

/* A swap_out() that is due, unless an earlier one of this call has failed. */
static void begin_swap_out(const struct cell *cell, struct free_call *call, enum phase phase,
                           enum phase otherwise)
{
    if (call->failed_swapout) {
        call->phase = otherwise;
        return;
    }
    swap_out_begin(cell, &call->swap_out, (enum zone_index)call->zone_class, SWAP_OUT_ROUNDS);
    call->phase = phase;
}

static void begin_refill(const struct cell *cell, struct free_call *call, enum phase phase)
{
    call->ratio = refill_ratio(cell, call);
    call->phase = phase;
}

static void end_pass(struct free_call *call)
{
    call->phase = --call->tries_left > 0 ? TRY : GAVE_UP;
}

/* Runs one phase; the next one is in call->phase when it is done. */
static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct free_call *call)
{
    enum step step = STEP_DONE;
    switch ((enum phase)call->phase) {
    case TRY:
        begin_refill(cell, call, REFILL);
        break;
    case REFILL:
        step = refill_inactive(cell, actor, context, call);
        if (step == STEP_DONE) {
            begin_shrink(cell, call);
        }
        break;
    case SHRINK:
        step = shrink_cache(cell, actor, context, call);
        if (step != STEP_DONE) {
            break;
        }
        if (call->phase == SWAP_FROM_SHRINK) {
            begin_swap_out(cell, call, SWAP_FROM_SHRINK, REFILL_IN_SHRINK);
            call->max_mapped = VM_MAPPED_RATIO * call->wanted;
            call->ratio = refill_ratio(cell, call);
        } else if (call->wanted <= 0) {
            call->phase = FREED_ENOUGH;
        } else {
            begin_swap_out(cell, call, SWAP_FROM_TRY, TRY);
            if (call->phase == TRY) {
                end_pass(call);
            }
        }
        break;
    case SWAP_FROM_SHRINK:
        step = swap_out_step(cell, actor, context, &call->swap_out);
        if (step == STEP_DONE) {
            call->failed_swapout = !call->swap_out.succeeded;
            begin_refill(cell, call, REFILL_IN_SHRINK);
        }
        break;
    case REFILL_IN_SHRINK:
        step = refill_inactive(cell, actor, context, call);
        if (step == STEP_DONE) {
            call->phase = SHRINK;
        }
        break;
    case SWAP_FROM_TRY:
        step = swap_out_step(cell, actor, context, &call->swap_out);
        if (step == STEP_DONE) {
            call->failed_swapout = !call->swap_out.succeeded;
            end_pass(call);
        }
        break;
    case FREED_ENOUGH:
    case GAVE_UP:
        break;
    }
    return step;
}

static enum step try_to_free_pages_zone(struct cell *cell, struct actor *actor,
                                        struct context *context, struct free_call *call)
{
    while (call->phase != FREED_ENOUGH && call->phase != GAVE_UP) {
        /* Passes that find nothing to do cost nothing; they must not keep others from running. */
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        enum step step = run_phase(cell, actor, context, call);
        if (step != STEP_DONE) {
            return step;
        }
    }
    return STEP_DONE;
}

/* --- direct reclaim ----------------------------------------------------------------------- */

static void begin_direct(struct cell *cell, struct context *context)
{
    (void)cell;
    struct reclaim_state *state = state_of(context);
    *state = (struct reclaim_state){0};
    begin_free(cell, &state->call, (enum zone_index)context->reclaim_class);
}

/* balance_classzone() and the end of the allocation that called it. */
static enum step direct(struct cell *cell, struct actor *actor, struct context *context)
{
    struct reclaim_state *state = state_of(context);
    for (;;) {
        enum step step = try_to_free_pages_zone(cell, actor, context, &state->call);
        if (step != STEP_DONE) {
            return step;
        }
        if (context->held_frame) {
            return STEP_DONE;
        }
        enum zone_index zone_class = (enum zone_index)context->reclaim_class;
        bool freed = state->call.wanted < (int64_t)cell_batch(cell);
        enum watermark watermark = freed ? WATERMARK_MIN : WATERMARK_HIGH;
        enum zone_index zone;
        if (find_above(cell, zone_class, watermark, &zone)) {
            zone_take(cell, zone, OWNER_HANDED);
            charge(cell, actor, COST_PAGE_ALLOC, 1);
            context->held_frame = true;
            context->held_zone = (uint8_t)zone;
            return STEP_DONE;
        }
        if (!freed && context_out_of_memory(cell, context)) {
            context->wait = WAIT_TIME; /* the run ends with this epoch */
            context->wait_until = TIME_NEVER;
            return STEP_WAIT;
        }
        begin_free(cell, &state->call, zone_class);
    }
}

/* --- kswapd ------------------------------------------------------------------------------- */

static void begin_balance(struct cell *cell, struct context *context)
{
    (void)cell;
    *state_of(context) = (struct reclaim_state){.zone = ZONES - 1};
}

/* No zone of the class has more free than its high watermark. */
static bool still_needs_balance(const struct cell *cell, enum zone_index zone_class)
{
    enum zone_index zone;
    return !find_above(cell, zone_class, WATERMARK_HIGH, &zone);
}

static void step_down(struct reclaim_state *state)
{
    state->zone = state->zone == 0 ? ZONES - 1 : state->zone - 1;
}

/* The next zone to balance, from the highest down and round again; false when none needs it. */
static bool next_zone(const struct cell *cell, struct reclaim_state *state)
{
    for (int i = 0; i < ZONES; i++, step_down(state)) {
        if (cell->core->zone[state->zone].need_balance) {
            return true;
        }
    }
    return false;
}

static enum step balance(struct cell *cell, struct actor *actor, struct context *context)
{
    struct reclaim_state *state = state_of(context);
    for (;;) {
        if (!state->calling) {
            if (!next_zone(cell, state)) {
                return STEP_DONE;
            }
            begin_free(cell, &state->call, (enum zone_index)state->zone);
            state->calling = true;
        }
        enum step step = try_to_free_pages_zone(cell, actor, context, &state->call);
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

const struct reclaim_ops reclaim_lru_2_4_23 = {
    .choice = {.name = "lru_2_4_23",
               .description = "global LRU lists and the virtual scan with the credit rule (2.4.23)",
               .source = "linux 2.4.23 mm/vmscan.c, mm/page_alloc.c"},
    .rules =
        {
            .move_clears_referenced = true,
            .write_locks_page = true,
            .io_leaves_buffers = true,
        },
    .set_up = set_up,
    .find_frame = find_frame,
    .begin_direct = begin_direct,
    .direct = direct,
    .begin_balance = begin_balance,
    .balance = balance,
};
