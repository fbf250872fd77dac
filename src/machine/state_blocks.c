/* Which parts of the arrays hold anything: what a checkpoint has to save. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine/state.h"

/* Entries of /proc/self/pagemap read at a time: eight bytes for each page of the address space. */
#define PIECE 8192

/* The page is in memory, or in the host's swap. mincore() would not know of the latter. */
static const uint64_t page_is_held = (uint64_t)3 << 62;

uint64_t state_block_bytes(const struct state_array *array, uint64_t first, uint64_t n)
{
    uint64_t start = first * STATE_BLOCK_BYTES;
    return min_u64(state_array_bytes(array) - start, n * STATE_BLOCK_BYTES);
}

static bool is_zero(const unsigned char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

static bool append(struct state_blocks *blocks, uint64_t block)
{
    if (blocks->n == blocks->capacity) {
        size_t capacity = blocks->capacity == 0 ? 64 : 2 * blocks->capacity;
        uint64_t *index = realloc(blocks->index, capacity * sizeof *index);
        if (index == NULL) {
            return false;
        }
        blocks->index = index;
        blocks->capacity = capacity;
    }
    blocks->index[blocks->n++] = block;
    return true;
}

/* The host's account of the pages of this process; `descriptor` is -1 where it gives none, and then
 * every page counts as held. */
struct pagemap {
    int descriptor;
    size_t page;
    uint64_t entry[PIECE];
};

/* Reads `n` entries from the page at `address` on. */
static void read_pagemap(struct pagemap *map, const unsigned char *address, size_t n)
{
    off_t at = (off_t)((uintptr_t)address / map->page * sizeof map->entry[0]);
    ssize_t bytes = (ssize_t)(n * sizeof map->entry[0]);
    if (map->descriptor < 0 || pread(map->descriptor, map->entry, (size_t)bytes, at) != bytes) {
        memset(map->entry, 0xff, (size_t)bytes);
    }
}

static bool any_held(const uint64_t *entry, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((entry[i] & page_is_held) != 0) {
            return true;
        }
    }
    return false;
}

static bool find(const struct state_array *array, struct pagemap *map, struct state_blocks *blocks)
{
    const unsigned char *base = *array->base;
    uint64_t nblocks = (state_array_bytes(array) + STATE_BLOCK_BYTES - 1) / STATE_BLOCK_BYTES;
    size_t pages = STATE_BLOCK_BYTES / map->page;
    size_t at_once = PIECE / pages;
    for (uint64_t first = 0; first < nblocks; first += at_once) {
        size_t n = (size_t)min_u64(nblocks - first, at_once);
        read_pagemap(map, base + first * STATE_BLOCK_BYTES,
                     (size_t)(state_block_bytes(array, first, n) + map->page - 1) / map->page);
        for (size_t i = 0; i < n; i++) {
            size_t bytes = (size_t)state_block_bytes(array, first + i, 1);
            if (any_held(map->entry + i * pages, (bytes + map->page - 1) / map->page) &&
                !is_zero(base + (first + i) * STATE_BLOCK_BYTES, bytes) &&
                !append(blocks, first + i)) {
                return false;
            }
        }
    }
    return true;
}

enum status state_find_blocks(const struct state_array *array, struct state_blocks *blocks)
{
    struct pagemap *map = malloc(sizeof *map);
    bool found = false;
    if (map != NULL) {
        map->page = (size_t)sysconf(_SC_PAGESIZE);
        map->descriptor = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
        if (map->page > STATE_BLOCK_BYTES) { /* more than one block in each entry */
            map->page = STATE_BLOCK_BYTES;
            if (map->descriptor >= 0) {
                (void)close(map->descriptor);
            }
            map->descriptor = -1;
        }
        found = find(array, map, blocks);
        if (map->descriptor >= 0) {
            (void)close(map->descriptor);
        }
    }
    free(map);
    return found ? STATUS_OK
                 : fail(STATUS_RESOURCE, "out of memory for saving the array %s", array->name);
}
