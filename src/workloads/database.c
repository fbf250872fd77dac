/* A database server: processes that share one large segment and have some memory of their own. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/random_touches.h"
#include "workloads/refusal.h"
#include "workloads/workloads.h"

#define SEGMENT(field) offsetof(struct segment_options, field)
static const struct option_row segment_rows[] = {
    {.key = "size",
     .type = OPTION_SIZE,
     .offset = SEGMENT(size),
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 60,
     .help = "bytes of the segment"},
    ROW_BACKING(SEGMENT(backing), "shm", "shared memory, or a file in the page cache"),
    ROW_POPULATE(SEGMENT(populate), "write",
                 "how each process touches all of its mapping before the clock starts"),
    {.key = "window",
     .type = OPTION_SIZE,
     .offset = SEGMENT(window),
     .fallback = "auto",
     .low = PAGE_BYTES,
     .high = (byte_count)1 << 60,
     .automatic = true,
     .help = "bytes that process i maps, the (i mod size/window)th part of the segment; auto: all"},
    {.key = "locked",
     .type = OPTION_BOOL,
     .offset = SEGMENT(locked),
     .fallback = "false",
     .help = "every process has locked its mapping into memory"},
};
static const struct option_table segment_table = {
    .title = "the shared segment",
    .rows = segment_rows,
    .nrows = sizeof segment_rows / sizeof segment_rows[0],
    .size = sizeof(struct segment_options),
};

#define DATABASE(field) offsetof(struct database_options, field)
static const struct option_row database_rows[] = {
    ROW_PROCESSES(DATABASE(processes), "300", UINT16_MAX, "server processes"),
    {.key = "segment",
     .type = OPTION_SECTION,
     .offset = DATABASE(segment),
     .section = &segment_table,
     .help = "the segment they share"},
    {.key = "private_memory",
     .type = OPTION_SIZE,
     .offset = DATABASE(private_memory),
     .fallback = "8MiB",
     .low = 0,
     .high = (byte_count)1 << 40,
     .help = "heap and stack of each process, written before the clock starts"},
    ROW_SHARE(
        "private_touches", DATABASE(private_touches), "100%",
        "touches of private memory for each touch of the segment, beside touch_rate (assumed)"),
    ROW_TOUCH_RATE(DATABASE(touch_rate), "440000", "of the segment "),
    ROWS_ACCESS(struct database_options, "hot_cold", "which pages of the segment are touched"),
    {.key = "log_writes",
     .type = OPTION_COUNT,
     .offset = DATABASE(log_writes),
     .fallback = "0",
     .low = 0,
     .high = 1000000,
     .help = "pages of log written per second to the first disk, raw, by a process of its own"},
    ROW_CPU_USE(DATABASE(cpu_use), "50%",
                "share of all CPUs that user code takes at the full touch rate (assumed: a server "
                "sized for its load)"),
};
const struct option_table database_option_table = {
    .title = "a database server: processes that share one large segment",
    .rows = database_rows,
    .nrows = sizeof database_rows / sizeof database_rows[0],
    .size = sizeof(struct database_options),
};

/* Stacks are the last vma of a process, which matters to the virtual scan; their size is assumed.
 */
enum { STACK_PAGES = 8 };

static void set_rate(const struct scenario *scenario, const struct database_options *options,
                     struct workload *workload, uint64_t *cpu_share_p)
{
    /* A touch of private memory comes with every 1 / private_touches touches of the segment. */
    const uint64_t both = (uint64_t)SHARE_ONE + options->private_touches;
    const uint64_t touches = muldiv(options->touch_rate, both, SHARE_ONE);
    *cpu_share_p = touches_cpu_share(scenario, options->cpu_use, options->processes);
    workload->work_per_touch = touches_interval(*cpu_share_p, options->processes, touches);
    if (options->private_memory > 0) {
        workload->private_upto = (uint32_t)min_u64(
            muldiv((uint64_t)1 << 32, options->private_touches, both), UINT32_MAX);
    }
    workload->write_upto = touches_upto(options->write_share);
}

static void add_process(uint32_t index, uint32_t i, struct plan *plan, struct workload *workload,
                        object_id segment, const struct database_options *options,
                        uint64_t cpu_share)
{
    process_id process = plan_add_process(plan, index, i, START_WARMUP);
    if (plan->out_of_memory) {
        return;
    }
    plan->processes[process].cpu_share = cpu_share;
    if (i == 0) {
        workload->first_process = process;
    }
    page_count segment_pages = pages_for(options->segment.size);
    page_count windows = segment_pages / workload->pages;
    page_count offset = i % windows * workload->pages;
    object_id own = 0;
    if (workload->private_pages > 0) {
        own = plan_add_object(plan, OBJECT_ANON, workload->private_pages, 0);
        if (workload->private_pages > workload->stack_pages) {
            plan_add_vma(plan, own, 0, workload->private_pages - workload->stack_pages, true,
                         POPULATE_WRITE);
        }
    }
    plan_add_vma(plan, segment, offset, workload->pages, true,
                 (enum populate)options->segment.populate);
    if (workload->private_pages > 0) {
        plan_add_vma(plan, own, workload->private_pages - workload->stack_pages,
                     workload->stack_pages, true, POPULATE_WRITE);
    }
}

/* The log writer: one more process, which uses hardly any user time. */
static void add_log_writer(const struct scenario *scenario, uint32_t index, struct plan *plan,
                           struct workload *workload, uint64_t writes_per_second)
{
    const uint64_t second = 1000000000ULL * TICKS_PER_NS;
    sim_time work = scenario->costs.ticks[COST_PAGE_COPY];
    process_id process = plan_add_process(plan, index, workload->nprocesses - 1, START_WARMUP);
    if (plan->out_of_memory) {
        return;
    }
    uint128 share = (uint128)work * writes_per_second * CPU_SHARE_ONE / second;
    plan->processes[process].cpu_share = min_u64((uint64_t)share, CPU_SHARE_ONE);
    sim_time interval_ticks = (sim_time)((uint128)second * plan->processes[process].cpu_share /
                                         CPU_SHARE_ONE / writes_per_second);
    workload->log_interval = max_u64(1, interval_ticks);
}

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct database_options *options = workload->options;
    byte_count window = options->segment.window;
    if (window == OPTION_AUTO) {
        window = options->segment.size;
    }
    if (window > options->segment.size) {
        return refuse_option(scenario, index, "segment.window",
                             "a window cannot be larger than the segment");
    }
    bool large = options->segment.backing == BACKING_SHM && plan->shared_pages != PAGES_SMALL;
    byte_count large_page = PAGE_BYTES * arch_page_frames(plan->arch, plan->shared_pages);
    if (large && window < options->segment.size && window % large_page != 0) {
        char why[128];
        snprintf(why, sizeof why,
                 "a window of large pages begins and ends with one of them: "
                 "expected a multiple of %" PRIu64 " MiB",
                 large_page >> 20);
        return refuse_option(scenario, index, "segment.window", why);
    }
    workload->nprocesses = (uint32_t)options->processes + (options->log_writes > 0 ? 1 : 0);
    workload->pages = pages_for(window);
    workload->private_pages = pages_for(options->private_memory);
    workload->stack_pages = min_u64(workload->private_pages, STACK_PAGES);
    /* Large pages are never freed, so that no pressure is on them. */
    workload->pressure_segment = large ? 0 : options->segment.size;
    const struct access_params access = {(enum access_kind)options->access, options->hot_fraction,
                                         options->hot_share, options->zipf_exponent};
    access_build(&access, workload->pages, &workload->access);
    workload->ntables = (uint32_t)min_u64(pages_for(options->segment.size) / workload->pages,
                                          options->processes);
    uint64_t cpu_share;
    set_rate(scenario, options, workload, &cpu_share);
    enum object_kind kind = options->segment.backing == BACKING_SHM ? OBJECT_SHM : OBJECT_FILE;
    object_id segment = plan_add_object(plan, kind, pages_for(options->segment.size), 0);
    if (!plan->out_of_memory) {
        plan->objects[segment].locked = options->segment.locked;
    }
    if (large) {
        plan_set_large(plan, segment, plan->shared_pages);
    }
    for (uint32_t i = 0; i < options->processes; i++) {
        add_process(index, i, plan, workload, segment, options, cpu_share);
    }
    if (options->log_writes > 0) {
        add_log_writer(scenario, index, plan, workload, options->log_writes);
    }
    return STATUS_OK;
}

/* The vmas of a process in the order add_process() made them. */
static vma_id segment_vma(const struct workload *workload, const struct plan_process *process)
{
    return process->first_vma + (workload->private_pages > workload->stack_pages ? 1 : 0);
}

/* What the log writer does, which maps nothing. */
static void write_log(struct touch *touch)
{
    touch->vma = VMA_NONE;
    touch->page = 0;
    touch->access = ACCESS_RAW_WRITE;
    touch->counted = false;
}

/* The touches of a process that fall to a cell: its share of those of the segment, and of private
 * memory what is here. */
static void divide_process(const struct workload *workload, const struct cell *cell,
                           const struct plan_process *plan, uint64_t segment_share,
                           struct process_draws *draws)
{
    const uint64_t one = (uint64_t)1 << 32;
    uint64_t private_here = 0;
    for (uint32_t i = 0; i < plan->nvmas; i++) {
        const struct vma *vma = &cell->vmas[plan->first_vma + i];
        private_here += cell->objects[vma->object].kind == OBJECT_ANON ? vma->npages : 0;
    }
    uint64_t to_private = workload->private_upto == 0 ? 0
                                                      : muldiv(workload->private_upto, private_here,
                                                               workload->private_pages);
    uint64_t share = muldiv(one - workload->private_upto, segment_share, one) + to_private;
    if (share > 0) {
        draws->mean = touches_mean((uint128)workload->work_per_touch * one / share);
        draws->private_upto = (uint32_t)min_u64(muldiv(to_private, one, share), UINT32_MAX);
    }
}

static enum status divide(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws)
{
    uint32_t log_writers = workload->log_interval > 0 ? 1 : 0;
    uint32_t servers = workload->nprocesses - log_writers;
    uint32_t ntables = workload->ntables;
    struct access_table *tables = calloc(ntables, sizeof *tables);
    uint64_t *share = calloc(ntables, sizeof *share);
    if (tables == NULL || share == NULL || !draws_keep_tables(draws, tables)) {
        free(tables);
        free(share);
        return fail(STATUS_RESOURCE, "out of memory for %u access tables", ntables);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < servers && status == STATUS_OK; i++) {
        process_id process = workload->first_process + i;
        const struct plan_process *plan = &cell->plan->processes[process];
        if (i < ntables) {
            const struct plan_vma *vma = &cell->plan->vmas[segment_vma(workload, plan)];
            status = touches_divide(&workload->access, cell, vma->object, vma->offset, &tables[i],
                                    &share[i]);
        }
        draws->process[process].access = &tables[i % ntables];
        divide_process(workload, cell, plan, share[i % ntables], &draws->process[process]);
    }
    free(share);
    process_id log_writer = workload->first_process + servers;
    if (log_writers > 0 && log_writer % cell->ncells == cell->id) {
        draws->process[log_writer].mean = workload->log_interval;
    }
    return status;
}

/* What is left of a word after the choice of the segment, stretched to all 32 bits again. */
static uint32_t segment_bits(uint32_t word, uint32_t private_upto)
{
    uint64_t range = ((uint64_t)1 << 32) - private_upto;
    return (uint32_t)((((uint64_t)word - private_upto) << 32) / range);
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)ordinal;
    const struct plan_process *plan = &cell->plan->processes[process];
    touch->last = false;
    touch->counted = true;
    if (plan->nvmas == 0) {
        write_log(touch);
        return;
    }
    vma_id vma = segment_vma(workload, plan);
    uint64_t page;
    if (bits->word[1] < draws->private_upto) {
        /* The heap is the first vma, if there is one; the stack is the last. */
        page_count heap = vma == plan->first_vma ? 0 : cell->vmas[plan->first_vma].npages;
        page = random_below(bits->word[2], heap + cell->vmas[vma + 1].npages);
        vma = page < heap ? plan->first_vma : vma + 1;
        page = page < heap ? page : page - heap;
        touch->counted = false;
    } else {
        page = access_page(draws->access, segment_bits(bits->word[1], draws->private_upto),
                           bits->word[2]);
    }
    touch->vma = vma;
    touch->page = cell->vmas[vma].first + (page_id)page;
    touch->access = bits->word[3] < workload->write_upto ? ACCESS_WRITE : ACCESS_READ;
}

static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)ordinal;
    const struct plan_process *of = &plan->processes[process];
    vma_id vma = segment_vma(workload, of);
    if (bits->word[1] < workload->private_upto) {
        page_count heap = workload->private_pages - workload->stack_pages;
        page_count page = random_below(bits->word[2], workload->private_pages);
        return page < heap ? (struct place){of->first_vma, page}
                           : (struct place){vma + 1, page - heap};
    }
    uint32_t class_bits = segment_bits(bits->word[1], workload->private_upto);
    return (struct place){vma, access_page(&workload->access, class_bits, bits->word[2])};
}

const struct workload_ops workload_database = {
    .kind = {"database", "processes that share one large segment, as a database server does",
             &database_option_table},
    .plan = plan,
    .divide = divide,
    .locate = locate,
    .place = place,
    .due = touches_due,
};
