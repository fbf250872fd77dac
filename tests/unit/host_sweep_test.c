/* The sweep over footprints and pages: every point measured, or absent with the reason. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "child_fixture.h"
#include "host/translation/stream.h"
#include "host/translation/sweep.h"
#include "host_tree.h"
#include "translation_fixture.h"

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
                  const atomic_int *stop, struct sweep_point points[SIZES], double *time,
                  struct seen *seen)
{
    static double counts[HOST_TRANSLATION_COUNT][ACCESS_PATTERNS * SIZES * REPETITIONS];
    const struct sweep_plan plan = {
        .system = system,
        .pages = &this_host.pages,
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
    sweep(&this_host.system, footprints, NULL, points, time, &seen);
    assert_int_equal(seen.points, SIZES);
    assert_int_equal(seen.with_streams, SIZES);
    for (size_t i = 0; i < SIZES; i++) {
        assert_true(points[i].measured);
        assert_int_equal(points[i].got, this_host.pages.base);
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
        sweep(&this_host.system, footprints, NULL, points, time, &seen);
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
        .system = &this_host.system,
        .pages = &this_host.pages,
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
        .system = &this_host.system,
        .pages = &this_host.pages,
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
    const atomic_int stop = 1;
    sweep(&this_host.system, footprints, &stop, points, time, &seen);
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

/* In a process that gets no transparent pages, whatever madvise answers: 0 when it says so. */
static int open_without_thp(void)
{
    struct region region;
    char why[REGION_WHY];
    const struct backing *backing = find_backing(BACKING_TRANSPARENT);
    if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)) {
        return CHILD_SKIPS;
    }
    if (!region_open(&this_host.system, &this_host.pages, backing, 2 * backing->page, NULL, &region,
                     why)) {
        return 1;
    }
    if (region.got != this_host.pages.base || region.proof.large != 0) {
        return 2;
    }
    const byte_count footprint = backing->page;
    double samples[HOST_TRANSLATION_COUNT + 1][ACCESS_PATTERNS];
    const struct sweep_plan plan = {
        .system = &this_host.system,
        .pages = &this_host.pages,
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
        point.got != this_host.pages.base ||
        !strstr(point.why, "asked for 2MiB-thp, got 4KiB pages")) {
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

int main(void)
{
    this_host_read();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_pages_that_go),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_limit),
        HOST_TEST(test_sweep_without_memory),
        cmocka_unit_test(test_footprints),
        cmocka_unit_test(test_never_under_the_wrong_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
