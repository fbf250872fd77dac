/* Files that processes write with write(2): which of their pages are dirty, in the order in which
 * they became so, and how old they are.
 *
 * Each page of such a file is written once, in the order of the file, so that three positions in it
 * stand for a list of dirty pages: up to where it has been written, from where on pages may still
 * be dirty, and up to where it had been written at each of the last ticks of the daemon that writes
 * old pages. When pages are written back is the era's business: struct writeback_ops. */
#ifndef THRASH_MACHINE_WRITEBACK_H
#define THRASH_MACHINE_WRITEBACK_H

#include "machine/cell.h"

#define NO_FILE UINT32_MAX

/* write(2) has filled a page of a file: it is referenced and dirty. */
void writeback_dirtied(struct cell *cell, page_id page);

/* The oldest dirty page of a file; false when it has none. */
bool writeback_oldest(struct cell *cell, object_id file, page_id *page_p);

/* The same of all files, which take turns, from the one whose turn it is. */
bool writeback_oldest_of_all(struct cell *cell, page_id *page_p);

/* The turn is the next file's. */
void writeback_next_turn(struct cell *cell);

/* The old-page daemon begins a round. */
void writeback_tick(struct cell *cell);

/* The file's oldest dirty page became so before the sixth tick from the last one. */
bool writeback_is_old(struct cell *cell, object_id file);

/* Starts writing a page; STEP_WAIT, with `wait` of the context set, when its device has no room. */
enum step writeback_write(struct cell *cell, struct actor *actor, struct context *context,
                          page_id page);

#endif
