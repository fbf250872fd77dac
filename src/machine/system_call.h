/* System calls that processes make at a steady rate and that touch no page which matters: counted,
 * not made one by one.
 *
 * They follow from the user time a process has spent, so that they are the same for any number of
 * cells as long as that is, and nothing has to be remembered. docs/model.md, "System calls". */
#ifndef THRASH_MACHINE_SYSTEM_CALL_H
#define THRASH_MACHINE_SYSTEM_CALL_H

#include "machine/plan.h"

/* Kernel time of a call that copies `bytes` to or from user memory. `cost` is [COST_COUNT];
 * `own_space`: the kernel has an address space of its own. */
sim_time system_call_time(const sim_time *cost, bool own_space, byte_count bytes);

/* Calls that a process makes while its user time goes from `before` to `now`. */
uint64_t system_calls_between(const struct plan_process *process, sim_time before, sim_time now);

/* Kernel time of so many of its calls, at most TIME_NEVER. */
sim_time system_calls_time(const struct plan_process *process, uint64_t calls);

#endif
