/* thrash compare: statistics of repetitions beside their definitions, and conditions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "commands/compare_condition.h"
#include "commands/compare_statistics.h"

#include <cmocka.h>

static void test_summary(void **state)
{
    (void)state;
    double odd[] = {3, NAN, 1, 2, NAN};
    struct sample_summary summary = sample_summarise(odd, 5);
    assert_int_equal(summary.n, 3);
    assert_true(summary.median == 2 && summary.least == 1 && summary.most == 3);
    double even[] = {4, 1, 2, 3};
    assert_true(sample_summarise(even, 4).median == 2.5);
    double none[] = {NAN};
    summary = sample_summarise(none, 1);
    assert_int_equal(summary.n, 0);
    assert_true(isnan(summary.median) && isnan(summary.least) && isnan(summary.most));
}

static double pairs_won(const double *values, size_t n, uint32_t members)
{
    double won = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            if ((members >> i & 1) != 0 && (members >> j & 1) == 0) {
                won += values[i] > values[j] ? 1 : values[i] == values[j] ? 0.5 : 0;
            }
        }
    }
    return won;
}

/* Of all ways to take the first sample out of both, those that are as uneven as the one there is.
 */
static double permutation_p(const double *a, size_t na, const double *b, size_t nb)
{
    double values[16];
    memcpy(values, a, na * sizeof *a);
    memcpy(values + na, b, nb * sizeof *b);
    const size_t n = na + nb;
    const double middle = (double)na * (double)nb / 2;
    const double found = fabs(pairs_won(values, n, (1U << na) - 1) - middle);
    double as_uneven = 0;
    double all = 0;
    for (uint32_t members = 0; members < 1U << n; members++) {
        if ((size_t)__builtin_popcount(members) == na) {
            all++;
            as_uneven += fabs(pairs_won(values, n, members) - middle) >= found - 1e-9;
        }
    }
    return as_uneven / all;
}

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void draw(double *values, size_t n, uint64_t *seed, uint64_t kinds)
{
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005U + 1442695040888963407U;
        values[i] = (double)((*seed >> 33) % kinds);
    }
    qsort(values, n, sizeof *values, by_value);
}

static void test_rank_test(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 60; round++) {
        double a[6], b[6];
        const size_t na = 2 + (size_t)round % 5;
        const size_t nb = 2 + (size_t)(round / 5) % 5;
        draw(a, na, &seed, UINT64_C(1) << 30); /* no two are equal */
        draw(b, nb, &seed, UINT64_C(1) << 30);
        const double wanted = permutation_p(a, na, b, nb);
        assert_true(fabs(sample_rank_test(a, na, b, nb) - wanted) < 1e-12);
        assert_true(fabs(sample_rank_test(b, nb, a, na) - wanted) < 1e-12);
    }
    for (int round = 0; round < 60; round++) { /* with ties */
        double a[7], b[7];
        const size_t na = 2 + (size_t)round % 6;
        const size_t nb = 2 + (size_t)(round / 6) % 6;
        draw(a, na, &seed, 5);
        draw(b, nb, &seed, 5);
        const double wanted = permutation_p(a, na, b, nb);
        assert_true(fabs(sample_rank_test(a, na, b, nb) - wanted) < 1e-12);
    }
    for (int round = 0; round < 20; round++) { /* many are approximated */
        double a[21], b[20];
        draw(a, 21, &seed, 40);
        draw(b, 20, &seed, 40);
        const double approximate = sample_rank_test(a, 21, b, 20);
        memmove(a + 10, a + 11, 10 * sizeof *a); /* without the middle one, exact */
        assert_true(fabs(approximate - sample_rank_test(a, 20, b, 20)) < 0.08);
    }
    const double equal[] = {2, 2, 2};
    assert_true(sample_rank_test(equal, 3, equal, 3) == 1);
    assert_true(isnan(sample_rank_test(equal, 1, equal, 3)));
    double low[20], high[20];
    for (int i = 0; i < 20; i++) {
        low[i] = i;
        high[i] = 100 + i;
    }
    const double p = sample_rank_test(low, 20, high, 20); /* 2 of (40 over 20) orders */
    assert_true(fabs(p / (2 / 137846528820.0) - 1) < 1e-9);
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        const char *spelled;
        double first, value;
        bool holds;
    } cases[] = {
        {"a > 1.05x", 100, 106, true},   {"a > 1.05x", 100, 105, false},
        {"a>=1.05x", 100, 105, true},    {"a < 0.5 x", 100, 49, true},
        {"a > +5%", 100, 106, true},     {"a > 5%", 100, 104, false},
        {"a < -5%", 100, 94, true},      {"a < -5%", -100, -106, true},
        {"a > 3", 100, 4, true},         {"a <= 3", 100, 3, true},
        {"  a  <=  3e0  ", 0, 4, false}, {"a > 1.05x", 0, 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct condition condition;
        assert_int_equal(condition_parse(cases[i].spelled, &condition), STATUS_OK);
        assert_string_equal(condition.metric, "a");
        assert_int_equal(condition_holds(&condition, cases[i].first, cases[i].value),
                         cases[i].holds);
    }
    static const char *const bad[] = {"",        "a",      "a >",     "> 3",
                                      "a = 3",   "a > x",  "a > 3y",  "a > 3x 4",
                                      "a > inf", "a >> 3", "a > nan", "a > 5%x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct condition condition;
        assert_int_equal(condition_parse(bad[i], &condition), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "--fail-if"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_rank_test),
        cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
