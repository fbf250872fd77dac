/* Slab packing (docs/model.md, section 6) and the frames of a cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "config/scenario.h"
#include "machine/arch.h"
#include "machine/slab.h"

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
        cmocka_unit_test(test_frames_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
