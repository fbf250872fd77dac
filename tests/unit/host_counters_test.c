#include "child_fixture.h"
#include "host_tree.h"

#include "host/counter_stream.h"
#include "host/counters.h"

static const struct host_event *find_event(const struct host_counters *counters,
                                           const char *meaning)
{
    for (size_t i = 0; i < counters->nevents; i++) {
        if (!strcmp(counters->events[i].meaning, meaning)) {
            return &counters->events[i];
        }
    }
    fail_msg("no event %s", meaning);
    return NULL;
}

/* Every stream must do what it says, as far as the kernel can confirm it, and every time again. */
static void test_streams(void **state)
{
    (void)state;
    for (int kind = 0; kind < HOST_STREAM_KINDS; kind++) {
        struct host_stream stream;
        assert_true(host_stream_prepare((enum host_stream_kind)kind, &stream));
        for (int again = 0; again < 2; again++) {
            uint64_t least, most;
            host_stream_run(&stream);
            host_stream_bounds(&stream, &least, &most);
            assert_true(stream.done > 0);
            assert_true(least > 0);
            assert_true(most >= least);
            if (kind == HOST_STREAM_FAULTS || kind == HOST_STREAM_SLEEPS) {
                assert_true(stream.kernel >= stream.done);
                assert_true(least == stream.done);
            }
        }
        host_stream_release(&stream);
        assert_null(stream.memory);
    }
}

/* The walk over pages visits every page once per lap. */
static void test_walk(void **state)
{
    (void)state;
    struct host_stream stream;
    assert_true(host_stream_prepare(HOST_STREAM_PAGES, &stream));
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = stream.size / page;
    unsigned char *seen = calloc(pages, 1);
    assert_non_null(seen);
    uint64_t at = 0;
    for (uint64_t i = 0; i < pages; i++) {
        assert_int_equal(seen[at / page], 0);
        seen[at / page] = 1;
        at = *(const uint64_t *)(const void *)((const char *)stream.memory + at);
    }
    assert_int_equal(at, 0);
    free(seen);
    host_stream_release(&stream);
}

static void check_consistent(const struct host_counters *counters)
{
    assert_true(counters->usable);
    assert_true(counters->ncomponents > 0);
    for (size_t i = 0; i < counters->nevents; i++) {
        const struct host_event *event = &counters->events[i];
        if (event->counts) {
            assert_true(event->value > 0);
            assert_true(event->name[0]);
            assert_true(event->check[0]);
            assert_string_equal(event->why, "");
        } else {
            assert_true(event->value == 0);
            assert_true(event->why[0]);
            assert_string_equal(event->name, "");
        }
    }
}

static void test_this_host(void **state)
{
    (void)state;
    const struct host_system here = host_system_here();
    static struct host_counters counters;
    host_counters_read(&here, &counters);
    check_consistent(&counters);
    /* What the kernel counts needs no PMU. It may be forbidden, and then it is said so. */
    const struct host_event *faults = find_event(&counters, "page faults");
    assert_true(faults->counts || faults->refused);
    if (!counters.hardware_source) {
        char hint[512];
        assert_false(find_event(&counters, "cycles")->counts);
        host_counters_hint(&counters, hint, sizeof hint);
        assert_non_null(strstr(hint, "PMU"));
    }
    /* A second time, after PAPI was shut down. */
    static struct host_counters again;
    host_counters_read(&here, &again);
    check_consistent(&again);
    assert_int_equal(again.nevents, counters.nevents);
    assert_int_equal(find_event(&again, "page faults")->counts, faults->counts);
}

/* In the child: 0 when everything is unavailable with a reason. */
static int read_forbidden(void)
{
    const struct host_system here = host_system_here();
    static struct host_counters counters;
    if (forbid_perf_events()) {
        return CHILD_SKIPS;
    }
    host_counters_read(&here, &counters);
    if (!counters.usable) {
        return counters.why[0] ? 0 : 1;
    }
    for (size_t i = 0; i < counters.nevents; i++) {
        if (counters.events[i].counts || !counters.events[i].why[0]) {
            return 2;
        }
    }
    char hint[512];
    host_counters_hint(&counters, hint, sizeof hint);
    return counters.refused && strstr(hint, "seccomp") ? 0 : 3;
}

static void test_forbidden(void **state)
{
    (void)state;
    run_in_child(read_forbidden);
}

static void test_surroundings(void **state)
{
    struct host_tree *tree = *state;
    static struct host_counters counters;
    char hint[512];
    host_tree_write(tree, "/proc/sys/kernel/perf_event_paranoid", "4\n");
    host_tree_write(tree, "/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
    host_tree_mkdir(tree, "/sys/bus/event_source/devices/software");
    host_tree_mkdir(tree, "/sys/bus/event_source/devices/uncore_imc_0");
    host_counters_read(&tree->system, &counters);
    assert_true(counters.paranoid_known);
    assert_int_equal(counters.paranoid, 4);
    assert_true(counters.hypervisor);
    assert_false(counters.hardware_source);
    assert_string_equal(counters.sources, "software uncore_imc_0");
    counters.refused = false;
    host_counters_hint(&counters, hint, sizeof hint);
    assert_string_equal(hint, "virtual machine without PMU, perf_event_paranoid 4");

    host_tree_mkdir(tree, "/sys/bus/event_source/devices/cpu_core");
    host_counters_read(&tree->system, &counters);
    assert_true(counters.hardware_source);
    counters.paranoid = -1;
    counters.refused = false;
    host_counters_hint(&counters, hint, sizeof hint);
    assert_string_equal(hint, "perf_event_paranoid -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),   cmocka_unit_test(test_walk),
        cmocka_unit_test(test_this_host), cmocka_unit_test(test_forbidden),
        HOST_TEST(test_surroundings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
