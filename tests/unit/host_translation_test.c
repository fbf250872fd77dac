/* Regions whose page size is proved, the streams that run over them, and the sweep over both. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "child_fixture.h"
#include "host/translation/geometry.h"
#include "host/translation/proof.h"
#include "host/translation/region.h"
#include "host/translation/stream.h"
#include "host/translation/sweep.h"
#include "host_tree.h"

#define KIB ((byte_count)1 << 10)
#define MIB ((byte_count)1 << 20)

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

static struct host_system here;
static struct host_pages pages;
static struct backing backings[BACKINGS];
static size_t nbackings;

static const struct backing *find_backing(enum backing_kind kind)
{
    for (size_t i = 0; i < nbackings; i++) {
        if (backings[i].kind == kind) {
            return &backings[i];
        }
    }
    return NULL;
}

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
    assert_true(
        region_open(&here, &pages, find_backing(BACKING_BASE), 10 * MIB + 1, NULL, &region, why));
    check_sides(&region);
    assert_int_equal(region.size, 10 * MIB + pages.base);
    assert_int_equal(region.got, pages.base);
    assert_int_equal(region.proof.large, 0);
    assert_int_equal(region.proof.resident, region.size);
    region_close(&region);
}

static void test_transparent_pages(void **state)
{
    (void)state;
    const struct backing *backing = find_backing(BACKING_TRANSPARENT);
    if (!backing || !strcmp(pages.thp_enabled.value, "never")) {
        skip();
    }
    struct region region;
    char why[REGION_WHY];
    assert_true(region_open(&here, &pages, backing, 3 * backing->page, NULL, &region, why));
    check_sides(&region);
    assert_int_equal((uintptr_t)region.memory % backing->page, 0);
    /* Fragmented memory may refuse some; then it must not say that it is large pages. */
    assert_true(region.got == backing->page || region.got == 0 || region.got == pages.base);
    assert_int_equal(region.got == backing->page, region.proof.large == region.size);
    region_close(&region);
}

/* In a process that gets no transparent pages, whatever madvise answers: 0 when it says so. */
static int open_without_thp(void)
{
    struct region region;
    char why[REGION_WHY];
    const struct backing *backing = find_backing(BACKING_TRANSPARENT);
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) {
        return CHILD_SKIPS;
    }
    if (!region_open(&here, &pages, backing, 2 * backing->page, NULL, &region, why)) {
        return 1;
    }
    if (region.got != pages.base || region.proof.large != 0) {
        return 2;
    }
    const byte_count footprint = backing->page;
    double samples[HOST_TRANSLATION_COUNT + 1][ACCESS_PATTERNS];
    const struct sweep_plan plan = {
        .system = &here,
        .pages = &pages,
        .backings = backing,
        .nbackings = 1,
        .footprints = &footprint,
        .nfootprints = 1,
        .repetitions = 1,
        .time = 1000,
    };
    struct sweep_samples kept = {.time = samples[HOST_TRANSLATION_COUNT]};
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        kept.counts[e] = samples[e];
    }
    struct sweep_point point;
    if (!sweep_run(&plan, &point, &kept, NULL) || point.measured || !isnan(kept.time[0]) ||
        point.got != pages.base || !strstr(point.why, "asked for 2MiB-thp, got 4KiB pages")) {
        return 3;
    }
    return 0;
}

static void test_never_under_the_wrong_label(void **state)
{
    (void)state;
    if (!find_backing(BACKING_TRANSPARENT)) {
        skip();
    }
    run_in_child(open_without_thp);
}

static void test_reserved_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < nbackings; i++) {
        if (backings[i].kind != BACKING_RESERVED) {
            continue;
        }
        struct region region;
        char why[REGION_WHY] = "";
        if (region_open(&here, &pages, &backings[i], 1, NULL, &region, why)) {
            assert_int_equal(region.got, backings[i].page);
            region_close(&region);
        } else {
            assert_non_null(strstr(why, "nr_hugepages"));
        }
        /* More than any host has. */
        assert_false(
            region_open(&here, &pages, &backings[i], (byte_count)1 << 60, NULL, &region, why));
        assert_non_null(strstr(why, "can be had, needed are"));
    }
}

static void test_refused(void **state)
{
    (void)state;
    struct region region;
    char why[REGION_WHY] = "";
    assert_false(region_open(&here, &pages, find_backing(BACKING_BASE), (byte_count)1 << 60, NULL,
                             &region, why));
    assert_non_null(strstr(why, "no addresses"));
    const volatile sig_atomic_t stop = 1;
    assert_false(region_open(&here, &pages, find_backing(BACKING_BASE), MIB, &stop, &region, why));
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

/* --- the sweep ----------------------------------------------------------------------------------
 */

#define REPETITIONS 3
#define SIZES       2

struct thief;

struct seen {
    size_t points;
    size_t with_streams;
    struct thief *thief; /* who is stopped before the last region goes; NULL */
};

static void stop_thief(struct thief *thief);

static void see(void *context, size_t backing, size_t footprint, const struct sweep_point *point,
                const struct stream streams[ACCESS_PATTERNS])
{
    struct seen *seen = context;
    (void)backing;
    (void)footprint;
    seen->points++;
    seen->with_streams += streams != NULL;
    assert_int_equal(streams != NULL, point->measured);
    if (seen->thief != NULL && seen->points == SIZES) {
        stop_thief(seen->thief);
    }
}

static void sweep(const struct host_system *system, const byte_count *footprints,
                  const volatile sig_atomic_t *stop, struct sweep_point points[SIZES], double *time,
                  struct seen *seen)
{
    static double counts[HOST_TRANSLATION_COUNT][ACCESS_PATTERNS * SIZES * REPETITIONS];
    const struct sweep_plan plan = {
        .system = system,
        .pages = &pages,
        .backings = find_backing(BACKING_BASE),
        .nbackings = 1,
        .footprints = footprints,
        .nfootprints = SIZES,
        .repetitions = REPETITIONS,
        .time = 200000,
        .seed = 5,
        .stop = stop,
    };
    struct sweep_samples samples = {.time = time};
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        samples.counts[e] = counts[e];
    }
    assert_int_equal(sweep_samples(&plan), ACCESS_PATTERNS * SIZES * REPETITIONS);
    const struct sweep_observer observer = {see, seen};
    const bool all = sweep_run(&plan, points, &samples, &observer);
    assert_int_equal(all, !stop);
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        assert_true(isnan(counts[e][0]));
    }
}

static void test_sweep(void **state)
{
    (void)state;
    const byte_count footprints[SIZES] = {144 * KIB, 8 * MIB};
    struct sweep_point points[SIZES];
    double time[ACCESS_PATTERNS * SIZES * REPETITIONS];
    struct seen seen = {0};
    sweep(&here, footprints, NULL, points, time, &seen);
    assert_int_equal(seen.points, SIZES);
    assert_int_equal(seen.with_streams, SIZES);
    for (size_t i = 0; i < SIZES; i++) {
        assert_true(points[i].measured);
        assert_int_equal(points[i].got, pages.base);
        assert_true(points[i].accesses[ACCESS_DEPENDENT] >= 4096);
    }
    for (size_t i = 0; i < ACCESS_PATTERNS * SIZES * REPETITIONS; i++) {
        assert_true(time[i] > 0 && time[i] < 1e6);
    }
}

/* Takes the last page of a region away as soon as the region is in use. */
struct thief {
    byte_count size; /* of that region; of no other mapping */
    pthread_t thread;
    atomic_bool ends;
};

/* Where the mapping begins; 0 while there is none. */
static uintptr_t find_mapping(byte_count size)
{
    char line[512];
    uintptr_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from, to;
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " rw-p", &from, &to) == 2 && to - from == size) {
            found = from;
        }
    }
    if (maps != NULL) {
        (void)fclose(maps);
    }
    return found;
}

static void *steal(void *argument)
{
    struct thief *thief = argument;
    const int memory = open("/proc/self/mem", O_RDONLY);
    uint64_t linked = 0; /* the first word of the region: not 0 once the cycle is there */
    uintptr_t at = 0;
    while (!atomic_load(&thief->ends) && linked == 0) {
        at = find_mapping(thief->size);
        if (at != 0 && pread(memory, &linked, sizeof linked, (off_t)at) != sizeof linked) {
            linked = 0;
        }
    }
    while (!atomic_load(&thief->ends)) {
        (void)madvise((void *)(at + thief->size - PAGE_BYTES), PAGE_BYTES, MADV_DONTNEED);
    }
    (void)close(memory);
    return NULL;
}

static void stop_thief(struct thief *thief)
{
    atomic_store(&thief->ends, true);
    assert_int_equal(pthread_join(thief->thread, NULL), 0);
}

/* What is not what was proved any more when it has been measured is no measurement. */
static void test_pages_that_go(void **state)
{
    (void)state;
    const byte_count footprints[SIZES] = {144 * KIB, 12 * MIB};
    bool noticed = false;
    for (int tries = 0; tries < 50 && !noticed; tries++) { /* the thief may come late */
        struct sweep_point points[SIZES];
        double time[ACCESS_PATTERNS * SIZES * REPETITIONS];
        struct thief thief = {.size = footprints[1]};
        struct seen seen = {.thief = &thief};
        assert_int_equal(pthread_create(&thief.thread, NULL, steal, &thief), 0);
        sweep(&here, footprints, NULL, points, time, &seen);
        assert_true(points[0].measured);
        noticed = strstr(points[1].why, "its pages changed meanwhile: now 12284KiB of 12MiB") !=
                  NULL;
        assert_int_equal(points[1].measured, !noticed);
        for (size_t i = 0; i < REPETITIONS; i++) {
            assert_int_equal(isnan(time[REPETITIONS + i]) != 0, noticed);
        }
    }
    assert_true(noticed);
}

/* The path of counted events, with one that every kernel counts: nothing faults in a warm region.
 */
static void test_counting(void **state)
{
    (void)state;
    char why[HOST_COUNTER_WHY];
    struct host_counter counter;
    const struct host_event faults = {.name = "perf::MINOR-FAULTS"};
    const struct host_event wrong = {.name = "perf::NO-SUCH-EVENT"};
    const byte_count footprint = 4 * MIB;
    double samples[HOST_TRANSLATION_COUNT + 1][ACCESS_PATTERNS * REPETITIONS];
    assert_true(host_counting_begin(why));
    if (!host_counter_open(faults.name, &counter, why)) {
        host_counting_end();
        skip();
    }
    host_counter_close(&counter);
    assert_false(host_counter_open(wrong.name, &counter, why));
    assert_non_null(strstr(why, "NO-SUCH-EVENT"));
    const struct sweep_plan plan = {
        .system = &here,
        .pages = &pages,
        .backings = find_backing(BACKING_BASE),
        .nbackings = 1,
        .footprints = &footprint,
        .nfootprints = 1,
        .repetitions = REPETITIONS,
        .time = 200000,
        .events = {.event = {[1] = &faults, [3] = &wrong}},
    };
    struct sweep_samples kept = {.time = samples[HOST_TRANSLATION_COUNT]};
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        kept.counts[e] = samples[e];
    }
    struct sweep_point point;
    assert_true(sweep_run(&plan, &point, &kept, NULL));
    host_counting_end();
    assert_true(point.measured);
    for (size_t i = 0; i < ACCESS_PATTERNS * REPETITIONS; i++) {
        assert_true(samples[1][i] >= 0 && samples[1][i] < 0.01);
        assert_true(isnan(samples[0][i]) && isnan(samples[3][i]));
    }
}

/* Points that there is no time for are absent and say so. */
static void test_limit(void **state)
{
    (void)state;
    const byte_count footprints[] = {MIB, 2 * MIB};
    double samples[HOST_TRANSLATION_COUNT + 1][2 * ACCESS_PATTERNS];
    const struct sweep_plan plan = {
        .system = &here,
        .pages = &pages,
        .backings = find_backing(BACKING_BASE),
        .nbackings = 1,
        .footprints = footprints,
        .nfootprints = 2,
        .repetitions = 1,
        .time = 10000,
        .limit = 1,
    };
    struct sweep_samples kept = {.time = samples[HOST_TRANSLATION_COUNT]};
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        kept.counts[e] = samples[e];
    }
    struct sweep_point points[2];
    assert_true(sweep_run(&plan, points, &kept, NULL));
    assert_false(points[1].measured);
    assert_non_null(strstr(points[1].why, "not reached"));
}

/* What does not fit is absent, what does is kept; a stop is told from it. */
static void test_sweep_without_memory(void **state)
{
    struct host_tree *tree = *state;
    host_tree_write(tree, "/proc/meminfo", "MemTotal: 1024 kB\nMemAvailable: 512 kB\n");
    const byte_count footprints[SIZES] = {144 * KIB, 8 * MIB};
    struct sweep_point points[SIZES];
    double time[ACCESS_PATTERNS * SIZES * REPETITIONS];
    struct seen seen = {0};
    sweep(&tree->system, footprints, NULL, points, time, &seen);
    assert_int_equal(seen.points, 0);
    assert_false(points[0].measured);
    assert_non_null(strstr(points[0].why, "MemAvailable of /proc/meminfo leaves 512KiB"));
    assert_true(isnan(time[0]));
    const volatile sig_atomic_t stop = 1;
    sweep(&here, footprints, &stop, points, time, &seen);
    assert_string_equal(points[1].why, "interrupted");
}

static void test_footprints(void **state)
{
    (void)state;
    byte_count footprints[64];
    size_t n = sweep_footprints(144 * KIB, 1024 * MIB, 2, 4096, footprints, 64);
    assert_int_equal(n, 14);
    assert_int_equal(footprints[0], 144 * KIB);
    assert_int_equal(footprints[1], 288 * KIB);
    assert_int_equal(footprints[12], 576 * MIB);
    assert_int_equal(footprints[13], 1024 * MIB);
    assert_int_equal(sweep_footprints(144 * KIB, 1024 * MIB, 2, 4096, footprints, 3), 3);
    assert_int_equal(footprints[2], 1024 * MIB);
    assert_int_equal(sweep_footprints(1, 5000, 1.001, 4096, footprints, 64), 1);
    assert_int_equal(footprints[0], 4096);
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
    here = host_system_here();
    host_pages_read(&here, &pages);
    nbackings = backing_list(&pages, backings);
    const struct CMUnitTest tests[] = {
        HOST_TEST(test_proof),
        cmocka_unit_test(test_base_pages),
        cmocka_unit_test(test_transparent_pages),
        cmocka_unit_test(test_never_under_the_wrong_label),
        cmocka_unit_test(test_reserved_pages),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_pages_that_go),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_limit),
        HOST_TEST(test_sweep_without_memory),
        cmocka_unit_test(test_footprints),
        cmocka_unit_test(test_geometry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
