/* Access distributions: every page is reached, classes have their shares, hot pages are spread. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/random.h"
#include "workloads/access.h"

#include <cmocka.h>

static const struct access_params hot_cold = {ACCESS_HOT_COLD, 200000000, 800000000, 0};
static const struct access_params uniform = {ACCESS_UNIFORM, 0, 0, 0};
static const struct access_params zipf = {ACCESS_ZIPF, 0, 0, 990000000};

/* Ranks are a permutation of the pages, whatever their number. */
static void test_ranks_are_a_permutation(void **state)
{
    (void)state;
    const uint64_t sizes[] = {1, 2, 3, 7, 64, 511, 512, 1000, 4096, 49152, 65537};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t n = sizes[i];
        struct access_table table;
        access_build(&uniform, n, &table);
        unsigned char *seen = calloc(n, 1);
        assert_non_null(seen);
        for (uint64_t rank = 0; rank < n; rank++) {
            uint64_t page = (uint64_t)((uint128)rank * table.stride % n);
            assert_int_equal(seen[page], 0);
            seen[page] = 1;
        }
        free(seen);
    }
}

static void draw_many(const struct access_params *params, uint64_t n, uint64_t draws,
                      uint64_t *counts)
{
    struct access_table table;
    access_build(params, n, &table);
    for (uint64_t i = 0; i < draws; i++) {
        struct random_block bits = random_draw(3, RANDOM_TEST, 1, 0, i);
        uint64_t page = access_page(&table, bits.word[0], bits.word[1]);
        assert_true(page < n);
        counts[page]++;
    }
}

static void test_hot_pages_get_their_share(void **state)
{
    (void)state;
    enum { PAGES = 5000, DRAWS = 1000000 };
    uint64_t *counts = calloc(PAGES, sizeof *counts);
    assert_non_null(counts);
    draw_many(&hot_cold, PAGES, DRAWS, counts);
    uint64_t hot_pages = 0;
    uint64_t hot_touches = 0;
    uint64_t hot_in_chunk = 0;
    for (uint64_t page = 0; page < PAGES; page++) {
        bool hot = counts[page] > DRAWS / PAGES; /* 800 expected, cold ones 50 */
        hot_pages += hot;
        hot_touches += hot ? counts[page] : 0;
        hot_in_chunk += hot && page < 500;
    }
    free(counts);
    assert_int_equal(hot_pages, PAGES / 5);
    assert_true(fabs((double)hot_touches / DRAWS - 0.8) < 0.005);
    assert_in_range(hot_in_chunk, 95, 105);
}

static void test_zipf_falls_off(void **state)
{
    (void)state;
    enum { PAGES = 4096, DRAWS = 2000000 };
    struct access_table table;
    access_build(&zipf, PAGES, &table);
    /* The exact share of ranks below 2^k against that of the classes. */
    double total = 0;
    for (int rank = 1; rank <= PAGES; rank++) {
        total += pow(rank, -0.99);
    }
    double sum = 0;
    for (int rank = 1; rank <= PAGES; rank++) {
        sum += pow(rank, -0.99);
        for (uint32_t i = 0; i < table.nclasses; i++) {
            if (table.class[i].first + table.class[i].pages == (uint64_t)rank) {
                double share = (double)table.class[i].upto / 4294967296.0;
                assert_true(fabs(share - sum / total) < 0.02);
            }
        }
    }
    uint64_t *counts = calloc(PAGES, sizeof *counts);
    assert_non_null(counts);
    draw_many(&zipf, PAGES, DRAWS, counts);
    uint64_t reached = 0;
    for (int page = 0; page < PAGES; page++) {
        reached += counts[page] > 0;
    }
    free(counts);
    assert_int_equal(reached, PAGES);
}

static void test_coldest_is_relative_to_the_mean(void **state)
{
    (void)state;
    struct access_table table;
    access_build(&hot_cold, 10000, &table);
    assert_true(fabs((double)access_coldest(&table) / 4294967296.0 - 0.25) < 1e-6);
    access_build(&uniform, 10000, &table);
    assert_true(fabs((double)access_coldest(&table) / 4294967296.0 - 1.0) < 1e-6);
}

/* Shares of nothing and of everything still make a distribution. */
static void test_degenerate_shares(void **state)
{
    (void)state;
    const struct access_params params[] = {{ACCESS_HOT_COLD, 0, 800000000, 0},
                                           {ACCESS_HOT_COLD, SHARE_ONE, 800000000, 0},
                                           {ACCESS_HOT_COLD, 200000000, SHARE_ONE, 0},
                                           {ACCESS_HOT_COLD, 200000000, 0, 0},
                                           {ACCESS_ZIPF, 0, 0, 0},
                                           {ACCESS_ZIPF, 0, 0, SHARE_ONE}};
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        for (uint64_t n = 1; n < 20; n++) {
            struct access_table table;
            access_build(&params[i], n, &table);
            assert_true(access_page(&table, UINT32_MAX, UINT32_MAX) < n);
            assert_true(access_page(&table, 0, 0) < n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks_are_a_permutation),
        cmocka_unit_test(test_hot_pages_get_their_share),
        cmocka_unit_test(test_zipf_falls_off),
        cmocka_unit_test(test_coldest_is_relative_to_the_mean),
        cmocka_unit_test(test_degenerate_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
