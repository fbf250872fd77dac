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
        slab_set_up(&cache, &arch_table[rows[i].arch], rows[i].bytes, true);
        assert_true(cache.keeps_frames);
        assert_int_equal(cache.objects_per_frame, rows[i].per_frame);
        slab_set_up(&cache, &arch_table[rows[i].arch], rows[i].bytes, false);
        assert_false(cache.keeps_frames);
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
        slab_set_up(cache, &arch_table[ARCH_I386], 8, keeps == 1);
        const uint64_t objects = 2 * (uint64_t)cache->objects_per_frame;
        assert_int_equal(slab_frames_needed(cache, objects), 2);
        zone_take(&cell, ZONE_NORMAL, OWNER_RMAP);
        zone_take(&cell, ZONE_NORMAL, OWNER_RMAP);
        slab_take(&cell, SLAB_PTE_CHAIN, objects);
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
    struct slab_cache cache = {.objects_per_frame = 59};
    assert_int_equal(slab_frames_needed(&cache, 0), 0);
    assert_int_equal(slab_frames_needed(&cache, 1), 1);
    assert_int_equal(slab_frames_needed(&cache, 60), 2);
    cache.in_use = 58;
    cache.frames = 1;
    assert_int_equal(slab_frames_needed(&cache, 1), 0);
    assert_int_equal(slab_frames_needed(&cache, 2), 1);
    assert_int_equal(slab_frames_needed(&cache, (uint64_t)59 << 40), ((uint64_t)1 << 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_per_page),
        cmocka_unit_test(test_private_free_list),
        cmocka_unit_test(test_frames_that_stay),
        cmocka_unit_test(test_frames_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
