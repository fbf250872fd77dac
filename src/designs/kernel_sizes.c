#include "designs/kernel_sizes.h"

#include "base/mutant.h"
#include "config/scenario.h"

/* 2.4.23: include/linux/mm.h and fs.h; caches with SLAB_HWCACHE_ALIGN (kernel/fork.c). */
const struct kernel_sizes sizes_2_4_23 = {
    .kernel = "2.4.23",
    .vma = 68,
    .mm = 160,
    .buffer_head = 92,
    .aligned = true,
};

/* 2.6.0: include/linux/mm.h and buffer_head.h, lib/radix-tree.c. */
const struct kernel_sizes sizes_2_6_0 = {
    .kernel = "2.6.0",
    .vma = 64,
    .mm = 448,
    .buffer_head = 48,
    .radix_node = 260,
};

/* 2.6.7: as 2.6.0, but a vma is linked into a priority search tree and into the list of an
 * anon_vma: 20 bytes more (include/linux/mm.h). */
const struct kernel_sizes sizes_2_6_7 = {
    .kernel = "2.6.7",
    .vma = 84,
    .mm = 448,
    .buffer_head = 48,
    .radix_node = 260,
};

enum {
    STACK_BYTES = 8192,    /* THREAD_SIZE of i386; the task_struct of 2.4 is within */
    TASK_BYTES = 9 * 1024, /* assumed: task_struct, signal handlers, open files and their inodes */
    PROCESS_BYTES = 18 * 1024 /* of x86_64, all together; assumed */
};

/* SLAB_HWCACHE_ALIGN: an object starts on a cache line, or on a half, a quarter of one if that is
 * enough for it (mm/slab.c, kmem_cache_create()). */
static unsigned align(unsigned bytes, unsigned line)
{
    unsigned unit = line;
    while (bytes < unit / 2) {
        unit /= 2;
    }
    return (bytes + unit - 1) / unit * unit;
}

void kernel_sizes_fill(const struct kernel_sizes *sizes, unsigned arch, unsigned cache_line,
                       struct design *design)
{
    struct slab_kind *slab = design->slab;
    if (arch == ARCH_X86_64) {
        slab[SLAB_TASK] = (struct slab_kind){PROCESS_BYTES, SLAB_DENSE};
        return;
    }
    unsigned line = sizes->aligned ? cache_line : 1;
    slab[SLAB_STACK] = (struct slab_kind){STACK_BYTES, SLAB_DENSE};
    slab[SLAB_TASK] = (struct slab_kind){TASK_BYTES, SLAB_DENSE};
    slab[SLAB_MM] = (struct slab_kind){align(sizes->mm, cache_line), SLAB_PACKED};
    slab[SLAB_VMA] = (struct slab_kind){align(MUTANT(VMA_LINKS, sizes->vma, sizes_2_6_0.vma), line),
                                        SLAB_PACKED};
    slab[SLAB_BUFFER_HEAD] = (struct slab_kind){
        MUTANT(BUFFER_HEAD_SIZE, align(sizes->buffer_head, line), 0), SLAB_PACKED};
    slab[SLAB_RADIX_NODE] = (struct slab_kind){MUTANT(RADIX_NODE, sizes->radix_node, 0),
                                               SLAB_PACKED};
}
