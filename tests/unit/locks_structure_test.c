/* The real structures of `thrash locks` beside the simulator's: after the same operations they are
 * in the same number of blocks. And each structure beside what its page tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "host/contention/beside.h"
#include "host/contention/operation.h"
#include "simulated_chain.h"

#include <cmocka.h>

enum { PAGES = 6, PROCESSES = 23, STEPS = 600, SEEDS = 40 };

/* Always tried; the seed of a failure is added here. */
static const uint64_t kept_seeds[] = {1, 7, 4711, 20030228, 0xffffffff};

static const struct {
    const char *preset;
    const char *rmap;
    enum reverse_map_id real;
} forms[] = {
    {"linux-2.6.0", "pte_chain_array", RMAP_CHAIN_ARRAY},
    {"linux-2.6.0-no-direct", "pte_chain_array", RMAP_CHAIN_ARRAY_NO_DIRECT},
    {"linux-2.5.27", "pte_chain_linked", RMAP_CHAIN_LINKED},
};

static void open_world(enum reverse_map_id rmap, uint32_t line, uint32_t windows,
                       struct world *world)
{
    const struct reverse_map *row = &reverse_maps[rmap];
    const struct world_plan plan = {
        .rmap = row,
        .kind = &lock_types[row->page_locks ? LOCK_PAGE_BIT : LOCK_PTHREAD_SPIN],
        .granularity = row->page_locks ? LOCK_PER_PAGE : LOCK_PER_OBJECT,
        .threads = 1,
        .objects = 1,
        .pages = PAGES,
        .mappers = PROCESSES,
        .windows = windows,
        .line = line,
    };
    assert_int_equal(world_open(&plan, world), STATUS_OK);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        operation_link(world, &world->workers[0], &world->mms[i]);
    }
}

/* One random operation on both; what they answer must be the same. */
static void step(struct world *world, struct simulated_chain *simulated, bool *locked,
                 const struct random_block *draw)
{
    struct world_worker *worker = &world->workers[0];
    const unsigned process = (unsigned)random_below(draw->word[0], PROCESSES);
    const unsigned page = (unsigned)random_below(draw->word[1], PAGES);
    const unsigned what = (unsigned)random_below(draw->word[2], 100);
    struct world_mm *mm = &world->mms[process];
    struct world_page *real = &world->pages[page];
    if (what < 4) { /* who holds the lock of an mm is reclaim's bad luck, and nobody else's */
        locked[process] = !locked[process];
        simulated_lock(simulated, process, locked[process]);
    } else if (what < 78) {
        /* More maps than unmaps, so that chains get long before reclaim takes them down. */
        const bool mapped = simulated_is_mapped(simulated, process, page);
        if (locked[process]) {
            return;
        }
        if (!mapped) {
            const bool young = (draw->word[3] & 3) == 0;
            simulated_map(simulated, process, page, young);
            assert_true(operation_fault(world, worker, mm, page, young));
        } else if (what < 40) {
            simulated_unmap(simulated, process, page);
            assert_true(operation_unmap(world, worker, mm, page));
        }
    } else if (what < 96) {
        assert_int_equal(world->plan.rmap->referenced(world, worker, real),
                         simulated_referenced(simulated, page));
    } else {
        const unsigned young = simulated_referenced(simulated, page);
        if (young == 0) {
            simulated_clear(simulated, page);
        }
        for (unsigned i = 0; i < PROCESSES; i++) {
            assert_true(!locked[i] || pthread_spin_lock(&world->mms[i].lock) == 0);
        }
        const unsigned left = world->plan.rmap->reclaim(world, worker, real);
        for (unsigned i = 0; i < PROCESSES; i++) {
            assert_true(!locked[i] || pthread_spin_unlock(&world->mms[i].lock) == 0);
        }
        assert_int_equal(left, young == 0 ? simulated_mapcount(simulated, page) : 0);
    }
}

static void compare(size_t form, uint64_t seed)
{
    struct simulated_chain *simulated = simulated_open(forms[form].preset, forms[form].rmap,
                                                       PROCESSES);
    struct world world;
    bool locked[PROCESSES] = {false};
    const unsigned slots = simulated_slots(simulated);
    open_world(forms[form].real, slots == 1 ? 64 : (slots + 1) * 8, 1, &world);
    assert_int_equal(world.slots, slots);
    for (uint64_t i = 0; i < STEPS; i++) {
        const struct random_block draw = random_draw(seed, RANDOM_TEST, (uint32_t)form, 0, i);
        step(&world, simulated, locked, &draw);
        if (operation_blocks(&world) != simulated_blocks(simulated)) {
            fail_msg("%s, seed %llu, step %llu: %zu blocks, the simulator has %llu",
                     forms[form].rmap, (unsigned long long)seed, (unsigned long long)i,
                     operation_blocks(&world), (unsigned long long)simulated_blocks(simulated));
        }
        if (i % 50 == 0) {
            assert_int_equal(operation_check(&world), STATUS_OK);
        }
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        for (unsigned k = 0; k < PAGES; k++) {
            assert_int_equal(pte_get(&world.mms[i].ptes[k]) != 0,
                             simulated_is_mapped(simulated, i, k));
        }
    }
    assert_int_equal(operation_check(&world), STATUS_OK);
    world_close(&world);
    simulated_close(simulated);
}

static void test_same_blocks(void **state)
{
    (void)state;
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        for (size_t i = 0; i < sizeof kept_seeds / sizeof kept_seeds[0]; i++) {
            compare(form, kept_seeds[i]);
        }
        for (uint64_t seed = 100; seed < 100 + SEEDS; seed++) {
            compare(form, seed);
        }
    }
}

/* 3.2 of the reference: a page of k mappings, filled up, is in ceil(k / slots) blocks. */
static void test_geometry(void **state)
{
    (void)state;
    static const struct {
        uint32_t line;
        unsigned mappings;
        size_t blocks;
    } cases[] = {
        {32, 1, 0}, {32, 2, 1},  {32, 3, 1},  {32, 4, 2},   {32, 23, 8},  {64, 7, 1},
        {64, 8, 2}, {64, 22, 4}, {128, 2, 1}, {128, 15, 1}, {128, 16, 2}, {128, 23, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world;
        open_world(RMAP_CHAIN_ARRAY, cases[i].line, 1, &world);
        for (unsigned k = 0; k < cases[i].mappings; k++) {
            assert_true(operation_fault(&world, &world.workers[0], &world.mms[k], 3, true));
        }
        assert_int_equal(operation_blocks(&world), cases[i].blocks);
        assert_int_equal(operation_check(&world), STATUS_OK);
        world_close(&world);
    }
}

/* Whatever is done to it, a structure agrees with its page tables; every reverse map. */
static void test_agree_with_page_tables(void **state)
{
    (void)state;
    for (size_t rmap = 0; rmap < REVERSE_MAPS; rmap++) {
        for (uint32_t windows = 1; windows <= PAGES; windows += PAGES - 1) {
            struct world world;
            open_world((enum reverse_map_id)rmap, 64, windows, &world);
            struct world_worker *worker = &world.workers[0];
            for (uint64_t i = 0; i < 2000; i++) {
                const struct random_block draw = random_draw(5, RANDOM_TEST, (uint32_t)rmap,
                                                             windows, i);
                struct world_mm *mm = &world.mms[random_below(draw.word[0], PROCESSES)];
                const uint32_t page = (uint32_t)random_below(draw.word[1], PAGES);
                const uint64_t what = random_below(draw.word[2], 100);
                if (what < 60) {
                    (void)operation_fault(&world, worker, mm, page, (draw.word[3] & 1) != 0);
                } else if (what < 90) {
                    (void)operation_unmap(&world, worker, mm, page);
                } else if (what < 96) {
                    (void)operation_fork(&world, worker, mm, world_child(&world, 0), NULL);
                    assert_int_equal(operation_check(&world), STATUS_OK);
                    (void)operation_exit(&world, worker, world_child(&world, 0));
                } else if (reverse_maps[rmap].no_reclaim == NULL) {
                    (void)operation_reclaim(&world, worker, &world.objects[0], page, 1);
                }
                if (i % 20 == 0) {
                    assert_int_equal(operation_check(&world), STATUS_OK);
                }
            }
            world_close(&world);
        }
    }
}

/* Reclaim finds all that maps a page, and nothing else. */
static void test_reclaim_finds_all(void **state)
{
    (void)state;
    for (size_t rmap = 0; rmap < REVERSE_MAPS; rmap++) {
        if (reverse_maps[rmap].no_reclaim != NULL) {
            continue;
        }
        struct world world;
        open_world((enum reverse_map_id)rmap, 64, 3, &world);
        operation_populate(&world, &world.workers[0], &world.objects[0]);
        assert_int_equal(pthread_spin_lock(&world.mms[9].lock), 0);
        const uint64_t left = operation_reclaim(&world, &world.workers[0], &world.objects[0], 2, 1);
        const bool was_referenced = reverse_maps[rmap].assumes_referenced;
        assert_int_equal(left, was_referenced ? 0 : 1);
        assert_int_equal(pthread_spin_unlock(&world.mms[9].lock), 0);
        for (uint32_t i = 0; i < PROCESSES; i++) {
            for (uint32_t k = 0; k < PAGES; k++) {
                const bool stays = k != 2 || i == 9 || was_referenced;
                assert_int_equal(pte_get(&world.mms[i].ptes[k]) != 0, stays);
            }
        }
        assert_int_equal(operation_reclaim(&world, &world.workers[0], &world.objects[0], 2, 1), 0);
        for (uint32_t i = 0; i < PROCESSES; i++) {
            assert_true(pte_get(&world.mms[i].ptes[2]) == 0);
        }
        assert_int_equal(operation_check(&world), STATUS_OK);
        world_close(&world);
    }
}

/* A young pte keeps the page, once. */
static void test_young_page_stays(void **state)
{
    (void)state;
    struct world world;
    open_world(RMAP_CHAIN_ARRAY, 64, 1, &world);
    operation_populate(&world, &world.workers[0], &world.objects[0]);
    pte_set(&world.mms[4].ptes[0], pte_get(&world.mms[4].ptes[0]) | PTE_YOUNG);
    (void)operation_reclaim(&world, &world.workers[0], &world.objects[0], 0, 1);
    assert_true(pte_get(&world.mms[0].ptes[0]) != 0);
    (void)operation_reclaim(&world, &world.workers[0], &world.objects[0], 0, 1);
    assert_true(pte_get(&world.mms[0].ptes[0]) == 0);
    assert_int_equal(operation_check(&world), STATUS_OK);
    world_close(&world);
}

/* The check itself can fail. */
static void test_check_notices(void **state)
{
    (void)state;
    struct world world;
    open_world(RMAP_CHAIN_ARRAY, 64, 1, &world);
    operation_populate(&world, &world.workers[0], &world.objects[0]);
    const uint64_t before = pte_get(&world.mms[3].ptes[1]);
    status_set_quiet(1);
    pte_set(&world.mms[3].ptes[1], 0);
    assert_int_equal(operation_check(&world), STATUS_FAILED);
    pte_set(&world.mms[3].ptes[1], before);
    assert_int_equal(operation_check(&world), STATUS_OK);
    world.workers[0].nr_mapped++;
    assert_int_equal(operation_check(&world), STATUS_FAILED);
    status_set_quiet(0);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_blocks),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_agree_with_page_tables),
        cmocka_unit_test(test_reclaim_finds_all),
        cmocka_unit_test(test_young_page_stays),
        cmocka_unit_test(test_check_notices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
