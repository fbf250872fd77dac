/* Sizes of the structures that the kernels compared keep in low memory, on i386.
 *
 * Those of vm_area_struct, buffer_head and radix_tree_node are worked out from the headers of the
 * release named; mm_struct, and what a process has beside its stack, are assumed (docs/model.md,
 * "Low memory", has the figures and their sources). On x86_64, where nothing can run out of low
 * memory, what a process has is one lump, and the other structures are not accounted for. */
#ifndef THRASH_DESIGNS_KERNEL_SIZES_H
#define THRASH_DESIGNS_KERNEL_SIZES_H

#include <stdbool.h>

#include "machine/ops.h"

struct kernel_sizes {
    const char *kernel;
    unsigned vma;         /* struct vm_area_struct */
    unsigned mm;          /* struct mm_struct */
    unsigned buffer_head; /* struct buffer_head */
    unsigned
        radix_node; /* struct radix_tree_node; 0: the page cache has a hash table, set up at boot */
    bool aligned;   /* the caches of the first three start objects on cache lines */
};

extern const struct kernel_sizes sizes_2_4_23;
extern const struct kernel_sizes sizes_2_6_0;
extern const struct kernel_sizes sizes_2_6_7;

/* Fills the slab kinds of a design, but that of pte chains. */
void kernel_sizes_fill(const struct kernel_sizes *sizes, unsigned arch, unsigned cache_line,
                       struct design *design);

#endif
