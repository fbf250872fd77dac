#include "machine/operation.h"

#include "machine/cell.h"
#include "machine/map.h"
#include "machine/span.h"

enum phase { ENTER, LOCK, ZAP, REMAP };

void operation_begin(struct operation *operation, const struct operation_call *call)
{
    *operation = (struct operation){.call = *call, .phase = ENTER};
}

/* A cell's part of what an operation costs as a whole. */
static void charge_part(const struct cell *cell, struct actor *actor, enum cost cost)
{
    actor->now += even_part(cell->cost[cost], cell->id, cell->ncells);
}

/* Takes the page_table_lock of an mm to keep it across steps. STEP_SPIN while another context has
 * it. */
static enum step take_mm(struct cell *cell, struct actor *actor, struct context *context,
                         uint32_t index)
{
    struct mm *mm = &cell->mms[index];
    if (mm->lock.holder != CONTEXT_NONE) {
        context->spin_mm = index;
        context->may_resched = false;
        return STEP_SPIN;
    }
    lock_enter(cell, actor, &mm->lock);
    charge_part(cell, actor, COST_LOCK);
    lock_hold(cell, &mm->lock, actor->context);
    return STEP_DONE;
}

/* The vma goes into, or out of, its mm and the list of its object. */
static void change_vma(struct cell *cell, struct actor *actor, const struct vma *vma)
{
    struct sim_lock *lock = &cell->objects[vma->object].lock;
    lock_enter(cell, actor, lock);
    charge_part(cell, actor, COST_LOCK);
    charge_part(cell, actor, COST_VMA_CHANGE);
    lock_leave(actor, lock);
}

static enum step move_step(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation)
{
    struct vma *vma = &cell->vmas[operation->call.vma];
    struct mm *mm = &cell->mms[vma->mm];
    for (;;) {
        enum step step = STEP_DONE;
        if (actor->now >= context->slice_end) {
            context->may_resched = mm->lock.holder != actor->context;
            return STEP_AGAIN;
        }
        switch ((enum phase)operation->phase) {
        case ENTER:
            charge_part(cell, actor, COST_SYSCALL);
            operation->page = vma->first;
            operation->phase = LOCK;
            break;
        case LOCK:
            step = take_mm(cell, actor, context, vma->mm);
            if (step != STEP_DONE) {
                return step;
            }
            operation->phase = ZAP;
            break;
        case ZAP:
            if (operation->page < vma->first + vma->npages) {
                operation->page = span_zap(cell, actor, vma, operation->page);
                break;
            }
            lock_release(cell, &mm->lock, actor->now);
            operation->phase = REMAP;
            break;
        case REMAP:
            change_vma(cell, actor, vma);
            object_detach_vma(cell, vma);
            map_free_tables(cell, actor, operation->call.vma);
            charge_part(cell, actor, COST_SYSCALL);
            change_vma(cell, actor, vma);
            object_attach_vma(cell, vma, operation->call.offset,
                              cell->plan->vmas[operation->call.vma].pages);
            return STEP_DONE;
        }
    }
}

enum step operation_step(struct cell *cell, struct actor *actor, struct context *context)
{
    struct operation *operation = &cell->operations[context->touch.process];
    return move_step(cell, actor, context, operation);
}
