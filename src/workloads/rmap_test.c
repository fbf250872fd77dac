/* Andrew Morton's rmap-test of 5 April 2003 (Message-ID 20030405040614.66511e1e.akpm@digeo.com):
 * many tasks that all map the same windows of one file, and store to every page of them.
 *
 * The defaults are its test 1, `rmap-test -l -i 10 -n 100 -s 600 -t 100`: 15.76 s of user time for
 * 100 x 60,000 x 10 touches. Its windows have gaps between them, so that the kernel does not merge
 * their vmas; the simulator merges none. */
#include <stddef.h>

#include "workloads/many_vmas.h"
#include "workloads/option_rows.h"

#define FIELD(field) offsetof(struct many_vmas_options, field)
static const struct option_row rows[] = {
    ROW_PROCESSES(FIELD(processes), "100", UINT16_MAX, "tasks (-t)"),
    {.key = "windows",
     .type = OPTION_COUNT,
     .offset = FIELD(windows),
     .fallback = "100",
     .low = 1,
     .high = UINT16_MAX,
     .help = "windows of the file that each task maps, each a vma (-n)"},
    {.key = "window",
     .type = OPTION_SIZE,
     .offset = FIELD(window),
     .fallback = "2400KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 50,
     .help = "bytes of a window (-s, which counts pages)"},
    {.key = "order",
     .type = OPTION_CHOICE,
     .offset = FIELD(order),
     .fallback = "linear",
     .choices = many_vmas_orders,
     .help = "in which order a task goes to the pages (-l, -r)"},
    {.key = "iterations",
     .type = OPTION_COUNT,
     .offset = FIELD(iterations),
     .fallback = "10",
     .low = 1,
     .high = 1000000,
     .help = "how often it goes through all of them (-i)"},
    ROW_BACKING(FIELD(backing), "file", "a file in the page cache, or shared memory"),
    ROW_DEVICE(FIELD(device), "the file is"),
    ROW_POPULATE(FIELD(populate), "none",
                 "how each task touches all of its windows before the clock starts"),
    {.key = "touch_time",
     .type = OPTION_COST,
     .offset = FIELD(touch_time),
     .fallback = "263ns",
     .low = 1,
     .high = (uint64_t)1000000000 * TICKS_PER_NS,
     .help = "user time of a touch (15.76 s for 60 million of them, as posted)"},
};
const struct option_table rmap_test_option_table = {
    .title = "tasks that all map the same windows of a file and store to their pages",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct many_vmas_options),
};

const struct workload_ops workload_rmap_test = {
    .kind = {"rmap_test", "tasks that all map the same windows of one file (Morton's rmap-test)",
             &rmap_test_option_table},
    .plan = many_vmas_plan,
    .locate = many_vmas_locate,
    .place = many_vmas_place,
    .due = many_vmas_due,
};
