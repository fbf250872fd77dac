/* The TLB of a processor: translations of virtual pages in set-associative arrays on two levels.
 *
 * An access looks in the first level, then in the second, and then walks the page table; whoever
 * has not had the translation gets it. A page of a size that several arrays of a level hold belongs
 * to one of them by its number. Within a set the entry that was used longest ago makes room. A page
 * of a size that no array holds is translated by a walk each time.
 *
 * The geometry is constant and the entries are plain numbers, so that a simulation keeps those of
 * its processes in the state table, and anybody else can run a stream of addresses through
 * tlb_run(). Everything is integers. */
#ifndef THRASH_MACHINE_TLB_H
#define THRASH_MACHINE_TLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "config/tlb_config.h"
#include "machine/arch.h"

struct tlb_array {
    uint32_t first; /* of its entries, set after set, those used last first */
    uint32_t sets;
    uint32_t ways;
    unsigned pages; /* sizes that it holds, as bits 1 << enum page_class */
};

struct tlb {
    uint32_t nentries;
    struct tlb_array array[TLB_LEVELS][TLB_ARRAYS];
    uint32_t narrays[TLB_LEVELS];
    unsigned shift[PAGE_CLASSES]; /* from a page of 4 KiB to the number of the page that has it */
    sim_time l2_hit;              /* 0 where there is no second level */
    sim_time
        walk_time[PAGE_CLASSES]; /* of a walk, looking in the second level before it included */
    bool tagged;
};

struct tlb_access {
    uint64_t vpn;   /* virtual page, in units of 4 KiB */
    uint32_t class; /* size of the page that maps it, enum page_class */
    bool global;    /* the kernel's own: stays when the address space is changed */
};

/* Of a stream of accesses. */
struct tlb_counts {
    uint64_t accesses;
    uint64_t l1_misses;
    uint64_t misses; /* accesses that had to walk */
    sim_time time;   /* that translations took */
};

void tlb_set_up(const struct tlb_config *config, const struct arch *arch, struct tlb *tlb_p);

/* Makes accesses in their order and adds what they came to to `counts`. `entries` are the
 * tlb.nentries of one processor; zeros are an empty TLB. */
void tlb_run(const struct tlb *tlb, uint64_t *entries, const struct tlb_access *accesses, size_t n,
             struct tlb_counts *counts);

/* What loading the page directory's address does; or everything, global entries included, which is
 * what changing to an address space without the kernel takes. */
enum tlb_flush { TLB_FLUSH_SWITCH, TLB_FLUSH_ALL };
void tlb_flush(const struct tlb *tlb, uint64_t *entries, enum tlb_flush kind);

/* Bytes that can be mapped at a time by pages of one size: those of the level that holds most. */
byte_count tlb_reach(const struct tlb *tlb, enum page_class class);

/* Bytes that are mapped now; a page that both levels have counts once. */
byte_count tlb_mapped(const struct tlb *tlb, const uint64_t *entries);

#endif
