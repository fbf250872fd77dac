/* TLBs by themselves: against one that is obviously right, against the closed form of uniform
 * access, and what flushes leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "config/option.h"
#include "machine/tlb.h"

#include <cmocka.h>

static const struct arch *const x86_64 = &arch_table[2];

/* Random numbers of a seed, one after the other. */
struct dice {
    uint64_t seed, next;
};

static uint64_t below(struct dice *dice, uint64_t n)
{
    return random_below(random_draw(dice->seed, RANDOM_TEST, 0, 0, dice->next++).word[0], n);
}

/* --- one that is obviously right ---------------------------------------------------------------
 */

struct entry {
    bool used, global;
    uint32_t class;
    uint64_t page, last_use;
};

enum { ENTRIES_MAX = 4096 };

struct plain_tlb {
    const struct tlb_config *config;
    struct entry entry[TLB_LEVELS][TLB_ARRAYS][ENTRIES_MAX];
    uint64_t clock;
    struct tlb_counts counts;
};

static bool plain_holds(const struct tlb_array_config *array, uint32_t class)
{
    return array->entries > 0 && (tlb_page_sets[array->pages] & 1U << class) != 0;
}

static bool plain_look(struct plain_tlb *plain, size_t level, uint32_t class, uint64_t page,
                       bool global)
{
    uint64_t n = 0;
    for (size_t i = 0; i < TLB_ARRAYS; i++) {
        n += plain_holds(&plain->config->level[level].array[i], class);
    }
    for (size_t i = 0, turn = 0; i < TLB_ARRAYS; i++) {
        const struct tlb_array_config *array = &plain->config->level[level].array[i];
        if (!plain_holds(array, class) || turn++ != page % n) {
            continue;
        }
        uint64_t ways = array->ways == OPTION_AUTO ? array->entries : array->ways;
        uint64_t sets = array->entries / ways;
        struct entry *first = &plain->entry[level][i][page / n % sets * ways];
        struct entry *victim = first;
        for (struct entry *entry = first; entry < first + ways; entry++) {
            if (entry->used && entry->class == class && entry->page == page &&
                entry->global == global) {
                entry->last_use = ++plain->clock;
                return true;
            }
            if (victim->used && (!entry->used || entry->last_use < victim->last_use)) {
                victim = entry;
            }
        }
        *victim = (struct entry){true, global, class, page, ++plain->clock};
    }
    return false;
}

static void plain_access(struct plain_tlb *plain, const struct tlb_access *access)
{
    static const unsigned shifts[PAGE_CLASSES] = {0, 9, 18};
    uint64_t page = access->vpn >> shifts[access->class];
    plain->counts.accesses++;
    if (!plain_look(plain, 0, access->class, page, access->global)) {
        plain->counts.l1_misses++;
        plain->counts.misses += !plain_look(plain, 1, access->class, page, access->global);
    }
}

static void plain_flush(struct plain_tlb *plain, bool global_too)
{
    for (size_t i = 0; i < TLB_LEVELS * TLB_ARRAYS * ENTRIES_MAX; i++) {
        struct entry *entry = &plain->entry[0][0][0] + i;
        entry->used = entry->used && entry->global && !global_too;
    }
}

/* --- against it --------------------------------------------------------------------------------
 */

static void choose_config(struct dice *dice, struct tlb_config *config)
{
    *config = (struct tlb_config){.name = "random"};
    for (size_t level = 0; level < TLB_LEVELS; level++) {
        for (size_t i = 0; i < TLB_ARRAYS; i++) {
            uint64_t ways = 1ULL << below(dice, 6);
            bool full = below(dice, 4) == 0;
            config->level[level].array[i] = (struct tlb_array_config){
                .entries = below(dice, 3) == 0 ? 0 : ways * (1 + below(dice, 20)),
                .ways = full ? OPTION_AUTO : ways,
                .pages = (unsigned)below(dice, 7),
            };
        }
    }
    config->l2_hit = 5;
    config->walk_step = 100;
    config->walk_memory = 10000;
    config->walk_misses = below(dice, 5);
}

/* Some pages are popular, some follow each other, of all sizes. */
static struct tlb_access choose_access(struct dice *dice, uint64_t footprint, uint64_t number)
{
    uint64_t vpn = below(dice, 4) == 0 ? number : below(dice, below(dice, 2) == 0 ? 64 : footprint);
    uint32_t class = (uint32_t)below(dice, PAGE_CLASSES);
    return (struct tlb_access){vpn << below(dice, 12), class, below(dice, 16) == 0};
}

static void compare_streams(uint64_t seed, uint64_t *hits, uint64_t *misses)
{
    struct dice dice = {seed, 0};
    struct tlb_config config;
    struct tlb tlb;
    choose_config(&dice, &config);
    tlb_set_up(&config, x86_64, &tlb);
    uint64_t *entries = calloc(tlb.nentries + 1, sizeof *entries);
    struct plain_tlb *plain = calloc(1, sizeof *plain);
    assert_non_null(entries);
    assert_non_null(plain);
    plain->config = &config;
    struct tlb_counts counts = {0};
    uint64_t footprint = 1 + below(&dice, 4000);
    for (uint64_t i = 0; i < 3000; i++) {
        struct tlb_access access = choose_access(&dice, footprint, i);
        tlb_run(&tlb, entries, &access, 1, &counts);
        plain_access(plain, &access);
        assert_int_equal(counts.l1_misses, plain->counts.l1_misses);
        assert_int_equal(counts.misses, plain->counts.misses);
        if (below(&dice, 200) == 0) {
            bool all = below(&dice, 2) == 0;
            tlb_flush(&tlb, entries, all ? TLB_FLUSH_ALL : TLB_FLUSH_SWITCH);
            plain_flush(plain, all);
        }
    }
    *hits += counts.accesses - counts.misses;
    *misses += counts.misses;
    free(entries);
    free(plain);
}

static void test_random_streams(void **state)
{
    (void)state;
    uint64_t hits = 0;
    uint64_t misses = 0;
    for (uint64_t seed = 1000; seed < 1300; seed++) {
        compare_streams(seed, &hits, &misses);
    }
    assert_true(hits > 50000);
    assert_true(misses > 50000);
}

/* --- uniform access ----------------------------------------------------------------------------
 */

static const struct tlb_config full_64 = {
    .name = "one array, fully associative",
    .level = {{.array = {{64, OPTION_AUTO, 0}}}},
};
static const struct tlb_config ways_4 = {
    .name = "one array of four ways",
    .level = {{.array = {{256, 4, 0}}}},
};
static const struct tlb_config two_levels = {
    .name = "two levels",
    .level = {{.array = {{32, OPTION_AUTO, 0}}}, {.array = {{512, 4, 0}}}},
};
static const struct tlb_config split = {
    .name = "a second level of two arrays",
    .level = {{.array = {{64, 4, 0}}}, {.array = {{1024, 8, 3}, {1024, 8, 4}}}},
};

static double miss_ratio(const struct tlb_config *config, uint64_t pages, uint32_t class)
{
    struct tlb tlb;
    tlb_set_up(config, x86_64, &tlb);
    uint64_t *entries = calloc(tlb.nentries, sizeof *entries);
    struct tlb_access *accesses = calloc(100000, sizeof *accesses);
    assert_non_null(entries);
    assert_non_null(accesses);
    struct dice dice = {pages, 0};
    struct tlb_counts counts = {0};
    for (unsigned round = 0; round < 6; round++) {
        for (size_t i = 0; i < 100000; i++) {
            accesses[i] = (struct tlb_access){below(&dice, pages) << tlb.shift[class], class,
                                              false};
        }
        if (round == 1) {
            counts = (struct tlb_counts){0}; /* the first has filled it */
        }
        tlb_run(&tlb, entries, accesses, 100000, &counts);
    }
    free(accesses);
    free(entries);
    return (double)counts.misses / (double)counts.accesses;
}

/* Any policy that keeps all entries busy hits reach / footprint of uniform accesses; below its
 * reach it misses nothing. */
static void test_uniform_access(void **state)
{
    (void)state;
    const struct tlb_config *const configs[] = {&full_64, &ways_4, &two_levels, &split};
    const double factors[] = {0.1, 0.5, 0.8, 1.25, 1.5, 2, 8, 64};
    for (size_t c = 0; c < sizeof configs / sizeof configs[0]; c++) {
        struct tlb tlb;
        tlb_set_up(configs[c], x86_64, &tlb);
        uint64_t reach = tlb_reach(&tlb, PAGES_SMALL) / PAGE_BYTES;
        for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
            uint64_t pages = (uint64_t)((double)reach * factors[i]);
            double ratio = miss_ratio(configs[c], pages, PAGES_SMALL);
            double expected = factors[i] < 1 ? 0 : 1 - (double)reach / (double)pages;
            assert_true(ratio > expected - 0.02 &&
                        ratio < expected + (factors[i] < 1 ? 0.01 : 0.02));
        }
    }
}

static void test_reach(void **state)
{
    (void)state;
    const struct tlb_config opteron = {
        .name = "Opteron",
        .level = {{.array = {{32, OPTION_AUTO, 0}, {8, OPTION_AUTO, 1}}}, {.array = {{512, 4, 0}}}},
    };
    struct tlb tlb;
    tlb_set_up(&opteron, x86_64, &tlb);
    assert_int_equal(tlb_reach(&tlb, PAGES_SMALL), 2 << 20);
    assert_int_equal(tlb_reach(&tlb, PAGES_LARGE), 16 << 20);
    assert_int_equal(tlb_reach(&tlb, PAGES_HUGE), 0);
    tlb_set_up(&opteron, &arch_table[0], &tlb);
    assert_int_equal(tlb_reach(&tlb, PAGES_LARGE), 32 << 20);
    /* Pages of 1 GiB have no entry: each access walks. */
    assert_true(miss_ratio(&opteron, 2, PAGES_HUGE) == 1);
}

/* Time: nothing for the first level, a look for the second, a walk by its depth for the rest. */
static void test_walk_time(void **state)
{
    (void)state;
    struct tlb_config config = two_levels;
    config.l2_hit = 7;
    config.walk_step = 100;
    config.walk_memory = 1000;
    const struct {
        unsigned arch;
        uint64_t misses;
        sim_time time[PAGE_CLASSES];
    } rows[] = {
        {0, 1, {1207, 1107, 0}}, {1, 1, {1307, 1207, 0}},    {2, 1, {1407, 1307, 1207}},
        {2, 0, {407, 307, 207}}, {2, 4, {4407, 3307, 2207}}, {0, 2, {2207, 1107, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tlb tlb;
        config.walk_misses = rows[i].misses;
        tlb_set_up(&config, &arch_table[rows[i].arch], &tlb);
        for (uint32_t class = 0; class < PAGE_CLASSES && rows[i].time[class] > 0; class ++) {
            assert_int_equal(tlb.walk_time[class], rows[i].time[class]);
        }
    }
    /* 33 pages in turn do not fit into the first level, but into the second. */
    struct tlb tlb;
    tlb_set_up(&config, x86_64, &tlb);
    uint64_t *entries = calloc(tlb.nentries, sizeof *entries);
    struct tlb_counts counts = {0};
    for (uint64_t i = 0; i < 330; i++) {
        const struct tlb_access access = {i % 33, PAGES_SMALL, false};
        tlb_run(&tlb, entries, &access, 1, &counts);
    }
    assert_int_equal(counts.misses, 33);
    assert_int_equal(counts.l1_misses, 330);
    assert_int_equal(counts.time, 33 * tlb.walk_time[PAGES_SMALL] + 297 * 7);
    assert_int_equal(tlb_mapped(&tlb, entries), 33 * PAGE_BYTES);
    free(entries);
}

/* Loading cr3 keeps global entries, and all of them where they are tagged. */
static void test_flushes(void **state)
{
    (void)state;
    const struct tlb_access stream[] = {{1, PAGES_SMALL, false}, {2, PAGES_SMALL, true}};
    struct tlb_config config = full_64;
    const struct {
        bool tagged;
        enum tlb_flush kind;
        uint64_t misses;
    } rows[] = {{false, TLB_FLUSH_SWITCH, 1},
                {false, TLB_FLUSH_ALL, 2},
                {true, TLB_FLUSH_SWITCH, 0},
                {true, TLB_FLUSH_ALL, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tlb tlb;
        uint64_t entries[64] = {0};
        struct tlb_counts counts = {0};
        config.tagged = rows[i].tagged;
        tlb_set_up(&config, x86_64, &tlb);
        tlb_run(&tlb, entries, stream, 2, &counts);
        tlb_flush(&tlb, entries, rows[i].kind);
        counts = (struct tlb_counts){0};
        tlb_run(&tlb, entries, stream, 2, &counts);
        assert_int_equal(counts.misses, rows[i].misses);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_streams), cmocka_unit_test(test_uniform_access),
        cmocka_unit_test(test_reach),          cmocka_unit_test(test_walk_time),
        cmocka_unit_test(test_flushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
