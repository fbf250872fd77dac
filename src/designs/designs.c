#include "designs/designs.h"

#include "designs/choices.h"
#include "machine/arch.h"

static const struct choice *const rmaps[] = {
    &rmap_none.choice,
    &rmap_objrmap_in_scan.choice,
    &rmap_pte_chain_linked.choice,
    &rmap_pte_chain_array.choice,
    &rmap_objrmap.choice,
    &rmap_objrmap_prio_tree.choice,
    &rmap_anonmm.choice,
    &rmap_anon_vma.choice,
    NULL,
};

static const struct choice *const reclaims[] = {
    &reclaim_lru_2_4_22.choice,
    &reclaim_lru_2_4_23.choice,
    &reclaim_lru_2_6_0.choice,
    &reclaim_lru_2_6_7.choice,
    NULL,
};

static const struct choice *const writeouts[] = {
    &writeout_deferred.choice,
    &writeout_prompt.choice,
    NULL,
};

static const struct choice page_tables_lowmem = {
    .name = "lowmem",
    .description = "page tables in memory the kernel maps directly",
    .source = "linux v2.6.0 arch/i386/mm/pgtable.c, pte_alloc_one() without CONFIG_HIGHPTE"};
const struct choice page_tables_highmem = {
    .name = "highmem",
    .description = "pages of ptes in high memory (HIGHPTE), mapped by the kernel for each access",
    .source = "linux v2.6.0 arch/i386/mm/pgtable.c, pte_alloc_one() with CONFIG_HIGHPTE",
    .archs = IA32,
    .because = "a 64-bit kernel maps all of memory, so that none of it is high"};
static const struct choice *const page_tables[] = {&page_tables_lowmem, &page_tables_highmem, NULL};

static const struct choice split_3g1g = {
    .name = "3g1g",
    .description = "3 GiB of user space, 896 MiB of directly mapped memory",
    .source = "linux v2.6.0 include/asm-i386/page.h, PAGE_OFFSET and VMALLOC_RESERVE",
    .archs = IA32,
    .because = "64-bit addresses are enough for processes and all of memory"};
const struct choice split_4g4g = {
    .name = "4g4g",
    .description = "4 GiB each for user space and kernel, changed at every entry to the kernel",
    .source = "Molnar's patch for 2.5.74, 9 Jul 2003; LWN, 4G/4G split, 2003",
    .archs = IA32,
    .because = "64-bit addresses are enough for processes and all of memory"};
static const struct choice split_none = {
    .name = "none",
    .description = "64-bit: all of memory is directly mapped",
    .source = "linux v2.6.0 include/asm-x86_64/page.h, PAGE_OFFSET",
    .archs = 1U << ARCH_X86_64,
    .because = "processes and kernel must divide the 4 GiB that 32 bits address"};
static const struct choice *const splits[] = {&split_3g1g, &split_4g4g, &split_none, NULL};

const struct choice shared_page_4k = {.name = "4KiB",
                                      .description = "shared segments in base pages",
                                      .source = "linux 2.4.23 and v2.6.0 mm/shmem.c"};
const struct choice shared_page_2m = {
    .name = "2MiB",
    .description =
        "shared segments in reserved pages of 2 MiB, which are never swapped and have no ptes",
    .source = "linux v2.6.0 mm/hugetlb.c, arch/i386/mm/hugetlbpage.c; include/asm-i386/page.h, "
              "HPAGE_SHIFT",
    .archs = 1U << ARCH_I386_PAE | 1U << ARCH_X86_64,
    .because = "without PAE an entry of the page directory stands for 1024 ptes, and maps 4 MiB"};
const struct choice shared_page_4m = {
    .name = "4MiB",
    .description = "the same in pages of 4 MiB, which page directories of i386 without PAE map",
    .source = "linux v2.6.0 arch/i386/mm/hugetlbpage.c; include/asm-i386/page.h, HPAGE_SHIFT",
    .archs = 1U << ARCH_I386,
    .because = "with ptes of 8 bytes an entry of the page directory stands for 512 of them, and "
               "maps 2 MiB"};
const struct choice shared_page_1g = {
    .name = "1GiB",
    .description = "the same in pages of 1 GiB, which no processor of 2004 had",
    .source = "linux v2.6.27 arch/x86/mm/hugetlbpage.c, GB pages",
    .archs = 1U << ARCH_X86_64,
    .because = "only page tables of x86_64 have entries that map 1 GiB"};
static const struct choice *const shared_page_sizes[] = {&shared_page_4k, &shared_page_2m,
                                                         &shared_page_4m, &shared_page_1g, NULL};

const struct axis design_axes[] = {
    {"rmap", "how the ptes of a page are found", CATALOGUE_RMAP, rmaps},
    {"reclaim", "how memory is freed", CATALOGUE_RECLAIM, reclaims},
    {"swap_writeout", "when a page moved to the swap cache is written", CATALOGUE_SWAP_WRITEOUT,
     writeouts},
    {"page_tables", "where page tables live", CATALOGUE_PAGE_TABLES, page_tables},
    {"split", "how the address space is divided", CATALOGUE_SPLIT, splits},
    {"shared_page_size", "pages of shared segments", CATALOGUE_SHARED_PAGE_SIZE, shared_page_sizes},
    {.key = NULL},
};

const struct preset design_presets[] = {
    {
        .name = "linux-2.4.22",
        .description = "virtual scan of one round, six scan priorities, no reverse map",
        .source = "linux 2.4.22 mm/vmscan.c, shrink_cache(), swap_out()",
        .rmap = &rmap_none,
        .reclaim = &reclaim_lru_2_4_22,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .struct_page_bytes = {48, 48, 88},
        .sizes = &sizes_2_4_23,
    },
    {
        .name = "linux-2.4.23",
        .description = "virtual scan with the credit rule, no reverse map",
        .source = "linux 2.4.23 mm/vmscan.c, swap_out(); LWN, Time to thrash the 2.6 VM?, 2004",
        .rmap = &rmap_none,
        .reclaim = &reclaim_lru_2_4_23,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .struct_page_bytes = {48, 48, 88},
        .sizes = &sizes_2_4_23,
    },
    {
        .name = "linux-2.4.23-aa",
        .description = "2.4.23 with the three fixes of 2.4.23aa2: objects in the virtual scan, "
                       "prompt swap-out, clean cache first",
        .source = "A. Arcangeli, 05_vm_28-shmem-big-iron-1 of 2.4.23aa2, posted 27 Feb 2004; "
                  "LWN, Time to thrash the 2.6 VM?, 2004",
        .rmap = &rmap_objrmap_in_scan,
        .reclaim = &reclaim_lru_2_4_23,
        .writeout = &writeout_prompt,
        .page_tables = &page_tables_highmem,
        .elsewhere_low_tables = true,
        .prefer_clean = true,
        .struct_page_bytes = {48, 48, 88},
        .sizes = &sizes_2_4_23,
    },
    {
        .name = "linux-2.5.27",
        .description = "pte chains as linked lists, with page-direct; reclaim is that of 2.6.0",
        .source = "linux v2.5.27 mm/rmap.c, page_add_rmap(); linux v2.6.0 mm/vmscan.c",
        .rmap = &rmap_pte_chain_linked,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .page_direct = true,
        .struct_page_bytes = {44, 44, 80},
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.0",
        .description = "pte chains in cache-line blocks, with page-direct",
        .source = "linux v2.6.0 mm/rmap.c, mm/vmscan.c; Larson, Kernel comparison, 2004",
        .rmap = &rmap_pte_chain_array,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .page_direct = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.0-large-pages",
        .description =
            "2.6.0 with shared segments on hugetlbfs: 4 MiB pages, 2 MiB with PAE and x86_64",
        .source = "linux v2.6.0 mm/hugetlb.c, arch/i386/mm/hugetlbpage.c; LWN, 2004",
        .rmap = &rmap_pte_chain_array,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .page_direct = true,
        .large_pages = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.5-objrmap",
        .description = "files and shared memory by the object's vmas, chains for anonymous memory",
        .source = "McCracken's patch for 2.5.62, 20 Feb 2003; linux v2.6.0 mm/vmscan.c",
        .rmap = &rmap_objrmap,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .page_direct = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.0-no-direct",
        .description = "pte chains in cache-line blocks, even for pages mapped once",
        .source = "linux v2.6.0 mm/rmap.c without PG_direct",
        .rmap = &rmap_pte_chain_array,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .hypothetical = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.0-highpte",
        .description =
            "2.6.0 with pages of ptes in high memory; with PAE a block holds half as many",
        .source = "linux v2.6.0 arch/i386/mm/pgtable.c, include/asm-i386/pgtable.h, CONFIG_HIGHPTE",
        .rmap = &rmap_pte_chain_array,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_highmem,
        .page_direct = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.0-4g4g",
        .description = "2.6.0 with 4 GiB each for user space and kernel",
        .source = "linux v2.6.0 mm/rmap.c; Molnar's patch for 2.5.74, 9 Jul 2003",
        .rmap = &rmap_pte_chain_array,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .split = &split_4g4g,
        .page_direct = true,
        .struct_page_bytes = {40, 40, 80},
        .struct_page_highpte = 44,
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "andrea-arithmetic",
        .description =
            "hypothetical: list entries of 8 bytes for each pte, pages of ptes in high memory",
        .source = "Arcangeli, linux-kernel, 27 Feb 2004: 2.7 GiB / 4096 * 8 bytes * tasks",
        .rmap = &rmap_pte_chain_linked,
        .reclaim = &reclaim_lru_2_6_0,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_highmem,
        .page_direct = true,
        .hypothetical = true,
        .struct_page_bytes = {44, 44, 80},
        .sizes = &sizes_2_6_0,
    },
    {
        .name = "linux-2.6.7",
        .description = "a priority search tree of vmas for files, anon_vma for anonymous memory",
        .source = "linux v2.6.7 mm/rmap.c, mm/prio_tree.c, mm/vmscan.c",
        .rmap = &rmap_anon_vma,
        .reclaim = &reclaim_lru_2_6_7,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_lowmem,
        .struct_page_bytes = {32, 32, 56},
        .sizes = &sizes_2_6_7,
    },
    {
        .name = "linux-2.6.7-highpte",
        .description = "2.6.7 with pages of ptes in high memory",
        .source = "linux v2.6.7 mm/rmap.c, arch/i386/mm/pgtable.c, CONFIG_HIGHPTE",
        .rmap = &rmap_anon_vma,
        .reclaim = &reclaim_lru_2_6_7,
        .writeout = &writeout_deferred,
        .page_tables = &page_tables_highmem,
        .struct_page_bytes = {32, 32, 56},
        .sizes = &sizes_2_6_7,
    },
    {.name = NULL},
};

void design_names_fill(struct design_names *names)
{
    *names = (struct design_names){0};
    for (size_t i = 0; design_presets[i].name != NULL; i++) {
        names->of[CATALOGUE_PRESETS][i] = design_presets[i].name;
    }
    for (const struct axis *axis = design_axes; axis->key != NULL; axis++) {
        for (size_t i = 0; axis->choices[i] != NULL; i++) {
            names->of[axis->list][i] = axis->choices[i]->name;
        }
    }
}
