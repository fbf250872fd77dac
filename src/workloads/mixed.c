/* A desktop: processes of a few kinds, sized to the machine's memory. Those of a kind run the same
 * program, whose text they share; all read the same files, and have memory of their own.
 *
 * Tables of its workload: of private memory by kind, then of a text, then of the files. */
#include <stddef.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "workloads/option_rows.h"
#include "workloads/options.h"
#include "workloads/random_touches.h"
#include "workloads/refusal.h"
#include "workloads/workloads.h"

enum { KINDS = 3, TABLE_TEXT = KINDS, TABLE_FILES, TABLES };

#define FIELD(field) offsetof(struct mixed_options, field)
static const struct option_row rows[] = {
    ROW_PROCESSES(FIELD(processes), "64", 16384,
                  "processes: large, medium and small ones in turn, 4 to 2 to 1"),
    {.key = "working_set",
     .type = OPTION_SHARE,
     .offset = FIELD(working_set),
     .fallback = "60%",
     .low = 1,
     .high = 4 * (uint64_t)SHARE_ONE,
     .help = "memory that all of them work on, as a share of the machine's"},
    ROW_SHARE("text", FIELD(text), "5%",
              "share of the working set that is text of programs, one for each kind (assumed)"),
    ROW_SHARE("files", FIELD(files), "20%",
              "share of the working set that is files, read through the page cache (assumed)"),
    ROW_SHARE("text_touches", FIELD(text_touches), "30%",
              "share of the touches that is of text (assumed)"),
    ROW_SHARE("file_touches", FIELD(file_touches), "5%",
              "share of the touches that reads a page of a file (assumed)"),
    ROW_SHARE("hot_fraction", FIELD(hot_fraction), "20%",
              "share of the pages, of each text, memory and file, that is hot"),
    ROW_SHARE("hot_share", FIELD(hot_share), "95%",
              "share of the touches that goes to hot pages (assumed)"),
    ROW_SHARE("write_share", FIELD(write_share), "40%",
              "share of the touches of private memory that are stores (assumed)"),
    ROW_TOUCH_RATE(FIELD(touch_rate), "200000", ""),
    ROW_SYSCALLS(FIELD(syscalls_per_second), "0",
                 "other system calls of each process for each second of its user time"),
    ROW_POPULATE(FIELD(populate), "none",
                 "how processes touch memory and text, and have read the files, before the clock "
                 "starts; none: not at all"),
    ROW_DEVICE(FIELD(device), "texts and files are"),
    ROW_CPU_USE(FIELD(cpu_use), "50%",
                "share of all CPUs that user code takes at the full touch rate (assumed)"),
};
const struct option_table mixed_option_table = {
    .title = "a desktop: processes of a few kinds, sized to the machine's memory",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct mixed_options),
};

static enum status check_options(const struct scenario *scenario, uint32_t index,
                                 const struct mixed_options *options)
{
    const enum status status = check_disk(scenario, index, "device", options->device);
    if (status != STATUS_OK) {
        return status;
    }
    if ((uint64_t)options->text + options->files > SHARE_ONE) {
        return refuse_option(scenario, index, "files",
                             "text and files together are more than the working set");
    }
    if ((uint64_t)options->text_touches + options->file_touches > SHARE_ONE) {
        return refuse_option(scenario, index, "file_touches",
                             "touches of text and files together are more than all touches");
    }
    return STATUS_OK;
}

static uint64_t weight_of(uint32_t kind)
{
    static const uint64_t weights[KINDS] = {4, 2, 1};
    return MUTANT(MIXED_KINDS, weights[kind], 1);
}

/* Pages of each table's memory; 0: there is none of the kind. */
static void size_parts(const struct scenario *scenario, const struct mixed_options *options,
                       page_count pages[TABLES])
{
    const page_count all = share_of(scenario->machine.memory / PAGE_BYTES, options->working_set);
    const uint64_t nkinds = min_u64(KINDS, options->processes);
    const page_count text = options->text == 0 ? 0
                                               : max_u64(1, share_of(all, options->text) / nkinds);
    const page_count files = options->files == 0 ? 0 : max_u64(1, share_of(all, options->files));
    const page_count own = all - min_u64(all, nkinds * text + files);
    uint64_t weights = 0;
    for (uint32_t kind = 0; kind < nkinds; kind++) {
        weights += weight_of(kind) * ((options->processes + KINDS - 1 - kind) / KINDS);
    }
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        pages[kind] = kind < nkinds ? max_u64(1, muldiv(own, weight_of(kind), weights)) : 0;
    }
    pages[TABLE_TEXT] = text;
    pages[TABLE_FILES] = files;
}

/* User time: all processes together use `cpu_use` of the CPUs, but none more than one CPU. */
static uint64_t set_rates(const struct scenario *scenario, const struct mixed_options *options,
                          struct workload *workload)
{
    const uint64_t one = (uint64_t)1 << 32;
    const uint64_t share = touches_cpu_share(scenario, options->cpu_use, options->processes);
    workload->work_per_touch = touches_interval(share, options->processes, options->touch_rate);
    const uint64_t of_text = options->text == 0 ? 0 : options->text_touches;
    const uint64_t of_files = options->files == 0 ? 0 : options->file_touches;
    workload->part_upto[PART_PRIVATE] = muldiv(one, SHARE_ONE - of_text - of_files, SHARE_ONE);
    workload->part_upto[PART_TEXT] = muldiv(one, SHARE_ONE - of_files, SHARE_ONE);
    workload->part_upto[PART_FILES] = one;
    workload->write_upto = touches_upto(options->write_share);
    return share;
}

static void add_process(uint32_t index, uint32_t i, struct plan *plan, struct workload *workload,
                        const object_id texts[KINDS], uint64_t share)
{
    const struct mixed_options *options = workload->options;
    const uint32_t kind = i % KINDS;
    const page_count own_pages = workload->parts[kind].npages;
    const page_count text_pages = workload->parts[TABLE_TEXT].npages;
    const process_id process = plan_add_process(plan, index, i, START_WARMUP);
    const object_id own = plan_add_object(plan, OBJECT_ANON, own_pages, 0);
    if (plan->out_of_memory) {
        return;
    }
    workload->first_process = i == 0 ? process : workload->first_process;
    plan->processes[process].cpu_share = share;
    plan->processes[process].syscalls_per_second = options->syscalls_per_second;
    if (i == 0 && options->populate != POPULATE_NONE && workload->parts[TABLE_FILES].npages > 0) {
        plan->processes[process].has_read = workload->object + 1;
    }
    if (text_pages > 0) {
        plan_add_vma(plan, texts[kind], 0, text_pages, true,
                     options->populate == POPULATE_NONE ? POPULATE_NONE : POPULATE_READ);
    }
    plan_add_vma(plan, own, 0, own_pages, true, (enum populate)options->populate);
}

static enum status plan(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload)
{
    const struct mixed_options *options = workload->options;
    const struct access_params access = {ACCESS_HOT_COLD, options->hot_fraction, options->hot_share,
                                         0};
    enum status status = check_options(scenario, index, options);
    if (status != STATUS_OK) {
        return status;
    }
    page_count pages[TABLES];
    size_parts(scenario, options, pages);
    workload->parts = calloc(TABLES, sizeof *workload->parts);
    if (workload->parts == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for access tables");
    }
    for (unsigned i = 0; i < TABLES; i++) {
        if (pages[i] > 0) {
            access_build(&access, pages[i], &workload->parts[i]);
        }
    }
    const uint64_t share = set_rates(scenario, options, workload);
    workload->nprocesses = (uint32_t)options->processes;
    workload->ntables = PARTS * workload->nprocesses;
    object_id texts[KINDS] = {0};
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        if (pages[TABLE_TEXT] > 0 && pages[kind] > 0) {
            texts[kind] = plan_add_object(plan, OBJECT_FILE, pages[TABLE_TEXT],
                                          (uint32_t)options->device);
        }
    }
    if (pages[TABLE_FILES] > 0) {
        workload->object = plan_add_object(plan, OBJECT_FILE, pages[TABLE_FILES],
                                           (uint32_t)options->device);
    }
    for (uint32_t i = 0; i < options->processes && !plan->out_of_memory; i++) {
        add_process(index, i, plan, workload, texts, share);
    }
    return STATUS_OK;
}

/* The vma of a part that is mapped: text, if there is any, lies below private memory. */
static vma_id vma_of(const struct plan_process *process, enum part part)
{
    return process->first_vma + (part == PART_TEXT ? 0 : process->nvmas - 1);
}

static const struct access_table *table_of(const struct workload *workload, process_id process,
                                           enum part part)
{
    const uint32_t kind = (process - workload->first_process) % KINDS;
    return &workload->parts[part == PART_PRIVATE ? kind
                            : part == PART_TEXT  ? TABLE_TEXT
                                                 : TABLE_FILES];
}

/* Works out the share of a part's touches that falls to the cell, in 2^-32, and which pages. */
static enum status divide_part(const struct workload *workload, const struct cell *cell,
                               process_id process, enum part part, struct access_table *here,
                               uint64_t *share_p)
{
    const struct access_table *whole = table_of(workload, process, part);
    const struct plan *plan = cell->plan;
    *share_p = 0;
    if (whole->npages == 0) {
        return STATUS_OK;
    }
    const object_id object = part == PART_FILES
                                 ? workload->object
                                 : plan->vmas[vma_of(&plan->processes[process], part)].object;
    return touches_divide(whole, cell, object, 0, here, share_p);
}

/* Works out how many of its touches a process makes in the cell, and how many of them are of each
 * part; `tables` has room for one a part. */
static enum status divide_process(const struct workload *workload, const struct cell *cell,
                                  process_id process, struct access_table *tables,
                                  struct process_draws *draws)
{
    const uint64_t one = (uint64_t)1 << 32;
    uint64_t share = 0; /* of the process's touches, that of the cell */
    uint64_t from = 0;
    for (unsigned part = 0; part < PARTS; part++) {
        uint64_t here;
        enum status status = divide_part(workload, cell, process, (enum part)part, &tables[part],
                                         &here);
        if (status != STATUS_OK) {
            return status;
        }
        share += muldiv(workload->part_upto[part] - from, here, one);
        from = workload->part_upto[part];
        draws->part_upto[part] = share;
    }
    draws->access = tables;
    draws->mean = touches_mean(share == 0 ? 0 : (uint128)workload->work_per_touch * one / share);
    for (unsigned part = 0; part < PARTS; part++) {
        draws->part_upto[part] = share == 0 ? one : muldiv(draws->part_upto[part], one, share);
    }
    return STATUS_OK;
}

static enum status divide(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws)
{
    struct access_table *tables = calloc(workload->ntables, sizeof *tables);
    if (tables == NULL || !draws_keep_tables(draws, tables)) {
        free(tables);
        return fail(STATUS_RESOURCE, "out of memory for %u access tables", workload->ntables);
    }
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < workload->nprocesses && status == STATUS_OK; i++) {
        const process_id process = workload->first_process + i;
        status = divide_process(workload, cell, process, &tables[(size_t)i * PARTS],
                                &draws->process[process]);
    }
    return status;
}

/* The part that a word of random bits picks; what it leaves is stretched to all 32 bits again. */
static enum part pick_part(const uint64_t upto[PARTS], uint32_t *word_p)
{
    unsigned part = 0;
    uint64_t from = 0;
    while (*word_p >= upto[part]) {
        from = upto[part++];
    }
    *word_p = (uint32_t)(((*word_p - from) << 32) / (upto[part] - from));
    return (enum part)part;
}

static void locate(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch)
{
    (void)ordinal;
    uint32_t class_bits = bits->word[1];
    const enum part part = pick_part(draws->part_upto, &class_bits);
    const page_count page = access_page(&draws->access[part], class_bits, bits->word[2]);
    touch->counted = part != PART_PRIVATE;
    touch->last = false;
    if (part == PART_FILES) {
        touch->vma = VMA_NONE;
        touch->page = object_page(&cell->objects[workload->object], page);
        touch->access = ACCESS_FILE_READ;
        return;
    }
    touch->vma = vma_of(&cell->plan->processes[process], part);
    touch->page = cell->vmas[touch->vma].first + (page_id)page;
    touch->access = part == PART_PRIVATE && bits->word[3] < workload->write_upto ? ACCESS_WRITE
                                                                                 : ACCESS_READ;
}

/* A file is read into the first page of private memory. */
static struct place place(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits)
{
    (void)ordinal;
    uint32_t class_bits = bits->word[1];
    const enum part part = pick_part(workload->part_upto, &class_bits);
    const vma_id vma = vma_of(&plan->processes[process], part);
    if (part == PART_FILES) {
        return (struct place){vma, 0};
    }
    return (struct place){
        vma, access_page(table_of(workload, process, part), class_bits, bits->word[2])};
}

const struct workload_ops workload_mixed = {
    .kind = {"mixed", "a desktop: processes of a few kinds, sized to the machine's memory",
             &mixed_option_table},
    .plan = plan,
    .divide = divide,
    .locate = locate,
    .place = place,
    .due = touches_due,
};
