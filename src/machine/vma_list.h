/* The vmas that map an object: which there are, and which of them are over a page.
 *
 * Kernels kept them in a list (i_mmap), or in a priority search tree. The simulator keeps the tree,
 * in every cell, whatever the design: it finds the vmas over a page without looking at all, and
 * what a list would have cost is known without walking it. Nonlinear vmas are in a list of their
 * own, as in 2.6.7, and in no tree. */
#ifndef THRASH_MACHINE_VMA_LIST_H
#define THRASH_MACHINE_VMA_LIST_H

#include <stdbool.h>

#include "base/types.h"

struct cell;
struct object;

/* A vma of an object. */
struct vma_entry {
    uint32_t rank;
    vma_id vma;
};

/* Adds a vma at the end of its object's list: its object, rank, offset and pages are set. */
void vma_list_attach(struct cell *cell, vma_id vma);
void vma_list_detach(struct cell *cell, vma_id vma);

/* All vmas that map some of the object map all of it, and came in the order of their ranks: then
 * the vmas over a page are ranks 0 .. nvmas - 1. */
bool vma_list_is_plain(const struct object *object);

/* Fills cell.coverers with the vmas over a page, in the order of their ranks, so that those of an
 * mm follow each other, nonlinear ones last, and returns how many. */
uint32_t vma_list_covering(const struct cell *cell, const struct object *object, page_offset page);

#endif
