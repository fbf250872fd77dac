/* The state table: everything a cell remembers, as named arrays.
 *
 * All state of a cell is arrays of plain data linked by indices, never pointers, and every array
 * has a row here. The table gives the memory prediction, the memory by structure that runs report,
 * and a digest of the whole state; a checkpoint is the table written out.
 *
 * Arrays are mapped at the largest size the scenario can need and filled by the host's kernel page
 * by page as they are used: what is never touched costs nothing, and nothing ever moves. */
#ifndef THRASH_MACHINE_STATE_H
#define THRASH_MACHINE_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/status.h"
#include "base/types.h"

#define STATE_ARRAYS_MAX 48

struct state_array {
    const char *name;  /* identifier, as it appears in /performance/memory */
    const char *what;  /* one line: what an element is */
    size_t element;    /* bytes */
    uint64_t count;    /* elements it can hold */
    uint64_t expected; /* elements the scenario is expected to use, for the prediction */
    void **base;       /* where the owner keeps its pointer; NULL until state_map() */
};

struct state_table {
    struct state_array array[STATE_ARRAYS_MAX];
    size_t narrays;
};

/* Declares an array; `base` is set by state_map(). `expected` <= `count`. */
void state_declare(struct state_table *table, const char *name, const char *what, size_t element,
                   uint64_t count, uint64_t expected, void **base);

/* Maps every declared array, zeroed. STATUS_RESOURCE, naming the array, when the host refuses. */
enum status state_map(struct state_table *table);

void state_unmap(struct state_table *table);

/* Gives back what every mapped array holds: all zeros again, and not backed by the host. */
void state_clear(struct state_table *table);

/* An array is saved by blocks of this size, the last of them shorter. */
#define STATE_BLOCK_BYTES ((size_t)65536)

/* Numbers of blocks; zero-initialise, release `index` with free(). */
struct state_blocks {
    uint64_t *index;
    size_t n, capacity;
};

/* Appends the numbers of the array's blocks that hold anything but zeros, ascending. Does not touch
 * what was never touched, as far as the host says. STATUS_RESOURCE when out of memory. */
enum status state_find_blocks(const struct state_array *array, struct state_blocks *blocks);

static inline uint64_t state_array_bytes(const struct state_array *array)
{
    return array->element * array->count;
}

/* Bytes of the `n` blocks from number `first` on, which must exist. */
uint64_t state_block_bytes(const struct state_array *array, uint64_t first, uint64_t n);

/* Bytes the host is expected to give one array: its expected elements, rounded up to the pages that
 * it is asked for, large ones for large arrays. */
byte_count state_predicted(const struct state_array *array);

/* What to expect of an array of `n` parts of `stride` elements, of each of which the first `each`
 * are used: as many elements as the host's pages around them have, but not more than there are. */
uint64_t state_scattered(size_t element, uint64_t stride, uint64_t each, uint64_t n);

/* Bytes of one array that the host holds now, in memory or in its swap. Pages that were only read,
 * all of them one page of zeros of the host, do not count, unless the host keeps
 * /proc/self/pagemap to itself. */
byte_count state_resident(const struct state_array *array);

/* Digest over all arrays, contents included. For tests and the debug preset: it reads everything.
 */
struct digest state_digest(const struct state_table *table);

#endif
