/* Shell scripts: loops that fork, let the child execute a program, and wait for it; the shape of
 * the test by which the cost of pte chains was argued about in August 2002.
 *
 * A loop is a process. It goes through its text, data and stack once; then, over and over, it
 * stores to some of its data, forks, and waits. The child stores to some of what it inherited,
 * executes a program (or does not), goes through part of the program's text, data and stack, and
 * exits. */
#include <stddef.h>

#include "workloads/fork_script.h"
#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/workloads.h"

static const char *const distributions[] = {"fixed", "uniform", "log_uniform", NULL};

#define FORK_EXIT(field) offsetof(struct fork_exit_options, field)
static const struct option_row rows[] = {
    {.key = "loops",
     .type = OPTION_COUNT,
     .offset = FORK_EXIT(loops),
     .fallback = "10",
     .low = 1,
     .high = 10000,
     .help = "loops that run side by side; each has at most one child"},
    {.key = "iterations",
     .type = OPTION_COUNT,
     .offset = FORK_EXIT(iterations),
     .fallback = "0",
     .low = 0,
     .high = 10000000,
     .help = "forks of each loop, after which it exits; 0: it goes on to the end"},
    {.key = "shell_text",
     .type = OPTION_SIZE,
     .offset = FORK_EXIT(shell_text),
     .fallback = "640KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 30,
     .help = "text of the shell and its libraries, mapped by all shells (assumed)"},
    {.key = "shell_data",
     .type = OPTION_SIZE,
     .offset = FORK_EXIT(shell_data),
     .fallback = "240KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 30,
     .help = "data and heap of a shell (assumed)"},
    {.key = "shell_writes",
     .type = OPTION_COUNT,
     .offset = FORK_EXIT(shell_writes),
     .fallback = "8",
     .low = 0,
     .high = 1000000,
     .help = "pages of its data that a loop stores to between two forks (assumed)"},
    {.key = "child_writes",
     .type = OPTION_COUNT,
     .offset = FORK_EXIT(child_writes),
     .fallback = "6",
     .low = 0,
     .high = 1000000,
     .help = "pages of the shell's data that a child stores to before it executes (assumed)"},
    ROW_SHARE(
        "exec_share", FORK_EXIT(exec_share), "70%",
        "share of the children that execute a program; the others exit at once (3 of 4 to 5)"),
    {.key = "programs",
     .type = OPTION_COUNT,
     .offset = FORK_EXIT(programs),
     .fallback = "3",
     .low = 1,
     .high = 64,
     .help = "different programs, executed alike often"},
    {.key = "program_text",
     .type = OPTION_SIZE,
     .offset = FORK_EXIT(program_text),
     .fallback = "1200KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 30,
     .help = "text of a program and its libraries, mapped by all that run it (assumed)"},
    ROW_SHARE("text_touched", FORK_EXIT(text_touched), "40%",
              "share of a program's text that is touched (assumed)"),
    {.key = "data_min",
     .type = OPTION_SIZE,
     .offset = FORK_EXIT(data_min),
     .fallback = "80KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 30,
     .help = "least data and heap that a program stores to (assumed)"},
    {.key = "data_max",
     .type = OPTION_SIZE,
     .offset = FORK_EXIT(data_max),
     .fallback = "400KiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 30,
     .help = "most of it (assumed)"},
    {.key = "sizes",
     .type = OPTION_CHOICE,
     .offset = FORK_EXIT(sizes),
     .fallback = "log_uniform",
     .choices = distributions,
     .help = "fixed: always data_max; uniform; log_uniform: all orders of magnitude alike often"},
    {.key = "touch_time",
     .type = OPTION_TIME,
     .offset = FORK_EXIT(touch_time),
     .fallback = "8us",
     .low = TICKS_PER_NS,
     .high = 1000000000ULL * TICKS_PER_NS,
     .help = "user time for each page that is touched: 2 ms for a program of 250 pages (assumed)"},
    ROW_SYSCALLS(FORK_EXIT(syscalls_per_second), "0",
                 "other system calls of each process for each second of its user time"),
    ROW_COPIED(FORK_EXIT(copied), "bytes that each of them copies to or from user memory"),
};
const struct option_table fork_exit_option_table = {
    .title = "loops of a shell script: fork, exec, exit, wait",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct fork_exit_options),
};

static page_count data_pages(const struct fork_exit_options *options)
{
    return pages_for(max_u64(options->shell_data, max_u64(options->data_min, options->data_max)));
}

/* --- the plan ----------------------------------------------------------------------------------
 */

static void add_process(struct plan *plan, uint32_t index, uint32_t i, bool child,
                        const struct workload *workload, object_id pool)
{
    const struct fork_exit_options *options = workload->options;
    process_id process = plan_add_process(plan, index, i, child ? START_BY_FORK : START_WARMUP);
    if (plan->out_of_memory) {
        return;
    }
    plan->processes[process].cpu_share = CPU_SHARE_ONE;
    plan->processes[process].exits = !child && options->iterations > 0;
    plan->processes[process].syscalls_per_second = options->syscalls_per_second;
    plan->processes[process].syscall_bytes = options->copied;
    for (uint32_t image = FORK_IMAGE_SHELL; image <= options->programs + 1; image++) {
        vma_id vma = plan_add_vma(
            plan, workload->object + image - FORK_IMAGE_SHELL, 0,
            pages_for(image == FORK_IMAGE_SHELL ? options->shell_text : options->program_text),
            image == FORK_IMAGE_SHELL, POPULATE_NONE);
        if (plan->out_of_memory) {
            return;
        }
        plan->vmas[vma].image = image;
        plan->vmas[vma].absent = child || image != FORK_IMAGE_SHELL;
    }
    vma_id data = plan_add_vma(plan, pool, 0, data_pages(options), true, POPULATE_NONE);
    vma_id stack = plan_add_vma(plan, pool, data_pages(options), FORK_STACK_PAGES, true,
                                POPULATE_NONE);
    if (!plan->out_of_memory) {
        plan->vmas[data].absent = child;
        plan->vmas[stack].absent = child;
    }
}

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct fork_exit_options *options = workload->options;
    workload->nprocesses = (uint32_t)options->loops * 2;
    workload->work_per_touch = options->touch_time;
    for (uint32_t i = 0; i <= options->programs; i++) {
        object_id object = plan_add_object(
            plan, OBJECT_FILE, pages_for(i == 0 ? options->shell_text : options->program_text), 0);
        workload->object = i == 0 ? object : workload->object;
    }
    object_id pool = plan_add_pool(plan, data_pages(options) + FORK_STACK_PAGES,
                                   workload->nprocesses, (cell_id)scenario->machine.cells);
    workload->first_process = (process_id)plan->nprocesses;
    plan->operates = true;
    for (uint32_t i = 0; i < workload->nprocesses && !plan->out_of_memory; i++) {
        add_process(plan, index, i, i >= options->loops, workload, pool);
    }
    return STATUS_OK;
}

/* --- what processes do -------------------------------------------------------------------------
 */

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)draws;
    (void)bits;
    struct fork_script script;
    struct fork_point point;
    fork_script_make(workload, process, cell->visitors[process].generation, &script);
    fork_script_find(cell, process, &script,
                     ordinal - first_ordinal(cell->visitors[process].generation), &point);
    touch->vma = cell->plan->processes[process].first_vma + point.stretch->vma;
    const struct plan_vma *vma = &cell->plan->vmas[touch->vma];
    struct shard shard = cell_shard(cell, vma->object);
    touch->page = object_page(&cell->objects[vma->object],
                              shard_pages_below(&shard, vma->offset + point.offset));
    touch->access = point.stretch->stores ? ACCESS_WRITE : ACCESS_READ;
    touch->counted = true;
    touch->last = false;
}

/* Everything takes its turn: what has n touches and operations before it is due at n + 1 times the
 * time of one. */
static sim_time due(const struct workload *workload, const struct cell *cell,
                    const struct process_draws *draws, process_id process, uint64_t ordinal,
                    sim_time before, const struct random_block *bits)
{
    (void)draws;
    (void)before;
    (void)bits;
    struct fork_script script;
    struct fork_point point;
    fork_script_make(workload, process, cell->visitors[process].generation, &script);
    uint64_t number = ordinal - first_ordinal(cell->visitors[process].generation);
    if (!fork_script_find(cell, process, &script, number, &point)) {
        return TIME_NEVER;
    }
    return (point.before + 1) * workload->work_per_touch;
}

static sim_time operation_due(const struct workload *workload, const struct cell *cell,
                              process_id process, uint64_t ordinal, sim_time before)
{
    (void)before;
    struct fork_script script;
    fork_script_make(workload, process, cell->visitors[process].generation, &script);
    uint64_t number = operation_number_after(ordinal);
    if (script.repeats) {
        const struct fork_exit_options *options = workload->options;
        if (options->iterations > 0 && number > options->iterations) {
            return TIME_NEVER;
        }
        unsigned last = script.nstretches - 1;
        return (fork_script_touches(&script, last) +
                (number + 1) * (script.stretch[last].pages + 1)) *
               workload->work_per_touch;
    }
    bool execs = script.exec_after != UINT32_MAX;
    if (number > (execs ? 1 : 0)) {
        return TIME_NEVER;
    }
    unsigned stretches = execs && number == 0 ? script.exec_after : script.nstretches;
    return (fork_script_touches(&script, stretches) + number + 1) * workload->work_per_touch;
}

static void operate(const struct workload *workload, const struct cell *cell, process_id process,
                    uint64_t ordinal, struct operation_call *call)
{
    const struct fork_exit_options *options = workload->options;
    struct fork_script script;
    fork_script_make(workload, process, cell->visitors[process].generation, &script);
    uint64_t number = ordinal - first_ordinal(cell->visitors[process].generation);
    process_id child = process + (process_id)options->loops;
    *call = (struct operation_call){.kind = OPERATION_EXIT, .wait_for = PROCESS_NONE};
    if (script.repeats) {
        if (options->iterations == 0 || number < options->iterations) {
            *call = (struct operation_call){
                .kind = OPERATION_FORK, .child = child, .wait_for = child};
        }
    } else if (script.exec_after != UINT32_MAX && number == 0) {
        call->kind = OPERATION_EXEC;
        call->image = script.image;
    }
}

static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)bits;
    const uint32_t generation = generation_of(ordinal);
    struct fork_script script;
    fork_script_make(workload, process, generation, &script);
    const struct fork_turn turn = fork_script_turn(workload, &script,
                                                   ordinal - first_ordinal(generation));
    return (struct place){plan->processes[process].first_vma + turn.vma, turn.page};
}

const struct workload_ops workload_fork_exit = {
    .kind = {"fork_exit", "loops of a shell script: fork, exec, exit, wait",
             &fork_exit_option_table},
    .plan = plan,
    .locate = locate,
    .place = place,
    .due = due,
    .operation_due = operation_due,
    .operate = operate,
};
