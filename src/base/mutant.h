/* Mutants: rules that tests break on purpose, to show that an oracle or a claim would notice.
 *
 * MUTANT(NAME, right, wrong) is `right` in every program. Only the mutation tests, which compile
 * the model a second time with THRASH_MUTANTS, can choose `wrong`, one rule at a time. */
#ifndef THRASH_BASE_MUTANT_H
#define THRASH_BASE_MUTANT_H

/* X(name, what is broken) */
#define MUTANT_TABLE(X)                                                                   \
    X(CREDIT_THRESHOLD, "2.4 credits a page one mapping too early")                       \
    X(YOUNG_BIT, "2.4 unmaps ptes that are young")                                        \
    X(ACTIVE_PAGE, "2.4 unmaps ptes of active pages")                                     \
    X(RESUME_POINT, "2.4 scans an mm from its begin each time")                           \
    X(SWAP_OUT_QUOTA, "2.4's swap_out() asks for twice as many credits")                  \
    X(REFILL_REFERENCED, "2.4's refill leaves PG_referenced clear")                       \
    X(REFILL_SECOND_CHANCE, "2.4's refill takes referenced pages at once")                \
    X(MAPPED_LIMIT, "2.4 meets twice as many mapped pages before swap_out()")             \
    X(SCAN_COUNT, "2.4.22 scans pages of other zones for nothing")                        \
    X(SCAN_SHARE, "2.4.22 scans as little in each pass as in the first")                  \
    X(MAPPED_SHARE, "2.4.22 lets every page of a pass be mapped")                         \
    X(SWAP_OUT_ROUNDS, "2.4.22's swap_out() goes round twice")                            \
    X(SWAP_OUT_ENDS_PASS, "2.4.22 goes on with a pass after swap_out()")                  \
    X(KEEP_FREED_FRAME, "2.4's direct reclaimers keep no frame that they free")           \
    X(MARK_ON_FAULT, "faults do not mark their page accessed")                            \
    X(DEFERRED_WRITE, "a page moved to the swap cache is written at once")                \
    X(PROMPT_WRITE, "prompt swap-out leaves its pages to the next lap")                   \
    X(SCAN_OTHERS, "the scan leaves other mms' ptes of a page to their own turn")         \
    X(SCAN_TRYLOCK_OBJECT, "the scan walks an object's vmas without its lock")            \
    X(CLEAN_FIRST, "the pass for clean pages looks at none")                              \
    X(DIRTY_SYNC, "2.4's writers never write back themselves")                            \
    X(BDFLUSH_STOP, "bdflush stops as soon as it would not be woken")                     \
    X(RATELIMIT, "2.6's writers look at the limits four times less often")                \
    X(WAIT_IO, "2.4's reclaim writes dirty buffers when it first meets them")             \
    X(LOCKED_VMA, "ptes of locked segments are unmapped like others")                     \
    X(CHAIN_SLOTS, "chain blocks hold half as many ptes")                                 \
    X(CHAIN_WALK, "walks along chains look at every entry twice")                         \
    X(OBJECT_CHAINS, "object rmap keeps chains for files and shared memory")              \
    X(TABLE_FRAMES, "page-table pages take no frames")                                    \
    X(LAZY_COLLAPSE, "chains collapse when a mapping is removed")                         \
    X(ENTRY_SLOTS, "list entries hold two ptes")                                          \
    X(ENTRY_MISS, "list entries cost no cache miss of their own")                         \
    X(EAGER_COLLAPSE, "lists of one pte stay until they are looked at")                   \
    X(PRIVATE_FREE_LIST, "frames of list entries are given back")                         \
    X(TREE_HEAP, "queries of the tree go below intervals that end before the page")       \
    X(TREE_RADIX, "queries of the tree go right of where intervals over the page can be") \
    X(EARLY_EXIT, "walks by the tree go on when all ptes are found")                      \
    X(UNMAP_YOUNG_PTE, "2.6.7 unmaps ptes that are young")                                \
    X(CLUSTER_YOUNG, "searches of nonlinear mappings clear young ptes as well")           \
    X(SKIP_MAPPED, "2.6.7's refill asks mapped pages whether they were referenced")       \
    X(SWAP_TENDENCY, "2.6 unmaps mapped pages without distress")                          \
    X(SCAN_PRIORITY, "2.6 scans as if each priority were one lower")                      \
    X(SCAN_BATCH, "2.6 takes half as many pages off a list at once")                      \
    X(REFERENCED_PAGE, "2.6 does not activate referenced pages that it shrinks")          \
    X(TRYLOCK, "trylocks of mms never fail")                                              \
    X(WATERMARK, "2.6 does not add up the watermarks of higher zones")                    \
    X(READ_AHEAD, "swap is read in without neighbours")                                   \
    X(CONGESTION, "queues are congested only when they are full")                         \
    X(SLAB_PACKING, "slab pages have neither headers nor bookkeeping")                    \
    X(CHAIN_WIDTH, "high page tables do not widen chain slots")                           \
    X(DIRECTORY_ZONE, "page directories are in high memory too")                          \
    X(KMAP, "looking at high page tables costs nothing")                                  \
    X(OPERATION_KMAP, "fork, exec, exit and munmap look at high page tables for nothing") \
    X(OPERATION_SPACE_SWITCH, "fork, exec, exit and munmap stay in one address space")    \
    X(SPACE_SWITCH, "a kernel of its own space is entered like any other")                \
    X(RADIX_NODE, "the page cache needs no radix-tree nodes")                             \
    X(BUFFER_HEAD_SIZE, "buffer heads take no memory")                                    \
    X(VMA_LINKS, "vmas of all kernels are as large as those of 2.6.0")                    \
    X(ZAP_MARKS, "2.6's munmap does not pass on young bits")                              \
    X(REMOVAL_SEARCH, "a pte is always found in the first block of its chain")            \
    X(REMOVAL_FREES, "munmap leaves empty chain blocks behind")                           \
    X(REMOVAL_TIME, "removals from the reverse map are not booked as its time")           \
    X(HAND_OVER, "a lock that several CPUs contend for is handed over at no cost")        \
    X(CHAIN_CONTENTION, "work on chains is as fast on many CPUs as on one")               \
    X(MOVED_YOUNG, "mremap leaves ptes old")                                              \
    X(MOVED_TABLES, "mremap leaves the page tables that it has emptied")                  \
    X(MOVED_CHAINS, "mremap takes ptes out of their chains without a search")             \
    X(REMAP_MARKS, "remap_file_pages passes on young bits as munmap does")                \
    X(REMAP_FILLS, "remap_file_pages maps nothing at once")                               \
    X(COPY_ON_WRITE, "a store reuses a page that other processes have as well")           \
    X(EXCLUSIVE_SWAP, "a page leaves the swap cache while others need its slot")          \
    X(FORK_PROTECTS, "fork does not write-protect")                                       \
    X(FAMILIES, "programs stay in the family of who forked them")                         \
    X(TLB_LRU, "TLB sets are replaced in the order of their filling")                     \
    X(WALK_DEPTH, "walks to large pages read as many entries as to small ones")           \
    X(SWITCH_FLUSH, "context switches leave the TLB as it is")                            \
    X(BIRTH_FLUSH, "who is forked has the TLB of who had its number before")              \
    X(CALL_REMAINDER, "system calls are counted anew in each epoch")                      \
    X(CALL_SPACE_SWITCH, "system calls at a rate stay in one address space")              \
    X(CALL_COPIES, "system calls at a rate find user memory without a walk")              \
    X(WINDOW_PLACES, "the TLB sees all windows of a process at one address")              \
    X(READ_BEFORE, "files read before the clock starts are not referenced")               \
    X(MIXED_KINDS, "all processes of a mixed workload are of one size")                   \
    X(TLB_WAYS, "arrays of a TLB have half their ways")                                   \
    X(LARGE_ENTRIES, "large pages have two entries")                                      \
    X(LARGE_DIRECTORY, "large pages need the directories of small ones")

enum mutant {
    MUTANT_NONE,
#define X(name, what) MUTANT_##name,
    MUTANT_TABLE(X)
#undef X
        MUTANT_COUNT
};

#ifdef THRASH_MUTANTS
extern enum mutant mutant_active;
#define MUTANT(name, right, wrong) (mutant_active == MUTANT_##name ? (wrong) : (right))
#else
#define MUTANT(name, right, wrong) (right)
#endif

#endif
