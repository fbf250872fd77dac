/* What the oracle counts, by the names of the simulator's metrics. */
#ifndef THRASH_ORACLE_COUNTERS_H
#define THRASH_ORACLE_COUNTERS_H

#include <stddef.h>

#include "base/types.h"

/* X(field): whole numbers; times are in ticks. */
#define COUNTER_TABLE(X)          \
    X(touches)                    \
    X(private_touches)            \
    X(minor_faults)               \
    X(major_faults)               \
    X(new_pages)                  \
    X(populate_faults)            \
    X(pages_freed)                \
    X(pages_scanned)              \
    X(ptes_visited)               \
    X(rmap_visits)                \
    X(unmap_visits)               \
    X(pages_unmapped)             \
    X(rmap_walks)                 \
    X(rmap_ptes)                  \
    X(rmap_covering)              \
    X(rmap_nodes)                 \
    X(ptes_moved)                 \
    X(ptes_zapped)                \
    X(rmap_searched)              \
    X(operations)                 \
    X(forks)                      \
    X(execs)                      \
    X(pages_copied)               \
    X(syscalls)                   \
    X(ptes_unmapped)              \
    X(activations)                \
    X(deactivations)              \
    X(trylock_failures)           \
    X(page_lock_failures)         \
    X(swap_in_bytes)              \
    X(swap_out_bytes)             \
    X(writeback_bytes)            \
    X(object_trylock_failures)    \
    X(shm_swap_out_bytes)         \
    X(swap_written_freed)         \
    X(swap_write_to_free_seconds) \
    X(file_write_bytes)           \
    X(file_dirty_bytes)           \
    X(buffer_heads)               \
    X(chain_blocks)               \
    X(raw_write_bytes)            \
    X(file_read_bytes)            \
    X(pagetable_bytes)            \
    X(rmap_bytes)                 \
    X(free_bytes)                 \
    X(lowmem_free_bytes)          \
    X(lowmem_user_bytes)          \
    X(lowmem_mem_map_bytes)       \
    X(lowmem_image_bytes)         \
    X(lowmem_pagetable_bytes)     \
    X(lowmem_directory_bytes)     \
    X(lowmem_rmap_bytes)          \
    X(lowmem_task_bytes)          \
    X(lowmem_mm_bytes)            \
    X(lowmem_vma_bytes)           \
    X(lowmem_buffer_head_bytes)   \
    X(lowmem_radix_node_bytes)    \
    X(active_bytes)               \
    X(inactive_bytes)             \
    X(shm_bytes)                  \
    X(anon_bytes)                 \
    X(file_bytes)                 \
    X(kernel_bytes)               \
    X(ballast_bytes)              \
    X(large_page_bytes)           \
    X(large_ptes)                 \
    X(tlb_accesses)               \
    X(tlb_misses)                 \
    X(translation_seconds)        \
    X(tlb_reach_bytes)            \
    X(swapcache_bytes)            \
    X(swapcache_dirty_bytes)      \
    X(swap_used_bytes)            \
    X(ptes_present)               \
    X(processes_blocked)          \
    X(reclaim_cpu_seconds)        \
    X(rmap_cpu_seconds)           \
    X(user_seconds)               \
    X(system_seconds)             \
    X(spin_seconds)               \
    X(iowait_seconds)             \
    X(idle_seconds)               \
    X(allocation_wait_seconds)    \
    X(elapsed_seconds)            \
    X(longest_gap_without_free)   \
    X(progress_p10)               \
    X(progress_p50)               \
    X(progress_p90)

/* X(field): real numbers; NaN is "not available". */
#define REAL_COUNTER_TABLE(X) \
    X(time_to_first_free)     \
    X(theta_cold)             \
    X(laps)

struct counters {
#define X(field) uint64_t field;
    COUNTER_TABLE(X)
#undef X
#define X(field) double field;
    REAL_COUNTER_TABLE(X)
#undef X
};

#endif
