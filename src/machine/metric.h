/* The metrics of a simulation: one row each, the only place where a metric is declared.
 *
 * A counter only grows; its series is cumulative. A gauge is a level; its total is the last value,
 * and its peak over all samples is kept beside it. Values are integers inside the simulator; `form`
 * says how they leave it. */
#ifndef THRASH_MACHINE_METRIC_H
#define THRASH_MACHINE_METRIC_H

#include <stddef.h>
#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };
enum metric_direction { BETTER_HIGHER, BETTER_LOWER, BETTER_NEITHER };
enum metric_form {
    FORM_COUNT, /* written as an unsigned 64-bit integer */
    FORM_TICKS, /* 1/1024 ns, written as seconds in double precision */
    FORM_REAL,  /* the bits of a double, written as that double; NaN means not available */
};
enum metric_scope {
    SCOPE_CELL, /* counted in every cell; the machine's value is the sum over cells */
    SCOPE_RUN,  /* worked out by the engine for the whole machine; has no per-cell values */
};

/* X(identifier, name, unit, kind, direction, form, scope, description) */
#define METRIC_TABLE(X)                                                                            \
    X(TOUCHES, "touches", "1", COUNTER, HIGHER, COUNT, CELL, "accesses to segments and files")     \
    X(PRIVATE_TOUCHES, "private_touches", "1", COUNTER, HIGHER, COUNT, CELL,                       \
      "memory accesses of processes to their own heap and stack")                                  \
    X(MINOR_FAULTS, "minor_faults", "1", COUNTER, LOWER, COUNT, CELL,                              \
      "page faults that found their page in memory")                                               \
    X(MAJOR_FAULTS, "major_faults", "1", COUNTER, LOWER, COUNT, CELL,                              \
      "page faults that waited for a device")                                                      \
    X(NEW_PAGES, "new_pages", "page", COUNTER, NEITHER, COUNT, CELL,                               \
      "zero-filled pages made by page faults")                                                     \
    X(POPULATE_FAULTS, "populate_faults", "1", COUNTER, NEITHER, COUNT, CELL,                      \
      "page faults of the populate phase, before the clock starts")                                \
    X(PAGES_FREED, "pages_freed", "page", COUNTER, HIGHER, COUNT, CELL,                            \
      "frames freed by reclaim, not by exit")                                                      \
    X(PAGES_SCANNED, "pages_scanned", "page", COUNTER, LOWER, COUNT, CELL,                         \
      "pages examined on LRU lists by reclaim")                                                    \
    X(PTES_VISITED, "ptes_visited", "1", COUNTER, LOWER, COUNT, CELL,                              \
      "present ptes examined by virtual scans")                                                    \
    X(RMAP_VISITS, "rmap_visits", "1", COUNTER, LOWER, COUNT, CELL,                                \
      "chain slots or list entries examined for young tests and unmapping, not for insertion")     \
    X(UNMAP_VISITS, "unmap_visits", "1", COUNTER, LOWER, COUNT, CELL,                              \
      "those of rmap_visits that were made to unmap")                                              \
    X(PAGES_UNMAPPED, "pages_unmapped", "page", COUNTER, NEITHER, COUNT, CELL,                     \
      "pages all of whose ptes reclaim cleared through the reverse map")                           \
    X(RMAP_WALKS, "rmap_walks", "1", COUNTER, NEITHER, COUNT, CELL,                                \
      "walks of the reverse map over the ptes of a page")                                          \
    X(RMAP_PTES, "rmap_ptes", "1", COUNTER, NEITHER, COUNT, CELL,                                  \
      "present ptes that they examined")                                                           \
    X(RMAP_COVERING, "rmap_covering", "1", COUNTER, NEITHER, COUNT, CELL,                          \
      "vmas over the page that walks by vmas came to; rmap_visits / rmap_covering is 1 at best")   \
    X(RMAP_NODES, "rmap_nodes", "1", COUNTER, LOWER, COUNT, CELL,                                  \
      "of rmap_visits, nodes of a tree that turned out not to be over the page")                   \
    X(PTES_UNMAPPED, "ptes_unmapped", "1", COUNTER, NEITHER, COUNT, CELL,                          \
      "ptes cleared by reclaim")                                                                   \
    X(PTES_MOVED, "ptes_moved", "1", COUNTER, NEITHER, COUNT, CELL,                                \
      "ptes that mremap took to other addresses")                                                  \
    X(PTES_ZAPPED, "ptes_zapped", "1", COUNTER, NEITHER, COUNT, CELL,                              \
      "ptes cleared by munmap, exec and exit")                                                     \
    X(RMAP_SEARCHED, "rmap_searched", "1", COUNTER, LOWER, COUNT, CELL,                            \
      "chain blocks searched for ptes that munmap, exec and exit took out: of B, (B + 1) / 2")     \
    X(OPERATIONS, "operations", "1", COUNTER, HIGHER, COUNT, CELL,                                 \
      "moves of windows, forks, execs and exits that were done")                                   \
    X(FORKS, "forks", "1", COUNTER, HIGHER, COUNT, CELL, "forks that were done")                   \
    X(EXECS, "execs", "1", COUNTER, HIGHER, COUNT, CELL, "execs that were done")                   \
    X(PAGES_COPIED, "pages_copied", "page", COUNTER, NEITHER, COUNT, CELL,                         \
      "anonymous pages copied because a process stored to one that others have as well")           \
    X(SYSCALLS, "syscalls", "1", COUNTER, HIGHER, COUNT, CELL,                                     \
      "system calls that processes make at a rate (syscalls_per_second), not those of touches")    \
    X(ACTIVATIONS, "activations", "page", COUNTER, NEITHER, COUNT, CELL,                           \
      "pages moved from an inactive to an active list")                                            \
    X(DEACTIVATIONS, "deactivations", "page", COUNTER, NEITHER, COUNT, CELL,                       \
      "pages moved from an active to an inactive list")                                            \
    X(TRYLOCK_FAILURES, "trylock_failures", "1", COUNTER, LOWER, COUNT, CELL,                      \
      "trylocks of mms and objects that failed during reclaim")                                    \
    X(OBJECT_TRYLOCK_FAILURES, "object_trylock_failures", "1", COUNTER, LOWER, COUNT, CELL,        \
      "of trylock_failures, those of objects")                                                     \
    X(PAGE_LOCK_FAILURES, "page_lock_failures", "1", COUNTER, LOWER, COUNT, CELL,                  \
      "trylocks of pages that failed during reclaim")                                              \
    X(SWAP_IN_BYTES, "swap_in_bytes", "byte", COUNTER, LOWER, COUNT, CELL,                         \
      "read from swap devices")                                                                    \
    X(SWAP_OUT_BYTES, "swap_out_bytes", "byte", COUNTER, LOWER, COUNT, CELL,                       \
      "written to swap devices")                                                                   \
    X(WRITEBACK_BYTES, "writeback_bytes", "byte", COUNTER, NEITHER, COUNT, CELL,                   \
      "written to files")                                                                          \
    X(SHM_SWAP_OUT_BYTES, "shm_swap_out_bytes", "byte", COUNTER, LOWER, COUNT, CELL,               \
      "of swap_out_bytes, those of shared memory")                                                 \
    X(SWAP_WRITTEN_FREED, "swap_written_freed", "page", COUNTER, NEITHER, COUNT, CELL,             \
      "pages freed by reclaim after they had been written to swap")                                \
    X(SWAP_WRITE_TO_FREE, "swap_write_to_free_seconds", "s", COUNTER, LOWER, TICKS, CELL,          \
      "of swap_written_freed, time from the end of the write to the freeing, added up")            \
    X(FILE_WRITE_BYTES, "file_write_bytes", "byte", COUNTER, HIGHER, COUNT, CELL,                  \
      "written to files by write(2), into the page cache")                                         \
    X(RAW_WRITE_BYTES, "raw_write_bytes", "byte", COUNTER, NEITHER, COUNT, CELL,                   \
      "written to raw devices: logs of databases")                                                 \
    X(FILE_READ_BYTES, "file_read_bytes", "byte", COUNTER, NEITHER, COUNT, CELL,                   \
      "read from files")                                                                           \
    X(PAGETABLE_BYTES, "pagetable_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                       \
      "frames that hold page tables, all levels")                                                  \
    X(RMAP_BYTES, "rmap_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                                 \
      "frames that hold pte_chain blocks")                                                         \
    X(FREE_BYTES, "free_bytes", "byte", GAUGE, NEITHER, COUNT, CELL, "free frames of all zones")   \
    X(LOWMEM_FREE_BYTES, "lowmem_free_bytes", "byte", GAUGE, HIGHER, COUNT, CELL,                  \
      "free frames of the zones the kernel maps directly")                                         \
    X(LOWMEM_USER_BYTES, "lowmem_user_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                 \
      "low memory in pages of processes and files, large pages, ballast, and frames on their "     \
      "way to reclaimers")                                                                         \
    X(LOWMEM_MEM_MAP_BYTES, "lowmem_mem_map_bytes", "byte", GAUGE, LOWER, COUNT, CELL,             \
      "low memory in mem_map: a struct page for every frame of the machine")                       \
    X(LOWMEM_IMAGE_BYTES, "lowmem_image_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,               \
      "low memory in kernel text, static tables and boot allocations")                             \
    X(LOWMEM_PAGETABLE_BYTES, "lowmem_pagetable_bytes", "byte", GAUGE, LOWER, COUNT, CELL,         \
      "low memory in pages of ptes")                                                               \
    X(LOWMEM_DIRECTORY_BYTES, "lowmem_directory_bytes", "byte", GAUGE, LOWER, COUNT, CELL,         \
      "low memory in page directories: the levels above the pages of ptes")                        \
    X(LOWMEM_RMAP_BYTES, "lowmem_rmap_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                   \
      "low memory in slab pages of pte chains")                                                    \
    X(LOWMEM_TASK_BYTES, "lowmem_task_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                   \
      "low memory in kernel stacks, tasks and open files")                                         \
    X(LOWMEM_MM_BYTES, "lowmem_mm_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                       \
      "low memory in slab pages of mm_struct")                                                     \
    X(LOWMEM_VMA_BYTES, "lowmem_vma_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                     \
      "low memory in slab pages of vm_area_struct")                                                \
    X(LOWMEM_BUFFER_HEAD_BYTES, "lowmem_buffer_head_bytes", "byte", GAUGE, LOWER, COUNT, CELL,     \
      "low memory in slab pages of buffer heads")                                                  \
    X(LOWMEM_RADIX_NODE_BYTES, "lowmem_radix_node_bytes", "byte", GAUGE, LOWER, COUNT, CELL,       \
      "low memory in slab pages of radix-tree nodes of the page cache")                            \
    X(ACTIVE_BYTES, "active_bytes", "byte", GAUGE, NEITHER, COUNT, CELL, "pages on active lists")  \
    X(INACTIVE_BYTES, "inactive_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                       \
      "pages on inactive lists")                                                                   \
    X(SHM_BYTES, "shm_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                                 \
      "resident pages of shared-memory objects")                                                   \
    X(ANON_BYTES, "anon_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                               \
      "resident pages of anonymous memory")                                                        \
    X(FILE_BYTES, "file_bytes", "byte", GAUGE, NEITHER, COUNT, CELL, "resident pages of files")    \
    X(KERNEL_BYTES, "kernel_bytes", "byte", GAUGE, LOWER, COUNT, CELL,                             \
      "frames of the kernel but page tables and chains: text, mem_map, tasks, vmas")               \
    X(BALLAST_BYTES, "ballast_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                         \
      "frames taken out of play by machine.ballast")                                               \
    X(SWAPCACHE_BYTES, "swapcache_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                     \
      "resident pages in the swap cache")                                                          \
    X(SWAPCACHE_DIRTY_BYTES, "swapcache_dirty_bytes", "byte", GAUGE, LOWER, COUNT, CELL,           \
      "pages in the swap cache whose write-out has not been started")                              \
    X(FILE_DIRTY_BYTES, "file_dirty_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                   \
      "pages of files dirtied by write(2) whose write-back has not been started")                  \
    X(BUFFER_HEADS, "buffer_heads", "1", GAUGE, LOWER, COUNT, CELL,                                \
      "pages that carry buffer heads")                                                             \
    X(CHAIN_BLOCKS, "chain_blocks", "1", GAUGE, LOWER, COUNT, CELL,                                \
      "pte_chain blocks or list entries in use")                                                   \
    X(SWAP_USED_BYTES, "swap_used_bytes", "byte", GAUGE, LOWER, COUNT, CELL, "swap slots in use")  \
    X(PTES_PRESENT, "ptes_present", "1", GAUGE, NEITHER, COUNT, CELL, "present ptes")              \
    X(PROCESSES_BLOCKED, "processes_blocked", "1", GAUGE, LOWER, COUNT, CELL,                      \
      "processes that wait for a device or for memory")                                            \
    X(RECLAIM_CPU, "reclaim_cpu_seconds", "s", COUNTER, LOWER, TICKS, CELL,                        \
      "CPU time of kswapd and of processes that reclaim, but for spin_seconds; part of "           \
      "system_seconds")                                                                            \
    X(RMAP_CPU, "rmap_cpu_seconds", "s", COUNTER, LOWER, TICKS, CELL,                              \
      "CPU time of the reverse map: additions, removals, walks for young bits and to unmap; part " \
      "of system_seconds, once it is booked")                                                      \
    X(USER, "user_seconds", "s", COUNTER, HIGHER, TICKS, CELL, "CPU time of user code")            \
    X(SYSTEM, "system_seconds", "s", COUNTER, LOWER, TICKS, CELL,                                  \
      "CPU time of the kernel, spinning on locks included")                                        \
    X(SPIN, "spin_seconds", "s", COUNTER, LOWER, TICKS, CELL,                                      \
      "CPU time spent spinning on locks; part of system_seconds")                                  \
    X(IOWAIT, "iowait_seconds", "s", COUNTER, LOWER, TICKS, CELL,                                  \
      "CPU time idle while a process waited for a device")                                         \
    X(IDLE, "idle_seconds", "s", COUNTER, NEITHER, TICKS, CELL, "CPU time idle for other reasons") \
    X(ALLOCATION_WAIT, "allocation_wait_seconds", "s", COUNTER, LOWER, TICKS, CELL,                \
      "process time between asking for a frame that was not there and getting it")                 \
    X(TLB_ACCESSES, "tlb_accesses", "1", COUNTER, NEITHER, COUNT, CELL,                            \
      "touches of user memory that were translated: simulated, or estimated from those that were") \
    X(TLB_MISSES, "tlb_misses", "1", COUNTER, LOWER, COUNT, CELL,                                  \
      "of them, those that had to walk the page table")                                            \
    X(TRANSLATION, "translation_seconds", "s", COUNTER, LOWER, TICKS, CELL,                        \
      "CPU time of user code spent waiting for translations; part of user_seconds")                \
    X(TLB_REACH, "tlb_reach_bytes", "byte", GAUGE, HIGHER, COUNT, RUN,                             \
      "memory that the TLB of a process maps, mean over processes")                                \
    X(LARGE_PAGE, "large_page_bytes", "byte", GAUGE, NEITHER, COUNT, CELL,                         \
      "frames reserved for large pages of segments")                                               \
    X(LARGE_PTES, "large_ptes", "1", GAUGE, NEITHER, COUNT, CELL,                                  \
      "entries of page directories that map large pages")                                          \
    X(ELAPSED, "elapsed_seconds", "s", COUNTER, LOWER, TICKS, RUN, "simulated time")               \
    X(TIME_TO_FIRST_FREE, "time_to_first_free", "s", GAUGE, LOWER, REAL, RUN,                      \
      "from the first reclaim of the pressure phase to the first frame it freed; NaN if none")     \
    X(LONGEST_GAP, "longest_gap_without_free", "s", GAUGE, LOWER, TICKS, RUN,                      \
      "longest time under reclaim in which no frame was freed")                                    \
    X(PROGRESS_P10, "progress_p10", "1", GAUGE, HIGHER, COUNT, RUN,                                \
      "touches of the process at the 10th percentile of its workload")                             \
    X(PROGRESS_P50, "progress_p50", "1", GAUGE, HIGHER, COUNT, RUN,                                \
      "touches of the median process of its workload")                                             \
    X(PROGRESS_P90, "progress_p90", "1", GAUGE, HIGHER, COUNT, RUN,                                \
      "touches of the process at the 90th percentile of its workload")                             \
    X(THETA_COLD, "theta_cold", "1", GAUGE, NEITHER, REAL, RUN,                                    \
      "touches that a page of the coldest class gets while a virtual scan passes every pte")       \
    X(LAPS, "laps", "1", GAUGE, NEITHER, REAL, RUN,                                                \
      "pte and chain visits of the pressure phase over the ptes present when it began")

enum metric {
#define X(identifier, name, unit, kind, direction, form, scope, description) METRIC_##identifier,
    METRIC_TABLE(X)
#undef X
        METRIC_COUNT
};

struct metric_info {
    const char *name;
    const char *unit;
    const char *description;
    enum metric_kind kind;
    enum metric_direction direction;
    enum metric_form form;
    enum metric_scope scope;
};

extern const struct metric_info metric_table[METRIC_COUNT];

#endif
