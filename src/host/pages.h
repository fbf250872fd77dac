/* Page sizes that the host's kernel offers: transparent large pages and reserved (hugetlb) pools.
 */
#ifndef THRASH_HOST_PAGES_H
#define THRASH_HOST_PAGES_H

#include <stdbool.h>

#include "base/types.h"
#include "host/system.h"

#define HOST_PAGE_SIZES 32

/* Transparent large pages of one size other than the pmd's ("multi-size THP"). */
struct host_thp_size {
    byte_count size;
    struct host_setting enabled;
    struct host_setting shmem_enabled;
};

/* Reserved pages of one size. Counts of pages, not bytes. */
struct host_hugetlb {
    byte_count size;
    bool known;                /* false: the directory is there, its counters cannot be read */
    uint64_t total;            /* nr_hugepages: in the pool, used or not */
    uint64_t free;             /* free_hugepages */
    uint64_t reserved;         /* resv_hugepages: free, but promised to a mapping */
    uint64_t surplus;          /* surplus_hugepages: above the pool's size, given back when freed */
    uint64_t overcommit_limit; /* nr_overcommit_hugepages: how many surplus pages may be made */
};

struct host_pages {
    byte_count base;     /* size of a base page */
    byte_count thp_size; /* size of a transparent page of one pmd; 0 if it cannot be read */
    struct host_setting thp_enabled;
    struct host_setting thp_defrag;
    struct host_setting thp_shmem_enabled;
    struct host_thp_size thp_sizes[HOST_PAGE_SIZES]; /* smallest first */
    size_t nthp_sizes;
    struct host_hugetlb hugetlb[HOST_PAGE_SIZES]; /* smallest first */
    size_t nhugetlb;
};

void host_pages_read(const struct host_system *system, struct host_pages *pages);

/* Pages of the pool that a new mapping could have now: free and not promised. */
static inline uint64_t host_hugetlb_usable(const struct host_hugetlb *pool)
{
    return pool->free > pool->reserved ? pool->free - pool->reserved : 0;
}

#endif
