/* Page reclaim of 2.6.0: when and which zones kswapd and direct reclaimers shrink, and the
 * watermarks. How a zone is shrunk is in shrink_zone_2_6.c.
 *
 * docs/model.md, sections 6 and 11, has the rules; mm/vmscan.c and mm/page_alloc.c of v2.6.0 are
 * where they are from, and the functions below carry the kernel's names. */
#include <assert.h>

#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/shrink_zone_2_6.h"
#include "machine/residence.h"

enum {
    DEF_PRIORITY = 12,
    MIN_FREE_KBYTES = 1024,
    HIGHMEM_MIN_PAGES = 128,
};

static const sim_time congestion_wait = 100ULL * 1000000 * TICKS_PER_NS;
static const sim_time allocation_pause = 20ULL * 1000000 * TICKS_PER_NS;

/* balance_pgdat() and try_to_free_pages(), in one context. */
enum reclaim_phase { PASS_BEGIN, PASS_ZONES, PASS_END, ALLOCATE, START_AGAIN };

struct reclaim_state {
    uint32_t phase;
    uint32_t priority;
    int32_t zone; /* the one being shrunk, or about to be */
    bool shrinking;
    bool all_zones_ok;
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

/* A watermark of a zone and of those above it that allocations of a class look at first. */
static page_count frames_kept(const struct cell *cell, enum zone_index zone_class,
                              enum zone_index index, enum watermark watermark)
{
    page_count kept = 0;
    for (int i = (int)MUTANT(WATERMARK, zone_class, index); i >= (int)index; i--) {
        const struct zone *zone = &cell->core->zone[i];
        kept += zone->present > 0 ? zone_mark(zone, watermark) : 0;
    }
    return kept;
}

/* The first zone of a class, from the highest down, with more free than is kept. */
static bool find_incremental(const struct cell *cell, enum zone_index zone_class,
                             enum watermark watermark, enum zone_index *zone_p)
{
    for (int i = (int)zone_class; i >= 0; i--) {
        const struct zone *zone = &cell->core->zone[i];
        if (zone->present > 0 &&
            zone->free > frames_kept(cell, zone_class, (enum zone_index)i, watermark)) {
            *zone_p = (enum zone_index)i;
            return true;
        }
    }
    return false;
}

/* wakeup_kswapd() for every zone of a class: kswapd sleeps on as long as none is below its low
 * mark. */
static void wake_kswapd(struct cell *cell, enum zone_index zone_class, sim_time now)
{
    for (int i = (int)zone_class; i >= 0; i--) {
        if (cell->core->zone[i].present > 0 &&
            cell->core->zone[i].free <= cell->core->zone[i].low) {
            context_wake_kswapd(cell, zone_class, now);
            return;
        }
    }
}

static enum frame_result find_frame(struct cell *cell, enum zone_index zone_class, sim_time now,
                                    enum zone_index *zone_p)
{
    if (find_incremental(cell, zone_class, WATERMARK_LOW, zone_p)) {
        return FRAME_OK;
    }
    wake_kswapd(cell, zone_class, now);
    if (find_incremental(cell, zone_class, WATERMARK_MIN, zone_p)) {
        return FRAME_OK;
    }
    return FRAME_RECLAIM;
}

/* Before the passes over the zones up to a class, and after the last one: distress follows the
 * previous run. */
static void forget_priorities(struct cell *cell, enum zone_index zone_class)
{
    for (int i = 0; i <= (int)zone_class; i++) {
        cell->core->zone[i].temp_priority = DEF_PRIORITY;
    }
}

static void keep_priorities(struct cell *cell, enum zone_index zone_class)
{
    for (int i = 0; i <= (int)zone_class; i++) {
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

static void begin_call(struct context *context)
{
    context->freed_here = 0;
    context->freed_elsewhere = 0;
    *state_of(context) = (struct reclaim_state){.phase = PASS_BEGIN, .priority = DEF_PRIORITY};
}

static void begin_direct(struct cell *cell, struct context *context)
{
    forget_priorities(cell, (enum zone_index)context->reclaim_class);
    begin_call(context);
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
        shrink_zone_begin(cell, &state->shrink, (enum zone_index)state->zone, state->priority,
                          cell_batch(cell), state->nr_mapped);
        return true;
    }
    return false;
}

/* The allocation that reclaimed tries again, down to the min watermarks. */
static bool allocate(struct cell *cell, struct actor *actor, struct context *context)
{
    enum zone_index zone;
    if (!find_incremental(cell, (enum zone_index)context->reclaim_class, WATERMARK_MIN, &zone)) {
        return false;
    }
    zone_take(cell, zone, OWNER_HANDED);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    context->held_frame = true;
    context->held_zone = (uint8_t)zone;
    return true;
}

/* No page could be freed down to priority 0. With swap left the kernel does not give up. */
static bool out_of_memory(struct cell *cell, struct context *context)
{
    if (cell->nswap_devices > 0 && !swap_is_full(cell)) {
        return false;
    }
    return context_out_of_memory(cell, context);
}

/* Distress follows the calls of processes: a helper, which may be anywhere in its own when that of
 * its process ends, sets no prev_priority. The cells that it is at work in are told. */
static void end_call(struct cell *cell, const struct context *context)
{
    if (context->task == TASK_HELP) {
        return;
    }
    keep_priorities(cell, (enum zone_index)context->reclaim_class);
    uint64_t left = 0;
    for (unsigned i = 0; i <= context->reclaim_class; i++) {
        left |= (uint64_t)(cell->core->zone[i].prev_priority + 1) << (8 * i);
    }
    context_call_ended(cell, context, left);
}

static void call_ended_elsewhere(struct cell *cell, uint64_t left)
{
    for (unsigned i = 0; i < ZONES; i++) {
        uint32_t priority = left >> (8 * i) & 0xff;
        if (priority > 0) {
            cell->core->zone[i].prev_priority = priority - 1;
        }
    }
}

/* The phases of a call of direct reclaim. Each sets the next one, and is true if the step is over
 * with *step_p. */

static bool begin_pass(struct cell *cell, struct actor *actor, struct context *context,
                       enum step *step_p)
{
    struct reclaim_state *state = state_of(context);
    if (context_should_end(context)) {
        *step_p = STEP_DONE;
        return true;
    }
    if (context_freed_enough(cell, context)) {
        end_call(cell, context);
        state->phase = ALLOCATE;
        return false;
    }
    if (actor->now >= context->slice_end) {
        *step_p = STEP_AGAIN;
        return true;
    }
    state->nr_mapped = cell_nr_mapped(cell);
    state->zone = context->reclaim_class;
    state->phase = PASS_ZONES;
    return false;
}

static bool shrink_zones(struct cell *cell, struct actor *actor, struct context *context,
                         enum step *step_p)
{
    struct reclaim_state *state = state_of(context);
    if (!state->shrinking) {
        state->shrinking = next_direct_zone(cell, state);
    }
    if (state->shrinking) {
        *step_p = shrink_zone_step(cell, actor, context, &state->shrink);
        if (*step_p != STEP_DONE) {
            return true;
        }
        state->shrinking = false;
        context_freed(cell, context, state->shrink.freed);
        state->zone--;
        if (context->freed_here < cell_batch(cell) && !context_freed_enough(cell, context) &&
            !context_should_end(context)) {
            return false;
        }
    }
    state->phase = PASS_END;
    return false;
}

static bool end_pass(struct cell *cell, struct actor *actor, struct context *context,
                     enum step *step_p)
{
    struct reclaim_state *state = state_of(context);
    if (context_should_end(context)) {
        *step_p = STEP_DONE;
        return true;
    }
    if (context_freed_enough(cell, context)) {
        end_call(cell, context);
        context_made_headway(cell, context);
        state->phase = ALLOCATE;
        return false;
    }
    if (state->priority == 0) {
        end_call(cell, context);
        state->phase = ALLOCATE;
        if (out_of_memory(cell, context)) {
            *step_p = context_sleep_it_off(cell, context);
            return true;
        }
    } else {
        state->priority--;
        state->phase = PASS_BEGIN;
    }
    *step_p = wait_congested(context, actor);
    return true;
}

/* A helper is to have no frame: it pauses, as its process does if it gets none. */
static enum step allocate_or_pause(struct cell *cell, struct actor *actor, struct context *context)
{
    if (context->task == TASK_RECLAIM && allocate(cell, actor, context)) {
        return STEP_DONE;
    }
    if (context_should_end(context)) {
        return STEP_DONE;
    }
    state_of(context)->phase = START_AGAIN;
    context->wait = WAIT_TIME;
    context->wait_until = actor->now + allocation_pause;
    return STEP_WAIT;
}

static bool start_again(struct cell *cell, struct context *context, enum step *step_p)
{
    if (context_should_end(context)) {
        *step_p = STEP_DONE;
        return true;
    }
    if (context->task == TASK_HELP) {
        begin_call(context);
    } else {
        begin_direct(cell, context);
    }
    return false;
}

static enum step direct(struct cell *cell, struct actor *actor, struct context *context)
{
    enum step step = STEP_DONE;
    bool over = false;
    while (!over) {
        switch ((enum reclaim_phase)state_of(context)->phase) {
        case PASS_BEGIN:
            over = begin_pass(cell, actor, context, &step);
            break;
        case PASS_ZONES:
            over = shrink_zones(cell, actor, context, &step);
            break;
        case PASS_END:
            over = end_pass(cell, actor, context, &step);
            break;
        case ALLOCATE:
            return allocate_or_pause(cell, actor, context);
        case START_AGAIN:
            over = start_again(cell, context, &step);
            break;
        }
    }
    return step;
}

/* --- kswapd: balance_pgdat() -------------------------------------------------------------- */

static void begin_balance(struct cell *cell, struct context *context)
{
    forget_priorities(cell, ZONES - 1);
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
        shrink_zone_begin(cell, &state->shrink, (enum zone_index)state->zone, state->priority,
                          wanted, state->nr_mapped);
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
            enum step step = shrink_zone_step(cell, actor, context, &state->shrink);
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
                keep_priorities(cell, ZONES - 1);
                return STEP_DONE;
            }
            state->priority--;
            state->phase = PASS_BEGIN;
            return wait_congested(context, actor);
        case ALLOCATE:
        case START_AGAIN:
            assert(false && "kswapd allocates nothing");
            return STEP_DONE;
        }
    }
}

const struct reclaim_ops reclaim_lru_2_6_0 = {
    .choice = {.name = "lru_2_6_0",
               .description =
                   "active and inactive lists per zone, scan priority and swap tendency (2.6.0)",
               .source = "linux v2.6.0 mm/vmscan.c, mm/page_alloc.c"},
    .rules =
        {
            .zone_lists = true,
            .anon_new_active = true,
            .anon_readahead_active = true,
            .zap_marks_accessed = true,
            .written_goes_oldest = true,
        },
    .writeback = &writeback_2_6,
    .set_up = set_up,
    .find_frame = find_frame,
    .frames_kept = frames_kept,
    .begin_direct = begin_direct,
    .direct = direct,
    .call_ended_elsewhere = call_ended_elsewhere,
    .begin_balance = begin_balance,
    .balance = balance,
};

/* What is known of 2.6.7 here beside 2.6.0: docs/model.md, section 11. */
const struct reclaim_ops reclaim_lru_2_6_7 = {
    .choice = {.name = "lru_2_6_7",
               .description = "that of 2.6.0, but refill leaves mapped pages alone as long as they "
                              "are not to be reclaimed (2.6.7)",
               .source = "linux v2.6.7 mm/vmscan.c, refill_inactive_zone()"},
    .rules =
        {
            .zone_lists = true,
            .anon_new_active = true,
            .anon_readahead_active = true,
            .refill_skips_mapped = true,
            .zap_marks_accessed = true,
            .written_goes_oldest = true,
        },
    .writeback = &writeback_2_6,
    .set_up = set_up,
    .find_frame = find_frame,
    .frames_kept = frames_kept,
    .begin_direct = begin_direct,
    .direct = direct,
    .call_ended_elsewhere = call_ended_elsewhere,
    .begin_balance = begin_balance,
    .balance = balance,
};
