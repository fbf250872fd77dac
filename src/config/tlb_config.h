/* The TLB of a processor as a scenario describes it: a file in configs/tlb/, or a mapping.
 *
 * Two levels of up to three arrays each. An array is set-associative and holds pages of one or more
 * sizes; what each rule means exactly is in machine/tlb.h. A machine without any entries has no TLB
 * that is simulated. */
#ifndef THRASH_CONFIG_TLB_CONFIG_H
#define THRASH_CONFIG_TLB_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/types.h"

#define TLB_LEVELS 2
#define TLB_ARRAYS 3 /* of a level */

/* Sizes of pages by the level of the page table that maps them. */
enum page_class {
    PAGES_SMALL, /* 4 KiB */
    PAGES_LARGE, /* what an entry of the level above maps: 4 MiB on i386, else 2 MiB */
    PAGES_HUGE,  /* 1 GiB, on x86_64 */
    PAGE_CLASSES
};

struct tlb_array_config {
    uint64_t entries; /* 0: there is no such array */
    uint64_t ways;    /* OPTION_AUTO: fully associative */
    unsigned pages;   /* which sizes it holds, an index of tlb_page_sets */
};

struct tlb_level_config {
    struct tlb_array_config array[TLB_ARRAYS];
};

struct tlb_config {
    const char *name;
    struct tlb_level_config level[TLB_LEVELS];
    sim_time l2_hit;      /* of a translation that the second level is asked for */
    sim_time walk_step;   /* of each entry that a walk reads */
    sim_time walk_memory; /* more for an entry that is in no cache */
    uint64_t walk_misses; /* how many of the entries of a walk that are, at most */
    bool tagged;          /* entries carry the address space they are of: switches flush nothing */
};

/* The page sizes of an array by its `pages`, as bits 1 << enum page_class. */
extern const unsigned tlb_page_sets[];

struct option_table;
extern const struct option_table tlb_options;

/* Whether there is anything to simulate. */
bool tlb_config_is_there(const struct tlb_config *tlb);

struct option_frame;
struct config_node;
struct config_arena;

/* Puts the mapping that it stands for in place of `machine.tlb` where that is a name (looked for in
 * tlb/ as cost profiles are in costs/) or a path; `none` is an empty one. */
enum status tlb_expand(struct config_node *root, const char *scenario_path,
                       struct config_arena *arena);

/* Reads one by itself, outside of a scenario: by its name, or from a file if that ends in .yaml.
 * Its text belongs to the arena. */
enum status tlb_config_load(const char *name, struct config_arena *arena, struct tlb_config *tlb_p);

/* Checks what no single row can; `frame` is that of `machine.tlb`. */
enum status tlb_config_check(const struct tlb_config *tlb, const struct option_frame *frame);

#endif
