/* A server with many children: it forks one after the other, and all of them, the server as well,
 * touch pages of the memory that they have in common until they store to them. */
#include <stddef.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/random_touches.h"
#include "workloads/workloads.h"

#define TREE(field) offsetof(struct anon_fork_tree_options, field)
static const struct option_row rows[] = {
    {.key = "children",
     .type = OPTION_COUNT,
     .offset = TREE(children),
     .fallback = "30",
     .low = 1,
     .high = 10000,
     .help = "children that there are at most at a time"},
    {.key = "memory",
     .type = OPTION_SIZE,
     .offset = TREE(memory),
     .fallback = "8MiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 40,
     .help = "anonymous memory of the server, written before the clock starts"},
    {.key = "fork_every",
     .type = OPTION_COUNT,
     .offset = TREE(fork_every),
     .fallback = "500",
     .low = 1,
     .high = 10000000,
     .help = "touches of the server from fork to fork; it waits while all children are there"},
    {.key = "child_touches",
     .type = OPTION_COUNT,
     .offset = TREE(child_touches),
     .fallback = "4000",
     .low = 1,
     .high = 10000000,
     .help = "touches of a child, after which it exits"},
    ROW_SHARE("write_share", TREE(write_share), "20%",
              "share of the touches that are stores, and copy a page that others have as well"),
    {.key = "touch_time",
     .type = OPTION_TIME,
     .offset = TREE(touch_time),
     .fallback = "10us",
     .low = TICKS_PER_NS,
     .high = 1000000000ULL * TICKS_PER_NS,
     .help = "mean user time from touch to touch (assumed)"},
    ROW_CPU_USE(TREE(cpu_use), "20%",
                "share of a CPU that user code of each process wants (assumed)"),
};
const struct option_table anon_fork_tree_option_table = {
    .title = "a server that forks children which copy its memory on writing",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct anon_fork_tree_options),
};

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct anon_fork_tree_options *options = workload->options;
    page_count pages = pages_for(options->memory);
    workload->nprocesses = (uint32_t)options->children + 1;
    workload->pages = pages;
    workload->work_per_touch = options->touch_time;
    workload->write_upto = touches_upto(options->write_share);
    object_id pool = plan_add_pool(plan, pages, workload->nprocesses,
                                   (cell_id)scenario->machine.cells);
    workload->first_process = (process_id)plan->nprocesses;
    plan->operates = true;
    for (uint32_t i = 0; i < workload->nprocesses && !plan->out_of_memory; i++) {
        process_id process = plan_add_process(plan, index, i,
                                              i == 0 ? START_WARMUP : START_BY_FORK);
        vma_id vma = plan_add_vma(plan, pool, 0, pages, true,
                                  i == 0 ? POPULATE_WRITE : POPULATE_NONE);
        if (!plan->out_of_memory) {
            plan->processes[process].cpu_share = muldiv(CPU_SHARE_ONE, options->cpu_use, SHARE_ONE);
            plan->vmas[vma].absent = i > 0;
        }
    }
    return STATUS_OK;
}

static enum status divide(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws)
{
    const struct plan_process *server = &cell->plan->processes[workload->first_process];
    struct shard shard = cell_shard(cell, cell->plan->vmas[server->first_vma].object);
    page_count here = shard_pages_below(&shard, workload->pages);
    uint128 mean = here == 0 ? 0 : (uint128)workload->work_per_touch * workload->pages / here;
    for (uint32_t i = 0; i < workload->nprocesses; i++) {
        draws->process[workload->first_process + i].mean = touches_mean(mean);
    }
    return STATUS_OK;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)draws;
    (void)ordinal;
    touch->vma = cell->plan->processes[process].first_vma;
    const struct vma *vma = &cell->vmas[touch->vma];
    touch->page = vma->first + (page_id)random_below(bits->word[2], vma->npages);
    touch->access = bits->word[3] < workload->write_upto ? ACCESS_WRITE : ACCESS_READ;
    touch->counted = true;
    touch->last = false;
}

static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)ordinal;
    return (struct place){plan->processes[process].first_vma,
                          random_below(bits->word[2], workload->pages)};
}

static bool is_server(const struct workload *workload, process_id process)
{
    return process == workload->first_process;
}

static sim_time operation_due(const struct workload *workload, const struct cell *cell,
                              process_id process, uint64_t ordinal, sim_time before)
{
    (void)cell;
    (void)before;
    const struct anon_fork_tree_options *options = workload->options;
    uint64_t number = operation_number_after(ordinal);
    if (is_server(workload, process)) {
        return (number + 1) * options->fork_every * workload->work_per_touch;
    }
    return number > 0 ? TIME_NEVER : options->child_touches * workload->work_per_touch;
}

static void operate(const struct workload *workload, const struct cell *cell, process_id process,
                    uint64_t ordinal, struct operation_call *call)
{
    (void)cell;
    const struct anon_fork_tree_options *options = workload->options;
    process_id first = workload->first_process + 1;
    *call = (struct operation_call){.kind = OPERATION_EXIT, .wait_for = PROCESS_NONE};
    if (is_server(workload, process)) {
        call->kind = OPERATION_FORK;
        call->child = first + (process_id)(ordinal % options->children);
        call->wait_for = first + (process_id)((ordinal + 1) % options->children);
    }
}

const struct workload_ops workload_anon_fork_tree = {
    .kind = {"anon_fork_tree", "a server that forks children which copy its memory on writing",
             &anon_fork_tree_option_table},
    .plan = plan,
    .divide = divide,
    .locate = locate,
    .place = place,
    .due = touches_due,
    .operation_due = operation_due,
    .operate = operate,
};
