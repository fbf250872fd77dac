/* What the kernel keeps in its own memory for a process: its stack, its task and files, its mm with
 * the page directories, and a structure for each vma (docs/model.md, "Low memory").
 *
 * None of these may be refused: whoever cannot get them reclaims, and ends the run if there is
 * nothing to reclaim. */
#ifndef THRASH_MACHINE_KERNEL_MEMORY_H
#define THRASH_MACHINE_KERNEL_MEMORY_H

#include "machine/cell.h"

/* Takes all of it for a process with `nvmas` mappings, or nothing and says what is to be done.
 * Charges page_alloc for each frame and pt_page_alloc for each directory page. Call it in one cell
 * of the machine alone, the one that is home to the process (kernel_memory_is_here()). */
enum frame_result kernel_memory_take(struct cell *cell, struct actor *actor, struct mm *mm,
                                     uint64_t nvmas);

/* Gives it back, once the page tables are gone and `nvmas` are left. */
void kernel_memory_give(struct cell *cell, struct mm *mm, uint64_t nvmas);

static inline bool kernel_memory_is_here(const struct cell *cell, process_id process)
{
    return process % cell->ncells == cell->id;
}

#endif
