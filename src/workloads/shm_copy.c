/* The pressure of scenario A: one process writes a second segment of shared memory, page after
 * page, and waits for memory when there is none. */
#include <stddef.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/sequential.h"
#include "workloads/workloads.h"

#define SHM_COPY(field) offsetof(struct shm_copy_options, field)
static const struct option_row rows[] = {
    ROW_SIZE(SHM_COPY(size), "12GiB", "bytes of the segment that is written"),
    ROW_RATE(SHM_COPY(rate), "50MB/s", "how fast it is written when nothing is in the way"),
};
const struct option_table shm_copy_option_table = {
    .title = "a process that writes a second segment of shared memory during the pressure phase",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct shm_copy_options),
};

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct shm_copy_options *options = workload->options;
    page_count pages = pages_for(options->size);
    object_id segment = plan_add_object(plan, OBJECT_SHM, pages, 0);
    process_id process = plan_add_process(plan, index, 0, START_PRESSURE);
    plan_add_vma(plan, segment, 0, pages, true, POPULATE_NONE);
    sequential_plan(scenario, plan, workload, process, segment, pages, 1, options->rate);
    return STATUS_OK;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)draws;
    (void)bits;
    touch->vma = cell->plan->processes[process].first_vma;
    touch->page = cell->vmas[touch->vma].first + (page_id)ordinal;
    touch->access = ACCESS_WRITE;
    touch->counted = true;
    touch->last = ordinal + 1 == sequential_touches(workload, cell);
}

static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)bits;
    return (struct place){plan->processes[process].first_vma, ordinal % workload->pages};
}

const struct workload_ops workload_shm_copy = {
    .kind = {"shm_copy", "a process that writes a second shared segment and waits for memory",
             &shm_copy_option_table},
    .plan = plan,
    .locate = locate,
    .place = place,
    .due = sequential_due,
};
