/* Windows of a larger file or segment: how 32-bit processes reached more memory than they can map.
 * Each process touches pages within its windows, and moves one of them at a stated rate: over other
 * pages by munmap and mmap, or by remap_file_pages in nonlinear vmas, or with its pages to another
 * address by mremap. */
#include <stddef.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/random_touches.h"
#include "workloads/refusal.h"
#include "workloads/workloads.h"

static const char *const moves[] = {"munmap_mmap", "mremap", "remap_file_pages", NULL};

#define WINDOWS(field) offsetof(struct windows_options, field)
static const struct option_row rows[] = {
    ROW_PROCESSES(WINDOWS(processes), "300", UINT16_MAX, "processes that have windows"),
    ROW_SIZE(WINDOWS(size), "8GiB", "bytes of what the windows are of"),
    ROW_BACKING(WINDOWS(backing), "file", "shared memory, or a file in the page cache"),
    {.key = "window",
     .type = OPTION_SIZE,
     .offset = WINDOWS(window),
     .fallback = "64MiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 60,
     .help = "bytes of a window"},
    {.key = "windows",
     .type = OPTION_COUNT,
     .offset = WINDOWS(windows),
     .fallback = "8",
     .low = 1,
     .high = 32767,
     .help = "windows of each process"},
    {.key = "move",
     .type = OPTION_CHOICE,
     .offset = WINDOWS(move),
     .fallback = "munmap_mmap",
     .choices = moves,
     .help = "munmap_mmap, remap_file_pages: to other pages; mremap: to another address"},
    ROW_POPULATE(WINDOWS(populate), "none",
                 "how each process touches its first windows before the clock starts"),
    {.key = "moves",
     .type = OPTION_COUNT,
     .offset = WINDOWS(moves),
     .fallback = "100",
     .low = 0,
     .high = 1000000,
     .help = "windows that each process moves per second, when unhindered"},
    ROW_TOUCH_RATE(WINDOWS(touch_rate), "440000", "of windows "),
    ROWS_ACCESS(struct windows_options, "uniform", "which pages of a window are touched"),
    ROW_CPU_USE(WINDOWS(cpu_use), "50%",
                "share of all CPUs that user code takes at the full touch rate (assumed)"),
};
const struct option_table windows_option_table = {
    .title = "processes that move windows over a larger file or segment",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct windows_options),
};

/* Windows lie at multiples of what a page-table page maps in each of all cells, at least of
 * themselves: so that addresses and offsets agree within page-table pages, and a cell has the same
 * part of a window wherever that is. */
static enum status place_windows(const struct scenario *scenario, uint32_t index,
                                 const struct plan *plan, page_count segment,
                                 struct workload *workload)
{
    page_count unit = plan->arch->pt_entries * scenario->machine.cells;
    if (workload->pages > segment) {
        return refuse_option(scenario, index, "window", "a window cannot be larger than the whole");
    }
    workload->window_stride = (workload->pages + unit - 1) / unit * unit;
    return STATUS_OK;
}

static page_offset place_of(const struct workload *workload, uint64_t number)
{
    page_count places = pages_for(workload->pressure_segment) / workload->window_stride;
    return number % max_u64(places, 1) * workload->window_stride;
}

/* Windows that mremap moves have two vmas, of which one is there. */
static uint32_t vmas_of_window(const struct workload *workload)
{
    const struct windows_options *options = workload->options;
    return options->move == MOVE_MREMAP && options->moves > 0 ? 2 : 1;
}

static vma_id first_vma_of(const struct workload *workload, const struct plan *plan,
                           process_id process, uint32_t window)
{
    return plan->processes[process].first_vma + window * vmas_of_window(workload);
}

/* The one that is there. */
static vma_id vma_of_window(const struct workload *workload, const struct cell *cell,
                            process_id process, uint32_t window)
{
    const vma_id first = first_vma_of(workload, cell->plan, process, window);
    return first + (cell->vmas[first].attached ? 0 : 1);
}

static void add_window(struct plan *plan, const struct workload *workload, object_id object,
                       uint64_t number)
{
    const struct windows_options *options = workload->options;
    const page_offset offset = place_of(workload, number);
    vma_id vma = plan_add_vma(plan, object, offset, workload->pages, true,
                              (enum populate)options->populate);
    if (plan->out_of_memory || options->moves == 0) {
        return;
    }
    plan->vmas[vma].moves = options->move != MOVE_MREMAP;
    if (options->move == MOVE_REMAP_FILE_PAGES) {
        plan_set_nonlinear(plan, vma);
    }
    if (options->move == MOVE_MREMAP) {
        vma = plan_add_vma(plan, object, offset, workload->pages, true, POPULATE_NONE);
        if (!plan->out_of_memory) {
            plan->vmas[vma].absent = true;
        }
    }
}

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct windows_options *options = workload->options;
    page_count segment = pages_for(options->size);
    workload->nprocesses = (uint32_t)options->processes;
    workload->pages = pages_for(options->window);
    workload->windows = (uint32_t)options->windows;
    workload->pressure_segment = options->size;
    enum status status = place_windows(scenario, index, plan, segment, workload);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t share = touches_cpu_share(scenario, options->cpu_use, options->processes);
    workload->work_per_touch = touches_interval(share, options->processes, options->touch_rate);
    workload->operation_interval = options->moves == 0 ? 0
                                                       : touches_interval(share, 1, options->moves);
    workload->write_upto = touches_upto(options->write_share);
    const struct access_params access = {(enum access_kind)options->access, options->hot_fraction,
                                         options->hot_share, options->zipf_exponent};
    access_build(&access, workload->pages, &workload->access);
    enum object_kind kind = options->backing == BACKING_SHM ? OBJECT_SHM : OBJECT_FILE;
    object_id object = plan_add_object(plan, kind, segment, 0);
    plan->operates = plan->operates || options->moves > 0;
    for (uint32_t i = 0; i < options->processes && !plan->out_of_memory; i++) {
        process_id process = plan_add_process(plan, index, i, START_WARMUP);
        if (plan->out_of_memory) {
            break;
        }
        plan->processes[process].cpu_share = share;
        workload->first_process = i == 0 ? process : workload->first_process;
        for (uint32_t w = 0; w < workload->windows && !plan->out_of_memory; w++) {
            add_window(plan, workload, object, (uint64_t)i * workload->windows + w);
        }
    }
    return STATUS_OK;
}

/* A cell has the same part of every window, so all processes touch the same share of its pages. */
static enum status divide(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws)
{
    struct access_table *table = calloc(1, sizeof *table);
    if (table == NULL || !draws_keep_tables(draws, table)) {
        free(table);
        return fail(STATUS_RESOURCE, "out of memory for an access table");
    }
    const struct plan *plan = cell->plan;
    object_id object = plan->vmas[plan->processes[workload->first_process].first_vma].object;
    uint64_t share;
    enum status status = touches_divide(&workload->access, cell, object, 0, table, &share);
    if (status != STATUS_OK) {
        return status;
    }
    uint128 mean = share == 0 ? 0 : ((uint128)workload->work_per_touch << 32) / share;
    for (uint32_t i = 0; i < workload->nprocesses; i++) {
        struct process_draws *process = &draws->process[workload->first_process + i];
        process->access = table;
        process->mean = touches_mean(mean);
    }
    return STATUS_OK;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)ordinal;
    const uint32_t *word = bits->word;
    /* Which window comes from the low half of the word whose size says whether it is a store. */
    uint32_t window = (word[3] & UINT16_MAX) * workload->windows >> 16;
    touch->vma = vma_of_window(workload, cell, process, window);
    touch->page = cell->vmas[touch->vma].first +
                  (page_id)access_page(draws->access, word[1], word[2]);
    touch->access = word[3] < workload->write_upto ? ACCESS_WRITE : ACCESS_READ;
    touch->counted = true;
    touch->last = false;
}

/* A window stays at its address when it moves over the segment; one that mremap moves counts as if
 * it did. */
static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)ordinal;
    const uint32_t *word = bits->word;
    const uint32_t window = (word[3] & UINT16_MAX) * workload->windows >> 16;
    return (struct place){first_vma_of(workload, plan, process, MUTANT(WINDOW_PLACES, window, 0)),
                          access_page(&workload->access, word[1], word[2])};
}

static struct random_block operation_bits(const struct cell *cell, process_id process,
                                          uint64_t ordinal)
{
    return random_draw(cell->scenario->seed, RANDOM_OPERATION, process, 0, ordinal);
}

static sim_time operation_due(const struct workload *workload, const struct cell *cell,
                              process_id process, uint64_t ordinal, sim_time before)
{
    if (workload->operation_interval == 0) {
        return TIME_NEVER;
    }
    struct random_block bits = operation_bits(cell, process, ordinal);
    return before + random_exponential(bits.word[0], workload->operation_interval);
}

static void operate(const struct workload *workload, const struct cell *cell, process_id process,
                    uint64_t ordinal, struct operation_call *call)
{
    const struct windows_options *options = workload->options;
    struct random_block bits = operation_bits(cell, process, ordinal);
    const uint32_t window = (uint32_t)random_below(bits.word[1], workload->windows);
    const vma_id vma = vma_of_window(workload, cell, process, window);
    if (vmas_of_window(workload) == 2) {
        const vma_id first = first_vma_of(workload, cell->plan, process, window);
        *call = (struct operation_call){
            .kind = OPERATION_MREMAP, .vma = vma, .to = vma == first ? first + 1 : first};
        return;
    }
    page_count places = pages_for(workload->pressure_segment) / workload->window_stride;
    *call = (struct operation_call){
        .kind = options->move == MOVE_REMAP_FILE_PAGES ? OPERATION_REMAP_PAGES : OPERATION_MOVE,
        .vma = vma,
        .offset = place_of(workload, random_below(bits.word[2], min_u64(places, UINT32_MAX))),
    };
}

const struct workload_ops workload_windows = {
    .kind = {"windows", "processes that move windows over a larger file or segment",
             &windows_option_table},
    .plan = plan,
    .divide = divide,
    .locate = locate,
    .place = place,
    .due = touches_due,
    .operation_due = operation_due,
    .operate = operate,
};
