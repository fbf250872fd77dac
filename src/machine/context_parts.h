/* Contexts from within: what their events (context.c) and reclaim on them (context_reclaim.c) need
 * of each other. For these two files alone. */
#ifndef THRASH_MACHINE_CONTEXT_PARTS_H
#define THRASH_MACHINE_CONTEXT_PARTS_H

#include "machine/context.h"

uint32_t context_number(const struct cell *cell, const struct context *context);
void context_set_state(struct cell *cell, struct context *context, enum context_state state);

/* Goes on with its task from `now` on, as soon as it has a CPU. */
void context_run_again(struct cell *cell, struct context *context, sim_time now);

/* Puts a context to sleep for what `wait` says, which is not over. / It sleeps no longer. */
void context_begin_waiting(struct cell *cell, struct context *context, sim_time now);
void context_end_wait(struct cell *cell, struct context *context, sim_time now);

/* Stops a process at a touch; `touch` of the context is what it tries again. */
struct context *context_stop_process(struct cell *cell, const struct touch *touch);

/* Direct reclaim is over: its process has what it wanted. */
void context_end_reclaim(struct cell *cell, struct context *context);

/* A process that reclaims elsewhere does so here, from the next epoch on: but not twice. */
void context_begin_help(struct cell *cell, process_id process);

/* A helper goes on for as long as its process reclaims in another cell; what it got is everybody's.
 */
void context_finish_help(struct cell *cell, struct context *context);

#endif
