/* What a node has once, however many cells it is divided into: kswapd, and the virtual scan of 2.4.
 *
 * All cells of a node together use such a resource for at most the length of an epoch in each epoch;
 * those that wanted it in the last one get equal parts. kswapd rests when the part is used up; who
 * wants to scan spins, as the historical scan makes its callers queue on one mm. */
#ifndef THRASH_MACHINE_SERIAL_H
#define THRASH_MACHINE_SERIAL_H

#include "machine/cell.h"

/* The cell's parts of the epoch that begins; TIME_NEVER: no limit. */
void serial_begin_epoch(struct cell *cell, const sim_time share[SERIALS]);

/* Notes time that was used. More than was left is taken off later parts. */
void serial_used(struct cell *cell, enum serial serial, sim_time time);

/* Whether something in the cell wants it, or did in this epoch. */
bool serial_wants(const struct cell *cell, enum serial serial);

#endif
