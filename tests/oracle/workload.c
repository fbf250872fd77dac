/* What processes do: docs/model.md, section 3. */
#include "oracle/parts.h"
#include "workloads/options.h"

#define ONE_CPU        ((uint128)1 << 32)
#define FIRST_INTERVAL ((uint64_t)1 << 47)

static uint64_t at_most(uint128 value, uint128 limit)
{
    return (uint64_t)(value < limit ? value : limit);
}

static uint64_t at_least_one(uint128 value)
{
    return value < 1 ? 1 : (uint64_t)value;
}

static void plan_database(const struct machine *machine, const struct database_options *options,
                          struct workload *workload)
{
    const uint64_t n = options->processes;
    const uint128 all_cpus = machine->scenario->machine.cpus * ONE_CPU * options->cpu_use /
                             SHARE_ONE;
    const uint64_t share = at_most(all_cpus / n, ONE_CPU);
    const uint64_t touches = (uint64_t)((uint128)options->touch_rate *
                                        (SHARE_ONE + options->private_touches) / SHARE_ONE);
    workload->interval = at_least_one((uint128)share * n * SECOND / touches / ONE_CPU);
    workload->private_below = options->private_memory == 0
                                  ? 0
                                  : (uint64_t)(ONE_CPU * options->private_touches /
                                               ((uint64_t)SHARE_ONE + options->private_touches));
    workload->store_below = (uint64_t)(ONE_CPU * options->write_share / SHARE_ONE);
    for (uint64_t i = 0; i < n; i++) {
        workload->processes[i]->share = share;
    }
    if (workload->has_log_writer) {
        struct process *writer = workload->processes[n];
        writer->share = at_most((uint128)machine->cost[COST_PAGE_COPY] * options->log_writes *
                                    ONE_CPU / SECOND,
                                ONE_CPU);
        workload->log_interval = at_least_one((uint128)SECOND * writer->share / ONE_CPU /
                                              options->log_writes);
    }
    const struct access_params access = {(enum access_kind)options->access, options->hot_fraction,
                                         options->hot_share, options->zipf_exponent};
    access_build(&access, workload->window, &workload->access);
}

static void plan_windows(const struct machine *machine, const struct windows_options *options,
                         struct workload *workload)
{
    const uint64_t n = options->processes;
    const uint128 all_cpus = machine->scenario->machine.cpus * ONE_CPU * options->cpu_use /
                             SHARE_ONE;
    const uint64_t share = at_most(all_cpus / n, ONE_CPU);
    workload->interval = at_least_one((uint128)share * n * SECOND / options->touch_rate / ONE_CPU);
    if (options->moves > 0) {
        workload->move_interval = at_least_one((uint128)share * SECOND / options->moves / ONE_CPU);
    }
    workload->store_below = (uint64_t)(ONE_CPU * options->write_share / SHARE_ONE);
    for (uint64_t i = 0; i < n; i++) {
        workload->processes[i]->share = share;
    }
    const struct access_params access = {(enum access_kind)options->access, options->hot_fraction,
                                         options->hot_share, options->zipf_exponent};
    access_build(&access, workload->window, &workload->access);
}

static void plan_sequential(const struct machine *machine, uint64_t touches, uint64_t rate,
                            struct workload *workload)
{
    workload->interval = at_least_one(machine->cost[COST_PAGE_COPY]);
    workload->ntouches = touches;
    const uint128 share = (uint128)rate * workload->interval * ONE_CPU / PAGE_BYTES / SECOND;
    workload->processes[0]->share = at_least_one(at_most(share, ONE_CPU));
}

static void plan_many_vmas(const struct many_vmas_options *options, struct workload *workload)
{
    workload->interval = at_least_one(options->touch_time);
    workload->ntouches = workload->object->npages * options->iterations;
    for (uint64_t i = 0; i < options->processes; i++) {
        workload->processes[i]->share = (uint64_t)ONE_CPU;
    }
}

bool o_workload_goes_on(const struct workload *workload)
{
    return workload->kind == WORKLOAD_DATABASE || workload->kind == WORKLOAD_WINDOWS ||
           workload->kind == WORKLOAD_SYSCALLS || workload->kind == WORKLOAD_MIXED ||
           workload->kind == WORKLOAD_FORK_EXIT || workload->kind == WORKLOAD_FORK_TREE;
}

/* Processes that want the same part of the CPUs each. */
static uint64_t share_evenly(const struct machine *machine, share_ppb cpu_use,
                             struct workload *workload)
{
    const uint128 all_cpus = machine->scenario->machine.cpus * ONE_CPU * cpu_use / SHARE_ONE;
    const uint64_t share = at_most(all_cpus / workload->nprocesses, ONE_CPU);
    for (uint32_t i = 0; i < workload->nprocesses; i++) {
        workload->processes[i]->share = share;
    }
    return share;
}

static void plan_syscalls(const struct machine *machine,
                          const struct syscall_heavy_options *options, struct workload *workload)
{
    share_evenly(machine, options->cpu_use, workload);
    workload->interval = at_least_one(SECOND / options->touch_rate);
    workload->calls_per_second = options->syscalls_per_second;
    workload->bytes_per_call = options->copied;
}

static void plan_mixed(const struct machine *machine, const struct mixed_options *options,
                       struct workload *workload)
{
    const struct access_params access = {ACCESS_HOT_COLD, options->hot_fraction, options->hot_share,
                                         0};
    const uint64_t share = share_evenly(machine, options->cpu_use, workload);
    workload->interval = at_least_one((uint128)share * workload->nprocesses * SECOND /
                                      options->touch_rate / ONE_CPU);
    workload->calls_per_second = options->syscalls_per_second;
    uint64_t not_files = SHARE_ONE;
    uint64_t private = SHARE_ONE;
    if (workload->object != NULL) {
        not_files -= options->file_touches;
        private -= options->file_touches;
        access_build(&access, workload->object->npages, &workload->access);
    }
    if (workload->text_pages > 0) {
        private -= options->text_touches;
        access_build(&access, workload->text_pages, &workload->text);
    }
    for (unsigned i = 0; i < PROGRAMS && i < workload->nprocesses; i++) {
        access_build(&access, workload->program[i].own_pages, &workload->program[i].own);
    }
    workload->private_below = (uint64_t)(ONE_CPU * private / SHARE_ONE);
    workload->text_below = (uint64_t)(ONE_CPU * not_files / SHARE_ONE);
    workload->store_below = (uint64_t)(ONE_CPU * options->write_share / SHARE_ONE);
}

void o_workload_plan(struct machine *machine, size_t index, struct workload *workload)
{
    const void *options = machine->scenario->workloads[index].options;
    switch (workload->kind) {
    case WORKLOAD_DATABASE:
        plan_database(machine, options, workload);
        break;
    case WORKLOAD_WINDOWS:
        plan_windows(machine, options, workload);
        break;
    case WORKLOAD_FORK_EXIT: {
        const struct fork_exit_options *forks = options;
        workload->options = forks;
        workload->interval = forks->touch_time;
        workload->calls_per_second = forks->syscalls_per_second;
        workload->bytes_per_call = forks->copied;
        for (uint32_t i = 0; i < workload->nprocesses; i++) {
            workload->processes[i]->share = (uint64_t)ONE_CPU;
        }
        break;
    }
    case WORKLOAD_FORK_TREE: {
        const struct anon_fork_tree_options *tree = options;
        workload->options = tree;
        workload->interval = tree->touch_time;
        workload->store_below = (uint64_t)(ONE_CPU * tree->write_share / SHARE_ONE);
        for (uint32_t i = 0; i < workload->nprocesses; i++) {
            workload->processes[i]->share = (uint64_t)(ONE_CPU * tree->cpu_use / SHARE_ONE);
        }
        break;
    }
    case WORKLOAD_SHM_COPY: {
        const struct shm_copy_options *copy = options;
        plan_sequential(machine, workload->window, copy->rate, workload);
        break;
    }
    case WORKLOAD_FILE_COPY: {
        const struct file_copy_options *copy = options;
        plan_sequential(machine, 2 * workload->window, 2 * copy->rate, workload);
        break;
    }
    case WORKLOAD_READER: {
        const struct page_cache_reader_options *reader = options;
        plan_sequential(machine, workload->window * reader->rounds, reader->rate, workload);
        break;
    }
    case WORKLOAD_MANY_VMAS:
        plan_many_vmas(options, workload);
        break;
    case WORKLOAD_SYSCALLS:
        plan_syscalls(machine, options, workload);
        break;
    case WORKLOAD_MIXED:
        plan_mixed(machine, options, workload);
        break;
    }
}

static struct random_block bits_of(const struct machine *machine, const struct process *process,
                                   uint64_t ordinal)
{
    return random_draw(machine->scenario->seed, RANDOM_TOUCH, process->number, 0, ordinal);
}

static bool is_log_writer(const struct process *process)
{
    const struct workload *workload = process->workload;
    return workload->has_log_writer && process->index + 1 == workload->nprocesses;
}

static sim_time interval(const struct process *process, const struct random_block *bits)
{
    const struct workload *workload = process->workload;
    if (!o_workload_goes_on(workload)) {
        return workload->interval;
    }
    return random_exponential(bits->word[0],
                              is_log_writer(process) ? workload->log_interval : workload->interval);
}

/* The vma of a process that maps a page of an object. */
static void aim(struct touch *touch, struct object *object, page_offset offset)
{
    touch->page = &object->pages[offset];
    touch->vma = touch->process->mm.vmas;
    while (touch->vma->object != object || !o_vma_covers(touch->vma, touch->page)) {
        touch->vma = touch->vma->next_of_mm;
    }
}

static void draw_database(struct process *process, const struct random_block *bits,
                          struct touch *touch)
{
    const struct workload *workload = process->workload;
    touch->access = bits->word[3] < workload->store_below ? BY_STORE : BY_LOAD;
    const uint32_t *word = bits->word;
    if (word[1] < workload->private_below) {
        struct object *own = NULL;
        for (const struct vma *vma = process->mm.vmas; vma != NULL; vma = vma->next_of_mm) {
            own = vma->object->kind == OBJECT_ANON ? vma->object : own;
        }
        aim(touch, own, random_below(word[2], workload->private_pages));
        return;
    }
    const uint64_t range = ((uint64_t)1 << 32) - workload->private_below;
    const uint32_t class_bits = (uint32_t)(((word[1] - workload->private_below) << 32) / range);
    const uint64_t windows = workload->object->npages / workload->window;
    const page_offset first = process->index % windows * workload->window;
    touch->counted = true;
    aim(touch, workload->object, first + access_page(&workload->access, class_bits, word[2]));
}

struct random_block o_workload_operation_bits(const struct machine *machine,
                                              const struct process *process, uint64_t ordinal)
{
    return random_draw(machine->scenario->seed, RANDOM_OPERATION, process->number, 0, ordinal);
}

struct vma *o_vma_number(const struct process *process, uint64_t number)
{
    struct vma *vma = process->mm.vmas;
    while (number-- > 0) {
        vma = vma->next_of_mm;
    }
    return vma;
}

/* The vma that a window is in, of those it can be in. */
static struct vma *vma_of_window(const struct process *process, uint64_t window)
{
    if (!process->workload->by_mremap) {
        return o_vma_number(process, window);
    }
    struct vma *vma = o_vma_number(process, 2 * window);
    return vma->gone ? vma->next_of_mm : vma;
}

void o_workload_born(const struct machine *machine, struct process *process)
{
    const struct workload *workload = process->workload;
    const uint64_t base = (uint64_t)process->generation << GENERATION_SHIFT;
    const uint64_t first = process->generation == 0 ? FIRST_INTERVAL : base + LAST_OF_GENERATION;
    process->ordinal = base;
    process->operation_ordinal = base;
    process->operation_due = TIME_NEVER;
    if (workload->kind == WORKLOAD_FORK_EXIT) {
        o_life_born(machine, process);
        return;
    }
    struct random_block bits = bits_of(machine, process, first);
    process->next_due = interval(process, &bits);
    if (workload->move_interval > 0) {
        bits = o_workload_operation_bits(machine, process, first);
        process->operation_due = random_exponential(bits.word[0], workload->move_interval);
    }
    if (workload->kind == WORKLOAD_FORK_TREE) {
        const struct anon_fork_tree_options *tree = workload->options;
        process->operation_due = workload->interval *
                                 (process->by_fork ? tree->child_touches : tree->fork_every);
    }
}

static void operation_of_tree(const struct process *process, uint64_t ordinal,
                              struct operation *operation, sim_time *interval_p)
{
    const struct workload *workload = process->workload;
    const struct anon_fork_tree_options *tree = workload->options;
    *operation = (struct operation){.kind = EXITS};
    *interval_p = TIME_NEVER - process->operation_due;
    if (!process->by_fork) {
        operation->kind = FORKS;
        operation->child = workload->processes[1 + ordinal % tree->children];
        operation->wait_for = workload->processes[1 + (ordinal + 1) % tree->children];
        *interval_p = workload->interval * tree->fork_every;
    }
}

void o_workload_operation(const struct machine *machine, const struct process *process,
                          uint64_t ordinal, struct operation *operation, sim_time *interval_p)
{
    const struct workload *workload = process->workload;
    if (workload->kind == WORKLOAD_FORK_TREE) {
        operation_of_tree(process, ordinal, operation, interval_p);
        return;
    }
    if (workload->kind == WORKLOAD_FORK_EXIT) {
        o_life_operation(machine, process, operation, interval_p);
        return;
    }
    struct random_block bits = o_workload_operation_bits(machine, process, ordinal);
    const uint64_t window = random_below(bits.word[1], workload->windows);
    *operation = (struct operation){.kind = workload->by_remap ? MOVES_PAGES : MOVES_WINDOW};
    operation->vma = vma_of_window(process, window);
    if (workload->by_mremap) {
        struct vma *first = o_vma_number(process, 2 * window);
        operation->kind = MOVES_ADDRESS;
        operation->to = operation->vma == first ? first->next_of_mm : first;
    }
    operation->offset = random_below(bits.word[2], workload->places) * workload->stride;
    *interval_p = random_exponential(bits.word[0], workload->move_interval);
}

static void draw_tree(const struct process *process, const struct random_block *bits,
                      struct touch *touch)
{
    const struct workload *workload = process->workload;
    touch->vma = process->mm.vmas;
    touch->offset = random_below(bits->word[2], workload->window);
    touch->access = bits->word[3] < workload->store_below ? BY_STORE : BY_LOAD;
    touch->counted = true;
}

static void draw_windows(const struct process *process, const struct random_block *bits,
                         struct touch *touch)
{
    const struct workload *workload = process->workload;
    const uint64_t window = (uint64_t)(bits->word[3] % 65536) * workload->windows / 65536;
    touch->access = bits->word[3] < workload->store_below ? BY_STORE : BY_LOAD;
    touch->counted = true;
    touch->vma = vma_of_window(process, window);
    touch->page =
        &workload->object->pages[touch->vma->offset +
                                 access_page(&workload->access, bits->word[1], bits->word[2])];
}

/* What is left of a number from `from` to `upto`, stretched to 32 bits. */
static uint32_t stretched(uint64_t number, uint64_t from, uint64_t upto)
{
    return (uint32_t)(((number - from) << 32) / (upto - from));
}

/* The private memory of a process, which maps nothing above it. */
static struct object *own_object(const struct process *process)
{
    const struct vma *vma = process->mm.vmas;
    while (vma->next_of_mm != NULL) {
        vma = vma->next_of_mm;
    }
    return vma->object;
}

static void draw_mixed(const struct process *process, const struct random_block *bits,
                       struct touch *touch)
{
    const struct workload *workload = process->workload;
    const unsigned program = process->index % PROGRAMS;
    const uint32_t *word = bits->word;
    touch->access = BY_LOAD;
    if (word[1] < workload->private_below) {
        const uint32_t class_bits = stretched(word[1], 0, workload->private_below);
        touch->access = word[3] < workload->store_below ? BY_STORE : BY_LOAD;
        aim(touch, own_object(process),
            access_page(&workload->program[program].own, class_bits, word[2]));
        return;
    }
    touch->counted = true;
    if (word[1] < workload->text_below) {
        const uint32_t class_bits = stretched(word[1], workload->private_below,
                                              workload->text_below);
        aim(touch, workload->program[program].text,
            access_page(&workload->text, class_bits, word[2]));
        return;
    }
    const uint32_t class_bits = stretched(word[1], workload->text_below, (uint64_t)1 << 32);
    touch->access = BY_FILE_READ;
    touch->page = &workload->object->pages[access_page(&workload->access, class_bits, word[2])];
}

/* Where touch number `ordinal` of a finite process goes. */
static page_offset in_turn(const struct workload *workload, uint64_t ordinal,
                           const struct random_block *bits)
{
    return workload->at_random ? random_below(bits->word[2], workload->object->npages)
                               : ordinal % workload->object->npages;
}

void o_workload_sample(const struct machine *machine, struct process *process, uint64_t ordinal,
                       struct touch *touch)
{
    const struct workload *workload = process->workload;
    struct random_block bits = random_draw(machine->scenario->seed, RANDOM_TRANSLATION,
                                           process->number, 0, ordinal);
    *touch = (struct touch){.process = process};
    switch (workload->kind) {
    case WORKLOAD_DATABASE:
        draw_database(process, &bits, touch);
        break;
    case WORKLOAD_WINDOWS:
        draw_windows(process, &bits, touch);
        if (process->workload->by_mremap) { /* as if it had stayed at its first address */
            touch->vma = o_vma_number(process, 2 * ((uint64_t)(bits.word[3] % 65536) *
                                                    process->workload->windows / 65536));
        }
        break;
    case WORKLOAD_FORK_TREE:
        draw_tree(process, &bits, touch);
        break;
    case WORKLOAD_FORK_EXIT:
        o_life_sample(machine, process, ordinal % ((uint64_t)1 << GENERATION_SHIFT), touch);
        break;
    case WORKLOAD_SYSCALLS:
        aim(touch, own_object(process), random_below(bits.word[2], workload->window));
        break;
    case WORKLOAD_MIXED:
        draw_mixed(process, &bits, touch);
        if (touch->vma == NULL) {
            aim(touch, own_object(process), 0); /* the buffer that a file is read into */
        }
        break;
    default:
        aim(touch, workload->object, in_turn(workload, ordinal, &bits));
        break;
    }
}

void o_workload_draw(const struct machine *machine, struct process *process, uint64_t ordinal,
                     sim_time due, struct touch *touch, sim_time *interval_p)
{
    const struct workload *workload = process->workload;
    struct random_block bits = bits_of(machine, process, ordinal);
    *touch = (struct touch){.process = process, .ordinal = ordinal};
    if (workload->kind == WORKLOAD_FORK_EXIT) {
        o_life_draw(machine, process, due, touch, interval_p);
        return;
    }
    *interval_p = interval(process, &bits);
    switch (workload->kind) {
    case WORKLOAD_DATABASE:
        if (is_log_writer(process)) {
            touch->access = BY_RAW_WRITE;
        } else {
            draw_database(process, &bits, touch);
        }
        return;
    case WORKLOAD_FORK_EXIT:
        return;
    case WORKLOAD_FORK_TREE:
        draw_tree(process, &bits, touch);
        return;
    case WORKLOAD_WINDOWS:
        draw_windows(process, &bits, touch);
        return;
    case WORKLOAD_SYSCALLS:
        touch->access = BY_STORE;
        aim(touch, own_object(process), random_below(bits.word[2], workload->window));
        return;
    case WORKLOAD_MIXED:
        draw_mixed(process, &bits, touch);
        return;
    case WORKLOAD_SHM_COPY:
        touch->access = BY_STORE;
        aim(touch, workload->object, ordinal);
        break;
    case WORKLOAD_FILE_COPY:
        touch->access = ordinal % 2 == 0 ? BY_FILE_READ : BY_FILE_WRITE;
        touch->page = &(ordinal % 2 == 0 ? workload->object : workload->copy)->pages[ordinal / 2];
        break;
    case WORKLOAD_READER:
        touch->access = BY_FILE_READ;
        touch->page = &workload->object->pages[ordinal % workload->window];
        break;
    case WORKLOAD_MANY_VMAS:
        touch->access = BY_STORE;
        aim(touch, workload->object, in_turn(workload, ordinal, &bits));
        break;
    }
    touch->counted = true;
    touch->last = ordinal + 1 == workload->ntouches;
}
