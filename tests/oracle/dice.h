/* Random numbers that belong to one machine: the same ones whenever it is drawn. */
#ifndef ORACLE_DICE_H
#define ORACLE_DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/types.h"

/* A sequence of random numbers that belongs to one machine. */
struct dice {
    uint64_t number, next;
};

static inline uint64_t dice_throw(struct dice *dice)
{
    struct random_block bits = random_draw(dice->number, RANDOM_TEST, 0, 0, dice->next++);
    return (uint64_t)bits.word[0] << 32 | bits.word[1];
}

static inline uint64_t dice_between(struct dice *dice, uint64_t low, uint64_t high)
{
    return low + dice_throw(dice) % (high - low + 1);
}

/* Evenly spread over orders of magnitude: small numbers are as likely as large ones. */
static inline uint64_t dice_magnitude(struct dice *dice, uint64_t low, uint64_t high)
{
    unsigned doublings = 0;
    while ((low << doublings) < high) {
        doublings++;
    }
    const uint64_t at_least = low << dice_between(dice, 0, doublings == 0 ? 0 : doublings - 1);
    return dice_between(dice, at_least, min_u64(2 * at_least, high));
}

static inline bool dice_in_100(struct dice *dice, unsigned percent)
{
    return dice_throw(dice) % 100 < percent;
}

static inline uint64_t dice_one_of(struct dice *dice, const uint64_t *values, size_t n)
{
    return values[dice_throw(dice) % n];
}

#define DICE_ONE_OF(dice, ...)                           \
    dice_one_of((dice), (const uint64_t[]){__VA_ARGS__}, \
                sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

#endif
