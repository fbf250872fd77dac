/* Streams of accesses to a range of memory, by which the time of translation is measured.
 *
 * DEPENDENT  loads, each address being what the one before it read: a random cycle over all base
 *            pages of the range, one cache line of each. The data that is touched is a 64th of the
 *            range (with pages of 4 KiB), so that translations cost long before data does, and it
 *            is the same with pages of any size. Time per access is latency.
 * INDEPENDENT  updates (load, add, store) of random cache lines of the whole range, from several
 *            generators at once, so that the processor has many under way. The data that is touched
 *            is the range itself. Time per access is the reciprocal of throughput.
 *
 * Both are functions of the seed and the range's size; what they will access next can be asked
 * without accessing it. */
#ifndef THRASH_HOST_TRANSLATION_STREAM_H
#define THRASH_HOST_TRANSLATION_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

enum access_pattern { ACCESS_DEPENDENT, ACCESS_INDEPENDENT, ACCESS_PATTERNS };

/* "dependent", "independent". */
const char *access_pattern_name(enum access_pattern pattern);

#define STREAM_LINE       64
#define STREAM_GENERATORS 8

struct stream {
    enum access_pattern pattern;
    char *memory;
    byte_count size;
    uint64_t at; /* DEPENDENT: offset of the next access */
    uint64_t state[STREAM_GENERATORS];
    uint64_t turn; /* INDEPENDENT: accesses made */
};

/* Links one word of each page of `page` bytes into a random cycle that all DEPENDENT streams of the
 * range walk. `size` is a multiple of `page`, a power of two. */
void stream_link(char *memory, byte_count size, byte_count page, uint64_t seed);

/* `size` bytes at `memory` (a multiple of STREAM_LINE); linked before if it is DEPENDENT. */
struct stream stream_begin(enum access_pattern pattern, char *memory, byte_count size,
                           uint64_t seed);

/* Makes the next n accesses. INDEPENDENT: n is a multiple of STREAM_GENERATORS. */
void stream_run(struct stream *stream, uint64_t n);

/* Offsets of the next n accesses in their order; the stream goes on behind them, unmade. */
void stream_peek(struct stream *stream, uint64_t *offsets, size_t n);

#endif
