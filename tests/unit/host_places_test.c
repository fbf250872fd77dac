#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "host/places.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

/* Two packages of two cores of two hardware threads: 0-3 and 4-7, siblings side by side. */
static const char machine[] = "Package:2 Core:2 PU:2";

static void open_machine(struct host_topology *topology)
{
    setenv("HWLOC_SYNTHETIC", machine, 1);
    assert_int_equal(host_topology_open(topology), STATUS_OK);
    unsetenv("HWLOC_SYNTHETIC");
}

static void list(const struct host_places *places, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned i = 0; i < places->n; i++) {
        size_t length = strlen(text);
        snprintf(text + length, size - length, "%s%u", i > 0 ? "," : "", places->place[i].pu);
    }
}

static void test_orders(void **state)
{
    (void)state;
    static const struct {
        const char *bind;
        const char *order;
    } cases[] = {
        {"cores", "0,2,1,3,4,6,5,7"},
        {"spread", "0,4,2,6,1,5,3,7"},
        {"siblings", "0,1,2,3,4,5,6,7"},
        {"3", "3"},
        {"6,0-2", "6,0,1,2"},
    };
    struct host_topology topology;
    open_machine(&topology);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host_places places;
        char text[64];
        assert_int_equal(host_places_choose(&topology, cases[i].bind, false, &places), STATUS_OK);
        list(&places, text, sizeof text);
        assert_string_equal(text, cases[i].order);
        assert_false(places.widened);
        host_places_free(&places);
    }
    host_topology_close(&topology);
}

static void test_binding(void **state)
{
    (void)state;
    struct host_topology topology;
    struct host_places places;
    char text[64];
    open_machine(&topology);
    topology.bound_known = true; /* as a launcher would have bound a rank */
    topology.bound_set = hwloc_bitmap_alloc();
    hwloc_bitmap_set_range(topology.bound_set, 2, 3);
    topology.bound_pus = 2;
    assert_int_equal(host_places_choose(&topology, "cores", false, &places), STATUS_OK);
    list(&places, text, sizeof text);
    assert_string_equal(text, "2,3");
    assert_false(places.widened);
    assert_int_equal(places.place[1].sibling, 1);
    host_places_free(&places);
    assert_int_equal(host_places_choose(&topology, "cores", true, &places), STATUS_OK);
    assert_int_equal(places.n, 8);
    assert_true(places.widened);
    host_places_free(&places);
    assert_int_equal(host_places_choose(&topology, "0", false, &places), STATUS_USAGE);
    host_topology_close(&topology);
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",    "core s", "1-", "3-1",   "0,",         "8",
                                        "0,0", "0-2,1",  "-1", "0 , 1", "4294967296", "Spread"};
    struct host_topology topology;
    open_machine(&topology);
    status_set_quiet(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct host_places places;
        assert_int_equal(host_places_choose(&topology, cases[i], false, &places), STATUS_USAGE);
        assert_non_null(strstr(status_last_message(), "bind: "));
    }
    status_set_quiet(0);
    host_topology_close(&topology);
}

static void test_this_host(void **state)
{
    (void)state;
    struct host_topology topology;
    struct host_places places;
    char why[160] = "";
    assert_int_equal(host_topology_open(&topology), STATUS_OK);
    assert_int_equal(host_places_choose(&topology, "cores", false, &places), STATUS_OK);
    assert_true(places.n >= 1 && places.n <= topology.allowed_pus);
    if (!host_place_enter(&topology, &places, places.n, why, sizeof why)) {
        assert_non_null(strstr(why, "could not be bound"));
    } else {
        hwloc_bitmap_t set = hwloc_bitmap_alloc();
        assert_int_equal(hwloc_get_cpubind(topology.handle, set, HWLOC_CPUBIND_THREAD), 0);
        assert_int_equal(hwloc_bitmap_weight(set), 1);
        assert_int_equal(hwloc_bitmap_first(set), places.place[0].pu);
        for (unsigned i = 0; i < places.n; i++) { /* each thread has a place of its own */
            assert_true(host_place_enter(&topology, &places, i, why, sizeof why));
            assert_int_equal(hwloc_get_cpubind(topology.handle, set, HWLOC_CPUBIND_THREAD), 0);
            assert_int_equal(hwloc_bitmap_first(set), places.place[i].pu);
        }
        host_place_leave(&topology, &places);
        assert_int_equal(hwloc_get_cpubind(topology.handle, set, HWLOC_CPUBIND_THREAD), 0);
        assert_int_equal(hwloc_bitmap_weight(set), places.n);
        hwloc_bitmap_free(set);
    }
    host_places_free(&places);
    host_topology_close(&topology);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_binding),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
