/* Which rules a machine goes by: those of its preset, with the choices that its scenario names. */
#include <string.h>

#include "oracle/parts.h"

/* What the presets are; struct page on 32 bits and on x86_64. */
static const struct known_design {
    const char *preset, *reclaim, *rmap;
    struct design design;
    unsigned struct_page_bytes[3]; /* the last: with PAE and high page tables */
} known_designs[] = {
    {"linux-2.4.22",
     "lru_2_4_22",
     "none",
     {.is_2_4 = true, .is_2_4_22 = true, .rmap = RMAP_NONE},
     {48, 88, 48}},
    {"linux-2.4.23", "lru_2_4_23", "none", {.is_2_4 = true, .rmap = RMAP_NONE}, {48, 88, 48}},
    {"linux-2.4.23-aa",
     "lru_2_4_23",
     "objrmap_in_scan",
     {.is_2_4 = true,
      .rmap = RMAP_NONE,
      .scan_uses_objects = true,
      .prompt = true,
      .clean_first = true,
      .high_page_tables = true},
     {48, 88, 48}},
    {"",
     "lru_2_4_22",
     "objrmap_in_scan",
     {.is_2_4 = true, .is_2_4_22 = true, .rmap = RMAP_NONE, .scan_uses_objects = true},
     {48, 88, 48}},
    {"linux-2.5.27",
     "lru_2_6_0",
     "pte_chain_linked",
     {.rmap = RMAP_PTE_LISTS, .page_direct = true},
     {44, 80, 44}},
    {"linux-2.6.0",
     "lru_2_6_0",
     "pte_chain_array",
     {.rmap = RMAP_PTE_CHAINS, .page_direct = true},
     {40, 80, 44}},
    {"linux-2.5-objrmap",
     "lru_2_6_0",
     "objrmap",
     {.rmap = RMAP_OBJECTS, .page_direct = true},
     {40, 80, 44}},
    {"", "lru_2_6_0", "objrmap_prio_tree", {.rmap = RMAP_TREES}, {40, 80, 44}},
    {"", "lru_2_6_0", "anonmm", {.rmap = RMAP_ANONMM}, {40, 80, 44}},
    {"", "lru_2_6_0", "anon_vma", {.rmap = RMAP_ANON_VMA}, {32, 56, 32}},
    {"linux-2.6.7",
     "lru_2_6_7",
     "anon_vma",
     {.is_2_6_7 = true, .rmap = RMAP_ANON_VMA},
     {32, 56, 32}},
};

enum { KNOWN_DESIGNS = sizeof known_designs / sizeof known_designs[0] };

static const struct known_design *preset_of(const char *name)
{
    unsigned i = 0;
    while (strcmp(known_designs[i].preset, name) != 0) {
        REQUIRE(++i < KNOWN_DESIGNS);
    }
    return &known_designs[i];
}

static const struct known_design *design_of(const char *reclaim, const char *rmap)
{
    unsigned i = 0;
    while (strcmp(known_designs[i].reclaim, reclaim) != 0 ||
           strcmp(known_designs[i].rmap, rmap) != 0) {
        REQUIRE(++i < KNOWN_DESIGNS);
    }
    return &known_designs[i];
}

void o_layout_design(struct machine *machine)
{
    const struct design_config *config = &machine->scenario->design;
    const bool is_64_bit = machine->scenario->machine.arch == ARCH_X86_64;
    const struct known_design *preset = NULL;
    struct design *design = &machine->design;
    if (config->preset != NULL) {
        preset = preset_of(config->preset);
    }
    const char *reclaim = config->reclaim != NULL ? config->reclaim : preset->reclaim;
    const char *rmap = config->rmap != NULL ? config->rmap : preset->rmap;
    const struct known_design *kernel = design_of(reclaim, rmap);
    *design = kernel->design;
    design->page_direct = preset != NULL && preset->design.page_direct;
    if (config->page_direct != FROM_PRESET) {
        design->page_direct = config->page_direct == SWITCHED_ON;
    }
    design->prompt = preset != NULL && preset->design.prompt;
    if (config->swap_writeout != NULL) {
        design->prompt = strcmp(config->swap_writeout, "prompt") == 0;
    }
    design->clean_first = preset != NULL && preset->design.clean_first;
    if (config->prefer_clean != FROM_PRESET) {
        design->clean_first = config->prefer_clean == SWITCHED_ON;
    }
    if (preset != NULL && strcmp(preset->reclaim, reclaim) == 0) {
        kernel = preset;
    }
    design->high_page_tables = preset != NULL && preset->design.high_page_tables && !is_64_bit;
    if (config->page_tables != NULL) {
        design->high_page_tables = strcmp(config->page_tables, "highmem") == 0;
    }
    design->split_4g4g = config->split != NULL && strcmp(config->split, "4g4g") == 0;
    const bool wide = design->high_page_tables && machine->scenario->machine.arch == ARCH_I386_PAE;
    design->struct_page_bytes = kernel->struct_page_bytes[wide ? 2 : is_64_bit];
    design->vma_bytes = kernel->design.rmap == RMAP_ANON_VMA ? 84 : 64;
    design->chain_bytes = (unsigned)machine->scenario->machine.cache_line;
    design->chain_slots = wide ? (design->chain_bytes - 4) / 8
                               : design->chain_bytes / machine->pointer_bytes - 1;
}
