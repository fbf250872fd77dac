/* The cost profile: what each primitive of the simulated kernel costs on one kind of machine.
 *
 * A profile is a file in configs/costs/. Each constant carries where it comes from: measured on a
 * host, published (with its source), or assumed (with the reasoning). The engine charges
 * `ticks[COST_X]` and never a number of its own. */
#ifndef THRASH_CONFIG_COST_PROFILE_H
#define THRASH_CONFIG_COST_PROFILE_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "base/types.h"
#include "config/lock_curve.h"

/* X(identifier, key, help) for every constant, in the order they are printed. */
#define COST_TABLE(X)                                                                              \
    X(FAULT_MINOR, "fault_minor", "page fault that finds its page in memory: entry, lookup, exit") \
    X(FAULT_MAJOR, "fault_major",                                                                  \
      "more for a fault that waits for a device: two context switches")                            \
    X(PAGE_ALLOC, "page_alloc", "taking a frame from the allocator or giving it back")             \
    X(PAGE_ZERO, "page_zero", "clearing a frame")                                                  \
    X(PAGE_COPY, "page_copy", "copying a page between user and page cache")                        \
    X(PT_PAGE_ALLOC, "pt_page_alloc", "allocating and clearing a page-table page")                 \
    X(LRU_MOVE, "lru_move", "moving a page to or between LRU lists")                               \
    X(PAGE_SCAN, "page_scan", "examining one page of an LRU list")                                 \
    X(PTE_VISIT, "pte_visit", "examining one present pte of a virtual scan (t_v)")                 \
    X(PTE_SKIP, "pte_skip", "passing one empty pte of a virtual scan")                             \
    X(PTE_UNMAP, "pte_unmap", "clearing a pte and its TLB entry, dropping the page's reference")   \
    X(CHAIN_VISIT, "chain_visit", "examining one pte through a pte_chain slot")                    \
    X(CHAIN_INSERT, "chain_insert", "adding a pte to a chain, or setting page-direct")             \
    X(CHAIN_BLOCK, "chain_block", "examining one entry of a list, or one block in a removal")      \
    X(CHAIN_ALLOC, "chain_alloc", "allocating or freeing one pte_chain block")                     \
    X(MAPCOUNT, "mapcount", "one atomic change of a mapcount")                                     \
    X(VMA_VISIT, "vma_visit", "examining one vma of an object's list")                             \
    X(PTE_WALK, "pte_walk", "walking an mm's page table down to one pte")                          \
    X(SWAP_SLOT, "swap_slot", "taking or freeing a swap slot")                                     \
    X(SWAP_CACHE, "swap_cache", "adding a page to the swap cache or taking it out")                \
    X(PAGE_CACHE, "page_cache", "adding a page to the page cache, finding it, or taking it out")   \
    X(IO_SUBMIT, "io_submit", "building and queueing one device request")                          \
    X(LOCK, "lock", "taking and releasing one uncontended lock")                                   \
    X(SYSCALL, "syscall", "entering and leaving the kernel")                                       \
    X(KMAP, "kmap", "mapping a page of high memory for the kernel and flushing its TLB entry")     \
    X(SPACE_SWITCH, "space_switch",                                                                \
      "more for each entry to a kernel that has an address space of its own (split 4g4g)")         \
    X(PTE_ZAP, "pte_zap", "clearing one pte of a range, dropping the page's reference")            \
    X(VMA_CHANGE, "vma_change", "a vma made or taken apart, in its mm and its object's list")      \
    X(PTE_COPY, "pte_copy", "copying one pte at fork, taking a reference to its page")             \
    X(PROCESS_FORK, "process_fork", "fork but for vmas and ptes: task, stack, files, signals")     \
    X(PROCESS_EXEC, "process_exec", "exec but for vmas and ptes: reading headers, arguments")      \
    X(PROCESS_EXIT, "process_exit", "exit and wait but for vmas and ptes")                         \
    X(CHAIN_REMOVE, "chain_remove", "taking a pte that was found out of its chain, or page-direct")

enum cost {
#define X(identifier, key, help) COST_##identifier,
    COST_TABLE(X)
#undef X
        COST_COUNT
};

enum cost_origin { COST_MEASURED, COST_PUBLISHED, COST_ASSUMED };

struct cost_profile {
    const char *name;        /* of the profile */
    const char *description; /* the machine it stands for */
    sim_time ticks[COST_COUNT];
    enum cost_origin origin[COST_COUNT];
    const char *source[COST_COUNT]; /* citation, or the reasoning of an assumption */
    struct contention contention;
};

/* The key of a cost as files spell it, and its help line. */
const char *cost_key(enum cost cost);
const char *cost_help(enum cost cost);

/* By enum cost_origin; ends with NULL. */
extern const char *const cost_origins[];

/* "measured", "published" or "assumed". */
const char *cost_origin_name(enum cost_origin origin);

/* Appends the profile in the format of its files, `indent` spaces deep:
 *
 *   name: x86_64-2003
 *   description: "..."
 *   costs:
 *     fault_minor: { time: 1us, from: published, source: "..." }
 *
 * with every constant of COST_TABLE, and the contention curves. cost_profile_load() reads it back
 * unchanged. */
void cost_profile_write(const struct cost_profile *profile, size_t indent, struct text *text);

struct config_arena;

/* Reads the profile in the file `path`; its text belongs to `arena`. Every constant must be there,
 * with a time of 0 to 1 s; curves that are not are assumed. Prints what is wrong with it and
 * returns STATUS_USAGE. */
enum status cost_profile_load(const char *path, struct config_arena *arena,
                              struct cost_profile *profile_p);

#endif
