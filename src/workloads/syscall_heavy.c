/* Processes that make system calls at a steady rate, with little memory: what entering the kernel
 * costs, and copying to and from user memory. */
#include <stddef.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/random_touches.h"
#include "workloads/workloads.h"

#define FIELD(field) offsetof(struct syscall_heavy_options, field)
static const struct option_row rows[] = {
    ROW_PROCESSES(FIELD(processes), "4", UINT16_MAX, "processes that make system calls"),
    ROW_SYSCALLS(FIELD(syscalls_per_second), "100000",
                 "calls of each process for each second of its user time (assumed)"),
    ROW_COPIED(FIELD(copied), "bytes that each call copies to or from user memory; 0: null calls"),
    {.key = "memory",
     .type = OPTION_SIZE,
     .offset = FIELD(memory),
     .fallback = "256KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 50,
     .help = "private memory of each process"},
    {.key = "touch_rate",
     .type = OPTION_COUNT,
     .offset = FIELD(touch_rate),
     .fallback = "10000",
     .low = 1,
     .high = 1000000000,
     .help = "stores to it for each second of user time (assumed)"},
    ROW_CPU_USE(FIELD(cpu_use), "100%", "share of all CPUs that user code takes when unhindered"),
};
const struct option_table syscall_heavy_option_table = {
    .title = "processes that make system calls",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct syscall_heavy_options),
};

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct syscall_heavy_options *options = workload->options;
    const uint64_t share = touches_cpu_share(scenario, options->cpu_use, options->processes);
    workload->nprocesses = (uint32_t)options->processes;
    workload->private_pages = pages_for(options->memory);
    workload->work_per_touch = touches_interval(CPU_SHARE_ONE, 1, options->touch_rate);
    for (uint32_t i = 0; i < options->processes; i++) {
        const process_id process = plan_add_process(plan, index, i, START_WARMUP);
        const object_id own = plan_add_object(plan, OBJECT_ANON, workload->private_pages, 0);
        if (plan->out_of_memory) {
            return STATUS_OK; /* plan_finish() says so */
        }
        plan_add_vma(plan, own, 0, workload->private_pages, true, POPULATE_WRITE);
        workload->first_process = i == 0 ? process : workload->first_process;
        plan->processes[process].cpu_share = share;
        plan->processes[process].syscalls_per_second = options->syscalls_per_second;
        plan->processes[process].syscall_bytes = options->copied;
    }
    return STATUS_OK;
}

/* A cell has a process's touches in proportion to what it has of the process's memory. */
static enum status divide(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws)
{
    for (uint32_t i = 0; i < workload->nprocesses; i++) {
        const process_id process = workload->first_process + i;
        const vma_id vma = cell->plan->processes[process].first_vma;
        const page_count here = cell->vmas[vma].npages;
        const uint128 all = (uint128)workload->work_per_touch * workload->private_pages;
        draws->process[process].mean = touches_mean(here == 0 ? 0 : all / here);
    }
    return STATUS_OK;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)workload;
    (void)draws;
    (void)ordinal;
    touch->vma = cell->plan->processes[process].first_vma;
    const struct vma *vma = &cell->vmas[touch->vma];
    touch->page = vma->first + (page_id)random_below(bits->word[2], vma->npages);
    touch->access = ACCESS_WRITE;
    touch->counted = false;
    touch->last = false;
}

static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)ordinal;
    return (struct place){plan->processes[process].first_vma,
                          random_below(bits->word[2], workload->private_pages)};
}

const struct workload_ops workload_syscall_heavy = {
    .kind = {"syscall_heavy", "processes that make system calls, with little memory",
             &syscall_heavy_option_table},
    .plan = plan,
    .divide = divide,
    .locate = locate,
    .place = place,
    .due = touches_due,
};
