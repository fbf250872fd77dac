#include "workloads/many_vmas.h"

#include "workloads/refusal.h"
#include "workloads/sequential.h"

const char *const many_vmas_orders[] = {"linear", "random", NULL};
const char *const many_vmas_mappings[] = {"vmas", "nonlinear", NULL};

enum { ORDER_LINEAR, ORDER_RANDOM };

static page_count pages_of_window(const struct many_vmas_options *options)
{
    return max_u64(1, pages_for(options->window));
}

enum status many_vmas_plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                           struct workload *workload)
{
    const struct many_vmas_options *options = workload->options;
    const enum status status = check_disk(scenario, index, "device", options->device);
    if (status != STATUS_OK) {
        return status;
    }
    const page_count window = pages_of_window(options);
    const page_count pages = options->windows * window;
    const uint128 touches = (uint128)pages * options->iterations;
    const bool file = options->backing == BACKING_FILE;
    workload->object = plan_add_object(plan, file ? OBJECT_FILE : OBJECT_SHM, pages,
                                       (uint32_t)options->device);
    workload->nprocesses = (uint32_t)options->processes;
    workload->work_per_touch = max_u64(1, options->touch_time);
    workload->pages = pages;
    workload->rounds = options->iterations;
    workload->finite = true;
    workload->revisits = true;
    for (uint32_t i = 0; i < options->processes; i++) {
        const process_id process = plan_add_process(plan, index, i, START_PRESSURE);
        if (plan->out_of_memory) {
            return STATUS_OK; /* plan_finish() says so */
        }
        workload->first_process = i == 0 ? process : workload->first_process;
        plan->processes[process].cpu_share = CPU_SHARE_ONE;
        plan->processes[process].touches = (uint64_t)(touches < UINT64_MAX ? touches : UINT64_MAX);
        if (options->mapping == MAPPING_NONLINEAR) {
            plan_add_nonlinear(plan, workload->object, (enum populate)options->populate);
            continue;
        }
        for (page_offset offset = 0; offset < pages; offset += window) {
            plan_add_window(plan, workload->object, offset, window,
                            (enum populate)options->populate);
        }
    }
    return STATUS_OK;
}

void many_vmas_locate(const struct workload *workload, const struct cell *cell,
                      const struct process_draws *draws, process_id process, uint64_t ordinal,
                      const struct random_block *bits, struct touch *touch)
{
    const struct many_vmas_options *options = workload->options;
    const struct object *object = &cell->objects[workload->object];
    (void)draws;
    const page_count index = options->order == ORDER_RANDOM
                                 ? random_below(bits->word[2], object->npages)
                                 : ordinal % object->npages;
    touch->last = ordinal + 1 == sequential_touches(workload, cell);
    touch->page = object_page(object, index);
    touch->vma = cell->plan->processes[process].first_vma;
    if (options->mapping == MAPPING_VMAS) {
        touch->vma += (vma_id)(object_offset(cell, workload->object, touch->page) /
                               pages_of_window(options));
    }
    touch->access = ACCESS_WRITE;
    touch->counted = true;
}

struct place many_vmas_place(const struct workload *workload, const struct plan *plan,
                             process_id process, uint64_t ordinal, const struct random_block *bits)
{
    const struct many_vmas_options *options = workload->options;
    const vma_id first = plan->processes[process].first_vma;
    const page_count index = options->order == ORDER_RANDOM
                                 ? random_below(bits->word[2], workload->pages)
                                 : ordinal % workload->pages;
    if (options->mapping == MAPPING_NONLINEAR) {
        const page_count turned = vma_turned_round(index, workload->pages, plan->arch->pt_entries);
        return (struct place){first, turned};
    }
    const page_count window = pages_of_window(options);
    return (struct place){first + (vma_id)(index / window), index % window};
}

sim_time many_vmas_due(const struct workload *workload, const struct cell *cell,
                       const struct process_draws *draws, process_id process, uint64_t ordinal,
                       sim_time before, const struct random_block *bits)
{
    const struct many_vmas_options *options = workload->options;
    if (options->order == ORDER_LINEAR) {
        return sequential_due(workload, cell, draws, process, ordinal, before, bits);
    }
    if (ordinal >= sequential_touches(workload, cell)) {
        return TIME_NEVER;
    }
    /* As many in each part of the time as the cell has of the pages. */
    const page_count here = cell->objects[workload->object].npages;
    const uint128 index = (uint128)(ordinal + 1) * workload->pages / here;
    const uint128 at = index * workload->work_per_touch;
    return at < TIME_NEVER ? (sim_time)at : TIME_NEVER;
}
