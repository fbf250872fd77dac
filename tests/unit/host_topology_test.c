#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "host/topology.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

static int forget(void **state)
{
    (void)state;
    unsetenv("HWLOC_SYNTHETIC");
    return 0;
}

static void test_synthetic(void **state)
{
    (void)state;
    struct host_topology topology;
    setenv("HWLOC_SYNTHETIC",
           "Package:2 NUMANode:1(memory=8589934592) L3Cache:1(size=20971520) Core:4 "
           "L1dCache:1(size=32768) PU:2",
           1);
    assert_int_equal(host_topology_open(&topology), STATUS_OK);
    assert_int_equal(topology.packages, 2);
    assert_int_equal(topology.cores, 8);
    assert_int_equal(topology.pus, 16);
    assert_int_equal(topology.numa_nodes, 2);
    assert_true(topology.memory == 2 * 8589934592ULL);
    assert_int_equal(topology.allowed_pus, 16);
    assert_int_equal(topology.allowed_cores, 8);
    assert_string_equal(topology.allowed, "0-15");
    assert_int_equal(topology.ncaches, 2);
    assert_int_equal(topology.caches[0].level, 1);
    assert_int_equal(topology.caches[0].type, 'd');
    assert_int_equal(topology.caches[0].size, 32768);
    assert_int_equal(topology.caches[0].count, 8);
    assert_int_equal(topology.caches[1].level, 3);
    assert_int_equal(topology.caches[1].type, 'u');
    assert_int_equal(topology.caches[1].count, 2);
    /* The binding of this process says nothing about a topology that is not the host's. */
    assert_false(topology.this_system);
    assert_false(topology.bound_known);
    assert_null(topology.bound_set);

    char *xml = NULL;
    assert_int_equal(host_topology_xml(&topology, &xml), STATUS_OK);
    assert_non_null(strstr(xml, "<topology"));
    assert_non_null(strstr(xml, "</topology>"));
    free(xml);
    host_topology_close(&topology);
}

static void test_this_host(void **state)
{
    (void)state;
    struct host_topology topology;
    assert_int_equal(host_topology_open(&topology), STATUS_OK);
    assert_true(topology.this_system);
    assert_true(topology.pus > 0);
    assert_true(topology.allowed_pus > 0);
    assert_true(topology.allowed_pus <= topology.pus);

    /* Bound to one of the allowed PUs, the process sees itself bound to it. */
    assert_true(topology.bound_known);
    hwloc_bitmap_t before = hwloc_bitmap_dup(topology.bound_set);
    hwloc_bitmap_t one = hwloc_bitmap_alloc();
    hwloc_bitmap_only(one, (unsigned)hwloc_bitmap_first(topology.bound_set));
    assert_int_equal(hwloc_set_cpubind(topology.handle, one, HWLOC_CPUBIND_PROCESS), 0);
    struct host_topology narrow;
    assert_int_equal(host_topology_open(&narrow), STATUS_OK);
    assert_int_equal(narrow.bound_pus, 1);
    assert_true(hwloc_bitmap_isequal(narrow.bound_set, one));
    assert_int_equal(narrow.allowed_pus, topology.allowed_pus);
    host_topology_close(&narrow);
    assert_int_equal(hwloc_set_cpubind(topology.handle, before, HWLOC_CPUBIND_PROCESS), 0);
    hwloc_bitmap_free(one);
    hwloc_bitmap_free(before);
    host_topology_close(&topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_synthetic, forget),
        cmocka_unit_test(test_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
