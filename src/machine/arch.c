#include "machine/arch.h"

#include "config/scenario.h"

/* Ingo Molnar's machine of 64 GiB had 3,137,464 kB of low memory (LowTotal) with the 4g4g split.
 * Before that is counted, mem_map (44 bytes for each of 2^24 frames: PAE with HIGHPTE) and the
 * kernel (40 MiB, as in populate.c) are taken out of it. */
#define LOWMEM_FRAMES_4G4G (3137464 / 4 + (44 << 12) + (40 << 8))

const struct arch arch_table[] = {
    [ARCH_I386] =
        {
            .name = "i386",
            .pte_bytes = 4,
            .pt_entries = 1024,
            .pt_levels = 2,
            .pgd_span = 1,
            .mm_pages = 1,
            .mm_pages_4g4g = 1,
            .long_bytes = 4,
            .cache_line = 128,
            .dma_frames = 4096,
            .frames_max = (page_count)1 << 20,
            .lowmem_frames = 896 * 256,
            .lowmem_frames_4g4g = LOWMEM_FRAMES_4G4G,
        },
    [ARCH_I386_PAE] =
        {
            .name = "i386-pae",
            .pte_bytes = 8,
            .pt_entries = 512,
            .pt_levels = 3,
            .pgd_span = 512,
            .mm_pages = 3,
            .mm_pages_4g4g = 4,
            .long_bytes = 4,
            .cache_line = 128,
            .dma_frames = 4096,
            .frames_max = (page_count)1 << 24,
            .lowmem_frames = 896 * 256,
            .lowmem_frames_4g4g = LOWMEM_FRAMES_4G4G,
        },
    [ARCH_X86_64] =
        {
            .name = "x86_64",
            .pte_bytes = 8,
            .pt_entries = 512,
            .pt_levels = 4,
            .pmd_span = 512,
            .pud_span = 512,
            .pgd_span = 512 * 512,
            .mm_pages = 1,
            .long_bytes = 8,
            .cache_line = 64,
            .dma_frames = 4096,
        },
};

unsigned arch_page_shift(const struct arch *arch, enum page_class class)
{
    switch (class) {
    case PAGES_LARGE:
        return arch->pt_entries == 1024 ? 22 : 21;
    case PAGES_HUGE:
        return 30;
    default:
        return PAGE_SHIFT;
    }
}

unsigned slab_objects_per_page(const struct arch *arch, unsigned bytes)
{
    unsigned header = arch->long_bytes == 4 ? 28 : 40;
    return ((unsigned)PAGE_BYTES - header) / (bytes + 4);
}
