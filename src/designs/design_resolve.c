/* From what a scenario says of its design to a complete one: choices and whether they exist and go
 * together, then the sizes that follow from them. */
#include <string.h>

#include "base/mutant.h"
#include "designs/choices.h"
#include "designs/designs.h"
#include "machine/arch.h"

static enum page_class class_of(const struct choice *page_size)
{
    if (page_size == &shared_page_4k) {
        return PAGES_SMALL;
    }
    return page_size == &shared_page_1g ? PAGES_HUGE : PAGES_LARGE;
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
