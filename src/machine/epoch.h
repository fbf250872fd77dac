/* One epoch of one cell: touches and events in the order of time. */
#ifndef THRASH_MACHINE_EPOCH_H
#define THRASH_MACHINE_EPOCH_H

#include "machine/cell.h"
#include "machine/ledger.h"

/* Begins an epoch with what the ledger gives the cell. */
void epoch_begin(struct cell *cell, const struct cell_share *share, const struct home *homes);

/* The node's free frames go to where they are short: so many are to be free in the cell. */
void epoch_level_frames(struct cell *cell, const page_count target[ZONES]);

/* Makes the touches of this epoch, sorted by time, and lets every event before its end happen. */
void epoch_run(struct cell *cell, const struct touch *touches, size_t ntouches);

/* How the cell is. */
void epoch_report(const struct cell *cell, struct cell_report *report);

/* Ends the epoch: what is left to say is in the outbox and in the report. */
void epoch_end(struct cell *cell, struct cell_report *report);

#endif
