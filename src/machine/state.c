#include "machine/state.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Arrays from this size up are worth asking the host for large pages; it may say no. */
static const size_t large_page_bytes = (size_t)2 << 20;

void state_declare(struct state_table *table, const char *name, const char *what, size_t element,
                   uint64_t count, uint64_t expected, void **base)
{
    assert(table->narrays < STATE_ARRAYS_MAX && expected <= count);
    *base = NULL;
    table->array[table->narrays++] = (struct state_array){name,  what,     element,
                                                          count, expected, base};
}

static size_t mapped_bytes(const struct state_array *array)
{
    size_t bytes = array->element * (size_t)array->count;
    size_t unit = bytes >= large_page_bytes ? large_page_bytes : (size_t)sysconf(_SC_PAGESIZE);
    return bytes == 0 ? unit : (bytes + unit - 1) / unit * unit;
}

/* An anonymous mapping aligned to large pages, so that all of it can be backed by them. */
static void *map_aligned(size_t bytes)
{
    size_t slack = bytes >= large_page_bytes ? large_page_bytes : 0;
    unsigned char *start = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return NULL;
    }
    if (slack == 0) {
        return start;
    }
    size_t skip = (large_page_bytes - (uintptr_t)start % large_page_bytes) % large_page_bytes;
    if (skip > 0) {
        munmap(start, skip);
    }
    if (slack > skip) {
        munmap(start + skip + bytes, slack - skip);
    }
    (void)madvise(start + skip, bytes, MADV_HUGEPAGE);
    return start + skip;
}

enum status state_map(struct state_table *table)
{
    for (size_t i = 0; i < table->narrays; i++) {
        struct state_array *array = &table->array[i];
        *array->base = map_aligned(mapped_bytes(array));
        if (*array->base == NULL) {
            enum status status = fail(STATUS_RESOURCE, "cannot map %zu bytes for the array %s: %s",
                                      mapped_bytes(array), array->name, strerror(errno));
            state_unmap(table);
            return status;
        }
    }
    return STATUS_OK;
}

void state_unmap(struct state_table *table)
{
    for (size_t i = 0; i < table->narrays; i++) {
        struct state_array *array = &table->array[i];
        if (*array->base != NULL) {
            munmap(*array->base, mapped_bytes(array));
            *array->base = NULL;
        }
    }
}

void state_clear(struct state_table *table)
{
    for (size_t i = 0; i < table->narrays; i++) {
        const struct state_array *array = &table->array[i];
        if (madvise(*array->base, mapped_bytes(array), MADV_DONTNEED) != 0) {
            memset(*array->base, 0, mapped_bytes(array)); /* pages locked in memory */
        }
    }
}

byte_count state_predicted(const struct state_array *array)
{
    byte_count bytes = array->element * array->expected;
    byte_count unit = array->element * array->count >= large_page_bytes ? large_page_bytes
                                                                        : PAGE_BYTES;
    return (bytes + unit - 1) / unit * unit;
}

uint64_t state_scattered(size_t element, uint64_t stride, uint64_t each, uint64_t n)
{
    byte_count all = element * stride * n;
    byte_count unit = all >= large_page_bytes ? large_page_bytes : PAGE_BYTES;
    byte_count bytes = 0;
    byte_count end = 0; /* of the last host page counted */
    for (uint64_t i = 0; i < n && each > 0; i++) {
        byte_count first = max_u64(element * (i * stride) / unit * unit, end);
        end = (element * (i * stride + each) + unit - 1) / unit * unit;
        end = max_u64(end, first);
        bytes += end - first;
    }
    return min_u64(bytes / element, stride * n);
}

/* Pages looked at in one piece: the answer for a mapping of tebibytes would itself be large. */
enum { PIECE = 8192 };

/* An entry of /proc/self/pagemap: whether the page is in memory, and mapped here alone, or in the
 * host's swap. The page of zeros that reading gives is mapped by everybody. */
static const uint64_t pagemap_present = (uint64_t)1 << 63;
static const uint64_t pagemap_swapped = (uint64_t)1 << 62;
static const uint64_t pagemap_exclusive = (uint64_t)1 << 56;

/* How many of `n` pages from `start` on are held; false where the host does not say. */
static bool count_by_pagemap(int descriptor, const unsigned char *start, size_t page, size_t n,
                             uint64_t *held_p)
{
    uint64_t entry[PIECE];
    const off_t at = (off_t)((uintptr_t)start / page * sizeof entry[0]);
    const ssize_t bytes = (ssize_t)(n * sizeof entry[0]);
    if (descriptor < 0 || pread(descriptor, entry, (size_t)bytes, at) != bytes) {
        return false;
    }
    uint64_t held = 0;
    for (size_t i = 0; i < n; i++) {
        const bool present = (entry[i] & pagemap_present) != 0;
        held += (present && (entry[i] & pagemap_exclusive) != 0) ||
                (!present && (entry[i] & pagemap_swapped) != 0);
    }
    *held_p = held;
    return true;
}

static uint64_t count_by_mincore(unsigned char *start, size_t page, size_t n)
{
    unsigned char in_core[PIECE];
    uint64_t held = 0;
    if (mincore(start, n * page, in_core) != 0) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        held += in_core[i] & 1U;
    }
    return held;
}

byte_count state_resident(const struct state_array *array)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t npages = mapped_bytes(array) / page;
    unsigned char *base = *array->base;
    const int descriptor = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t all = 0;
    for (size_t first = 0; first < npages; first += PIECE) {
        const size_t n = npages - first < PIECE ? npages - first : PIECE;
        unsigned char *start = base + first * page;
        uint64_t held;
        if (!count_by_pagemap(descriptor, start, page, n, &held)) {
            held = count_by_mincore(start, page, n);
        }
        all += held;
    }
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return all * page;
}

struct digest state_digest(const struct state_table *table)
{
    struct digest each[STATE_ARRAYS_MAX];
    for (size_t i = 0; i < table->narrays; i++) {
        const struct state_array *array = &table->array[i];
        each[i] = hash_bytes(*array->base, array->element * (size_t)array->count);
    }
    return hash_bytes(each, table->narrays * sizeof each[0]);
}
