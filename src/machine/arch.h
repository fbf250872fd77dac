/* Architectures: how a machine keeps page tables and which memory its kernel can reach. */
#ifndef THRASH_MACHINE_ARCH_H
#define THRASH_MACHINE_ARCH_H

#include "base/types.h"
#include "config/tlb_config.h"

struct arch {
    const char *name;
    unsigned pte_bytes;  /* of one page-table entry */
    unsigned pt_entries; /* ptes per page-table page */
    unsigned pmd_span;   /* page-table pages under one pmd page, 0: pmd is folded or preallocated */
    unsigned pud_span;   /* pmd pages under one pud page, 0: there is no such level */
    unsigned pt_levels;  /* entries that a walk down to a page of 4 KiB reads */
    unsigned pgd_span;   /* page-table pages under one entry of the top-level directory */
    unsigned mm_pages;   /* page-directory pages every mm has from its creation */
    unsigned long_bytes; /* of a kernel pointer */
    unsigned cache_line; /* of the processors of 2003-04 this machine stands for */
    page_count dma_frames; /* ZONE_DMA */
    page_count frames_max; /* that page-table entries can address; 0: more than any machine has */
    page_count lowmem_frames; /* ZONE_DMA + ZONE_NORMAL with the 3g1g split; 0: all of memory */
    page_count lowmem_frames_4g4g; /* the same with the 4g4g split; 0: it does not exist */
    unsigned mm_pages_4g4g;        /* mm_pages with the 4g4g split */
};

/* Rows in the order of enum machine_arch. Sources: docs/model.md, "Architectures". */
extern const struct arch arch_table[];

/* log2 of the size of a page. Huge pages exist on x86_64 only; the figure is theirs everywhere. */
unsigned arch_page_shift(const struct arch *arch, enum page_class class);

/* Frames of a page. */
static inline page_count arch_page_frames(const struct arch *arch, enum page_class class)
{
    return (page_count)1 << (arch_page_shift(arch, class) - PAGE_SHIFT);
}

/* Objects of `bytes` that fit in one 4 KiB slab page: an on-slab header and 4 bytes of bookkeeping
 * for each object (mm/slab.c of v2.6.0; 113 objects of 32 bytes to a frame on i386). */
unsigned slab_objects_per_page(const struct arch *arch, unsigned bytes);

#endif
