/* fork(): a child with vmas like its parent's, and a copy of every pte, as copy_page_range() of 2.4
 * and 2.6.0 made it: of files and shared memory as well as of anonymous memory. */
#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/kernel_memory.h"
#include "machine/map.h"
#include "machine/operation.h"
#include "machine/residence.h"
#include "machine/rmap.h"
#include "machine/version.h"

enum phase { ENTER, KERNEL_MEMORY, LOCK_PARENT, LOCK_CHILD, COPY, DONE };

static void enter(struct cell *cell, struct actor *actor, const struct mm *parent,
                  struct operation *operation)
{
    operation_enter_kernel(cell, actor);
    operation_owe(cell, operation, COST_PROCESS_FORK);
    struct mm *child = &cell->mms[operation->call.child];
    child->alive = true;
    child->scan_address = SCAN_START;
    child->family = parent->family;
    cell->core->nmms++;
    operation->phase = KERNEL_MEMORY;
}

/* What the kernel keeps for the child, in one cell. */
static bool take_kernel_memory(struct cell *cell, struct actor *actor,
                               const struct operation *operation)
{
    process_id child = operation->call.child;
    return !kernel_memory_is_here(cell, child) ||
           kernel_memory_take(cell, actor, &cell->mms[child], cell->mms[child].nvmas) == FRAME_OK;
}

/* The next vma of the parent from `vma` on gets its like; false: there is none. */
static bool go_to_vma(struct cell *cell, struct actor *actor, const struct mm *parent,
                      struct operation *operation, vma_id vma)
{
    const struct mm *child = &cell->mms[operation->call.child];
    for (; vma < parent->first_vma + parent->nvmas; vma++) {
        const struct vma *from = &cell->vmas[vma];
        if (from->attached) {
            struct vma *to = &cell->vmas[child->first_vma + (vma - parent->first_vma)];
            operation_change_vma(cell, actor, to);
            object_attach_vma(cell, to, from->offset, cell->plan->vmas[vma].pages);
            operation->vma = vma;
            operation->page = from->first;
            return true;
        }
    }
    return false;
}

/* One present pte; false when there is no memory for its page table or its reverse map. */
static bool copy_pte(struct cell *cell, struct actor *actor, const struct vma *to, page_id page)
{
    if (rmap_prepare(cell, actor, page) != FRAME_OK) {
        return false;
    }
    charge(cell, actor, COST_PTE_COPY, 1);
    map_set_old(cell, to, page);
    rmap_add(cell, actor, page);
    return true;
}

/* One page of a vma: what of it the child gets. False when there is no memory of a class. */
static bool copy_page(struct cell *cell, struct actor *actor, const struct vma *from,
                      const struct vma *to, page_id base, enum zone_index *class_p)
{
    page_id page = version_of(cell, from, base);
    bool present = page != PAGE_NONE && pte_is_present(cell, from, page);
    bool swapped = vma_has_versions(from) && page != PAGE_NONE && !present &&
                   (cell->slot[page] != 0 || page_is(cell->words, page, PLANE_RESIDENT));
    if (!present && !swapped) {
        charge(cell, actor, COST_PTE_SKIP, 1);
        return true;
    }
    if (map_need_table(cell, actor, to, base) != FRAME_OK) {
        *class_p = map_table_class(cell);
        return false;
    }
    if (present && !copy_pte(cell, actor, to, page)) {
        *class_p = zone_kernel_class(cell);
        return false;
    }
    if (swapped) {
        charge(cell, actor, COST_PTE_COPY, 1);
    }
    if (vma_has_versions(from)) {
        version_attach(cell, to, base, page);
        if (MUTANT(FORK_PROTECTS, true, false)) {
            page_set(cell->words, page, PLANE_PROTECTED);
        }
    }
    return true;
}

/* Up to the end of the word or of the vma. False: it stopped at operation->page. */
static bool copy_word(struct cell *cell, struct actor *actor, struct operation *operation,
                      const struct vma *from, const struct vma *to, enum zone_index *class_p)
{
    page_id vma_end = from->first + from->npages;
    page_id page = operation->page;
    if (*pte_ref(cell, from, page) == REF_NONE) {
        operation->page = (page_id)min_u64(
            (uint64_t)page / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, vma_end);
        return true;
    }
    operation_look_at_tables(cell, actor, from, page, 2);
    page_id end = (page_id)min_u64(
        (uint64_t)page / PAGES_PER_WORD * PAGES_PER_WORD + PAGES_PER_WORD, vma_end);
    for (; operation->page < end; operation->page++) {
        if (!copy_page(cell, actor, from, to, operation->page, class_p)) {
            return false;
        }
    }
    return true;
}

static void unlock(struct cell *cell, const struct actor *actor, struct mm *parent,
                   struct mm *child)
{
    lock_release(cell, &child->lock, actor->now);
    lock_release(cell, &parent->lock, actor->now);
}

static enum step copy(struct cell *cell, struct actor *actor, struct mm *parent, struct mm *child,
                      struct operation *operation)
{
    const struct vma *from = &cell->vmas[operation->vma];
    const struct vma *to = &cell->vmas[child->first_vma + (operation->vma - parent->first_vma)];
    if (operation->page < from->first + from->npages) {
        enum zone_index class;
        if (!copy_word(cell, actor, operation, from, to, &class)) {
            unlock(cell, actor, parent, child);
            operation->phase = LOCK_PARENT;
            return context_reclaim_in_operation(cell, actor, class);
        }
    } else if (!go_to_vma(cell, actor, parent, operation, operation->vma + 1)) {
        unlock(cell, actor, parent, child);
        operation->phase = DONE;
    }
    return STEP_DONE;
}

/* The child begins to touch when it is first given CPU time, once all cells have it. */
static void release_child(struct cell *cell, const struct actor *actor,
                          const struct operation *operation)
{
    struct visitor *visitor = &cell->visitors[operation->call.child];
    visitor->generation++;
    visitor->born = true;
    visitor->blocked = false;
    outbox_post(&cell->outbox, MESSAGE_FORKED, operation->call.child, actor->now, 0);
}

static enum step run_phase(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation)
{
    process_id process = context->touch.process;
    struct mm *parent = &cell->mms[process];
    struct mm *child = &cell->mms[operation->call.child];
    enum step step = STEP_DONE;
    switch ((enum phase)operation->phase) {
    case ENTER:
        enter(cell, actor, parent, operation);
        break;
    case KERNEL_MEMORY:
        if (!take_kernel_memory(cell, actor, operation)) {
            return context_reclaim_in_operation(cell, actor, zone_kernel_class(cell));
        }
        operation->phase = go_to_vma(cell, actor, parent, operation, parent->first_vma)
                               ? LOCK_PARENT
                               : DONE;
        break;
    case LOCK_PARENT:
        step = operation_lock_mm(cell, actor, context, process);
        operation->phase = step == STEP_DONE ? LOCK_CHILD : LOCK_PARENT;
        break;
    case LOCK_CHILD:
        step = operation_lock_mm(cell, actor, context, operation->call.child);
        operation->phase = step == STEP_DONE ? COPY : LOCK_CHILD;
        break;
    case COPY:
        step = copy(cell, actor, parent, child, operation);
        break;
    case DONE:
        break;
    }
    return step;
}

enum step fork_step(struct cell *cell, struct actor *actor, struct context *context,
                    struct operation *operation)
{
    const struct mm *parent = &cell->mms[context->touch.process];
    while (operation->phase != DONE) {
        if (actor->now >= context->slice_end) {
            context->may_resched = parent->lock.holder != actor->context;
            return STEP_AGAIN;
        }
        if (operation_pays(context, actor, operation)) {
            continue;
        }
        enum step step = run_phase(cell, actor, context, operation);
        if (step != STEP_DONE) {
            return step;
        }
    }
    release_child(cell, actor, operation);
    return STEP_DONE;
}
