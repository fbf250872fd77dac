/* Ptes of a range, a word of 64 pages at a time: what munmap, exec and exit do to them. */
#ifndef THRASH_MACHINE_SPAN_H
#define THRASH_MACHINE_SPAN_H

#include "machine/cell.h"

/* Clears the ptes of a vma from *page_p to the end of its aligned word, or of the vma if that comes
 * first, and moves *page_p there; passes over page-table pages that do not exist as a whole.
 * Anonymous pages that nobody has any more are dropped. The mm's lock is held. STEP_WAIT, with
 * nothing done and `wait` of the context set, while I/O on a page to be dropped is under way.
 * `may_mark`: young bits are passed on where munmap does that. */
enum step span_zap(struct cell *cell, struct actor *actor, struct context *context,
                   const struct vma *vma, bool may_mark, page_id *page_p);

#endif
