#include "machine/state.h"

#include <assert.h>
#include <errno.h>
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

byte_count state_resident(const struct state_array *array)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t npages = mapped_bytes(array) / page;
    /* Asked piece by piece: the vector of a mapping of tebibytes would itself be large. */
    enum { PIECE = 65536 };
    unsigned char *in_core = malloc(PIECE);
    if (in_core == NULL) {
        return 0;
    }
    byte_count resident = 0;
    for (size_t first = 0; first < npages; first += PIECE) {
        size_t n = npages - first < PIECE ? npages - first : PIECE;
        if (mincore((unsigned char *)*array->base + first * page, n * page, in_core) != 0) {
            break;
        }
        for (size_t i = 0; i < n; i++) {
            resident += (in_core[i] & 1) ? page : 0;
        }
    }
    free(in_core);
    return resident;
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
