/* Contexts that reclaim: for a process, for an operation of it, or to help a process that does so
 * in another cell; and what cells tell each other of that. */
#include "machine/cell.h"
#include "machine/context.h"
#include "machine/context_parts.h"
#include "machine/residence.h"

/* --- helpers ------------------------------------------------------------------------------ */

static struct context *helper_of(const struct cell *cell, process_id process)
{
    return &cell->contexts[CONTEXT_FIRST_PROCESS + cell->plan->nprocesses + process];
}

static bool reclaims_here(const struct cell *cell, process_id process)
{
    const struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    return own->state != CONTEXT_IDLE && own->task == TASK_RECLAIM;
}

void context_begin_help(struct cell *cell, process_id process)
{
    struct context *context = helper_of(cell, process);
    if (context->help_wanted == 0 || context->state != CONTEXT_IDLE ||
        reclaims_here(cell, process)) {
        return;
    }
    context->task = TASK_HELP;
    context->reclaim_class = context->help_class;
    cell->design->reclaim->begin_direct(cell, context);
    context_run_again(cell, context, cell->core->epoch_end);
}

static process_id helped_process(const struct cell *cell, const struct context *context)
{
    return context_number(cell, context) - CONTEXT_FIRST_PROCESS - (uint32_t)cell->plan->nprocesses;
}

void context_finish_help(struct cell *cell, struct context *context)
{
    if (context->held_frame) {
        context->held_frame = false;
        zone_give(cell, (enum zone_index)context->held_zone, OWNER_HANDED);
    }
    context_set_state(cell, context, CONTEXT_IDLE);
    context_made_headway(cell, context);
    context->help_over = false;
    context_begin_help(cell, helped_process(cell, context));
}

/* A helper is to end: at once, if it sleeps where it holds nothing. */
static void end_help(struct cell *cell, struct context *context, sim_time now)
{
    if (context->state == CONTEXT_IDLE) {
        return;
    }
    context->help_over = true;
    if (context->state == CONTEXT_WAITING &&
        (context->wait == WAIT_TIME || context->wait == WAIT_CONGESTION)) {
        context_end_wait(cell, context, now);
        context_finish_help(cell, context);
    }
}

void context_help(struct cell *cell, process_id process, unsigned class)
{
    struct context *context = helper_of(cell, process);
    context->help_wanted++;
    context->help_class = (uint8_t) class;
    context_begin_help(cell, process);
}

void context_end_help(struct cell *cell, process_id process)
{
    struct context *context = helper_of(cell, process);
    if (--context->help_wanted == 0) {
        end_help(cell, context, cell->core->epoch_end);
    }
}

/* --- a process reclaims ---------------------------------------------------------------------- */

void context_end_reclaim(struct cell *cell, struct context *context)
{
    if (cell->ncells > 1) {
        outbox_post(&cell->outbox, MESSAGE_RECLAIMED, context->touch.process, 0, cell->id);
    }
    context_made_headway(cell, context);
}

void context_begin_reclaim(struct cell *cell, const struct touch *touch, unsigned class,
                           sim_time now)
{
    struct context *context = context_stop_process(cell, touch);
    if (!context->asked_for_memory) {
        context->asked_for_memory = true;
        context->wait_began = now;
    }
    if (cell->ncells > 1) {
        context->waited_for_frames = !context->waited_for_frames;
        if (context->waited_for_frames) {
            context->wait = WAIT_TIME;
            context->wait_until = max_u64(cell->core->epoch_end, now);
            context_begin_waiting(cell, context, now);
            return;
        }
        outbox_post(&cell->outbox, MESSAGE_RECLAIM, touch->process, class, cell->id);
    }
    context->task = TASK_RECLAIM;
    context->reclaim_class = (uint8_t) class;
    cell->design->reclaim->begin_direct(cell, context);
    context_run_again(cell, context, now);
    if (cell->ncells > 1) {
        end_help(cell, helper_of(cell, touch->process), now);
    }
}

enum step context_reclaim_in_operation(struct cell *cell, struct actor *actor, unsigned class)
{
    struct context *context = &cell->contexts[actor->context];
    if (!context->asked_for_memory) {
        context->asked_for_memory = true;
        context->wait_began = actor->now;
    }
    context->operating = true;
    context->task = TASK_RECLAIM;
    context->reclaim_class = (uint8_t) class;
    if (cell->ncells > 1) {
        outbox_post(&cell->outbox, MESSAGE_RECLAIM, context->touch.process, class, cell->id);
    }
    cell->design->reclaim->begin_direct(cell, context);
    if (cell->ncells > 1) {
        end_help(cell, helper_of(cell, context->touch.process), actor->now);
    }
    return STEP_AGAIN;
}

/* --- giving up ------------------------------------------------------------------------------- */

bool context_out_of_memory(struct cell *cell, struct context *context)
{
    if (cell->ncells > 1) {
        if (context->freed_here + context->freed_elsewhere == 0) {
            cell->core->ngave_up += !context->gave_up;
            context->gave_up = true;
        }
        return context->task != TASK_HELP;
    }
    if (!cell->core->out_of_memory) { /* the first one decides the verdict */
        cell->core->out_of_memory = true;
        cell->core->failed_zone = context->reclaim_class;
        cell->core->failed_process = context->touch.process;
        cell->core->failed_owner = context->refused;
    }
    return true;
}

enum step context_sleep_it_off(const struct cell *cell, struct context *context)
{
    context->wait = WAIT_TIME;
    context->wait_until = cell->ncells == 1 ? TIME_NEVER : cell->core->epoch_end;
    return STEP_WAIT;
}

void context_made_headway(struct cell *cell, struct context *context)
{
    cell->core->ngave_up -= context->gave_up;
    context->gave_up = false;
}

void context_report_giving_up(struct cell *cell)
{
    if (cell->core->ngave_up == 0) {
        return;
    }
    for (process_id i = 0; i < cell->plan->nprocesses; i++) {
        const struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + i];
        const struct context *helper = helper_of(cell, i);
        if (own->gave_up) {
            outbox_post(&cell->outbox, MESSAGE_GAVE_UP, i, 1 + (uint64_t)own->reclaim_class,
                        cell->id);
        } else if (helper->gave_up && helper->help_wanted > 0) {
            outbox_post(&cell->outbox, MESSAGE_GAVE_UP, i, 0, cell->id);
        }
    }
}

/* --- what a call has freed, in all cells ------------------------------------------------------ */

void context_freed(struct cell *cell, struct context *context, uint64_t pages)
{
    context->freed_here += (uint32_t)pages;
    if (cell->ncells > 1 && pages > 0) {
        context_made_headway(cell, context);
        uint32_t number = context_number(cell, context) - CONTEXT_FIRST_PROCESS;
        uint32_t nprocesses = (uint32_t)cell->plan->nprocesses;
        process_id process = number < nprocesses ? number : number - nprocesses;
        outbox_post(&cell->outbox, MESSAGE_FREED, process, pages, cell->id);
    }
}

bool context_freed_enough(const struct cell *cell, const struct context *context)
{
    return context->freed_here + context->freed_elsewhere >= cell_batch(cell) * cell->ncells;
}

/* Who waits for congestion before the next pass need not make it. */
static void hear_of_freed(struct cell *cell, struct context *context, uint64_t pages)
{
    context->freed_elsewhere += (uint32_t)pages;
    if (context->state == CONTEXT_WAITING && context->wait == WAIT_CONGESTION &&
        context_freed_enough(cell, context)) {
        event_set(cell, context_number(cell, context), cell->core->epoch_end);
    }
}

void context_freed_elsewhere(struct cell *cell, process_id process, uint64_t pages)
{
    struct context *own = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    struct context *helper = helper_of(cell, process);
    if (own->state != CONTEXT_IDLE && own->task == TASK_RECLAIM) {
        context_made_headway(cell, own);
        hear_of_freed(cell, own, pages);
    }
    if (helper->state != CONTEXT_IDLE) {
        hear_of_freed(cell, helper, pages);
    }
}

void context_call_ended(struct cell *cell, const struct context *context, uint64_t left)
{
    if (cell->ncells > 1 && context->task != TASK_HELP) {
        outbox_post(&cell->outbox, MESSAGE_CALLED, context->touch.process, left, cell->id);
    }
}

void context_call_ended_elsewhere(struct cell *cell, uint64_t left)
{
    if (cell->design->reclaim->call_ended_elsewhere != NULL) {
        cell->design->reclaim->call_ended_elsewhere(cell, left);
    }
}
