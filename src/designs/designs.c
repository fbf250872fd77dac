#include "designs/designs.h"

#include <string.h>

#include "base/mutant.h"
#include "machine/arch.h"

#define IA32 (1U << ARCH_I386 | 1U << ARCH_I386_PAE)

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
static const struct choice page_tables_highmem = {
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
static const struct choice split_4g4g = {
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

static const struct choice shared_page_4k = {.name = "4KiB",
                                             .description = "shared segments in base pages",
                                             .source = "linux 2.4.23 and v2.6.0 mm/shmem.c"};
static const struct choice shared_page_2m = {
    .name = "2MiB",
    .description =
        "shared segments in reserved pages of 2 MiB, which are never swapped and have no ptes",
    .source = "linux v2.6.0 mm/hugetlb.c, arch/i386/mm/hugetlbpage.c; include/asm-i386/page.h, "
              "HPAGE_SHIFT",
    .archs = 1U << ARCH_I386_PAE | 1U << ARCH_X86_64,
    .because = "without PAE an entry of the page directory stands for 1024 ptes, and maps 4 MiB"};
static const struct choice shared_page_4m = {
    .name = "4MiB",
    .description = "the same in pages of 4 MiB, which page directories of i386 without PAE map",
    .source = "linux v2.6.0 arch/i386/mm/hugetlbpage.c; include/asm-i386/page.h, HPAGE_SHIFT",
    .archs = 1U << ARCH_I386,
    .because = "with ptes of 8 bytes an entry of the page directory stands for 512 of them, and "
               "maps 2 MiB"};
static const struct choice shared_page_1g = {
    .name = "1GiB",
    .description = "the same in pages of 1 GiB, which no processor of 2004 had",
    .source = "linux v2.6.27 arch/x86/mm/hugetlbpage.c, GB pages",
    .archs = 1U << ARCH_X86_64,
    .because = "only page tables of x86_64 have entries that map 1 GiB"};
static const struct choice *const shared_page_sizes[] = {&shared_page_4k, &shared_page_2m,
                                                         &shared_page_4m, &shared_page_1g, NULL};

static enum page_class class_of(const struct choice *page_size)
{
    if (page_size == &shared_page_4k) {
        return PAGES_SMALL;
    }
    return page_size == &shared_page_1g ? PAGES_HUGE : PAGES_LARGE;
}

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

static const struct preset *find_preset(const char *name)
{
    const struct preset *preset = design_presets;
    while (preset->name != NULL && (name == NULL || strcmp(preset->name, name) != 0)) {
        preset++;
    }
    return preset->name == NULL ? NULL : preset;
}

static const struct axis *find_axis(enum catalogue_list list)
{
    const struct axis *axis = design_axes;
    while (axis->list != list) {
        axis++;
    }
    return axis;
}

static bool exists_on(const struct choice *choice, unsigned arch)
{
    return choice->archs == 0 || (choice->archs >> arch & 1) != 0;
}

/* The first choice on an axis that exists on an architecture; every axis has one. */
static const struct choice *first_choice(enum catalogue_list list, unsigned arch)
{
    const struct choice *const *choice = find_axis(list)->choices;
    while (!exists_on(*choice, arch)) {
        choice++;
    }
    return *choice;
}

/* The choice of a name that the configuration reader has checked; NULL for no name. */
static const struct choice *find_choice(enum catalogue_list list, const char *name)
{
    const struct axis *axis = find_axis(list);
    for (size_t i = 0; name != NULL && axis->choices[i] != NULL; i++) {
        if (strcmp(axis->choices[i]->name, name) == 0) {
            return axis->choices[i];
        }
    }
    return NULL;
}

static unsigned choice_archs(const struct choice *choice)
{
    return choice == NULL || choice->archs == 0 ? IA32 | 1U << ARCH_X86_64 : choice->archs;
}

unsigned preset_archs(const struct preset *preset)
{
    return choice_archs(&preset->rmap->choice) & choice_archs(&preset->reclaim->choice) &
           choice_archs(&preset->writeout->choice) &
           choice_archs(preset->elsewhere_low_tables ? NULL : preset->page_tables) &
           choice_archs(preset->split);
}

/* A choice that does not exist on the scenario's architecture is refused, naming where it does, and
 * why only there. */
static enum status does_not_exist(const struct scenario *scenario, const char *key,
                                  const char *name, unsigned archs, const char *because)
{
    char where[64] = "";
    for (unsigned arch = ARCH_I386; arch <= ARCH_X86_64; arch++) {
        if ((archs >> arch & 1) != 0) {
            strcat(where, where[0] == '\0' ? "" : ", ");
            strcat(where, arch_table[arch].name);
        }
    }
    return fail(STATUS_USAGE, "%s: %s: %s does not exist on %s; it exists on %s%s%s",
                scenario_where(scenario, key), key, name, arch_table[scenario->machine.arch].name,
                where, because != NULL ? ": " : "", because != NULL ? because : "");
}

static enum status check_arch(const struct scenario *scenario, const char *key,
                              const struct choice *choice)
{
    if (choice == NULL || exists_on(choice, scenario->machine.arch)) {
        return STATUS_OK;
    }
    return does_not_exist(scenario, key, choice->name, choice->archs, choice->because);
}

/* So is a preset that has such a choice. */
static enum status check_preset_arch(const struct scenario *scenario, const struct preset *preset)
{
    unsigned archs = preset == NULL ? 0 : preset_archs(preset);
    if (preset == NULL || (archs >> scenario->machine.arch & 1) != 0) {
        return STATUS_OK;
    }
    const struct choice *limits[] = {&preset->rmap->choice, &preset->reclaim->choice,
                                     &preset->writeout->choice, preset->split,
                                     preset->elsewhere_low_tables ? NULL : preset->page_tables};
    const char *because = NULL;
    for (size_t i = 0; i < sizeof limits / sizeof limits[0] && because == NULL; i++) {
        if (limits[i] != NULL && !exists_on(limits[i], scenario->machine.arch)) {
            because = limits[i]->because;
        }
    }
    return does_not_exist(scenario, "design.preset", preset->name, archs, because);
}

/* Puts the choice that a scenario names on an axis in place of what is there. */
static enum status named_choice(const struct scenario *scenario, enum catalogue_list list,
                                const char *key, const char *name, const struct choice **choice_p)
{
    const struct choice *choice = find_choice(list, name);
    enum status status = check_arch(scenario, key, choice);
    if (status == STATUS_OK && choice != NULL) {
        *choice_p = choice;
    }
    return status;
}

/* Puts the choices a scenario names itself in place of the preset's. */
static enum status apply_choices(const struct scenario *scenario, struct design *design)
{
    const struct design_config *config = &scenario->design;
    const struct choice *rmap = NULL;
    const struct choice *reclaim = NULL;
    const struct choice *writeout = NULL;
    const struct {
        enum catalogue_list list;
        const char *key;
        const char *name;
        const struct choice **choice_p;
    } given[] = {
        {CATALOGUE_RMAP, "design.rmap", config->rmap, &rmap},
        {CATALOGUE_RECLAIM, "design.reclaim", config->reclaim, &reclaim},
        {CATALOGUE_SWAP_WRITEOUT, "design.swap_writeout", config->swap_writeout, &writeout},
        {CATALOGUE_PAGE_TABLES, "design.page_tables", config->page_tables, &design->page_tables},
        {CATALOGUE_SPLIT, "design.split", config->split, &design->split},
        {CATALOGUE_SHARED_PAGE_SIZE, "design.shared_page_size", config->shared_page_size,
         &design->shared_page_size},
    };
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        enum status status = named_choice(scenario, given[i].list, given[i].key, given[i].name,
                                          given[i].choice_p);
        if (status != STATUS_OK) {
            return status;
        }
    }
    /* A choice is the first member of its operations. */
    if (rmap != NULL) {
        design->rmap = (const struct rmap_ops *)(const void *)rmap;
    }
    if (reclaim != NULL) {
        design->reclaim = (const struct reclaim_ops *)(const void *)reclaim;
    }
    if (writeout != NULL) {
        design->writeout = (const struct writeout_ops *)(const void *)writeout;
    }
    return STATUS_OK;
}

/* Combinations of choices that cannot work together. */
static enum status check_combination(const struct scenario *scenario, const struct preset *preset,
                                     const struct design *design)
{
    bool scans = design->reclaim->scans_ptes;
    if (scans != (design->rmap->unmap == NULL)) {
        const char *key = scenario->design.rmap != NULL ? "design.rmap" : "design.reclaim";
        return fail(STATUS_USAGE,
                    "%s: design: reclaim %s %s, so it cannot be combined with rmap %s",
                    scenario_where(scenario, key), design->reclaim->choice.name,
                    scans ? "finds ptes by its virtual scan" : "needs a reverse map",
                    design->rmap->choice.name);
    }
    /* Whoever kept lists had no high page tables; only the arithmetic of a posting has both. */
    bool supposed = preset != NULL && preset->rmap == &rmap_pte_chain_linked &&
                    preset->page_tables == &page_tables_highmem;
    if (design->rmap == &rmap_pte_chain_linked && design->page_tables == &page_tables_highmem &&
        !supposed) {
        return fail(
            STATUS_USAGE,
            "%s: design.page_tables: 2.5.27, which kept pte_chain_linked, had no page tables "
            "in high memory; the preset andrea-arithmetic supposes it had",
            scenario_where(scenario, "design.page_tables"));
    }
    if (scenario->design.page_direct == SWITCHED_ON && design->rmap->chains != CHAIN_BLOCKS) {
        return fail(STATUS_USAGE,
                    "%s: design.page_direct: rmap %s has no chains of blocks to do without",
                    scenario_where(scenario, "design.page_direct"), design->rmap->choice.name);
    }
    if (design->prefer_clean && !design->reclaim->can_prefer_clean) {
        return fail(STATUS_USAGE, "%s: design.prefer_clean: reclaim %s does not offer it",
                    scenario_where(scenario, "design.prefer_clean"), design->reclaim->choice.name);
    }
    return STATUS_OK;
}

/* Sizes of structures follow the kernel: the preset's; or, where that reclaims in another way, that
 * of the first preset that has the design's reclaim and reverse map, or else its reverse map; or
 * else those of 2.6.0. */
static const struct preset *kernel_of(const struct preset *preset, const struct design *design)
{
    const struct preset *kernel = preset;
    if (kernel == NULL || kernel->reclaim != design->reclaim) {
        kernel = find_preset("linux-2.6.0");
        for (size_t i = 0, best = 0; design_presets[i].name != NULL; i++) {
            const size_t fits = design_presets[i].rmap != design->rmap         ? 0
                                : design_presets[i].reclaim == design->reclaim ? 2
                                                                               : 1;
            if (fits > best) {
                best = fits;
                kernel = &design_presets[i];
            }
        }
    }
    return kernel;
}

/* With PAE, page tables in high memory are beyond 32 bits: so are the addresses of ptes. */
static bool has_long_pte_addresses(const struct scenario *scenario, const struct design *design)
{
    return design->high_tables && scenario->machine.arch == ARCH_I386_PAE;
}

static void size_structures(const struct scenario *scenario, const struct preset *kernel,
                            struct design *design)
{
    design->struct_page_bytes = kernel->struct_page_bytes[scenario->machine.arch];
    if (has_long_pte_addresses(scenario, design) && kernel->struct_page_highpte > 0) {
        design->struct_page_bytes = kernel->struct_page_highpte;
    }
    kernel_sizes_fill(kernel->sizes, scenario->machine.arch, (unsigned)scenario->machine.cache_line,
                      design);
}

/* What the split leaves the kernel to map, and which directory pages an mm has. */
static void divide_addresses(const struct scenario *scenario, struct design *design)
{
    const struct arch *arch = &arch_table[scenario->machine.arch];
    bool split_4_4 = design->split == &split_4g4g;
    design->own_kernel_space = split_4_4;
    design->lowmem_frames = split_4_4 ? arch->lowmem_frames_4g4g : arch->lowmem_frames;
    design->mm_directories = split_4_4 ? arch->mm_pages_4g4g : arch->mm_pages;
    design->high_tables = design->page_tables == &page_tables_highmem;
}

/* A chain block fills a cache line: a next pointer and as many pte addresses as fit (NRPTE). A list
 * entry is a next pointer and one pte address, of 4 bytes even where the arithmetic supposes high
 * page tables. */
static void size_chains(const struct scenario *scenario, struct design *design)
{
    unsigned pointer = arch_table[scenario->machine.arch].long_bytes;
    unsigned address = MUTANT(CHAIN_WIDTH, has_long_pte_addresses(scenario, design), false)
                           ? 8
                           : pointer;
    switch (design->rmap->chains) {
    case CHAIN_NONE:
        break;
    case CHAIN_BLOCKS:
        design->chain_block_bytes = (unsigned)scenario->machine.cache_line;
        design->chain_slots = (design->chain_block_bytes - pointer) / address;
        design->chain_slots = MUTANT(CHAIN_SLOTS, design->chain_slots, design->chain_slots / 2);
        design->slab[SLAB_PTE_CHAIN] = (struct slab_kind){design->chain_block_bytes, SLAB_PACKED};
        break;
    case CHAIN_LIST:
        design->chain_block_bytes = 2 * pointer;
        design->chain_slots = MUTANT(ENTRY_SLOTS, 1, 2);
        design->slab[SLAB_PTE_CHAIN] = (struct slab_kind){design->chain_block_bytes,
                                                          SLAB_FREE_LIST};
        break;
    }
}

enum status design_resolve(const struct scenario *scenario, struct design *design_p)
{
    const struct preset *preset = find_preset(scenario->design.preset);
    unsigned arch = scenario->machine.arch;
    struct design design = {
        .name = "custom",
        .page_tables = first_choice(CATALOGUE_PAGE_TABLES, arch),
        .split = first_choice(CATALOGUE_SPLIT, arch),
        .shared_page_size = first_choice(CATALOGUE_SHARED_PAGE_SIZE, arch),
    };
    enum status status = check_preset_arch(scenario, preset);
    if (status != STATUS_OK) {
        return status;
    }
    if (preset != NULL) {
        design.name = preset->name;
        design.rmap = preset->rmap;
        design.reclaim = preset->reclaim;
        design.writeout = preset->writeout;
        if (exists_on(preset->page_tables, arch)) {
            design.page_tables = preset->page_tables;
        }
        design.page_direct = preset->page_direct;
        design.prefer_clean = preset->prefer_clean;
        if (preset->large_pages) {
            design.shared_page_size = exists_on(&shared_page_4m, arch) ? &shared_page_4m
                                                                       : &shared_page_2m;
        }
        design.split = preset->split != NULL ? preset->split : design.split;
    }
    status = apply_choices(scenario, &design);
    if (status != STATUS_OK) {
        return status;
    }
    if (scenario->design.page_direct != FROM_PRESET) {
        design.page_direct = scenario->design.page_direct == SWITCHED_ON;
    }
    if (scenario->design.prefer_clean != FROM_PRESET) {
        design.prefer_clean = scenario->design.prefer_clean == SWITCHED_ON;
    }
    status = check_combination(scenario, preset, &design);
    if (status != STATUS_OK) {
        return status;
    }
    design.shared_pages = class_of(design.shared_page_size);
    divide_addresses(scenario, &design);
    size_structures(scenario, kernel_of(preset, &design), &design);
    size_chains(scenario, &design);
    *design_p = design;
    return STATUS_OK;
}

enum status design_check_plan(const struct scenario *scenario, const struct design *design,
                              const struct plan *plan)
{
    if (plan->has_nonlinear && design->rmap->unmap == NULL) {
        return fail(STATUS_USAGE,
                    "%s: nonlinear mappings came with Linux 2.5.46; reclaim %s is that of 2.4, "
                    "which had no remap_file_pages()",
                    scenario_where(scenario, "workloads"), design->reclaim->choice.name);
    }
    return STATUS_OK;
}
