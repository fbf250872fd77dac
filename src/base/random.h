/* Counter-based random numbers (Random123, Philox 4x32-10) and integer distributions over them.
 *
 * A draw is a pure function of (seed, stream, owner, cell, ordinal): it does not depend on what was
 * drawn before, on which rank draws it, or on a restart. Keys never contain the epoch, so that a
 * run with half the epoch compares the same draws. */
#ifndef THRASH_BASE_RANDOM_H
#define THRASH_BASE_RANDOM_H

#include <stdint.h>

#include "base/types.h"

/* What the numbers are for. Streams with different names never share a draw. */
enum random_stream {
    RANDOM_TOUCH = 1,       /* owner: process; ordinal: its touches in this cell */
    RANDOM_TRYLOCK = 2,     /* owner: process whose mm is tried; ordinal: tries in this cell */
    RANDOM_TEST = 3,        /* for tests */
    RANDOM_OPERATION = 4,   /* owner: process; cell: 0; ordinal: its operations */
    RANDOM_TRANSLATION = 5, /* owner: process; ordinal: its touches in all cells */
    RANDOM_ARRIVAL = 6,     /* owner: thread; cell: repetition; ordinal: its operations */
};

/* 128 random bits as four words. */
struct random_block {
    uint32_t word[4];
};

/* `ordinal` < 2^48, `cell` < 2^24. */
struct random_block random_draw(uint64_t seed, enum random_stream stream, uint32_t owner,
                                cell_id cell, uint64_t ordinal);

/* Uniform in [0, n) from 32 random bits, n <= 2^32; the bias is below n / 2^32. */
static inline uint64_t random_below(uint32_t bits, uint64_t n)
{
    return ((uint64_t)bits * n) >> 32;
}

/* An exponentially distributed time with the given mean from 32 random bits, in integers only:
 * mean * -ln((bits + 1/2) / 2^32), within 3e-6 of it, at most 22.9 means. mean <= RANDOM_MEAN_MAX.
 */
#define RANDOM_MEAN_MAX ((sim_time)1 << 58)
sim_time random_exponential(uint32_t bits, sim_time mean);

#endif
