#include "host/translation/region.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/units.h"

#ifndef MAP_HUGE_SHIFT
#define MAP_HUGE_SHIFT 26
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Between two looks at the stop flag. */
#define POPULATE_STEP ((byte_count)256 << 20)

/* Whether the pool can give the pages; otherwise why not. Asked first, since mmap says no more than
 * "out of memory". */
static bool pool_has(const struct host_pages *pages, const struct backing *asked, uint64_t needed,
                     char why[REGION_WHY])
{
    char size[UNITS_TEXT_SIZE];
    units_print_size(asked->page, size);
    for (size_t i = 0; i < pages->nhugetlb; i++) {
        const struct host_hugetlb *pool = &pages->hugetlb[i];
        if (pool->size != asked->page || !pool->known) {
            continue;
        }
        const uint64_t room = pool->overcommit_limit > pool->surplus
                                  ? pool->overcommit_limit - pool->surplus
                                  : 0;
        if (host_hugetlb_usable(pool) + room >= needed) {
            return true;
        }
        (void)snprintf(why, REGION_WHY,
                       "the pool of %s pages has %" PRIu64 " of which %" PRIu64
                       " can be had, needed %s %" PRIu64
                       " (root sets /sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/nr_hugepages)",
                       size, pool->total, host_hugetlb_usable(pool), needed == 1 ? "is" : "are",
                       needed, asked->page >> 10);
        return false;
    }
    (void)snprintf(why, REGION_WHY, "this kernel has no pool of %s pages that can be read", size);
    return false;
}

static int page_shift(byte_count page)
{
    int shift = 0;
    while (page >> shift > 1) {
        shift++;
    }
    return shift;
}

/* Reserves addresses with a page that nobody can use on either side, so that the kernel never joins
 * the region with a neighbour, and maps the region within. */
static bool map_pages(struct region *region, char why[REGION_WHY])
{
    const byte_count page = region->asked.page;
    region->mapping_size = region->size + 2 * page;
    region->mapping = mmap(NULL, region->mapping_size, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region->mapping == MAP_FAILED) {
        (void)snprintf(why, REGION_WHY, "no addresses for %" PRIu64 " bytes: %s", region->size,
                       strerror(errno));
        return false;
    }
    const uintptr_t base = (uintptr_t)region->mapping;
    char *aligned = (char *)region->mapping + ((base + page) / page * page - base);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (region->asked.kind == BACKING_RESERVED) {
        flags |= (int)(MAP_HUGETLB | (unsigned)page_shift(page) << MAP_HUGE_SHIFT);
    }
    region->memory = mmap(aligned, region->size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (region->memory == MAP_FAILED) {
        const int error = errno;
        (void)munmap(region->mapping, region->mapping_size);
        (void)snprintf(why, REGION_WHY, "mmap of %" PRIu64 " bytes of %s pages: %s", region->size,
                       region->asked.name, strerror(error));
        return false;
    }
    /* Refused by kernels without large pages; the proof says what came of it. */
    if (region->asked.kind == BACKING_BASE) {
        (void)madvise(region->memory, region->size, MADV_NOHUGEPAGE);
    } else if (region->asked.kind == BACKING_TRANSPARENT) {
        (void)madvise(region->memory, region->size, MADV_HUGEPAGE);
    }
    return true;
}

static void touch(char *memory, byte_count size, byte_count page)
{
    volatile char *bytes = memory;
    for (byte_count at = 0; at < size; at += page) {
        bytes[at] = 0;
    }
}

/* The kernel populates where it can (5.14 and later), as it returns an error where a touch would be
 * answered with a signal. */
static bool populate(struct region *region, const atomic_int *stop, byte_count base,
                     char why[REGION_WHY])
{
    const byte_count page = region->asked.page;
    const byte_count step = max_u64(POPULATE_STEP / page * page, page);
    for (byte_count at = 0; at < region->size; at += step) {
        if (stop && *stop) {
            (void)snprintf(why, REGION_WHY, "interrupted");
            return false;
        }
        const byte_count part = min_u64(step, region->size - at);
        if (!madvise(region->memory + at, part, MADV_POPULATE_WRITE)) {
            continue;
        }
        if (errno != EINVAL) {
            (void)snprintf(why, REGION_WHY, "populating byte %" PRIu64 " of %" PRIu64 ": %s", at,
                           region->size, strerror(errno));
            return false;
        }
        touch(region->memory + at, part, base);
    }
    return true;
}

bool region_open(const struct host_system *system, const struct host_pages *pages,
                 const struct backing *asked, byte_count size, const atomic_int *stop,
                 struct region *region_p, char why[REGION_WHY])
{
    struct region region = {.asked = *asked};
    region.size = (size + asked->page - 1) / asked->page * asked->page;
    if (asked->kind == BACKING_RESERVED &&
        !pool_has(pages, asked, region.size / asked->page, why)) {
        return false;
    }
    if (!map_pages(&region, why)) {
        return false;
    }
    if (!populate(&region, stop, pages->base, why)) {
        region_close(&region);
        return false;
    }
    page_proof_read(system, region.memory, region.size, &region.proof);
    region.got = page_proof_size(&region.proof, pages->thp_size, region.got_text);
    *region_p = region;
    return true;
}

void region_close(struct region *region)
{
    (void)munmap(region->mapping, region->mapping_size);
    *region = (struct region){.memory = NULL};
}
