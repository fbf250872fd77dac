/* Populate: before the clock starts, processes touch the mappings they are told to.
 *
 * Defined as process 0 touching its mappings in address order, page by page, and reading the file
 * that it is to have read, then process 1, and so on, at no cost in time. Whole words of 64 pages
 * are done at once where that is the same. */
#ifndef THRASH_MACHINE_POPULATE_H
#define THRASH_MACHINE_POPULATE_H

#include "machine/cell.h"

/* What the machine holds before there is any process: mem_map and the kernel's own memory.
 * STATUS_USAGE when it does not fit. */
enum status populate_boot(struct cell *cell);

/* How far a process has been populated in a cell; all zero: nothing has been done for it. */
struct populate_place {
    bool created;
    size_t vma;      /* of the process's mappings */
    page_count page; /* of that mapping's pages in this cell */
    page_count read; /* of the file's pages in this cell */
};

/* Creates a process, with its stack, its structures and its page directories, populates its
 * mappings, maps those of large pages as a whole, and brings into the page cache the file that it
 * has read; call for all of them in their order. One call does some `pages` ptes, whole chunks of
 * 512, or pages of the file, and returns whether that was all; it goes on from `place`. Ends early,
 * with core.out_of_memory set, when a frame cannot be had, and returns true; that is not an error
 * of the call, and when the cell has frames again, of others, populate_again() lets it go on where
 * it was. `page_by_page` takes the slow way throughout; tests compare. */
bool populate_span(struct cell *cell, process_id process, bool page_by_page, page_count pages,
                   struct populate_place *place);

void populate_again(struct cell *cell);

/* All of it at once. */
void populate_process(struct cell *cell, process_id process, bool page_by_page);

/* The same for all processes of a machine of one cell. */
void populate_all(struct cell *cell, bool page_by_page);

/* Takes `machine.ballast` out of play. For `auto`: so much that memory / 32 stays free, or what the
 * array chains of 2.6.0 would leave if that is less, so that every design starts alike. Returns the
 * bytes taken. */
byte_count populate_ballast(struct cell *cell);

#endif
