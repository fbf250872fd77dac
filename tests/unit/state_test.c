/* The state table: arrays are declared, mapped, predicted, counted and digested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "machine/state.h"

#include <cmocka.h>

enum { SMALL = 1000, LARGE = 1 << 20 };

/* A small array, one of several large pages of which a tenth is expected, and an empty one. */
struct owner {
    struct state_table table;
    uint32_t *small;
    uint64_t *large;
    uint8_t *none;
};

static void declare(struct owner *owner)
{
    *owner = (struct owner){0};
    state_declare(&owner->table, "small", "a number", sizeof(uint32_t), SMALL, SMALL,
                  (void **)&owner->small);
    state_declare(&owner->table, "large", "a number", sizeof(uint64_t), LARGE, LARGE / 10,
                  (void **)&owner->large);
    state_declare(&owner->table, "none", "nothing", 1, 0, 0, (void **)&owner->none);
}

static void test_declare_and_map(void **state)
{
    (void)state;
    struct owner owner;
    declare(&owner);
    assert_int_equal(owner.table.narrays, 3);
    assert_string_equal(owner.table.array[1].name, "large");
    assert_null(owner.small);
    assert_int_equal(state_map(&owner.table), STATUS_OK);
    assert_non_null(owner.none);
    assert_int_equal((uintptr_t)owner.large % ((uintptr_t)2 << 20), 0);
    for (size_t i = 0; i < SMALL; i++) {
        assert_int_equal(owner.small[i], 0);
        owner.small[i] = (uint32_t)i;
    }
    assert_int_equal(owner.large[LARGE - 1], 0);
    owner.large[LARGE - 1] = 1;
    assert_int_equal(owner.small[SMALL - 1], SMALL - 1);
    state_unmap(&owner.table);
    assert_null(owner.small);
    assert_null(owner.large);
    assert_null(owner.none);
    state_unmap(&owner.table); /* of what is not mapped: nothing */
}

/* What the host cannot map is named, and nothing stays mapped. */
static void test_refused(void **state)
{
    (void)state;
    struct owner owner;
    uint64_t *monster;
    declare(&owner);
    state_declare(&owner.table, "monster", "a number", sizeof *monster, (uint64_t)1 << 58, 1,
                  (void **)&monster);
    assert_int_equal(state_map(&owner.table), STATUS_RESOURCE);
    assert_non_null(strstr(status_last_message(), "the array monster"));
    assert_null(owner.small);
    assert_null(monster);
}

/* Whole host pages, large ones from their size on, of what is expected. */
static void test_predicted(void **state)
{
    (void)state;
    const struct {
        size_t element;
        uint64_t count, expected;
        byte_count bytes;
    } rows[] = {
        {4, 2000, 0, 0},
        {4, 2000, 1, 4096},
        {4, 2000, 1024, 4096},
        {4, 2000, 1025, 8192},
        {1, (2 << 20) - 1, (1 << 20) + 1, (1 << 20) + 4096},
        {1, 2 << 20, 1, 2 << 20},
        {1, 8 << 20, (2 << 20) + 1, 4 << 20},
        {16, (uint64_t)1 << 50, (uint64_t)1 << 40, (byte_count)16 << 40},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct state_array array = {
            .element = rows[i].element, .count = rows[i].count, .expected = rows[i].expected};
        assert_int_equal(state_predicted(&array), rows[i].bytes);
    }
}

/* Parts that are used at their beginnings fill the host pages around them, each once. */
static void test_scattered(void **state)
{
    (void)state;
    assert_int_equal(state_scattered(4, 1000, 0, 5), 0);
    assert_int_equal(state_scattered(4, 1024, 1, 5), 5 * 1024);
    assert_int_equal(state_scattered(4, 512, 1, 5), 3 * 1024 - 512); /* cut off at the end */
    assert_int_equal(state_scattered(4, 1 << 18, 1000, 4), 1 << 20); /* two parts a page */
    assert_int_equal(state_scattered(4, 1 << 21, 1000, 4), 4 << 19);
    assert_int_equal(state_scattered(4, 1 << 21, (1 << 19) + 1, 4), 4 << 20);
}

/* Only what has been written is held: a page, or a large one where the host gives those. */
static void test_resident(void **state)
{
    (void)state;
    struct owner owner;
    declare(&owner);
    assert_int_equal(state_map(&owner.table), STATUS_OK);
    const struct state_array *small = &owner.table.array[0];
    const struct state_array *large = &owner.table.array[1];
    assert_int_equal(state_resident(small), 0);
    assert_int_equal(state_resident(large), 0);
    uint64_t sum = owner.small[0];
    for (size_t i = 0; i < LARGE; i += 64) {
        sum += owner.large[i];
    }
    assert_int_equal(sum, 0);
    assert_int_equal(state_resident(small), 0); /* reading takes nothing */
    assert_int_equal(state_resident(large), 0);
    owner.small[0] = 1;
    owner.large[LARGE / 2] = 1;
    assert_int_equal(state_resident(small), sysconf(_SC_PAGESIZE));
    assert_in_range(state_resident(large), 1, 2 << 20);
    memset(owner.large, 1, LARGE * sizeof *owner.large);
    assert_int_equal(state_resident(large), LARGE * sizeof *owner.large);
    state_unmap(&owner.table);
}

/* Every byte of every array counts, where it is and which array it is in. */
static void test_digest(void **state)
{
    (void)state;
    struct owner owner;
    struct owner same;
    declare(&owner);
    declare(&same);
    assert_int_equal(state_map(&owner.table), STATUS_OK);
    assert_int_equal(state_map(&same.table), STATUS_OK);
    const struct digest zero = state_digest(&owner.table);
    assert_true(digest_equal(zero, state_digest(&same.table)));
    uint8_t *const bytes[] = {
        (uint8_t *)&owner.small[0],
        (uint8_t *)&owner.small[SMALL] - 1,
        (uint8_t *)&owner.large[0],
        (uint8_t *)&owner.large[LARGE] - 1,
    };
    struct digest seen[sizeof bytes / sizeof bytes[0]];
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        *bytes[i] = 1;
        seen[i] = state_digest(&owner.table);
        assert_false(digest_equal(seen[i], zero));
        for (size_t j = 0; j < i; j++) {
            assert_false(digest_equal(seen[i], seen[j]));
        }
        *bytes[i] = 0;
    }
    assert_true(digest_equal(state_digest(&owner.table), zero));
    state_unmap(&owner.table);
    state_unmap(&same.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declare_and_map), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_predicted),       cmocka_unit_test(test_scattered),
        cmocka_unit_test(test_resident),        cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
