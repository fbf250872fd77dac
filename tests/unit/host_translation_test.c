/* Regions whose page size is proved, the streams that run over them, and what processors say of
 * their TLBs. */
#include <sys/mman.h>

#include "host/translation/geometry.h"
#include "host/translation/proof.h"
#include "host/translation/stream.h"
#include "host_tree.h"
#include "translation_fixture.h"

/* --- proofs -------------------------------------------------------------------------------------
 */

#define MAPPING(range, rss, anon, kernel, hugetlb)                                  \
    range " rw-p 00000000 00:00 0 \nSize: 4096 kB\nKernelPageSize:        " #kernel \
          " kB\nMMUPageSize: " #kernel " kB\nRss:                " #rss             \
          " kB\nAnonHugePages:      " #anon " kB\nPrivate_Hugetlb:    " #hugetlb    \
          " kB\nSwap:                  0 kB\nVmFlags: rd wr mr mw me ac nh \n"

static void test_proof(void **state)
{
    struct host_tree *tree = *state;
    static const struct {
        const char *smaps;
        byte_count size; /* 0: it is not known, or of several sizes */
        const char *got;
    } rows[] = {
        {MAPPING("40000000-40400000", 4096, 0, 4, 0), 4096, "4KiB pages"},
        {MAPPING("40000000-40400000", 4096, 4096, 4, 0), 2 * MIB, "2MiB pages"},
        {MAPPING("40000000-40400000", 4096, 2048, 4, 0), 0,
         "2MiB of 4MiB in 2MiB pages, the rest in 4KiB pages"},
        {MAPPING("40000000-40400000", 0, 0, 2048, 4096), 2 * MIB, "2MiB pages"},
        {MAPPING("40000000-40400000", 4092, 0, 4, 0), 0, "4092KiB of 4MiB in memory, 0 swapped"},
        /* In two mappings, others around them. */
        {MAPPING("3ffff000-40000000", 4, 0, 4, 0) MAPPING("40000000-40200000", 2048, 2048, 4, 0)
             MAPPING("40200000-40400000", 2048, 2048, 4, 0)
                 MAPPING("40400000-40600000", 2048, 0, 4, 0),
         2 * MIB, "2MiB pages"},
        /* Joined with a neighbour: whose pages are they? */
        {MAPPING("40000000-40600000", 6144, 0, 4, 0), 0, "no mapping of just this region"},
        {MAPPING("40000000-40200000", 2048, 0, 4, 0), 0, "no mapping of just this region"},
        {"", 0, "no mapping of just this region"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct page_proof proof;
        char got[PAGE_PROOF_TEXT];
        host_tree_write(tree, "/proc/self/smaps", rows[i].smaps);
        page_proof_read(&tree->system, (void *)0x40000000, 4 * MIB, &proof);
        assert_int_equal(page_proof_size(&proof, 2 * MIB, got), rows[i].size);
        if (!strstr(got, rows[i].got)) {
            fail_msg("row %zu: `%s` is not in `%s`", i, rows[i].got, got);
        }
    }
}

/* --- regions of this host -----------------------------------------------------------------------
 */

/* Nobody's addresses lie on either side, so that no mapping is joined with it. */
static void check_sides(const struct region *region)
{
    const char *first = region->mapping, *end = first + region->mapping_size;
    assert_true(region->memory > first);
    assert_true(region->memory + region->size < end);
}

static void test_base_pages(void **state)
{
    (void)state;
    struct region region;
    char why[REGION_WHY];
    assert_true(region_open(&this_host.system, &this_host.pages, find_backing(BACKING_BASE),
                            10 * MIB + 1, NULL, &region, why));
    check_sides(&region);
    assert_int_equal(region.size, 10 * MIB + this_host.pages.base);
    assert_int_equal(region.got, this_host.pages.base);
    assert_int_equal(region.proof.large, 0);
    assert_int_equal(region.proof.resident, region.size);
    region_close(&region);
}

static void test_transparent_pages(void **state)
{
    (void)state;
    const struct backing *backing = find_backing(BACKING_TRANSPARENT);
    if (!backing || !strcmp(this_host.pages.thp_enabled.value, "never")) {
        skip();
    }
    struct region region;
    char why[REGION_WHY];
    assert_true(region_open(&this_host.system, &this_host.pages, backing, 3 * backing->page, NULL,
                            &region, why));
    check_sides(&region);
    assert_int_equal((uintptr_t)region.memory % backing->page, 0);
    /* Fragmented memory may refuse some; then it must not say that it is large pages. */
    assert_true(region.got == backing->page || region.got == 0 ||
                region.got == this_host.pages.base);
    assert_int_equal(region.got == backing->page, region.proof.large == region.size);
    region_close(&region);
}

static void test_reserved_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < this_host.nbackings; i++) {
        if (this_host.backings[i].kind != BACKING_RESERVED) {
            continue;
        }
        struct region region;
        char why[REGION_WHY] = "";
        if (region_open(&this_host.system, &this_host.pages, &this_host.backings[i], 1, NULL,
                        &region, why)) {
            assert_int_equal(region.got, this_host.backings[i].page);
            region_close(&region);
        } else {
            assert_non_null(strstr(why, "nr_hugepages"));
        }
        /* More than any host has. */
        assert_false(region_open(&this_host.system, &this_host.pages, &this_host.backings[i],
                                 (byte_count)1 << 60, NULL, &region, why));
        assert_non_null(strstr(why, "can be had, needed are"));
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct region region;
    char why[REGION_WHY] = "";
    assert_false(region_open(&this_host.system, &this_host.pages, find_backing(BACKING_BASE),
                             (byte_count)1 << 60, NULL, &region, why));
    assert_non_null(strstr(why, "no addresses"));
    const atomic_int stop = 1;
    assert_false(region_open(&this_host.system, &this_host.pages, find_backing(BACKING_BASE), MIB,
                             &stop, &region, why));
    assert_string_equal(why, "interrupted");
}

/* --- streams ------------------------------------------------------------------------------------
 */

static char *memory_of(byte_count size)
{
    char *memory = aligned_alloc(4096, size);
    assert_non_null(memory);
    memset(memory, 0, size);
    return memory;
}

/* A lap of the dependent stream is every page once, at different lines, and ends where it began. */
static void test_cycle(void **state)
{
    (void)state;
    const uint64_t counts[] = {1, 2, 3, 36, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const uint64_t n = counts[i];
        char *memory = memory_of(n * 4096);
        unsigned char *seen = calloc(n, 1);
        uint64_t *offsets = calloc(n, sizeof *offsets);
        assert_non_null(seen);
        assert_non_null(offsets);
        stream_link(memory, n * 4096, 4096, 7);
        struct stream stream = stream_begin(ACCESS_DEPENDENT, memory, n * 4096, 7);
        stream_peek(&stream, offsets, n);
        uint64_t neighbours = 0;
        for (uint64_t k = 0; k < n; k++) {
            assert_int_equal(offsets[k] % 64, 0);
            assert_int_equal(seen[offsets[k] / 4096]++, 0);
            neighbours += k > 0 && offsets[k] / 4096 == offsets[k - 1] / 4096 + 1;
        }
        assert_int_equal(stream.at, 0);
        assert_true(n < 36 || neighbours < n / 6);
        free(offsets);
        free(seen);
        free(memory);
    }
}

/* What is peeked at is what is accessed, for both patterns. */
static void test_peek(void **state)
{
    (void)state;
    const byte_count size = 256 * 4096;
    const size_t n = 5000 / STREAM_GENERATORS * STREAM_GENERATORS;
    char *memory = memory_of(size);
    uint64_t *offsets = calloc(2 * n, sizeof *offsets);
    uint64_t *expected = calloc(size / STREAM_LINE, sizeof *expected);
    assert_non_null(offsets);
    assert_non_null(expected);
    stream_link(memory, size, 4096, 1);
    struct stream ahead = stream_begin(ACCESS_INDEPENDENT, memory, size, 1), stream = ahead;
    stream_peek(&ahead, offsets, 2 * n);
    stream_run(&stream, n);
    stream_run(&stream, n);
    for (size_t i = 0; i < 2 * n; i++) {
        expected[offsets[i] / STREAM_LINE]++;
    }
    uint64_t different = 0;
    for (size_t i = 0; i < size / STREAM_LINE; i++) {
        uint64_t updates;
        memcpy(&updates, memory + i * STREAM_LINE + 8, sizeof updates);
        assert_int_equal(updates, expected[i]);
        different += updates > 0;
    }
    /* Uniform over all lines of the range: 1 - exp(-10000/16384) of them. */
    assert_true(different > 7000 && different < 8200);

    ahead = stream_begin(ACCESS_DEPENDENT, memory, size, 1);
    stream = ahead;
    stream_peek(&ahead, offsets, 1001);
    stream_run(&stream, 1000);
    assert_int_equal(stream.at, offsets[1000]);
    free(expected);
    free(offsets);
    free(memory);
}

/* --- what processors say ------------------------------------------------------------------------
 */

static struct cpuid_registers ask_zen4(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    switch (leaf) {
    case 0:
        return (struct cpuid_registers){0x10, 0x68747541, 0x444d4163, 0x69746e65};
    case 0x80000005:
        return (struct cpuid_registers){0xff48ff40, 0xff48ff40, 0x20080140, 0x20080140};
    case 0x80000006:
        return (struct cpuid_registers){0x5c002200, 0x6c004200, 0x04006140, 0x0a009140};
    case 0x80000019:
        return (struct cpuid_registers){0xf048f040, 0xf0400000, 0, 0};
    default:
        return (struct cpuid_registers){0, 0, 0, 0};
    }
}

/* Arrays of 64 x 4 KiB, 32 x 2/4 MiB, 8 x 1 GiB, and 1024 + 1024 on the second level; one of stores
 * and one of instructions beside them. */
static struct cpuid_registers ask_intel(uint32_t leaf, uint32_t subleaf)
{
    static const struct cpuid_registers arrays[] = {
        {7, 0, 0, 0},
        {0, 0x00080001, 8, 0x22},  /* instructions, level 1 */
        {0, 0x00040001, 16, 0x24}, /* loads, level 1 */
        {0, 0x00040006, 8, 0x24},
        {0, 0x00080008, 1, 0x124},
        {0, 0x0010000f, 1, 0x125}, /* stores, level 1 */
        {0, 0x00080007, 128, 0x43},
        {0, 0x00080009, 128, 0x43},
    };
    if (leaf == 0) {
        return (struct cpuid_registers){0x1b, 0x756e6547, 0x6c65746e, 0x49656e69};
    }
    return leaf == 0x18 && subleaf < 8 ? arrays[subleaf] : (struct cpuid_registers){0, 0, 0, 0};
}

static struct cpuid_registers ask_old_intel(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_registers registers = ask_intel(leaf, subleaf);
    registers.eax = leaf == 0 ? 0x16 : registers.eax;
    return registers;
}

static void test_geometry(void **state)
{
    (void)state;
    struct tlb_geometry geometry;
    tlb_geometry_decode(ask_zen4, &geometry);
    assert_true(geometry.known);
    const uint32_t zen4[2][3] = {{72, 72, 72}, {3072, 3072, 64}};
    assert_memory_equal(geometry.entries, zen4, sizeof zen4);
    tlb_geometry_decode(ask_intel, &geometry);
    assert_true(geometry.known);
    const uint32_t intel[2][3] = {{64, 32, 8}, {2048, 1024, 1024}};
    assert_memory_equal(geometry.entries, intel, sizeof intel);
    tlb_geometry_decode(ask_old_intel, &geometry);
    assert_false(geometry.known);
    assert_non_null(strstr(geometry.why, "GenuineIntel up to leaf 16h"));
    tlb_geometry_read(&geometry);
    assert_true(geometry.known ? geometry.entries[0][0] > 0 && geometry.source[0]
                               : geometry.why[0] != '\0');
}

int main(void)
{
    this_host_read();
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_proof),
        cmocka_unit_test(test_base_pages),
        cmocka_unit_test(test_transparent_pages),
        cmocka_unit_test(test_reserved_pages),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_geometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
