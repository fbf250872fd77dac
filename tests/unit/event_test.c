/* The event queue against a plain scan, and swap slots against the rules they follow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "machine/cell.h"

#include <cmocka.h>

enum { EVENTS = 64 };

static struct event next_by_scan(const sim_time *at)
{
    struct event next = {TIME_NEVER, UINT32_MAX};
    for (uint32_t id = 0; id < EVENTS; id++) {
        if (at[id] < next.at) {
            next = (struct event){at[id], id};
        }
    }
    return next;
}

/* Random sets, moves and removals: the queue always gives the least (time, number). */
static void test_queue_against_a_scan(void **state)
{
    (void)state;
    struct cell_core core = {0};
    struct event heap[EVENTS];
    uint32_t positions[EVENTS] = {0};
    struct cell cell = {.core = &core, .heap = heap, .heap_position = positions};
    sim_time at[EVENTS];
    for (int i = 0; i < EVENTS; i++) {
        at[i] = TIME_NEVER;
    }
    for (uint64_t step = 0; step < 200000; step++) {
        struct random_block bits = random_draw(5, RANDOM_TEST, 2, 0, step);
        uint32_t id = bits.word[0] % EVENTS;
        if (bits.word[1] % 4 == 0) {
            event_remove(&cell, id);
            at[id] = TIME_NEVER;
        } else {
            at[id] = bits.word[2] % 50; /* many of the same time */
            event_set(&cell, id, at[id]);
        }
        struct event expected = next_by_scan(at);
        struct event found = event_next(&cell);
        assert_int_equal(found.at, expected.at);
        assert_int_equal(found.id, expected.id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_queue_against_a_scan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
