/* Shared memory of a page size that was asked for and is proved. */
#ifndef THRASH_HOST_KERNEL_SEGMENT_H
#define THRASH_HOST_KERNEL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"

/* Plain data: a copy of it serves in every process that was forked after it was opened. */
struct segment {
    int fd;
    byte_count size;
    byte_count page; /* size of its pages */
    int advice;      /* of madvise, for mappings of it */
};

/* A segment of which every page is there. False when pages of that size cannot be had, with a
 * clause in `why` and in `how` otherwise: how they were had. `size` is a multiple of `page`. */
bool segment_open(byte_count page, byte_count size, struct segment *segment_p, char *how, char *why,
                  size_t text_size);
void segment_close(struct segment *segment);

/* Maps it shared at an address of which nothing of the 512 GiB around it is mapped, so that the
 * upper levels of the page tables above it are its own; NULL with errno set when that cannot be. */
void *segment_map(const struct segment *segment);

/* Reads a word of each of its pages. */
void segment_read(const struct segment *segment, const void *memory);

/* The same 512 GiB for other mappings: MAP_ANONYMOUS and so on in `flags`. */
void *map_apart(byte_count size, int flags, int fd);

#endif
