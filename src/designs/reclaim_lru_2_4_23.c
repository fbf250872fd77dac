/* Page reclaim of 2.4.23: 60 passes, and the virtual scan whenever mapped pages are in the way or a
 * pass did not free enough (docs/model.md, section 10; mm/vmscan.c and mm/page_alloc.c of 2.4.23).
 */
#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/lru_2_4.h"
#include "machine/lru.h"

enum {
    VM_PASSES = 60,
    VM_CACHE_SCAN_RATIO = 6,
    VM_MAPPED_RATIO = 100,
    VM_LRU_BALANCE_RATIO = 2,
    SWAP_OUT_ROUNDS = 2,
};

static void begin_free(const struct cell *cell, struct free_call *call, enum zone_index zone_class)
{
    *call = (struct free_call){
        .phase = TRY,
        .zone_class = (uint32_t)zone_class,
        .passes_left = VM_PASSES,
        .wanted = cell_batch(cell),
        .scans_class = true,
    };
}

static uint64_t refill_ratio(const struct cell *cell, const struct free_call *call)
{
    enum zone_index zone_class = (enum zone_index)call->zone_class;
    return (uint64_t)call->wanted * lru_class_active(cell, zone_class) /
           (lru_class_inactive(cell, zone_class) * VM_LRU_BALANCE_RATIO + 1);
}

static void begin_refill(const struct cell *cell, struct free_call *call, enum free_phase phase)
{
    call->ratio = refill_ratio(cell, call);
    call->phase = phase;
}

static void begin_shrink(const struct cell *cell, struct free_call *call)
{
    enum zone_index zone_class = (enum zone_index)call->zone_class;
    call->max_scan = (lru_class_inactive(cell, zone_class) + lru_class_active(cell, zone_class)) /
                     VM_CACHE_SCAN_RATIO;
    call->max_mapped = MUTANT(MAPPED_LIMIT, 1, 2) * VM_MAPPED_RATIO * call->wanted;
    call->phase = SHRINK;
}

/* With prefer_clean, clean pages come before all others: the first thing that shrink_cache() does
 * once it has worked out its limits. */
static void begin_shrink_caches(const struct cell *cell, struct free_call *call)
{
    begin_shrink(cell, call);
    if (cell->design->prefer_clean) {
        call->max_clean = lru_class_inactive(cell, (enum zone_index)call->zone_class) /
                          VM_CACHE_SCAN_RATIO;
        call->phase = SHRINK_CLEAN;
    }
}

/* A swap_out() that is due, unless an earlier one of this call has failed. */
static void begin_swap_out(const struct cell *cell, struct free_call *call, enum free_phase phase,
                           enum free_phase otherwise)
{
    if (call->failed_swapout) {
        call->phase = otherwise;
        return;
    }
    swap_out_begin(cell, &call->swap_out, (enum zone_index)call->zone_class, SWAP_OUT_ROUNDS);
    call->phase = phase;
}

static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct free_call *call)
{
    enum step step = STEP_DONE;
    switch ((enum free_phase)call->phase) {
    case TRY:
        begin_refill(cell, call, REFILL);
        break;
    case REFILL:
        step = lru_2_4_refill(cell, actor, context, call);
        if (step == STEP_DONE) {
            begin_shrink_caches(cell, call);
        }
        break;
    case SHRINK_CLEAN:
        step = lru_2_4_shrink_clean(cell, actor, context, call);
        if (step == STEP_DONE) {
            call->phase = call->wanted <= 0 ? FREED_ENOUGH : SHRINK;
        }
        break;
    case SHRINK:
        step = lru_2_4_shrink(cell, actor, context, call);
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
                lru_2_4_end_pass(call);
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
        step = lru_2_4_refill(cell, actor, context, call);
        if (step == STEP_DONE) {
            call->phase = SHRINK;
        }
        break;
    case SWAP_FROM_TRY:
        step = swap_out_step(cell, actor, context, &call->swap_out);
        if (step == STEP_DONE) {
            call->failed_swapout = !call->swap_out.succeeded;
            lru_2_4_end_pass(call);
        }
        break;
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

/* balance_classzone() and the end of the allocation that called it. */
static enum step direct(struct cell *cell, struct actor *actor, struct context *context)
{
    struct free_call *call = &lru_2_4_state(context)->call;
    for (;;) {
        enum step step = lru_2_4_free(cell, actor, context, &release);
        if (step != STEP_DONE) {
            return step;
        }
        bool freed = call->wanted < (int64_t)cell_batch(cell);
        /* Who gave up in this cell lives on what is freed in others. */
        bool low = freed || context->gave_up;
        if (context->held_frame ||
            lru_2_4_hand_over(cell, actor, context, low ? WATERMARK_MIN : WATERMARK_HIGH)) {
            return STEP_DONE;
        }
        if (freed) {
            context_made_headway(cell, context);
        } else if (context_out_of_memory(cell, context)) {
            begin_free(cell, call, (enum zone_index)context->reclaim_class);
            return context_sleep_it_off(cell, context);
        }
        begin_free(cell, call, (enum zone_index)context->reclaim_class);
    }
}

static enum step balance(struct cell *cell, struct actor *actor, struct context *context)
{
    return lru_2_4_balance(cell, actor, context, &release);
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
    .scans_ptes = true,
    .can_prefer_clean = true,
    .writeback = &writeback_2_4,
    .set_up = lru_2_4_set_up,
    .find_frame = lru_2_4_find_frame,
    .frames_kept = lru_2_4_frames_kept,
    .begin_direct = begin_direct,
    .direct = direct,
    .begin_balance = lru_2_4_begin_balance,
    .balance = balance,
};
