/* mremap() of a vma to another place in its address space, as move_vma() of 2.4 and 2.6.0 did it:
 * a vma like it there, pte after pte, then munmap() of the one that is left. */
#include <assert.h>

#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/map.h"
#include "machine/operation.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/rmap.h"

enum phase { ENTER, ATTACH, MOVE, DETACH, DONE };

/* The word of ptes around `page`: from one vma to the other. Both have their page tables. */
static void move_bits(struct cell *cell, const struct vma *from, const struct vma *to, page_id page,
                      uint64_t mask)
{
    uint32_t *old_ref = pte_ref(cell, from, page);
    uint32_t *new_ref = pte_ref(cell, to, page);
    struct pte_pair *old = pte_write(cell, old_ref, page);
    const struct pte_pair moved = {old->present & mask, old->young & mask};
    *old = (struct pte_pair){old->present & ~mask, old->young & ~mask};
    struct pte_pair *new = pte_write(cell, new_ref, page);
    assert((new->present &mask) == 0);
    *new = (struct pte_pair){new->present | moved.present,
                             new->young | MUTANT(MOVED_YOUNG, moved.young, 0)};
    pte_compact_young(cell, new_ref);
    pte_compact_word(cell, old_ref, page);
}

/* Up to the end of the word or of the vma. STEP_DONE, or why it stopped before it began. */
static enum step move_word(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation, const struct vma *from,
                           const struct vma *to)
{
    const page_id vma_end = from->first + from->npages;
    const page_id page = operation->page;
    uint32_t *ref = pte_ref(cell, from, page);
    if (*ref == REF_NONE) {
        operation->page = (page_id)min_u64(
            (uint64_t)page / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, vma_end);
        return STEP_DONE;
    }
    struct mm *mm = &cell->mms[from->mm];
    enum step step = operation_take_lock(cell, actor, context, from->mm);
    if (step != STEP_DONE) {
        return step;
    }
    const page_id first = page / PAGES_PER_WORD * PAGES_PER_WORD;
    const page_id end = (page_id)min_u64((uint64_t)first + PAGES_PER_WORD, vma_end);
    const uint64_t mask = word_mask(first, page, end);
    const uint64_t present = pte_read(cell, *ref, page).present & mask;
    const uint64_t npresent = (uint64_t)__builtin_popcountll(present);
    if (present != 0 && map_need_table(cell, actor, to, page) != FRAME_OK) {
        lock_release(cell, &mm->lock, actor->now);
        return context_reclaim_in_operation(cell, actor, map_table_class(cell));
    }
    operation_look_at_tables(cell, actor, from, page, 2);
    charge(cell, actor, COST_LOCK, end - page); /* it is taken for each page */
    charge(cell, actor, COST_PTE_SKIP, end - page - npresent);
    if (present != 0) {
        move_bits(cell, from, to, page, mask);
        charge(cell, actor, COST_PTE_UNMAP, npresent);
        count(cell, METRIC_PTES_MOVED, npresent);
        if (cell->design->rmap->moved != NULL) {
            rmap_moved(cell, actor, first, present);
        }
    }
    if (end == vma_end || end % PAGES_PER_CHUNK == 0) {
        pte_drop(cell, ref);
    }
    lock_release(cell, &mm->lock, actor->now);
    operation->page = end;
    return STEP_DONE;
}

/* The mm's vmas change only while no scan is in it. */
static enum step attach(struct cell *cell, struct actor *actor, struct context *context,
                        struct operation *operation, const struct vma *from, struct vma *to)
{
    enum step step = operation_lock_mm(cell, actor, context, from->mm);
    if (step == STEP_DONE) {
        operation_change_vma(cell, actor, to);
        object_attach_vma(cell, to, from->offset, from->pages);
        lock_release(cell, &cell->mms[from->mm].lock, actor->now);
        operation->page = from->first;
        operation->phase = MOVE;
    }
    return step;
}

static enum step detach(struct cell *cell, struct actor *actor, struct context *context,
                        struct operation *operation, struct vma *from)
{
    enum step step = operation_lock_mm(cell, actor, context, from->mm);
    if (step == STEP_DONE) {
        operation_change_vma(cell, actor, from);
        object_detach_vma(cell, from);
        if (MUTANT(MOVED_TABLES, true, false)) {
            map_free_tables(cell, actor, operation->call.vma);
        }
        lock_release(cell, &cell->mms[from->mm].lock, actor->now);
        operation->phase = DONE;
    }
    return step;
}

static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation)
{
    struct vma *from = &cell->vmas[operation->call.vma];
    struct vma *to = &cell->vmas[operation->call.to];
    switch ((enum phase)operation->phase) {
    case ENTER:
        assert(cell->objects[from->object].kind != OBJECT_ANON && from->pages > 0);
        operation_enter_kernel(cell, actor);
        operation->phase = ATTACH;
        break;
    case ATTACH:
        return attach(cell, actor, context, operation, from, to);
    case MOVE:
        if (operation->page < from->first + from->npages) {
            return move_word(cell, actor, context, operation, from, to);
        }
        operation->phase = DETACH;
        break;
    case DETACH:
        return detach(cell, actor, context, operation, from);
    case DONE:
        break;
    }
    return STEP_DONE;
}

enum step mremap_step(struct cell *cell, struct actor *actor, struct context *context,
                      struct operation *operation)
{
    while (operation->phase != DONE) {
        if (actor->now >= context->slice_end) {
            context->may_resched = true;
            return STEP_AGAIN;
        }
        enum step step = run_phase(cell, actor, context, operation);
        if (step != STEP_DONE) {
            return step;
        }
    }
    return STEP_DONE;
}
