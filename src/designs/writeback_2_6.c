/* Writing back the dirty pages of files, as 2.6.0 does: pdflush in the background and for old
 * files, and balance_dirty_pages() in write(2) (docs/model.md, section 19; mm/page-writeback.c of
 * v2.6.0). */
#include "base/mutant.h"
#include "designs/designs.h"
#include "machine/residence.h"
#include "machine/writeback.h"

enum {
    DIRTY_RATIO = 40,
    BACKGROUND_RATIO = 10,
    DIRTY_RATIO_MIN = 5,
    MAX_WRITEBACK_PAGES = 1024,
    RATELIMIT_MIN = 16,
    RATELIMIT_MAX = 1024,
    RATELIMIT_EXCEEDED = 8,
};

static const sim_time second = 1000000000ULL * TICKS_PER_NS;

/* A pass of pdflush over the files: writeback_inodes(). */
struct flush_state {
    uint32_t phase; /* enum flush_phase */
    uint32_t file;
    bool taken;          /* the file's age has been looked at */
    bool congested;      /* some file was passed over for its queue */
    uint32_t left;       /* pages this pass may still write */
    int64_t nr_to_write; /* for old files: pages that all passes may */
    sim_time began;
};

enum flush_phase { FLUSH_BEGIN, FLUSH_PASS, FLUSH_FILES };

_Static_assert(sizeof(struct flush_state) <= CONTEXT_STATE_BYTES, "fits in a context");

static struct flush_state *flush_state(struct context *context)
{
    return (struct flush_state *)(void *)context->design;
}

/* --- limits ------------------------------------------------------------------------------- */

/* Frames of the machine that this cell stands for. */
static page_count total_pages(const struct cell *cell)
{
    page_count frames = cell->scenario->machine.memory >> PAGE_SHIFT;
    return even_part(frames, cell->id, cell->ncells);
}

struct limits {
    page_count background, dirty;
};

static struct limits dirty_limits(const struct cell *cell)
{
    page_count total = cell->scenario->machine.memory >> PAGE_SHIFT;
    page_count lowmem = cell->design->lowmem_frames == 0
                            ? total
                            : min_u64(total, cell->design->lowmem_frames);
    /* page_writeback_init(): most of a machine with high memory cannot be written from. */
    uint64_t correction = min_u64(100, 400 * lowmem / total);
    uint64_t vm_dirty_ratio = DIRTY_RATIO * correction / 100;
    uint64_t background_ratio = BACKGROUND_RATIO * correction / 100;
    page_count own = total_pages(cell);
    uint64_t unmapped = 100 - min_u64(100, cell->core->nr_mapped * 100 / own);
    uint64_t dirty_ratio = max_u64(DIRTY_RATIO_MIN, min_u64(vm_dirty_ratio, unmapped / 2));
    if (background_ratio >= dirty_ratio) {
        background_ratio = dirty_ratio / 2;
    }
    return (struct limits){background_ratio * own / 100, dirty_ratio * own / 100};
}

static uint32_t ratelimit_pages(const struct cell *cell)
{
    page_count frames = cell->scenario->machine.memory >> PAGE_SHIFT;
    uint64_t pages = frames / (32 * cell->scenario->machine.cpus);
    return (uint32_t)min_u64(max_u64(pages, RATELIMIT_MIN), RATELIMIT_MAX);
}

/* --- write(2) ----------------------------------------------------------------------------- */

static bool over_limit(const struct cell *cell)
{
    return cell->core->nr_dirty + cell->core->nr_writeback > dirty_limits(cell).dirty;
}

/* The oldest dirty page of the files on a device, of the first file that has one. */
static bool oldest_on(struct cell *cell, uint32_t device, page_id *page_p)
{
    for (object_id i = cell->core->first_written; i != NO_FILE; i = cell->objects[i].next_written) {
        if (cell->objects[i].device == device && writeback_oldest(cell, i, page_p)) {
            return true;
        }
    }
    return false;
}

static enum step wait_for_congestion(struct context *context, const struct actor *actor)
{
    context->wait = WAIT_CONGESTION;
    context->wait_until = actor->now + second / 10;
    return STEP_WAIT;
}

/* balance_dirty_pages(), from where it stands. */
static enum step balance(struct cell *cell, struct actor *actor, struct context *context,
                         uint32_t device)
{
    struct throttle *throttle = &context->throttle;
    const uint32_t write_chunk = ratelimit_pages(cell) + ratelimit_pages(cell) / 2;
    for (;;) {
        if (!throttle->writing) {
            if (!over_limit(cell)) {
                return STEP_DONE;
            }
            cell->core->dirty_exceeded = true;
            if (cell->core->nr_dirty == 0) {
                return wait_for_congestion(context, actor);
            }
            throttle->writing = true;
            throttle->left = write_chunk;
        }
        page_id oldest;
        while (throttle->left > 0 && oldest_on(cell, device, &oldest)) {
            if (writeback_write(cell, actor, context, oldest) == STEP_WAIT) {
                return STEP_WAIT;
            }
            throttle->left--;
        }
        throttle->writing = false;
        throttle->done += write_chunk - throttle->left;
        if (!over_limit(cell) || throttle->done >= write_chunk) {
            return STEP_DONE;
        }
        return wait_for_congestion(context, actor);
    }
}

static enum step throttle(struct cell *cell, struct actor *actor, struct context *context,
                          page_id page)
{
    struct throttle *throttle = &context->throttle;
    if (!throttle->balancing) {
        uint32_t limit = cell->core->dirty_exceeded ? RATELIMIT_EXCEEDED : ratelimit_pages(cell);
        if (throttle->dirtied++ < MUTANT(RATELIMIT, limit, 4 * limit)) {
            return STEP_DONE;
        }
        throttle->dirtied = 0;
        throttle->done = 0;
        throttle->balancing = true;
    }
    if (balance(cell, actor, context, residence_device(cell, page)) == STEP_WAIT) {
        return STEP_WAIT;
    }
    throttle->balancing = false;
    if (!over_limit(cell)) {
        cell->core->dirty_exceeded = false;
    }
    if (cell->core->nr_dirty > dirty_limits(cell).background) {
        context_wake_flusher(cell, actor->now);
    }
    return STEP_DONE;
}

/* --- pdflush ------------------------------------------------------------------------------ */

static void begin_pass(const struct cell *cell, struct flush_state *state)
{
    state->phase = FLUSH_FILES;
    state->file = cell->core->first_written;
    state->taken = false;
    state->congested = false;
    state->left = MAX_WRITEBACK_PAGES;
}

static void next_file(const struct cell *cell, struct flush_state *state)
{
    state->file = cell->objects[state->file].next_written;
    state->taken = false;
}

/* writeback_inodes(): what may be written without waiting, of old files alone if `old`. STEP_DONE
 * when the pass is over. */
static enum step write_files(struct cell *cell, struct actor *actor, struct context *context,
                             bool old)
{
    struct flush_state *state = flush_state(context);
    while (state->file != NO_FILE && state->left > 0) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        page_id oldest;
        if ((old && !state->taken && !writeback_is_old(cell, state->file)) ||
            !writeback_oldest(cell, state->file, &oldest)) {
            next_file(cell, state);
            continue;
        }
        state->taken = true;
        uint32_t device = residence_device(cell, oldest);
        if (cell->devices[device].congested || !device_has_room(cell, device)) {
            state->congested = true;
            next_file(cell, state);
            continue;
        }
        residence_start_write(cell, actor, oldest);
        state->left--;
    }
    return STEP_DONE;
}

/* background_writeout() */
static enum step flush(struct cell *cell, struct actor *actor, struct context *context)
{
    struct flush_state *state = flush_state(context);
    for (;;) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        if (state->phase != FLUSH_FILES) {
            if (cell->core->nr_dirty < dirty_limits(cell).background) {
                break;
            }
            begin_pass(cell, state);
        }
        if (write_files(cell, actor, context, false) == STEP_AGAIN) {
            return STEP_AGAIN;
        }
        state->phase = FLUSH_PASS;
        if (state->left > 0) {
            if (!state->congested) {
                break;
            }
            return wait_for_congestion(context, actor);
        }
    }
    state->phase = FLUSH_BEGIN;
    return STEP_DONE;
}

/* wb_kupdate() */
static enum step flush_old(struct cell *cell, struct actor *actor, struct context *context)
{
    struct flush_state *state = flush_state(context);
    if (state->phase == FLUSH_BEGIN) {
        state->began = actor->now;
        state->nr_to_write = (int64_t)cell->core->nr_dirty;
        state->phase = FLUSH_PASS;
        writeback_tick(cell);
    }
    while (state->nr_to_write > 0 || state->phase == FLUSH_FILES) {
        if (actor->now >= context->slice_end) {
            return STEP_AGAIN;
        }
        if (state->phase != FLUSH_FILES) {
            begin_pass(cell, state);
        }
        if (write_files(cell, actor, context, true) == STEP_AGAIN) {
            return STEP_AGAIN;
        }
        state->phase = FLUSH_PASS;
        state->nr_to_write -= MAX_WRITEBACK_PAGES - state->left;
        if (state->left > 0) {
            if (!state->congested) {
                break;
            }
            return wait_for_congestion(context, actor);
        }
    }
    state->phase = FLUSH_BEGIN;
    context->wait = WAIT_TIME;
    context->wait_until = max_u64(state->began + 5 * second, actor->now + second);
    return STEP_WAIT;
}

const struct writeback_ops writeback_2_6 = {
    .first_tick = 5ULL * 1000000000 * TICKS_PER_NS,
    .throttle = throttle,
    .flush = flush,
    .flush_old = flush_old,
};
