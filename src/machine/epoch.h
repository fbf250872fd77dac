/* One epoch of one cell: touches and events in the order of time. */
#ifndef THRASH_MACHINE_EPOCH_H
#define THRASH_MACHINE_EPOCH_H

#include "machine/cell.h"

/* Makes the touches of this epoch, sorted by time, and lets every event before its end happen. */
void epoch_run(struct cell *cell, const struct touch *touches, size_t ntouches);

#endif
