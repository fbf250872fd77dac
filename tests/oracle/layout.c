/* Lays out a machine: sizes of its structures, zones, objects, processes, address spaces, devices.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle/parts.h"
#include "workloads/options.h"

void oracle_broken(const char *file, int line, const char *what)
{
    fprintf(stderr, "oracle: %s:%d: this must hold: %s\n", file, line, what);
    abort();
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size);
    REQUIRE(memory != NULL);
    return memory;
}

static uint64_t pages_of(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static struct object *add_object(struct machine *machine, enum object_kind kind, uint64_t npages,
                                 struct device *disk)
{
    struct object *object = &machine->objects[machine->nobjects++];
    *object = (struct object){
        .kind = kind, .npages = npages, .page_size = PAGE_BYTES, .disk = disk};
    object->pages = allocate(npages, sizeof *object->pages);
    for (uint64_t i = 0; i < npages; i++) {
        object->pages[i].object = object;
        object->pages[i].offset = i;
    }
    return object;
}

static struct vma *link_vma(struct vma **link, struct mm *mm, struct object *object, uint64_t start,
                            page_offset offset, uint64_t pages, enum populated populated)
{
    struct vma *vma = allocate(1, sizeof *vma);
    *vma = (struct vma){
        .mm = mm,
        .object = object,
        .offset = offset,
        .start = start,
        .pages = pages,
        .populated = populated,
        .came = ++object->ncame,
        .chunk_used = allocate((object->has_versions ? offset + pages : object->npages) / 512 + 1,
                               sizeof *vma->chunk_used),
    };
    *link = vma;
    for (link = &object->vmas; *link != NULL;) {
        link = &(*link)->next_of_object;
    }
    *link = vma;
    if (object->has_versions) {
        vma->versions = allocate(pages, sizeof(struct page *));
    }
    return vma;
}

/* A mapping at the next address that begins a page of the lowest directory taken on demand, moved
 * on so that addresses and offsets agree within a page-table page. */
static struct vma *add_vma(struct machine *machine, struct mm *mm, struct object *object,
                           page_offset offset, uint64_t pages, enum populated populated)
{
    uint64_t align = machine->ptes_per_page;
    if (machine->has_middle_directories && !machine->no_region) {
        align *= machine->ptes_per_page;
    }
    struct vma **link = &mm->vmas;
    uint64_t end = 0;
    while (*link != NULL) {
        end = (*link)->start + (*link)->pages;
        link = &(*link)->next_of_mm;
    }
    return link_vma(link, mm, object,
                    (end + align - 1) / align * align + offset % machine->ptes_per_page, offset,
                    pages, populated);
}

static void finish_mm(const struct machine *machine, struct process *process)
{
    struct mm *mm = &process->mm;
    mm->process = process;
    uint64_t end = 0;
    for (const struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        end = vma->start + vma->pages;
    }
    mm->ptes_per_page = machine->ptes_per_page;
    mm->npte_pages = end / machine->ptes_per_page + 1;
    mm->ptes = allocate(mm->npte_pages, sizeof *mm->ptes);
    mm->middle = allocate(mm->npte_pages / machine->ptes_per_page + 1, sizeof *mm->middle);
    mm->upper = allocate(1, sizeof *mm->upper);
}

static struct process *add_process(struct machine *machine, struct workload *workload)
{
    struct process *process = &machine->processes[machine->nprocesses];
    *process = (struct process){
        .number = machine->nprocesses++,
        .index = workload->nprocesses,
        .workload = workload,
        .memory_wait_since = TIME_NEVER,
    };
    workload->processes[workload->nprocesses++] = process;
    return process;
}

/* Of databases' segments of shared memory. */
static byte_count shared_page_size(const struct machine *machine)
{
    const struct design_config *config = &machine->scenario->design;
    if (config->shared_page_size == NULL) {
        return PAGE_BYTES;
    }
    const char *const sizes[] = {"4KiB", "2MiB", "4MiB", "1GiB"};
    const byte_count bytes[] = {PAGE_BYTES, 2U << 20, 4U << 20, 1U << 30};
    unsigned i = 0;
    while (strcmp(sizes[i], config->shared_page_size) != 0) {
        REQUIRE(++i < 4);
    }
    return bytes[i];
}

static void add_database(struct machine *machine, struct workload *workload,
                         const struct database_options *options)
{
    const struct segment_options *segment = &options->segment;
    const uint64_t segment_pages = pages_of(segment->size);
    workload->kind = WORKLOAD_DATABASE;
    workload->window = segment->window == OPTION_AUTO ? segment_pages : pages_of(segment->window);
    workload->private_pages = pages_of(options->private_memory);
    workload->has_log_writer = options->log_writes > 0;
    const uint64_t stack = workload->private_pages < 8 ? workload->private_pages : 8;
    const uint64_t heap = workload->private_pages - stack;
    workload->object = add_object(machine,
                                  segment->backing == BACKING_FILE ? OBJECT_FILE : OBJECT_SHM,
                                  segment_pages, &machine->devices[machine->nswap_devices]);
    workload->object->locked = segment->locked;
    if (segment->backing != BACKING_FILE) {
        workload->object->page_size = shared_page_size(machine);
    }
    workload->processes = allocate(options->processes + 1, sizeof *workload->processes);
    for (uint64_t i = 0; i < options->processes; i++) {
        struct process *process = add_process(machine, workload);
        struct object *own = NULL;
        if (workload->private_pages > 0) {
            own = add_object(machine, OBJECT_ANON, workload->private_pages, NULL);
        }
        if (heap > 0) {
            add_vma(machine, &process->mm, own, 0, heap, POPULATED_BY_STORES);
        }
        add_vma(machine, &process->mm, workload->object,
                i % (segment_pages / workload->window) * workload->window, workload->window,
                (enum populated)segment->populate);
        if (stack > 0) {
            add_vma(machine, &process->mm, own, heap, stack, POPULATED_BY_STORES);
        }
    }
    if (workload->has_log_writer) {
        add_process(machine, workload);
    }
}

/* Every process maps all of an object by windows side by side, from address 0 on. */
static void add_many_vmas(struct machine *machine, struct workload *workload,
                          const struct many_vmas_options *options)
{
    workload->kind = WORKLOAD_MANY_VMAS;
    workload->window = options->window == 0 ? 1 : pages_of(options->window);
    workload->at_random = options->order == 1;
    workload->object = add_object(machine,
                                  options->backing == BACKING_FILE ? OBJECT_FILE : OBJECT_SHM,
                                  options->windows * workload->window,
                                  &machine->devices[machine->nswap_devices + options->device]);
    workload->processes = allocate(options->processes, sizeof *workload->processes);
    for (uint64_t i = 0; i < options->processes; i++) {
        struct mm *mm = &add_process(machine, workload)->mm;
        struct vma **link = &mm->vmas;
        if (options->mapping == MAPPING_NONLINEAR) {
            link_vma(link, mm, workload->object, 0, 0, workload->object->npages,
                     (enum populated)options->populate);
            mm->vmas->nonlinear = true;
            mm->vmas->turned = true;
            workload->object->has_nonlinear = true;
            continue;
        }
        for (uint64_t w = 0; w < options->windows; w++) {
            const page_offset first = w * workload->window;
            link_vma(link, mm, workload->object, first, first, workload->window,
                     (enum populated)options->populate);
            link = &(*link)->next_of_mm;
        }
    }
}

static void add_windows(struct machine *machine, struct workload *workload,
                        const struct windows_options *options)
{
    const uint64_t npages = pages_of(options->size);
    const unsigned unit = machine->ptes_per_page;
    workload->kind = WORKLOAD_WINDOWS;
    workload->window = pages_of(options->window);
    workload->windows = options->windows;
    workload->stride = (workload->window + unit - 1) / unit * unit;
    workload->places = npages / workload->stride == 0 ? 1 : npages / workload->stride;
    workload->object = add_object(machine,
                                  options->backing == BACKING_FILE ? OBJECT_FILE : OBJECT_SHM,
                                  npages, &machine->devices[machine->nswap_devices]);
    workload->by_mremap = options->move == MOVE_MREMAP && options->moves > 0;
    workload->by_remap = options->move == MOVE_REMAP_FILE_PAGES && options->moves > 0;
    workload->object->has_nonlinear = workload->by_remap;
    workload->processes = allocate(options->processes, sizeof *workload->processes);
    for (uint64_t i = 0; i < options->processes; i++) {
        struct process *process = add_process(machine, workload);
        for (uint64_t w = 0; w < options->windows; w++) {
            const uint64_t place = (i * options->windows + w) % workload->places;
            struct vma *vma = add_vma(machine, &process->mm, workload->object,
                                      place * workload->stride, workload->window,
                                      (enum populated)options->populate);
            vma->nonlinear = workload->by_remap;
            if (workload->by_mremap) {
                add_vma(machine, &process->mm, workload->object, place * workload->stride,
                        workload->window, POPULATED_NOT)
                    ->gone = true;
            }
        }
    }
}

static void add_syscall_heavy(struct machine *machine, struct workload *workload,
                              const struct syscall_heavy_options *options)
{
    workload->kind = WORKLOAD_SYSCALLS;
    workload->window = pages_of(options->memory);
    workload->processes = allocate(options->processes, sizeof *workload->processes);
    for (uint64_t i = 0; i < options->processes; i++) {
        struct process *process = add_process(machine, workload);
        struct object *own = add_object(machine, OBJECT_ANON, workload->window, NULL);
        add_vma(machine, &process->mm, own, 0, workload->window, POPULATED_BY_STORES);
    }
}

static uint64_t at_least_1(uint64_t n)
{
    return n == 0 ? 1 : n;
}

/* How the working set is divided: between text, files and processes, and between these 4 : 2 : 1.
 */
static uint64_t divide_working_set(const struct machine *machine, struct workload *workload,
                                   const struct mixed_options *options)
{
    const uint64_t all = (uint64_t)((uint128)(machine->scenario->machine.memory / PAGE_BYTES) *
                                    options->working_set / SHARE_ONE);
    const uint64_t programs = options->processes < PROGRAMS ? options->processes : PROGRAMS;
    const uint64_t files = options->files == 0 ? 0 : at_least_1(all * options->files / SHARE_ONE);
    workload->text_pages = options->text == 0
                               ? 0
                               : at_least_1(all * options->text / SHARE_ONE / programs);
    const uint64_t taken = files + programs * workload->text_pages;
    const uint64_t own = all > taken ? all - taken : 0;
    const uint64_t weights[PROGRAMS] = {4, 2, 1};
    uint64_t sum = 0;
    for (uint64_t i = 0; i < options->processes; i++) {
        sum += weights[i % PROGRAMS];
    }
    for (uint64_t i = 0; i < programs; i++) {
        workload->program[i].own_pages = at_least_1(own * weights[i] / sum);
    }
    return files;
}

static void add_mixed(struct machine *machine, struct workload *workload,
                      const struct mixed_options *options)
{
    struct device *disk = &machine->devices[machine->nswap_devices + options->device];
    const uint64_t files = divide_working_set(machine, workload, options);
    workload->kind = WORKLOAD_MIXED;
    for (unsigned i = 0; i < PROGRAMS && i < options->processes; i++) {
        if (workload->text_pages > 0) {
            workload->program[i].text = add_object(machine, OBJECT_FILE, workload->text_pages,
                                                   disk);
        }
    }
    if (files > 0) {
        workload->object = add_object(machine, OBJECT_FILE, files, disk);
    }
    workload->processes = allocate(options->processes, sizeof *workload->processes);
    for (uint64_t i = 0; i < options->processes; i++) {
        struct process *process = add_process(machine, workload);
        const uint64_t pages = workload->program[i % PROGRAMS].own_pages;
        struct object *own = add_object(machine, OBJECT_ANON, pages, NULL);
        process->has_read = i == 0 && files > 0 && options->populate != 0 ? workload->object : NULL;
        if (workload->text_pages > 0) {
            add_vma(machine, &process->mm, workload->program[i % PROGRAMS].text, 0,
                    workload->text_pages,
                    options->populate == 0 ? POPULATED_NOT : POPULATED_BY_LOADS);
        }
        add_vma(machine, &process->mm, own, 0, pages, (enum populated)options->populate);
    }
}

/* Anonymous memory in versions: of each page as many at a time as there are processes; a few more
 * for those that nobody has but a reclaimer still holds. */
static struct object *add_pool(struct machine *machine, uint64_t npages, uint64_t processes)
{
    struct object *object = &machine->objects[machine->nobjects++];
    *object = (struct object){.kind = OBJECT_ANON, .page_size = PAGE_BYTES, .has_versions = true};
    object->capacity = npages * processes + 4096;
    object->pages = allocate(object->capacity, sizeof *object->pages);
    return object;
}

static void add_fork_exit(struct machine *machine, struct workload *workload,
                          const struct fork_exit_options *options)
{
    struct object *texts[65];
    const uint64_t data = max_u64(
        pages_of(options->shell_data),
        max_u64(pages_of(options->data_min), pages_of(options->data_max)));
    struct device *disk = &machine->devices[machine->nswap_devices];
    workload->kind = WORKLOAD_FORK_EXIT;
    for (uint64_t i = 0; i <= options->programs; i++) {
        texts[i] = add_object(machine, OBJECT_FILE,
                              pages_of(i == 0 ? options->shell_text : options->program_text), disk);
    }
    workload->object = texts[0];
    struct object *pool = add_pool(machine, data + 4, 2 * options->loops);
    workload->processes = allocate(2 * options->loops, sizeof *workload->processes);
    for (uint64_t i = 0; i < 2 * options->loops; i++) {
        struct process *process = add_process(machine, workload);
        const bool child = i >= options->loops;
        process->by_fork = child;
        process->finite = !child && options->iterations > 0;
        for (unsigned image = 0; image <= options->programs; image++) {
            machine->no_region = image > 0;
            struct vma *vma = add_vma(machine, &process->mm, texts[image], 0, texts[image]->npages,
                                      POPULATED_NOT);
            vma->image = image + 1;
            vma->gone = child || image > 0;
        }
        machine->no_region = false;
        add_vma(machine, &process->mm, pool, 0, data, POPULATED_NOT)->gone = child;
        add_vma(machine, &process->mm, pool, data, 4, POPULATED_NOT)->gone = child;
    }
}

static void add_fork_tree(struct machine *machine, struct workload *workload,
                          const struct anon_fork_tree_options *options)
{
    workload->kind = WORKLOAD_FORK_TREE;
    workload->window = pages_of(options->memory);
    struct object *pool = add_pool(machine, workload->window, options->children + 1);
    workload->object = pool;
    workload->processes = allocate(options->children + 1, sizeof *workload->processes);
    for (uint64_t i = 0; i <= options->children; i++) {
        struct process *process = add_process(machine, workload);
        process->by_fork = i > 0;
        add_vma(machine, &process->mm, pool, 0, workload->window,
                i == 0 ? POPULATED_BY_STORES : POPULATED_NOT)
            ->gone = i > 0;
    }
}

static bool is_many_vmas(const struct workload_config *config)
{
    return strcmp(config->kind, "rmap_test") == 0 || strcmp(config->kind, "one_page_vmas") == 0;
}

static void add_workload(struct machine *machine, size_t index)
{
    const struct workload_config *config = &machine->scenario->workloads[index];
    struct workload *workload = &machine->workloads[index];
    if (strcmp(config->kind, "database") == 0) {
        add_database(machine, workload, config->options);
    } else if (is_many_vmas(config)) {
        add_many_vmas(machine, workload, config->options);
    } else if (strcmp(config->kind, "windows") == 0) {
        add_windows(machine, workload, config->options);
    } else if (strcmp(config->kind, "syscall_heavy") == 0) {
        add_syscall_heavy(machine, workload, config->options);
    } else if (strcmp(config->kind, "mixed") == 0) {
        add_mixed(machine, workload, config->options);
    } else if (strcmp(config->kind, "fork_exit") == 0) {
        add_fork_exit(machine, workload, config->options);
    } else if (strcmp(config->kind, "anon_fork_tree") == 0) {
        add_fork_tree(machine, workload, config->options);
    } else if (strcmp(config->kind, "shm_copy") == 0) {
        const struct shm_copy_options *options = config->options;
        workload->kind = WORKLOAD_SHM_COPY;
        workload->window = pages_of(options->size);
        workload->object = add_object(machine, OBJECT_SHM, workload->window, NULL);
        workload->processes = allocate(1, sizeof *workload->processes);
        struct process *process = add_process(machine, workload);
        add_vma(machine, &process->mm, workload->object, 0, workload->window, POPULATED_NOT);
    } else if (strcmp(config->kind, "file_copy") == 0) {
        const struct file_copy_options *options = config->options;
        struct device *disks = &machine->devices[machine->nswap_devices];
        workload->kind = WORKLOAD_FILE_COPY;
        workload->window = pages_of(options->size);
        workload->object = add_object(machine, OBJECT_FILE, workload->window,
                                      &disks[options->from]);
        workload->copy = add_object(machine, OBJECT_FILE, workload->window, &disks[options->to]);
        workload->copy->written = true;
        machine->files[machine->nfiles++] = workload->copy;
        workload->processes = allocate(1, sizeof *workload->processes);
        add_process(machine, workload);
    } else {
        REQUIRE(strcmp(config->kind, "page_cache_reader") == 0);
        const struct page_cache_reader_options *options = config->options;
        workload->kind = WORKLOAD_READER;
        workload->window = pages_of(options->size);
        struct device *disk = &machine->devices[machine->nswap_devices + options->device];
        workload->object = add_object(machine, OBJECT_FILE, workload->window, disk);
        workload->processes = allocate(1, sizeof *workload->processes);
        add_process(machine, workload);
    }
    o_workload_plan(machine, index, workload);
}

static void add_devices(struct machine *machine)
{
    const struct machine_config *config = &machine->scenario->machine;
    machine->nswap_devices = config->swap.size > 0 ? (uint32_t)config->swap.devices : 0;
    machine->ndevices = machine->nswap_devices + (uint32_t)config->disk.devices;
    machine->devices = allocate(machine->ndevices, sizeof *machine->devices);
    for (uint32_t d = 0; d < machine->ndevices; d++) {
        const struct device_config *kind = d < machine->nswap_devices ? &config->swap
                                                                      : &config->disk;
        struct device *device = &machine->devices[d];
        *device = (struct device){
            .number = d,
            .bandwidth = kind->bandwidth,
            .queue = kind->queue,
            .latency = kind->latency,
        };
        if (d < machine->nswap_devices) {
            device->nslots = kind->size / kind->devices / PAGE_BYTES;
            device->slots = allocate(device->nslots, sizeof *device->slots);
            machine->swap_slots += device->nslots;
        }
    }
    machine->next_swap_device = machine->devices;
}

/* Upper bounds, so that pointers to processes and objects stay where they are. */
static void make_room(struct machine *machine)
{
    const struct scenario *scenario = machine->scenario;
    size_t processes = 0;
    for (size_t i = 0; i < scenario->nworkloads; i++) {
        const struct database_options *database = scenario->workloads[i].options;
        const struct many_vmas_options *many = scenario->workloads[i].options;
        const struct windows_options *windows = scenario->workloads[i].options;
        const struct syscall_heavy_options *calls = scenario->workloads[i].options;
        const struct mixed_options *mixed = scenario->workloads[i].options;
        const char *kind = scenario->workloads[i].kind;
        if (strcmp(kind, "database") == 0) {
            processes += database->processes + 1;
        } else if (strcmp(kind, "windows") == 0) {
            processes += windows->processes;
        } else if (strcmp(kind, "syscall_heavy") == 0) {
            processes += calls->processes;
        } else if (strcmp(kind, "mixed") == 0) {
            processes += mixed->processes;
        } else if (strcmp(kind, "fork_exit") == 0) {
            processes +=
                2 * ((const struct fork_exit_options *)scenario->workloads[i].options)->loops + 65;
        } else if (strcmp(kind, "anon_fork_tree") == 0) {
            processes +=
                ((const struct anon_fork_tree_options *)scenario->workloads[i].options)->children +
                1;
        } else {
            processes += is_many_vmas(&scenario->workloads[i]) ? many->processes : 1;
        }
    }
    machine->processes = allocate(processes, sizeof *machine->processes);
    machine->objects = allocate(processes + (PROGRAMS + 2) * scenario->nworkloads,
                                sizeof *machine->objects);
    machine->files = allocate(scenario->nworkloads, sizeof *machine->files);
    machine->workloads = allocate(scenario->nworkloads, sizeof *machine->workloads);
    machine->nworkloads = scenario->nworkloads;
}

struct machine *o_layout_build(const struct scenario *scenario)
{
    struct machine *machine = allocate(1, sizeof *machine);
    const unsigned arch = scenario->machine.arch;
    machine->scenario = scenario;
    machine->cost = scenario->costs.ticks;
    machine->pointer_bytes = arch == ARCH_X86_64 ? 8 : 4;
    machine->ptes_per_page = arch == ARCH_I386 ? 1024 : 512;
    machine->has_middle_directories = arch == ARCH_X86_64;
    machine->frames = scenario->machine.memory / PAGE_BYTES;
    o_layout_design(machine);
    o_slab_build(machine);
    o_frames_build(machine);
    add_devices(machine);
    make_room(machine);
    for (size_t i = 0; i < scenario->nworkloads; i++) {
        add_workload(machine, i);
    }
    machine->scan_cursor = machine->nprocesses;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        struct process *process = &machine->processes[p];
        finish_mm(machine, process);
        process->from_start = o_workload_goes_on(process->workload) && !process->by_fork;
        process->finite = process->finite || !o_workload_goes_on(process->workload);
        process->mm.alive = !process->by_fork;
        process->mm.family = ++machine->nfamilies;
        o_workload_born(machine, process);
    }
    for (size_t i = 0; i < machine->nobjects; i++) {
        o_tree_changed(&machine->objects[i]);
    }
    o_context_build(machine);
    o_translation_build(machine);
    return machine;
}

static void free_pages(struct object *object)
{
    for (uint64_t i = 0; i < object->npages; i++) {
        struct chain_block *block = object->pages[i].chain;
        while (block != NULL) {
            struct chain_block *next = block->next;
            free(block);
            block = next;
        }
    }
    free(object->pages);
}

static void free_mm(struct mm *mm)
{
    while (mm->vmas != NULL) {
        struct vma *next = mm->vmas->next_of_mm;
        free(mm->vmas->chunk_used);
        free(mm->vmas->versions);
        free(mm->vmas);
        mm->vmas = next;
    }
    for (uint64_t i = 0; i < mm->npte_pages; i++) {
        free(mm->ptes[i].entries);
    }
    free(mm->ptes);
    free(mm->middle);
    free(mm->upper);
}

void o_layout_free(struct machine *machine)
{
    o_list_free(machine);
    for (size_t i = 0; i < machine->nobjects; i++) {
        free_pages(&machine->objects[i]);
        o_tree_free(machine->objects[i].tree);
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        o_translation_free(&machine->processes[p]);
        free_mm(&machine->processes[p].mm);
    }
    for (size_t w = 0; w < machine->nworkloads; w++) {
        free(machine->workloads[w].processes);
    }
    for (uint32_t d = 0; d < machine->ndevices; d++) {
        struct device *device = &machine->devices[d];
        while (device->first != NULL) {
            struct request *next = device->first->next;
            free(device->first);
            device->first = next;
        }
        free(device->slots);
    }
    for (uint32_t c = 0; c < machine->ncontexts; c++) {
        o_context_free(&machine->contexts[c]);
    }
    free(machine->contexts);
    free(machine->processes);
    free(machine->objects);
    free(machine->files);
    free(machine->workloads);
    free(machine->devices);
    free(machine);
}
