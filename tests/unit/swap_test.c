/* Swap slots: devices in turn, clusters of free slots, single slots when there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/random.h"
#include "machine/cell.h"

#include <cmocka.h>

enum { DEVICES = 3, SLOTS = 700, CLUSTERS = 3 };

struct fixture {
    struct cell_core core;
    page_id map[DEVICES * SLOTS];
    uint16_t used[DEVICES * CLUSTERS];
    struct cell cell;
};

static struct cell *set_up(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->core.swap.slots_per_device = SLOTS;
    fixture->cell = (struct cell){
        .core = &fixture->core,
        .nswap_devices = DEVICES,
        .swap_map = fixture->map,
        .swap_cluster_used = fixture->used,
    };
    return &fixture->cell;
}

static void test_devices_take_turns(void **state)
{
    (void)state;
    struct fixture fixture;
    struct cell *cell = set_up(&fixture);
    for (uint32_t i = 0; i < 3 * 256; i++) {
        uint32_t slot = swap_take_slot(cell, i);
        assert_int_equal(slot / SLOTS, i % DEVICES);
        assert_int_equal(slot % SLOTS, i / DEVICES);
        assert_int_equal(fixture.map[slot], i + 1);
    }
}

static void test_a_free_cluster_is_preferred(void **state)
{
    (void)state;
    struct fixture fixture;
    struct cell *cell = set_up(&fixture);
    fixture.cell.nswap_devices = 1;
    for (uint32_t i = 0; i < 256; i++) {
        assert_int_equal(swap_take_slot(cell, i), i);
    }
    swap_free_slot(cell, 10); /* a hole in the first cluster */
    assert_int_equal(swap_take_slot(cell, 1000), 256);
    /* Both complete clusters are begun; the incomplete one at the end does not count. */
    for (uint32_t i = 0; i < 255; i++) {
        assert_int_equal(swap_take_slot(cell, 2000 + i), 257 + i);
    }
    assert_int_equal(swap_take_slot(cell, 5000), 10);
}

static void test_every_slot_once_until_full(void **state)
{
    (void)state;
    struct fixture fixture;
    struct cell *cell = set_up(&fixture);
    bool taken[DEVICES * SLOTS] = {false};
    uint32_t n = 0;
    for (uint64_t step = 0; step < 100000; step++) {
        struct random_block bits = random_draw(6, RANDOM_TEST, 3, 0, step);
        uint32_t victim = bits.word[1] % (DEVICES * SLOTS);
        bool fill = step < 50000 ? bits.word[0] % 8 != 0 : bits.word[0] % 3 == 0;
        if (fill) {
            uint32_t slot = swap_take_slot(cell, 7);
            assert_int_equal(slot == UINT32_MAX, n == DEVICES * SLOTS);
            if (slot != UINT32_MAX) {
                assert_false(taken[slot]);
                taken[slot] = true;
                n++;
            }
        } else if (taken[victim]) {
            swap_free_slot(cell, victim);
            taken[victim] = false;
            n--;
        }
        assert_int_equal(fixture.core.swap.used, n);
        assert_int_equal(swap_is_full(cell), n == DEVICES * SLOTS);
        assert_int_equal(swap_is_half_full(cell), 2 * n > DEVICES * SLOTS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_take_turns),
        cmocka_unit_test(test_a_free_cluster_is_preferred),
        cmocka_unit_test(test_every_slot_once_until_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
