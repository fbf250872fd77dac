/* Page reclaim of 2.4.10 to 2.4.22: six passes of rising priority. Mapped pages in the way end a
 * pass with one virtual scan of one round (docs/model.md, section 10; mm/vmscan.c of 2.4.22). */
#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/lru_2_4.h"
#include "machine/lru.h"
#include "machine/swap.h"

enum { DEF_PRIORITY = 6, SWAP_OUT_ROUNDS = 1 };

static void begin_free(const struct cell *cell, struct free_call *call, enum zone_index zone_class)
{
    *call = (struct free_call){
        .phase = TRY,
        .zone_class = (uint32_t)zone_class,
        .passes_left = DEF_PRIORITY,
        .wanted = cell_batch(cell),
        .scans_class = MUTANT(SCAN_COUNT, false, true),
    };
}

/* nr_active_pages and nr_inactive_pages: of all zones, whatever the class. */
static page_count nr_active_pages(const struct cell *cell)
{
    return lru_class_active(cell, ZONE_HIGHMEM);
}

static page_count nr_inactive_pages(const struct cell *cell)
{
    return lru_class_inactive(cell, ZONE_HIGHMEM);
}

static void begin_refill(const struct cell *cell, struct free_call *call)
{
    call->ratio = (uint64_t)call->wanted * nr_active_pages(cell) /
                  ((nr_inactive_pages(cell) + 1) * 2);
    call->phase = REFILL;
}

static void begin_shrink(const struct cell *cell, struct free_call *call)
{
    uint32_t priority = call->passes_left;
    call->max_scan = nr_inactive_pages(cell) / MUTANT(SCAN_SHARE, priority, DEF_PRIORITY);
    call->max_mapped = (int64_t)min_u64((uint64_t)call->wanted << (10 - priority),
                                        call->max_scan / MUTANT(MAPPED_SHARE, 10U, 1U));
    call->phase = SHRINK;
}

static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct free_call *call)
{
    enum step step = STEP_DONE;
    switch ((enum free_phase)call->phase) {
    case TRY:
        begin_refill(cell, call);
        break;
    case REFILL:
        step = lru_2_4_refill(cell, actor, context, call);
        if (step == STEP_DONE) {
            begin_shrink(cell, call);
        }
        break;
    case SHRINK:
        step = lru_2_4_shrink(cell, actor, context, call);
        if (step != STEP_DONE) {
            break;
        }
        if (call->phase == SWAP_FROM_SHRINK) {
            swap_out_begin(cell, &call->swap_out, (enum zone_index)call->zone_class,
                           MUTANT(SWAP_OUT_ROUNDS, SWAP_OUT_ROUNDS, 2));
        } else if (call->wanted <= 0) {
            call->phase = FREED_ENOUGH;
        } else {
            lru_2_4_end_pass(call);
        }
        break;
    case SWAP_FROM_SHRINK:
        step = swap_out_step(cell, actor, context, &call->swap_out);
        if (step == STEP_DONE) {
            if (MUTANT(SWAP_OUT_ENDS_PASS, true, false)) {
                lru_2_4_end_pass(call);
            } else {
                call->phase = SHRINK;
            }
        }
        break;
    case SHRINK_CLEAN:
    case REFILL_IN_SHRINK:
    case SWAP_FROM_TRY:
    case FREED_ENOUGH:
    case GAVE_UP:
        break;
    }
    return step;
}

static const struct lru_2_4_release release = {begin_free, run_phase};

static void begin_direct(struct cell *cell, struct context *context)
{
    struct lru_2_4_state *state = lru_2_4_state(context);
    *state = (struct lru_2_4_state){0};
    begin_free(cell, &state->call, (enum zone_index)context->reclaim_class);
}

/* balance_classzone() and the end of the allocation that called it: it goes on for ever, unless
 * out_of_memory() finds that swap is full. */
static enum step direct(struct cell *cell, struct actor *actor, struct context *context)
{
    struct free_call *call = &lru_2_4_state(context)->call;
    enum step step = lru_2_4_free(cell, actor, context, &release);
    if (step != STEP_DONE || context->held_frame) {
        return step;
    }
    /* Who gave up in this cell lives on what is freed in others. */
    if (context->gave_up && lru_2_4_hand_over(cell, actor, context, WATERMARK_MIN)) {
        return STEP_DONE;
    }
    if (call->phase != GAVE_UP) {
        context_made_headway(cell, context);
    } else if (swap_is_full(cell) && context_out_of_memory(cell, context)) {
        begin_free(cell, call, (enum zone_index)context->reclaim_class);
        return context_sleep_it_off(cell, context);
    }
    if (lru_2_4_hand_over(cell, actor, context, WATERMARK_MIN)) {
        return STEP_DONE;
    }
    begin_free(cell, call, (enum zone_index)context->reclaim_class);
    actor->now = max_u64(actor->now, context->slice_end); /* yield() */
    return STEP_AGAIN;
}

static enum step balance(struct cell *cell, struct actor *actor, struct context *context)
{
    return lru_2_4_balance(cell, actor, context, &release);
}

const struct reclaim_ops reclaim_lru_2_4_22 = {
    .choice = {.name = "lru_2_4_22",
               .description =
                   "global LRU lists, six priorities, one round of the virtual scan (2.4.22)",
               .source = "linux 2.4.22 mm/vmscan.c, try_to_free_pages_zone(), shrink_cache(); "
                         "linux 2.4.23 mm/page_alloc.c"},
    .rules =
        {
            .move_clears_referenced = true,
            .write_locks_page = true,
            .io_leaves_buffers = true,
        },
    .scans_ptes = true,
    .writeback = &writeback_2_4,
    .set_up = lru_2_4_set_up,
    .find_frame = lru_2_4_find_frame,
    .frames_kept = lru_2_4_frames_kept,
    .begin_direct = begin_direct,
    .direct = direct,
    .begin_balance = lru_2_4_begin_balance,
    .balance = balance,
};
