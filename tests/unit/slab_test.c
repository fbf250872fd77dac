/* Slab packing (docs/model.md, section 6) and the frames of a cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "config/scenario.h"
#include "machine/arch.h"
#include "machine/cell.h"

#include <cmocka.h>

static void test_objects_per_page(void **state)
{
    (void)state;
    const struct arch *i386 = &arch_table[ARCH_I386];
    const struct arch *x86_64 = &arch_table[ARCH_X86_64];
    assert_int_equal(slab_objects_per_page(i386, 32), 113); /* as measured at the time */
    assert_int_equal(slab_objects_per_page(i386, 64), 59);
    assert_int_equal(slab_objects_per_page(i386, 128), 30);
    assert_int_equal(slab_objects_per_page(x86_64, 64), 59);
}

/* The free list of 2.5.27: 8 or 16 bytes for each pte, and nothing else in a frame. */
static void test_private_free_list(void **state)
{
    (void)state;
    const struct {
        enum machine_arch arch;
        unsigned bytes;
        uint32_t per_frame;
    } rows[] = {{ARCH_I386, 8, 512}, {ARCH_I386_PAE, 8, 512}, {ARCH_X86_64, 16, 256}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slab_cache cache;
        const struct arch *arch = &arch_table[rows[i].arch];
        slab_set_up(&cache, arch, &(struct slab_kind){rows[i].bytes, SLAB_FREE_LIST});
        assert_int_equal(cache.objects_per_frame, rows[i].per_frame);
        slab_set_up(&cache, arch, &(struct slab_kind){rows[i].bytes, SLAB_PACKED});
        assert_true(cache.objects_per_frame < rows[i].per_frame);
    }
}

/* What was given back is free for others, or for this cache alone. */
static void test_frames_that_stay(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct cell_core core = {0};
        struct cell cell = {.core = &core};
        struct slab_cache *cache = &core.slab[SLAB_PTE_CHAIN];
        core.zone[ZONE_NORMAL] = (struct zone){.present = 4, .free = 4};
        slab_set_up(cache, &arch_table[ARCH_I386],
                    &(struct slab_kind){8, keeps == 1 ? SLAB_FREE_LIST : SLAB_PACKED});
        const uint64_t objects = 2 * (uint64_t)cache->objects_per_frame;
        assert_int_equal(slab_frames_needed(cache, objects), 2);
        assert_int_equal(slab_take_reserved(&cell, SLAB_PTE_CHAIN, objects), FRAME_OK);
        assert_int_equal(core.zone[ZONE_NORMAL].held[OWNER_RMAP], 2);
        slab_give(&cell, SLAB_PTE_CHAIN, objects);
        assert_int_equal(cache->in_use, 0);
        assert_int_equal(cache->frames, keeps == 1 ? 2 : 0);
        assert_int_equal(core.zone[ZONE_NORMAL].free, keeps == 1 ? 2 : 4);
        assert_int_equal(slab_frames_needed(cache, objects), keeps == 1 ? 0 : 2);
    }
}

static void test_frames_needed(void **state)
{
    (void)state;
    struct slab_cache cache = {.bytes = 64, .objects_per_frame = 59};
    assert_int_equal(slab_frames_needed(&cache, 0), 0);
    assert_int_equal(slab_frames_needed(&cache, 1), 1);
    assert_int_equal(slab_frames_needed(&cache, 60), 2);
    cache.in_use = 58;
    cache.frames = 1;
    assert_int_equal(slab_frames_needed(&cache, 1), 0);
    assert_int_equal(slab_frames_needed(&cache, 2), 1);
    assert_int_equal(slab_frames_needed(&cache, (uint64_t)59 << 40), ((uint64_t)1 << 40));
}

/* Objects end to end: two stacks of 8 KiB are in four frames, two of 18 KiB in nine. */
static void test_dense_objects(void **state)
{
    (void)state;
    const struct {
        unsigned bytes;
        uint64_t objects;
        page_count frames;
    } rows[] = {{8192, 1, 2}, {8192, 2, 4}, {18432, 1, 5}, {18432, 2, 9}, {18432, 302, 1359}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct slab_cache cache;
        slab_set_up(&cache, &arch_table[ARCH_I386], &(struct slab_kind){rows[i].bytes, SLAB_DENSE});
        assert_int_equal(slab_frames_needed(&cache, rows[i].objects), rows[i].frames);
    }
}

/* All or nothing: what could not be had leaves no trace; objects without a size need no frame. */
static void test_refused(void **state)
{
    (void)state;
    struct cell_core core = {0};
    struct cell cell = {.core = &core};
    core.zone[ZONE_NORMAL] = (struct zone){.present = 3, .free = 3};
    struct slab_cache *stacks = &core.slab[SLAB_STACK];
    slab_set_up(stacks, &arch_table[ARCH_I386], &(struct slab_kind){8192, SLAB_DENSE});
    assert_int_equal(slab_take_reserved(&cell, SLAB_STACK, 2), FRAME_NONE);
    assert_int_equal(stacks->in_use, 0);
    assert_int_equal(stacks->frames, 0);
    assert_int_equal(core.zone[ZONE_NORMAL].free, 3);
    assert_int_equal(slab_take_reserved(&cell, SLAB_STACK, 1), FRAME_OK);
    assert_int_equal(core.zone[ZONE_NORMAL].free, 1);
    slab_set_up(&core.slab[SLAB_VMA], &arch_table[ARCH_X86_64], &(struct slab_kind){0});
    assert_int_equal(slab_take_reserved(&cell, SLAB_VMA, 1000), FRAME_OK);
    assert_int_equal(core.slab[SLAB_VMA].in_use, 1000);
    assert_int_equal(core.zone[ZONE_NORMAL].free, 1);
    slab_give(&cell, SLAB_VMA, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_per_page), cmocka_unit_test(test_private_free_list),
        cmocka_unit_test(test_frames_that_stay), cmocka_unit_test(test_frames_needed),
        cmocka_unit_test(test_dense_objects),    cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
