/* The radix priority search tree: intervals come and go, and every query is what a look at all of
 * them gives; its shape is that of its definition, and so is the work of a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prio_tree.h"
#include "base/random.h"

enum { NODES = 200 };

struct intervals {
    struct prio_tree tree;
    struct prio_node nodes[NODES + 1];
    bool present[NODES + 1];
    uint32_t came[NODES + 1]; /* those present, in the order they came */
    uint32_t n;
    uint64_t draws;
};

static uint64_t draw(struct intervals *all, uint64_t below)
{
    const struct random_block bits = random_draw(17, RANDOM_TEST, 1, 0, all->draws++);
    return ((uint64_t)bits.word[0] << 32 | bits.word[1]) % below;
}

static void insert(struct intervals *all, uint32_t id, uint64_t first, uint64_t last)
{
    all->nodes[id].first = first;
    all->nodes[id].last = last;
    prio_tree_insert(&all->tree, all->nodes, id);
    all->present[id] = true;
    all->came[all->n++] = id;
}

static void take(struct intervals *all, uint32_t id)
{
    prio_tree_remove(&all->tree, all->nodes, id);
    all->present[id] = false;
    uint32_t i = 0;
    while (all->came[i] != id) {
        i++;
    }
    memmove(&all->came[i], &all->came[i + 1], (--all->n - i) * sizeof all->came[0]);
}

static bool covers(const struct intervals *all, uint32_t id, uint64_t page)
{
    return all->nodes[id].first <= page && page <= all->nodes[id].last;
}

static bool alike(const struct intervals *all, uint32_t a, uint32_t b)
{
    return all->nodes[a].first == all->nodes[b].first && all->nodes[a].last == all->nodes[b].last;
}

/* --- the tree from its definition --------------------------------------------------------- */

/* Work of a query below the intervals of a set, the first of those that are alike standing for
 * them; reports what it finds in the order it finds it. */
struct expected {
    uint64_t page, visits;
    uint32_t found[NODES], nfound;
};

static void look(const struct intervals *all, uint32_t *set, uint32_t n, uint32_t level,
                 uint64_t from, struct expected *expected)
{
    if (n == 0) {
        return;
    }
    uint32_t top = 0;
    for (uint32_t i = 1; i < n; i++) {
        const struct prio_node *a = &all->nodes[set[i]];
        const struct prio_node *b = &all->nodes[set[top]];
        if (a->last > b->last || (a->last == b->last && a->first < b->first)) {
            top = i;
        }
    }
    const uint32_t root = set[top];
    expected->visits++;
    if (all->nodes[root].last < expected->page) {
        return;
    }
    for (uint32_t i = 0, others = 0; i < all->n && covers(all, root, expected->page); i++) {
        if (alike(all, all->came[i], root)) {
            expected->visits += others++ > 0;
            expected->found[expected->nfound++] = all->came[i];
        }
    }
    uint32_t left[NODES];
    uint32_t right[NODES];
    uint32_t nleft = 0;
    uint32_t nright = 0;
    const uint32_t bits = all->tree.bits;
    for (uint32_t i = 0; i < n; i++) {
        const struct prio_node *node = &all->nodes[set[i]];
        const uint64_t key = level < bits ? node->first : node->last - node->first;
        if (i == top) {
            continue;
        }
        assert_true(level < 2 * bits);
        if (key >> (bits - 1 - level % bits) & 1) {
            right[nright++] = set[i];
        } else {
            left[nleft++] = set[i];
        }
    }
    const uint64_t middle = level < bits ? from + (1ULL << (bits - 1 - level)) : from;
    look(all, left, nleft, level + 1, from, expected);
    if (middle <= expected->page) {
        look(all, right, nright, level + 1, middle, expected);
    }
}

static void check_query(const struct intervals *all, uint64_t page)
{
    uint32_t set[NODES];
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->n; i++) {
        bool first = true;
        for (uint32_t j = 0; j < n; j++) {
            first = first && !alike(all, set[j], all->came[i]);
        }
        if (first) {
            set[n++] = all->came[i];
        }
    }
    struct expected expected = {.page = page};
    look(all, set, n, 0, 0, &expected);
    uint32_t covering = 0;
    for (uint32_t i = 0; i < all->n; i++) {
        covering += covers(all, all->came[i], page);
    }
    assert_int_equal(expected.nfound, covering); /* the definition finds what there is */
    struct prio_query query;
    prio_query_begin(&query, &all->tree, all->nodes, page);
    for (uint32_t i = 0; i < expected.nfound; i++) {
        assert_int_equal(prio_query_next(&query), expected.found[i]);
    }
    assert_int_equal(prio_query_next(&query), 0);
    assert_int_equal(query.visits, expected.visits);
    assert_true(query.visits - query.useless == covering);
}

/* --- tests -------------------------------------------------------------------------------- */

static void test_random_intervals(void **state)
{
    (void)state;
    struct intervals *all = calloc(1, sizeof *all);
    assert_non_null(all);
    static const struct {
        uint64_t pages, longest;
    } shapes[] = {{8, 8}, {64, 1}, {100, 10}, {1000, 1000}, {1ULL << 40, 1ULL << 20}, {5, 1}};
    for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
        for (int step = 0; step < 1500; step++) {
            const uint32_t id = 1 + (uint32_t)draw(all, NODES);
            /* Waves: trees fill up and become empty again. */
            const bool filling = step / 300 % 2 == 0;
            if (all->present[id] && (!filling || draw(all, 4) == 0)) {
                take(all, id);
            } else if (!all->present[id] && (filling || draw(all, 8) == 0)) {
                const uint64_t first = draw(all, shapes[shape].pages);
                insert(all, id, first, first + draw(all, shapes[shape].longest));
            }
            const uint64_t at = all->n > 0 ? all->nodes[all->came[draw(all, all->n)]].last : 0;
            check_query(all, at);
            check_query(all, draw(all, shapes[shape].pages + 1));
        }
        while (all->n > 0) {
            take(all, all->came[draw(all, all->n)]);
        }
        assert_int_equal(all->tree.root, 0);
    }
    free(all);
}

/* Many mappings of the same pages are one node; a page of its own costs a way down the tree. */
static void test_work(void **state)
{
    (void)state;
    struct intervals *all = calloc(1, sizeof *all);
    assert_non_null(all);
    for (uint32_t id = 1; id <= 100; id++) {
        insert(all, id, 0, 999);
    }
    struct prio_query query;
    prio_query_begin(&query, &all->tree, all->nodes, 500);
    for (uint32_t id = 1; id <= 100; id++) {
        assert_int_equal(prio_query_next(&query), id);
    }
    assert_int_equal(query.visits, 100);
    memset(all, 0, sizeof *all);
    for (uint32_t id = 1; id <= 128; id++) {
        insert(all, id, id - 1, id - 1);
    }
    uint64_t visits = 0;
    for (uint64_t page = 0; page < 128; page++) {
        prio_query_begin(&query, &all->tree, all->nodes, page);
        assert_int_equal(prio_query_next(&query), page + 1);
        assert_int_equal(prio_query_next(&query), 0);
        visits += query.visits;
    }
    assert_in_range(visits, 128, 128 * 2 * 8);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_intervals),
        cmocka_unit_test(test_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
