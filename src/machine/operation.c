#include "machine/operation.h"

#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/kernel_memory.h"
#include "machine/map.h"
#include "machine/residence.h"
#include "machine/span.h"

enum phase { ENTER, LOCK, ZAP, CHANGE };

void operation_begin(struct operation *operation, const struct operation_call *call)
{
    *operation = (struct operation){.call = *call, .phase = ENTER};
}

void operation_charge(const struct cell *cell, struct actor *actor, unsigned cost)
{
    actor->now += even_part(cell->cost[cost], cell->id, cell->ncells);
}

void operation_owe(const struct cell *cell, struct operation *operation, unsigned cost)
{
    operation->owed += even_part(cell->cost[cost], cell->id, cell->ncells);
}

bool operation_pays(const struct context *context, struct actor *actor, struct operation *operation)
{
    const sim_time part = min_u64(operation->owed, context->slice_end - actor->now);
    operation->owed -= part;
    actor->now += part;
    return part > 0;
}

void operation_enter_kernel(const struct cell *cell, struct actor *actor)
{
    operation_charge(cell, actor, COST_SYSCALL);
    if (cell->design->own_kernel_space && MUTANT(OPERATION_SPACE_SWITCH, true, false)) {
        operation_charge(cell, actor, COST_SPACE_SWITCH);
    }
}

void operation_look_at_tables(const struct cell *cell, struct actor *actor, const struct vma *vma,
                              page_id page, uint64_t times)
{
    if (page == vma->first || page % PAGES_PER_CHUNK == 0) {
        charge_table_access(cell, actor, MUTANT(OPERATION_KMAP, times, 0));
    }
}

enum step operation_take_lock(struct cell *cell, struct actor *actor, struct context *context,
                              uint32_t index)
{
    struct mm *mm = &cell->mms[index];
    if (mm->lock.holder != CONTEXT_NONE) {
        context->spin_mm = index;
        context->may_resched = false;
        return STEP_SPIN;
    }
    lock_enter(cell, actor, &mm->lock, LOCK_KIND_MM);
    lock_hold(cell, &mm->lock, actor->context);
    return STEP_DONE;
}

enum step operation_lock_mm(struct cell *cell, struct actor *actor, struct context *context,
                            uint32_t index)
{
    enum step step = operation_take_lock(cell, actor, context, index);
    if (step == STEP_DONE) {
        operation_charge(cell, actor, COST_LOCK);
    }
    return step;
}

void operation_change_vma(struct cell *cell, struct actor *actor, const struct vma *vma)
{
    struct sim_lock *lock = &cell->objects[vma->object].lock;
    lock_enter(cell, actor, lock, LOCK_KIND_OBJECT);
    operation_charge(cell, actor, COST_LOCK);
    operation_charge(cell, actor, COST_VMA_CHANGE);
    lock_leave(actor, lock);
}

/* --- move --------------------------------------------------------------------------------------
 */

static void change_place(struct cell *cell, struct actor *actor, const struct operation *operation)
{
    struct vma *vma = &cell->vmas[operation->call.vma];
    operation_change_vma(cell, actor, vma);
    object_detach_vma(cell, vma);
    map_free_tables(cell, actor, operation->call.vma);
    operation_enter_kernel(cell, actor);
    operation_change_vma(cell, actor, vma);
    object_attach_vma(cell, vma, operation->call.offset,
                      cell->plan->vmas[operation->call.vma].pages);
}

/* --- exit and exec -----------------------------------------------------------------------------
 */

static void remove_vmas(struct cell *cell, struct actor *actor, const struct mm *mm)
{
    for (vma_id i = mm->first_vma; i < mm->first_vma + mm->nvmas; i++) {
        if (cell->vmas[i].attached) {
            operation_change_vma(cell, actor, &cell->vmas[i]);
            object_detach_vma(cell, &cell->vmas[i]);
        }
    }
    for (vma_id i = mm->first_vma; i < mm->first_vma + mm->nvmas; i++) {
        map_free_tables(cell, actor, i);
    }
}

static void start_image(struct cell *cell, struct actor *actor, struct mm *mm, uint32_t image)
{
    mm->scan_address = SCAN_START;
    mm->family = MUTANT(FAMILIES, cell->core->nfamilies++, mm->family);
    for (vma_id i = mm->first_vma; i < mm->first_vma + mm->nvmas; i++) {
        const struct plan_vma *plan = &cell->plan->vmas[i];
        if (plan->image == 0 || plan->image == image) {
            operation_change_vma(cell, actor, &cell->vmas[i]);
            object_attach_vma(cell, &cell->vmas[i], plan->offset, plan->pages);
        }
    }
}

static void replace_vmas(struct cell *cell, struct actor *actor, struct mm *mm,
                         const struct operation *operation)
{
    remove_vmas(cell, actor, mm);
    if (operation->call.kind == OPERATION_EXEC) {
        start_image(cell, actor, mm, operation->call.image);
        return;
    }
    if (kernel_memory_is_here(cell, mm->process)) {
        kernel_memory_give(cell, mm, mm->nvmas);
    }
    mm->alive = false;
    cell->core->nmms--;
}

/* --- all three: zap, then change ---------------------------------------------------------------
 */

static bool concerns(const struct operation *operation, const struct cell *cell, vma_id vma)
{
    return operation->call.kind == OPERATION_MOVE ? vma == operation->call.vma
                                                  : cell->vmas[vma].attached;
}

/* The next vma from `vma` on; false: there is none. */
static bool go_to_vma(const struct cell *cell, const struct mm *mm, struct operation *operation,
                      vma_id vma)
{
    while (vma < mm->first_vma + mm->nvmas && !concerns(operation, cell, vma)) {
        vma++;
    }
    if (vma == mm->first_vma + mm->nvmas) {
        return false;
    }
    operation->vma = vma;
    operation->page = cell->vmas[vma].first;
    return true;
}

/* Arguments and environment: a page of them read from the old program's memory, one written to the
 * new one's. */
static void copy_arguments(const struct cell *cell, struct actor *actor)
{
    for (int i = 0; cell->design->own_kernel_space && i < 2; i++) {
        operation_charge(cell, actor, COST_PTE_WALK);
        operation_charge(cell, actor, COST_KMAP);
    }
}

static void enter(const struct cell *cell, struct actor *actor, const struct mm *mm,
                  struct operation *operation)
{
    operation_enter_kernel(cell, actor);
    if (operation->call.kind == OPERATION_EXEC) {
        operation_owe(cell, operation, COST_PROCESS_EXEC);
        copy_arguments(cell, actor);
    } else if (operation->call.kind == OPERATION_EXIT) {
        operation_owe(cell, operation, COST_PROCESS_EXIT);
    }
    operation->phase = go_to_vma(cell, mm, operation, mm->first_vma) ? LOCK : CHANGE;
}

static enum step zap(struct cell *cell, struct actor *actor, struct context *context, struct mm *mm,
                     struct operation *operation)
{
    const struct vma *vma = &cell->vmas[operation->vma];
    if (operation->page < vma->first + vma->npages) {
        enum step step = span_zap(cell, actor, context, vma, true, &operation->page);
        if (step == STEP_WAIT) {
            lock_release(cell, &mm->lock, actor->now);
            operation->phase = LOCK;
        }
        return step;
    }
    if (!go_to_vma(cell, mm, operation, operation->vma + 1)) {
        operation->phase = CHANGE; /* with the lock: a scan must not be in the mm */
    }
    return STEP_DONE;
}

static enum step zap_step(struct cell *cell, struct actor *actor, struct context *context,
                          struct operation *operation)
{
    struct mm *mm = &cell->mms[context->touch.process];
    for (;;) {
        enum step step = STEP_DONE;
        if (actor->now >= context->slice_end) {
            context->may_resched = mm->lock.holder != actor->context;
            return STEP_AGAIN;
        }
        if (operation_pays(context, actor, operation)) {
            continue;
        }
        switch ((enum phase)operation->phase) {
        case ENTER:
            enter(cell, actor, mm, operation);
            break;
        case LOCK:
            step = operation_lock_mm(cell, actor, context, context->touch.process);
            operation->phase = step == STEP_DONE ? ZAP : LOCK;
            break;
        case ZAP:
            step = zap(cell, actor, context, mm, operation);
            break;
        case CHANGE:
            if (operation->call.kind == OPERATION_MOVE) {
                change_place(cell, actor, operation);
            } else {
                replace_vmas(cell, actor, mm, operation);
            }
            if (mm->lock.holder == actor->context) {
                lock_release(cell, &mm->lock, actor->now);
            }
            return STEP_DONE;
        }
        if (step != STEP_DONE) {
            return step;
        }
    }
}

enum step operation_step(struct cell *cell, struct actor *actor, struct context *context)
{
    struct operation *operation = &cell->operations[context->touch.process];
    switch ((enum operation_kind)operation->call.kind) {
    case OPERATION_FORK:
        return fork_step(cell, actor, context, operation);
    case OPERATION_REMAP_PAGES:
        return remap_pages_step(cell, actor, context, operation);
    case OPERATION_MREMAP:
        return mremap_step(cell, actor, context, operation);
    case OPERATION_MOVE:
    case OPERATION_EXEC:
    case OPERATION_EXIT:
        break;
    }
    return zap_step(cell, actor, context, operation);
}
