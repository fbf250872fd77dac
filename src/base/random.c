#include "base/random.h"

#include <Random123/philox.h>

struct random_block random_draw(uint64_t seed, enum random_stream stream, uint32_t owner,
                                cell_id cell, uint64_t ordinal)
{
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t counter = {
        {(uint32_t)ordinal, (uint32_t)(ordinal >> 32) << 8 | (uint32_t)stream, owner, cell}};
    philox4x32_ctr_t bits = philox4x32(counter, key);
    return (struct random_block){{bits.v[0], bits.v[1], bits.v[2], bits.v[3]}};
}

/* -ln(m) for m = 1/2 + i/512, i = 0 .. 256, in units of 2^-32. Written out so that no library's
 * rounding of log() can change a draw; tests/unit checks it against log(). */
static const uint32_t minus_log[257] = {
#include "base/random_log_table.inc"
};

static const uint64_t ln_2_q32 = 2977044472U;

sim_time random_exponential(uint32_t bits, sim_time mean)
{
    uint64_t x = ((uint64_t)bits << 1) | 1; /* (bits + 1/2) in units of 2^-33 */
    unsigned leading = (unsigned)__builtin_clzll(x) - 31;
    uint64_t mantissa = x << leading; /* in [2^32, 2^33): m = mantissa / 2^33 in [1/2, 1) */
    uint64_t fraction = mantissa - (1ULL << 32);
    uint64_t index = fraction >> 24;
    uint64_t within = fraction & ((1ULL << 24) - 1);
    uint64_t above = minus_log[index];
    uint64_t below = minus_log[index + 1];
    uint64_t minus_log_m = above - (((above - below) * within) >> 24);
    uint64_t q32 = leading * ln_2_q32 + minus_log_m;
    return (sim_time)(((uint128)mean * q32) >> 32);
}
