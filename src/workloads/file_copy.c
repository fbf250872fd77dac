/* cp: one process that reads a file from one disk, page after page, and writes each page to a new
 * file on another, as fast as it is let. */
#include <stddef.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/refusal.h"
#include "workloads/sequential.h"
#include "workloads/workloads.h"

#define FILE_COPY(field) offsetof(struct file_copy_options, field)
static const struct option_row rows[] = {
    ROW_SIZE(FILE_COPY(size), "8GiB", "bytes of the file"),
    ROW_RATE(
        FILE_COPY(rate), "400MB/s",
        "how fast it is copied when both disks keep up (assumed: memory bandwidth of the time)"),
    {.key = "from",
     .type = OPTION_COUNT,
     .offset = FILE_COPY(from),
     .fallback = "0",
     .low = 0,
     .high = 1023,
     .help = "disk that the file is on, from 0 to machine.disk.devices - 1"},
    {.key = "to",
     .type = OPTION_COUNT,
     .offset = FILE_COPY(to),
     .fallback = "0",
     .low = 0,
     .high = 1023,
     .help = "disk that the copy is on"},
};
const struct option_table file_copy_option_table = {
    .title = "a process that copies a file from disk to disk during the pressure phase",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct file_copy_options),
};

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct file_copy_options *options = workload->options;
    enum status status = check_disk(scenario, index, "from", options->from);
    if (status == STATUS_OK) {
        status = check_disk(scenario, index, "to", options->to);
    }
    if (status != STATUS_OK) {
        return status;
    }
    page_count pages = pages_for(options->size);
    /* The copy comes right after its source: locate() counts on that. */
    object_id source = plan_add_object(plan, OBJECT_FILE, pages, (uint32_t)options->from);
    object_id copy = plan_add_object(plan, OBJECT_FILE, pages, (uint32_t)options->to);
    process_id process = plan_add_process(plan, index, 0, START_PRESSURE);
    if (!plan->out_of_memory) {
        plan->objects[copy].written = true;
    }
    /* Two touches for each page: it is read, then written. */
    sequential_plan(scenario, plan, workload, process, source, 2 * pages, 1, 2 * options->rate);
    return STATUS_OK;
}

/* Of all touches: 2 i reads page i of the source, 2 i + 1 writes page i of the copy. */
struct copy_place {
    object_id file;
    page_count index; /* of the file's pages in the cell */
    uint64_t touch;   /* of all; UINT64_MAX: there are not so many in the cell */
};

/* With one cell the touches alternate. With more, a unit of the source and the same one of the copy
 * are in different cells, so that a cell has whole units of one and the other in turn. */
static struct copy_place place_of(const struct workload *workload, const struct cell *cell,
                                  uint64_t ordinal)
{
    object_id source = workload->object;
    struct copy_place place = {source, 0, UINT64_MAX};
    struct shard shards[2] = {cell_shard(cell, source), cell_shard(cell, source + 1)};
    unsigned which;
    if (cell->ncells == 1) {
        which = (unsigned)(ordinal % 2);
        place.index = ordinal / 2;
    } else {
        uint64_t block = ordinal / shards[0].unit;
        which = (unsigned)(block % 2) ^ (shards[1].first < shards[0].first ? 1U : 0U);
        place.index = block / 2 * shards[0].unit + ordinal % shards[0].unit;
    }
    place.file = source + which;
    if (place.index < cell->objects[place.file].npages) {
        place.touch = 2 * shard_offset(&shards[which], place.index) + which;
    }
    return place;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)draws;
    (void)bits;
    (void)process;
    struct copy_place place = place_of(workload, cell, ordinal);
    touch->vma = VMA_NONE;
    touch->page = object_page(&cell->objects[place.file], place.index);
    touch->access = place.file == workload->object ? ACCESS_FILE_READ : ACCESS_FILE_WRITE;
    touch->counted = true;
    touch->last = ordinal + 1 == (uint64_t)cell->objects[workload->object].npages +
                                     cell->objects[workload->object + 1].npages;
}

static sim_time due(const struct workload *workload, const struct cell *cell,
                    const struct process_draws *draws, process_id process, uint64_t ordinal,
                    sim_time before, const struct random_block *bits)
{
    (void)draws;
    (void)process;
    (void)before;
    (void)bits;
    struct copy_place place = place_of(workload, cell, ordinal);
    return place.touch == UINT64_MAX ? TIME_NEVER : (place.touch + 1) * workload->work_per_touch;
}

const struct workload_ops workload_file_copy = {
    .kind = {"file_copy", "a process that copies a file from one disk to another",
             &file_copy_option_table},
    .plan = plan,
    .locate = locate,
    .due = due,
};
