/* Writing back the dirty pages of files, as 2.4 does: bdflush, kupdate, and balance_dirty() in
 * write(2) (docs/model.md, section 19; fs/buffer.c of 2.4.23). What is counted are dirty buffers
 * against the memory that buffers may take. */
#include "base/mutant.h"
#include "designs/designs.h"
#include "designs/lru_2_4.h"
#include "machine/lru.h"
#include "machine/writeback.h"

enum {
    NFRACT = 30,      /* dirty buffers, in percent: bdflush is woken */
    NFRACT_SYNC = 60, /* who dirties writes himself */
    NFRACT_STOP = 20, /* bdflush goes back to sleep */
    NDIRTY = 500,     /* buffers that bdflush writes between two looks at the last */
    NRSYNC = 32,      /* buffers written in one go */
};

static const sim_time kupdate_interval = 5ULL * 1000000000 * TICKS_PER_NS;

/* bdflush's or kupdate's state in its context. */
struct flush_state {
    bool begun;
    int32_t ndirty;  /* bdflush: still to be written before it asks whether to stop */
    uint32_t nrsync; /* still to be written in this go */
};

_Static_assert(sizeof(struct flush_state) <= CONTEXT_STATE_BYTES, "fits in a context");

static struct flush_state *flush_state(struct context *context)
{
    return (struct flush_state *)(void *)context->design;
}

/* nr_free_buffer_pages(): the page cache in memory that the kernel maps, and what is free above the
 * high watermarks, of any zone. */
static page_count nr_free_buffer_pages(const struct cell *cell)
{
    page_count pages = lru_class_active(cell, ZONE_NORMAL) + lru_class_inactive(cell, ZONE_NORMAL);
    for (int i = 0; i < ZONES; i++) {
        const struct zone *zone = &cell->core->zone[i];
        page_count high = zone->high + zone->reserve[ZONE_NORMAL];
        pages += zone->free > high ? zone->free - high : 0;
    }
    return pages;
}

static bool dirty_over(const struct cell *cell, unsigned percent)
{
    return cell->core->nr_dirty * 100 > nr_free_buffer_pages(cell) * percent;
}

/* balance_dirty() */
static enum step throttle(struct cell *cell, struct actor *actor, struct context *context,
                          page_id page)
{
    (void)page;
    struct throttle *throttle = &context->throttle;
    if (!throttle->writing) {
        if (!dirty_over(cell, NFRACT)) {
            return STEP_DONE;
        }
        context_wake_flusher(cell, actor->now);
        if (!dirty_over(cell, MUTANT(DIRTY_SYNC, NFRACT_SYNC, 100))) {
            return STEP_DONE;
        }
        throttle->writing = true;
        throttle->left = NRSYNC;
    }
    page_id oldest;
    while (throttle->left > 0 && writeback_oldest_of_all(cell, &oldest)) {
        if (writeback_write(cell, actor, context, oldest) == STEP_WAIT) {
            return STEP_WAIT;
        }
        throttle->left--;
    }
    writeback_next_turn(cell);
    throttle->writing = false;
    return STEP_DONE;
}

/* bdflush() */
static enum step flush(struct cell *cell, struct actor *actor, struct context *context)
{
    struct flush_state *state = flush_state(context);
    if (!state->begun) {
        *state = (struct flush_state){true, NDIRTY, NRSYNC};
    }
    for (;;) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        page_id oldest;
        if (!writeback_oldest_of_all(cell, &oldest)) {
            state->begun = false;
            return STEP_DONE;
        }
        if (writeback_write(cell, actor, context, oldest) == STEP_WAIT) {
            return STEP_WAIT;
        }
        if (--state->nrsync > 0) {
            continue;
        }
        writeback_next_turn(cell);
        state->nrsync = NRSYNC;
        state->ndirty -= NRSYNC;
        if (state->ndirty <= 0) {
            if (!dirty_over(cell, MUTANT(BDFLUSH_STOP, NFRACT_STOP, NFRACT))) {
                state->begun = false;
                return STEP_DONE;
            }
            state->ndirty = NDIRTY;
        }
    }
}

/* The turn is that of a file with old dirty pages; false: there is none. */
static bool turn_to_old(struct cell *cell)
{
    object_id first = cell->core->file_turn;
    do {
        if (writeback_is_old(cell, cell->core->file_turn)) {
            return true;
        }
        writeback_next_turn(cell);
    } while (cell->core->file_turn != first);
    return false;
}

/* kupdate(), sync_old_buffers(): as long as the oldest is old, goes of whatever comes. */
static enum step flush_old(struct cell *cell, struct actor *actor, struct context *context)
{
    struct flush_state *state = flush_state(context);
    if (!state->begun) {
        *state = (struct flush_state){.begun = true};
        writeback_tick(cell);
    }
    for (;;) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        if (state->nrsync == 0) {
            if (!turn_to_old(cell)) {
                break;
            }
            state->nrsync = NRSYNC;
        }
        page_id oldest;
        if (!writeback_oldest_of_all(cell, &oldest)) {
            break;
        }
        if (writeback_write(cell, actor, context, oldest) == STEP_WAIT) {
            return STEP_WAIT;
        }
        if (--state->nrsync == 0) {
            writeback_next_turn(cell);
        }
    }
    state->begun = false;
    context->wait = WAIT_TIME;
    context->wait_until = actor->now + kupdate_interval;
    return STEP_WAIT;
}

bool writeback_2_4_is_dirty(const struct cell *cell)
{
    return dirty_over(cell, NFRACT);
}

const struct writeback_ops writeback_2_4 = {
    .first_tick = 5ULL * 1000000000 * TICKS_PER_NS,
    .throttle = throttle,
    .flush = flush,
    .flush_old = flush_old,
};
