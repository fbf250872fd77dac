/* Touches, page faults, and reads of files.
 *
 * A touch whose pte is present costs nothing here: it is user time. A fault is a minor one when its
 * page is in memory, makes a new page when there was none, and is a major one when the process had
 * to wait for a device. A touch that cannot be finished at once is kept in its process's context
 * and tried again from the start when what it waits for has happened. */
#ifndef THRASH_MACHINE_FAULT_H
#define THRASH_MACHINE_FAULT_H

#include "machine/cell.h"

/* Makes one touch at `touch->at`. The process must not be blocked. True when the pte was present,
 * so that nothing but the touch happened. */
bool fault_touch(struct cell *cell, const struct touch *touch);

/* The operation that `touch` stands for is done: its process goes on. */
void fault_operation_done(struct cell *cell, const struct touch *touch, sim_time now);

/* Tries a touch again at `now`; true when it is made. */
bool fault_retry(struct cell *cell, const struct touch *touch, sim_time now);

#endif
