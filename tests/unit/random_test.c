/* Random numbers: known answers, distributions, and the exponential against the library's log(). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

#include <cmocka.h>

/* The first vector of Random123's own known-answer tests: all counters and keys zero. */
static void test_known_answer(void **state)
{
    (void)state;
    struct random_block bits = random_draw(0, (enum random_stream)0, 0, 0, 0);
    assert_int_equal(bits.word[0], 0x6627e8d5);
    assert_int_equal(bits.word[1], 0xe169c58d);
    assert_int_equal(bits.word[2], 0xbc57ac4c);
    assert_int_equal(bits.word[3], 0x9b00dbd8);
}

/* Every part of the key changes the draw. */
static void test_keys_are_told_apart(void **state)
{
    (void)state;
    struct random_block base = random_draw(1, RANDOM_TOUCH, 2, 3, 4);
    const struct random_block others[] = {
        random_draw(2, RANDOM_TOUCH, 2, 3, 4),
        random_draw((uint64_t)1 << 32 | 1, RANDOM_TOUCH, 2, 3, 4),
        random_draw(1, RANDOM_TRYLOCK, 2, 3, 4),
        random_draw(1, RANDOM_TOUCH, 3, 3, 4),
        random_draw(1, RANDOM_TOUCH, 2, 4, 4),
        random_draw(1, RANDOM_TOUCH, 2, 3, 5),
        random_draw(1, RANDOM_TOUCH, 2, 3, ((uint64_t)1 << 32) + 4),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_not_equal(base.word[0], others[i].word[0]);
    }
}

static void test_exponential_follows_log(void **state)
{
    (void)state;
    const sim_time mean = 1000000000;
    for (uint64_t i = 0; i < 200000; i++) {
        uint32_t bits = i < 1000 ? (uint32_t)i : (uint32_t)(i * 21473U + (i << 17));
        double exact = -log(((double)bits + 0.5) / 4294967296.0) * (double)mean;
        double drawn = (double)random_exponential(bits, mean);
        assert_true(fabs(drawn - exact) <= 3e-6 * (double)mean);
    }
    assert_int_equal(random_exponential(UINT32_MAX, 0), 0);
}

static void test_exponential_has_its_mean(void **state)
{
    (void)state;
    double sum = 0;
    const int n = 1000000;
    for (int i = 0; i < n; i++) {
        struct random_block bits = random_draw(7, RANDOM_TEST, 0, 0, (uint64_t)i);
        sum += (double)random_exponential(bits.word[0], 1000000);
    }
    assert_true(fabs(sum / n - 1e6) < 5 * 1e6 / sqrt(n));
}

static void test_below_covers_its_range(void **state)
{
    (void)state;
    assert_int_equal(random_below(0, 10), 0);
    assert_int_equal(random_below(UINT32_MAX, 10), 9);
    assert_int_equal(random_below(UINT32_MAX, (uint64_t)1 << 32), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_keys_are_told_apart),
        cmocka_unit_test(test_exponential_follows_log),
        cmocka_unit_test(test_exponential_has_its_mean),
        cmocka_unit_test(test_below_covers_its_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
