/* Windows of a larger file or segment: how 32-bit processes reached more memory than they can map.
 * Each process touches pages within its windows, and moves one of them at a stated rate: over other
 * pages by munmap and mmap, or by remap_file_pages in nonlinear vmas, or with its pages to another
 * address by mremap. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "workloads/options.h"
#include "workloads/workloads.h"

static const char *const backings[] = {"shm", "file", NULL};
static const char *const moves[] = {"munmap_mmap", "mremap", "remap_file_pages", NULL};
static const char *const populates[] = {"none", "read", "write", NULL};
static const char *const accesses[] = {"uniform", "hot_cold", "zipf", NULL};

#define WINDOWS(field) offsetof(struct windows_options, field)
static const struct option_row rows[] = {
    {.key = "processes",
     .type = OPTION_COUNT,
     .offset = WINDOWS(processes),
     .fallback = "300",
     .low = 1,
     .high = UINT16_MAX,
     .help = "processes that have windows"},
    {.key = "size",
     .type = OPTION_SIZE,
     .offset = WINDOWS(size),
     .fallback = "8GiB",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 60,
     .help = "bytes of what the windows are of"},
    {.key = "backing",
     .type = OPTION_CHOICE,
     .offset = WINDOWS(backing),
     .fallback = "file",
     .choices = backings,
     .help = "shared memory, or a file in the page cache"},
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
    {.key = "populate",
     .type = OPTION_CHOICE,
     .offset = WINDOWS(populate),
     .fallback = "none",
     .choices = populates,
     .help = "how each process touches its first windows before the clock starts"},
    {.key = "moves",
     .type = OPTION_COUNT,
     .offset = WINDOWS(moves),
     .fallback = "100",
     .low = 0,
     .high = 1000000,
     .help = "windows that each process moves per second, when unhindered"},
    {.key = "touch_rate",
     .type = OPTION_COUNT,
     .offset = WINDOWS(touch_rate),
     .fallback = "440000",
     .low = 1,
     .high = 1000000000000,
     .help = "touches of windows per second, all processes together, when unhindered"},
    {.key = "access",
     .type = OPTION_CHOICE,
     .offset = WINDOWS(access),
     .fallback = "uniform",
     .choices = accesses,
     .help = "which pages of a window are touched"},
    {.key = "hot_fraction",
     .type = OPTION_SHARE,
     .offset = WINDOWS(hot_fraction),
     .fallback = "20%",
     .low = 0,
     .high = SHARE_ONE,
     .help = "hot_cold: share of the pages that is hot"},
    {.key = "hot_share",
     .type = OPTION_SHARE,
     .offset = WINDOWS(hot_share),
     .fallback = "80%",
     .low = 0,
     .high = SHARE_ONE,
     .help = "hot_cold: share of the touches that goes to hot pages"},
    {.key = "zipf_exponent",
     .type = OPTION_SHARE,
     .offset = WINDOWS(zipf_exponent),
     .fallback = "0.99",
     .low = 0,
     .high = 3 * (uint64_t)SHARE_ONE,
     .help = "zipf: the page of rank r is touched in proportion to r to minus this"},
    {.key = "write_share",
     .type = OPTION_SHARE,
     .offset = WINDOWS(write_share),
     .fallback = "30%",
     .low = 0,
     .high = SHARE_ONE,
     .help = "share of the touches that are stores"},
    {.key = "cpu_use",
     .type = OPTION_SHARE,
     .offset = WINDOWS(cpu_use),
     .fallback = "50%",
     .low = 1,
     .high = SHARE_ONE,
     .help = "share of all CPUs that user code takes at the full touch rate (assumed)"},
};
const struct option_table windows_option_table = {
    .title = "processes that move windows over a larger file or segment",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct windows_options),
};

static page_count pages_of(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static enum status refuse(const struct scenario *scenario, uint32_t index, const char *option,
                          const char *why)
{
    char key[128];
    snprintf(key, sizeof key, "workloads.%s.%s", scenario->workloads[index].name, option);
    return fail(STATUS_USAGE, "%s: %s: %s", scenario_where(scenario, key), key, why);
}

static sim_time interval_of(uint64_t share, uint64_t rate)
{
    const uint64_t second = 1000000000ULL * TICKS_PER_NS;
    uint128 interval = (uint128)share * second / rate / CPU_SHARE_ONE;
    return interval >= RANDOM_MEAN_MAX ? RANDOM_MEAN_MAX : max_u64(1, (uint64_t)interval);
}

/* Windows lie at multiples of what a page-table page maps in each of all cells, at least of
 * themselves: so that addresses and offsets agree within page-table pages, and a cell has the same
 * part of a window wherever that is. */
static enum status place_windows(const struct scenario *scenario, uint32_t index,
                                 const struct plan *plan, page_count segment,
                                 struct workload *workload)
{
    page_count unit = plan->arch->pt_entries * scenario->machine.cells;
    if (workload->pages > segment) {
        return refuse(scenario, index, "window", "a window cannot be larger than the whole");
    }
    workload->window_stride = (workload->pages + unit - 1) / unit * unit;
    return STATUS_OK;
}

static page_offset place_of(const struct workload *workload, uint64_t number)
{
    page_count places = pages_of(workload->pressure_segment) / workload->window_stride;
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
    page_count segment = pages_of(options->size);
    workload->nprocesses = (uint32_t)options->processes;
    workload->pages = pages_of(options->window);
    workload->windows = (uint32_t)options->windows;
    workload->pressure_segment = options->size;
    enum status status = place_windows(scenario, index, plan, segment, workload);
    if (status != STATUS_OK) {
        return status;
    }
    uint64_t cpus = muldiv(scenario->machine.cpus * CPU_SHARE_ONE, options->cpu_use, SHARE_ONE);
    uint64_t share = min_u64(cpus / options->processes, CPU_SHARE_ONE);
    workload->work_per_touch = (sim_time)min_u64(
        max_u64(1, (uint64_t)((uint128)share * options->processes * 1000000000ULL * TICKS_PER_NS /
                              options->touch_rate / CPU_SHARE_ONE)),
        RANDOM_MEAN_MAX);
    workload->operation_interval = options->moves == 0 ? 0 : interval_of(share, options->moves);
    workload->write_upto = (uint32_t)min_u64(
        muldiv((uint64_t)1 << 32, options->write_share, SHARE_ONE), UINT32_MAX);
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
    page_count *pages = malloc(cell->ncells * sizeof *pages);
    if (table == NULL || pages == NULL || !draws_keep_tables(draws, table)) {
        free(table);
        free(pages);
        return fail(STATUS_RESOURCE, "out of memory for an access table");
    }
    const struct plan *plan = cell->plan;
    object_id object = plan->vmas[plan->processes[workload->first_process].first_vma].object;
    for (cell_id i = 0; i < cell->ncells; i++) {
        struct shard shard = shard_of(plan->arch->pt_entries, object, i, cell->ncells);
        pages[i] = shard_pages_below(&shard, workload->pages);
    }
    uint64_t share = access_part(&workload->access, pages, cell->ncells, cell->id, table);
    free(pages);
    uint128 mean = share == 0 ? 0 : ((uint128)workload->work_per_touch << 32) / share;
    for (uint32_t i = 0; i < workload->nprocesses; i++) {
        struct process_draws *process = &draws->process[workload->first_process + i];
        process->access = table;
        process->mean = mean < RANDOM_MEAN_MAX ? (sim_time)mean : RANDOM_MEAN_MAX;
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

static sim_time due(const struct workload *workload, const struct cell *cell,
                    const struct process_draws *draws, process_id process, uint64_t ordinal,
                    sim_time before, const struct random_block *bits)
{
    (void)workload;
    (void)cell;
    (void)process;
    (void)ordinal;
    return draws->mean == 0 ? TIME_NEVER : before + random_exponential(bits->word[0], draws->mean);
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
    page_count places = pages_of(workload->pressure_segment) / workload->window_stride;
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
    .due = due,
    .operation_due = operation_due,
    .operate = operate,
};
