/* A process that reads a file through the page cache, from its beginning to its end, with read(2).
 */
#include <stddef.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/refusal.h"
#include "workloads/sequential.h"
#include "workloads/workloads.h"

#define READER(field) offsetof(struct page_cache_reader_options, field)
static const struct option_row rows[] = {
    ROW_SIZE(READER(size), "8GiB", "bytes of the file"),
    ROW_RATE(READER(rate), "50MB/s", "how fast it is read when the disk keeps up"),
    ROW_DEVICE(READER(device), "the file is"),
    {.key = "rounds",
     .type = OPTION_COUNT,
     .offset = READER(rounds),
     .fallback = "1",
     .low = 1,
     .high = 1000000,
     .help = "how often the file is read"},
};
const struct option_table page_cache_reader_option_table = {
    .title = "a process that reads a file during the pressure phase",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct page_cache_reader_options),
};

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct page_cache_reader_options *options = workload->options;
    const enum status status = check_disk(scenario, index, "device", options->device);
    if (status != STATUS_OK) {
        return status;
    }
    page_count pages = pages_for(options->size);
    object_id file = plan_add_object(plan, OBJECT_FILE, pages, (uint32_t)options->device);
    process_id process = plan_add_process(plan, index, 0, START_PRESSURE);
    sequential_plan(scenario, plan, workload, process, file, pages, options->rounds, options->rate);
    return STATUS_OK;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)draws;
    (void)bits;
    (void)process;
    touch->vma = VMA_NONE;
    const struct object *file = &cell->objects[workload->object];
    touch->page = object_page(file, ordinal % file->npages);
    touch->access = ACCESS_FILE_READ;
    touch->counted = true;
    touch->last = ordinal + 1 == sequential_touches(workload, cell);
}

const struct workload_ops workload_page_cache_reader = {
    .kind = {"page_cache_reader", "a process that reads a file through the page cache",
             &page_cache_reader_option_table},
    .plan = plan,
    .locate = locate,
    .due = sequential_due,
};
