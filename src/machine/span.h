/* Ptes of a range, a word of 64 pages at a time: what munmap, exec and exit do to them. */
#ifndef THRASH_MACHINE_SPAN_H
#define THRASH_MACHINE_SPAN_H

#include "machine/cell.h"

/* Clears the ptes of a vma from `page` to the end of its aligned word, or of the vma if that comes
 * first; passes over page-table pages that do not exist as a whole. The mm's lock is held. Returns
 * the page to go on with. */
page_id span_zap(struct cell *cell, struct actor *actor, const struct vma *vma, page_id page);

#endif
