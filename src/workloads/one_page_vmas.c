/* Ingo Molnar's test-mmap of 9 March 2004 (Message-ID 20040309105226.GA2863@elte.hu): a process
 * that maps every page of some shared memory by a vma of its own. test-mmap2 is 1800 of them in
 * each of 32 processes. */
#include <stddef.h>

#include "workloads/many_vmas.h"
#include "workloads/option_rows.h"

#define FIELD(field) offsetof(struct many_vmas_options, field)
static const struct option_row rows[] = {
    ROW_PROCESSES(FIELD(processes), "1", UINT16_MAX, "processes that do so"),
    {.key = "vmas",
     .type = OPTION_COUNT,
     .offset = FIELD(windows),
     .fallback = "18000",
     .low = 1,
     .high = UINT16_MAX,
     .help = "pages that each of them maps, and vmas that it has for them"},
    {.key = "mapping",
     .type = OPTION_CHOICE,
     .offset = FIELD(mapping),
     .fallback = "vmas",
     .choices = many_vmas_mappings,
     .help =
         "a vma for each page, or one for all whose pages remap_file_pages() has put elsewhere"},
    ROW_BACKING(FIELD(backing), "shm", "shared memory, or a file in the page cache"),
    ROW_DEVICE(FIELD(device), "the file is"),
    ROW_POPULATE(FIELD(populate), "write",
                 "how each process touches all of the pages before the clock starts"),
    {.key = "order",
     .type = OPTION_CHOICE,
     .offset = FIELD(order),
     .fallback = "linear",
     .choices = many_vmas_orders,
     .help = "in which order a process goes to the pages later"},
    {.key = "iterations",
     .type = OPTION_COUNT,
     .offset = FIELD(iterations),
     .fallback = "10",
     .low = 1,
     .high = 1000000,
     .help = "how often it goes through all of them"},
    {.key = "touch_time",
     .type = OPTION_COST,
     .offset = FIELD(touch_time),
     .fallback = "263ns",
     .low = 1,
     .high = (uint64_t)1000000000 * TICKS_PER_NS,
     .help = "user time of a touch (as in rmap_test)"},
};
const struct option_table one_page_vmas_option_table = {
    .title = "processes that map every page by a vma of its own",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct many_vmas_options),
};

const struct workload_ops workload_one_page_vmas = {
    .kind = {"one_page_vmas",
             "processes that map every page by a vma of its own (Molnar's "
             "test-mmap)",
             &one_page_vmas_option_table},
    .plan = many_vmas_plan,
    .locate = many_vmas_locate,
    .place = many_vmas_place,
    .due = many_vmas_due,
};
