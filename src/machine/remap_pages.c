/* remap_file_pages() of all pages of a nonlinear vma, as mm/fremap.c of 2.6.0 and its callers did
 * it with MAP_NONBLOCK: what the vma maps goes, and what of the new pages is in the page cache is
 * mapped at once. The vma stays where it is, in its mm and in the list of its object. */
#include <assert.h>

#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/map.h"
#include "machine/operation.h"
#include "machine/residence.h"
#include "machine/rmap.h"
#include "machine/span.h"

enum phase { ENTER, LOCK, ZAP, FILL, DONE };

static enum step zap(struct cell *cell, struct actor *actor, struct context *context,
                     struct operation *operation, struct vma *vma)
{
    if (operation->page < vma->first + vma->npages) {
        return span_zap(cell, actor, context, vma, MUTANT(REMAP_MARKS, false, true),
                        &operation->page);
    }
    object_aim_vma(cell, vma, operation->call.offset);
    lock_release(cell, &cell->mms[vma->mm].lock, actor->now);
    operation->page = vma->first;
    operation->phase = FILL;
    return STEP_DONE;
}

static bool is_in_page_cache(const struct cell *cell, page_id page)
{
    return page_is(cell->words, page, PLANE_RESIDENT) &&
           !page_is(cell->words, page, PLANE_READING) &&
           !page_is(cell->words, page, PLANE_SWAPCACHE);
}

/* install_page(); false when there is no memory of a class. */
static bool install(struct cell *cell, struct actor *actor, const struct vma *vma, page_id page,
                    enum zone_index *class_p)
{
    if (map_need_table(cell, actor, vma, page) != FRAME_OK) {
        *class_p = map_table_class(cell);
        return false;
    }
    if (rmap_prepare(cell, actor, page) != FRAME_OK) {
        *class_p = zone_kernel_class(cell);
        return false;
    }
    if (cell->objects[vma->object].kind == OBJECT_FILE) {
        residence_mark_accessed(cell, actor, page);
    }
    charge(cell, actor, COST_PTE_COPY, 1);
    map_set(cell, vma, page, false);
    rmap_add(cell, actor, page);
    return true;
}

/* Up to the end of the word or of the vma; stops where there is no memory. */
static enum step fill(struct cell *cell, struct actor *actor, struct context *context,
                      struct operation *operation, const struct vma *vma)
{
    const page_id vma_end = vma->first + vma->npages;
    enum step step = operation_take_lock(cell, actor, context, vma->mm);
    if (step != STEP_DONE) {
        return step;
    }
    const page_id end = (page_id)min_u64(
        (uint64_t)operation->page / PAGES_PER_WORD * PAGES_PER_WORD + PAGES_PER_WORD, vma_end);
    enum zone_index class = ZONES;
    operation_look_at_tables(cell, actor, vma, operation->page, 1);
    for (; class == ZONES && operation->page < end; operation->page += class == ZONES) {
        charge(cell, actor, COST_LOCK, 1); /* it is taken for each page */
        charge(cell, actor, COST_PAGE_CACHE, 1);
        if (!MUTANT(REMAP_FILLS, is_in_page_cache(cell, operation->page), false)) {
            charge(cell, actor, COST_PTE_SKIP, 1);
        } else {
            (void)install(cell, actor, vma, operation->page, &class);
        }
    }
    lock_release(cell, &cell->mms[vma->mm].lock, actor->now);
    return class == ZONES ? STEP_DONE : context_reclaim_in_operation(cell, actor, class);
}

static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation)
{
    struct vma *vma = &cell->vmas[operation->call.vma];
    enum step step = STEP_DONE;
    switch ((enum phase)operation->phase) {
    case ENTER:
        assert(vma->nonlinear && !vma->turned);
        operation_enter_kernel(cell, actor);
        operation->page = vma->first;
        operation->phase = LOCK;
        break;
    case LOCK:
        step = operation_lock_mm(cell, actor, context, vma->mm);
        operation->phase = step == STEP_DONE ? ZAP : LOCK;
        break;
    case ZAP:
        step = zap(cell, actor, context, operation, vma);
        break;
    case FILL:
        if (operation->page < vma->first + vma->npages) {
            return fill(cell, actor, context, operation, vma);
        }
        operation->phase = DONE;
        break;
    case DONE:
        break;
    }
    return step;
}

enum step remap_pages_step(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation)
{
    const struct mm *mm = &cell->mms[context->touch.process];
    while (operation->phase != DONE) {
        if (actor->now >= context->slice_end) {
            context->may_resched = mm->lock.holder != actor->context;
            return STEP_AGAIN;
        }
        enum step step = run_phase(cell, actor, context, operation);
        if (step != STEP_DONE) {
            return step;
        }
    }
    return STEP_DONE;
}
