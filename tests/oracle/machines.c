#include "oracle/machines.h"

#include <inttypes.h>
#include <string.h>

#include "base/random.h"
#include "config/scenario.h"

static const char *const presets[MACHINE_DESIGNS] = {
    [DESIGN_2_4_23] = "linux-2.4.23",       [DESIGN_2_6_0] = "linux-2.6.0",
    [DESIGN_OBJRMAP] = "linux-2.5-objrmap", [DESIGN_2_4_22] = "linux-2.4.22",
    [DESIGN_2_5_27] = "linux-2.5.27",       [DESIGN_2_6_7] = "linux-2.6.7",
};
static const struct {
    const char *rmap, *reclaim;
} axes[MACHINE_DESIGNS] = {
    [DESIGN_2_4_23] = {"none", "lru_2_4_23"},
    [DESIGN_2_6_0] = {"pte_chain_array", "lru_2_6_0"},
    [DESIGN_OBJRMAP] = {"objrmap", "lru_2_6_0"},
    [DESIGN_2_4_22] = {"none", "lru_2_4_22"},
    [DESIGN_2_5_27] = {"pte_chain_linked", "lru_2_6_0"},
    [DESIGN_PRIO_TREE] = {"objrmap_prio_tree", "lru_2_6_0"},
    [DESIGN_ANONMM] = {"anonmm", "lru_2_6_0"},
    [DESIGN_2_6_7] = {"anon_vma", "lru_2_6_7"},
};
/* The relatives of each that is drawn. */
enum { RELATIVES_MAX = 8 };
static const struct {
    unsigned n, of[RELATIVES_MAX];
} relatives[DESIGNS_DRAWN] = {
    [DESIGN_2_4_23] = {1, {DESIGN_2_4_22}},
    [DESIGN_2_6_0] = {1, {DESIGN_2_5_27}},
    [DESIGN_OBJRMAP] = {3, {DESIGN_PRIO_TREE, DESIGN_ANONMM, DESIGN_2_6_7}},
};
static const char *const archs[] = {"i386", "i386-pae", "x86_64"};

/* What was drawn before there was more to draw stays what it was. */
enum { DRAWN_WORKLOADS_MAX = 4, DRAWN_COSTS = COST_SYSCALL + 1 };

/* A sequence of random numbers that belongs to one machine. */
struct dice {
    uint64_t number, next;
};

static uint64_t throw(struct dice * dice)
{
    struct random_block bits = random_draw(dice->number, RANDOM_TEST, 0, 0, dice->next++);
    return (uint64_t)bits.word[0] << 32 | bits.word[1];
}

static uint64_t between(struct dice *dice, uint64_t low, uint64_t high)
{
    return low + throw(dice) % (high - low + 1);
}

/* Evenly spread over orders of magnitude: small numbers are as likely as large ones. */
static uint64_t magnitude(struct dice *dice, uint64_t low, uint64_t high)
{
    unsigned doublings = 0;
    while ((low << doublings) < high) {
        doublings++;
    }
    const uint64_t at_least = low << between(dice, 0, doublings == 0 ? 0 : doublings - 1);
    return between(dice, at_least, min_u64(2 * at_least, high));
}

static bool in_100(struct dice *dice, unsigned percent)
{
    return throw(dice) % 100 < percent;
}

static uint64_t one_of(struct dice *dice, const uint64_t *values, size_t n)
{
    return values[throw(dice) % n];
}

#define ONE_OF(dice, ...)                           \
    one_of((dice), (const uint64_t[]){__VA_ARGS__}, \
           sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void choose_device(struct dice *dice, struct machine_device *device)
{
    device->devices = in_100(dice, 60) ? 1 : between(dice, 2, 3);
    device->bytes_per_second = magnitude(dice, 1000000, 2000000000);
    device->latency_us = in_100(dice, 10) ? 0 : magnitude(dice, 1, 10000);
    device->queue = in_100(dice, 20) ? between(dice, 1, 4) : magnitude(dice, 4, 256);
}

static void choose_database(struct dice *dice, struct machine_workload *database)
{
    database->kind = MACHINE_DATABASE;
    database->pages = magnitude(dice, 64, 4096);
    database->processes = in_100(dice, 20) ? 1 : between(dice, 2, 12);
    /* Enough ptes for every rule, few enough for ten thousand machines. */
    database->pages = min_u64(database->pages, 16384 / database->processes);
    database->window = in_100(dice, 80) ? 0 : between(dice, 1, database->pages);
    database->private_pages = in_100(dice, 15)   ? 0
                              : in_100(dice, 20) ? between(dice, 1, 16)
                                                 : magnitude(dice, 16, 512);
    database->file = in_100(dice, 25);
    database->populate = (unsigned)ONE_OF(dice, 0, 0, 1, 2, 2, 2);
    database->access = (unsigned)between(dice, 0, 2);
    database->rate = magnitude(dice, 1000, 200000);
    database->private_percent = ONE_OF(dice, 0, 10, 50, 100);
    database->hot_permille = between(dice, 0, 1000);
    database->hot_touches_permille = between(dice, 0, 1000);
    database->zipf_permille = between(dice, 0, 1000);
    database->write_permille = in_100(dice, 15) ? ONE_OF(dice, 0, 1000) : between(dice, 0, 1000);
    database->log_writes = in_100(dice, 70) ? 0 : magnitude(dice, 1, 20000);
    database->cpu_permille = between(dice, 1, 1000);
}

static void choose_sequential(struct dice *dice, const struct machine_choice *machine,
                              struct machine_workload *workload)
{
    workload->kind = in_100(dice, 65) ? MACHINE_COPY : MACHINE_READER;
    workload->pages = magnitude(dice, 64, 8192);
    workload->rate = magnitude(dice, 1000000, 1000000000);
    workload->device = between(dice, 0, machine->disk.devices - 1);
    workload->rounds = between(dice, 1, 3);
}

static uint64_t frames_of_kernel(const struct machine_choice *machine)
{
    return machine->frames / 50 + machine->frames / 800 + 5;
}

/* About what the workloads fill before the clock starts, and in the end. */
static void demand(const struct machine_choice *machine, uint64_t *populated_p, uint64_t *all_p)
{
    uint64_t populated = 0;
    uint64_t all = 0;
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        const struct machine_workload *workload = &machine->workloads[i];
        uint64_t own = 0;
        if (workload->kind == MACHINE_DATABASE) {
            const uint64_t each = workload->private_pages + 8 + workload->pages / 512;
            own = workload->processes * each;
            populated += workload->populate == 0 ? own : own + workload->pages;
        }
        all += own + workload->pages;
    }
    *populated_p = populated;
    *all_p = all;
}

static void choose_memory(struct dice *dice, struct machine_choice *machine)
{
    uint64_t populated;
    uint64_t all;
    demand(machine, &populated, &all);
    const bool is_2_4 = machine->design == DESIGN_2_4_23;
    /* 2.6.0 keeps at least 1 MiB free. */
    const uint64_t least = (is_2_4 ? 1024 : 1536) + populated * 11 / 10;
    const uint64_t most = 1024 + all * 3 / 2;
    machine->frames = between(dice, least, max_u64(least, most));
    machine->auto_ballast = in_100(dice, 25);
    machine->ballast = 0;
    if (machine->arch != 2 && in_100(dice, 15)) {
        /* High memory, of which ballast leaves little. */
        machine->frames = between(dice, 896 * 256 + 300, 1200 * 256);
        machine->auto_ballast = in_100(dice, 10);
        const uint64_t taken = frames_of_kernel(machine) + populated;
        const uint64_t leave = between(dice, is_2_4 ? 100 : 500, 600 + all);
        machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    } else if (!machine->auto_ballast && in_100(dice, 60)) {
        const uint64_t taken = frames_of_kernel(machine) + populated;
        const uint64_t leave = between(dice, is_2_4 ? 60 : 300, 300 + all / 2);
        machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    }
}

/* The costs that there were when the first machines were kept. */

static void choose_costs(struct dice *dice, struct machine_choice *machine)
{
    const uint64_t scale = magnitude(dice, 1, 64);
    const bool some_zero = in_100(dice, 30);
    for (size_t i = 0; i < DRAWN_COSTS; i++) {
        const bool zero = some_zero && in_100(dice, 30);
        machine->cost_ps[i] = zero ? 0 : magnitude(dice, 1000, 400000) * scale / 8;
    }
    machine->cost_ps[COST_PTE_SKIP] /= 64;
    if (in_100(dice, 3)) {
        memset(machine->cost_ps, 0, sizeof machine->cost_ps);
    }
}

static void choose_times(struct dice *dice, struct machine_choice *machine)
{
    machine->epoch_us = in_100(dice, 50) ? 1000 : magnitude(dice, 100, 5000);
    machine->quantum_us = min_u64(machine->epoch_us,
                                  in_100(dice, 40) ? 1 : magnitude(dice, 2, 500));
    machine->duration_us = magnitude(dice, 50000, 2000000);
    /* Reclaim may run all the time, one step after the other: bound the number of steps. */
    machine->duration_us = min_u64(machine->duration_us, 100000 + 20000 * machine->quantum_us);
    machine->duration_us = min_u64(machine->duration_us, 3000 * machine->epoch_us);
    machine->warmup_us = in_100(dice, 10) ? 0 : between(dice, 1, machine->duration_us * 3 / 10);
    machine->stall_us = in_100(dice, 30) ? magnitude(dice, 1000, machine->duration_us)
                                         : between(dice, 1, 4) * machine->duration_us;
    machine->interval_us = between(dice, machine->duration_us / 20, machine->duration_us / 2);
    machine->until_freed_percent = in_100(dice, 20) ? between(dice, 1, 100) : 0;
}

/* What the kernel itself takes, nearly to the frame. */
static uint64_t exact_frames_of_kernel(const struct machine_choice *machine)
{
    uint64_t processes = 0;
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        const struct machine_workload *workload = &machine->workloads[i];
        processes += workload->kind == MACHINE_DATABASE
                         ? workload->processes + (workload->log_writes > 0)
                         : 1;
    }
    const uint64_t struct_page = (machine->arch == 2 ? 80U : 40U) +
                                 (machine->design == DESIGN_2_4_23 ? 8U : 0U);
    return machine->frames * struct_page / 4096 + min_u64(machine->frames / 800, 10240) +
           processes * 18 / 4 + 3;
}

/* Little is left to grow into, and some have their shortage in low memory, without swap to turn to.
 */
static void tighten(struct dice *dice, struct machine_choice *machine)
{
    uint64_t populated;
    uint64_t all;
    const bool is_2_4 = machine->design == DESIGN_2_4_23;
    const bool lowmem = machine->arch != 2 && in_100(dice, 30);
    demand(machine, &populated, &all);
    if (lowmem) {
        machine->frames = between(dice, 896 * 256 + 300, 1000 * 256);
        machine->swap.pages = in_100(dice, 70) ? 0 : between(dice, 1, 300);
        machine->workloads[0].populate = 0;
        machine->workloads[0].file = false;
        demand(machine, &populated, &all);
    } else {
        machine->frames = 1536 + populated * 11 / 10 + between(dice, 0, all);
        machine->swap.pages = magnitude(dice, 512, 32768);
    }
    machine->auto_ballast = false;
    const uint64_t taken = exact_frames_of_kernel(machine) + populated;
    const uint64_t leave = between(dice, is_2_4 ? 60 : 300,
                                   (is_2_4 ? 160 : 400) + (lowmem ? 0 : all / 16));
    machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    machine->until_freed_percent = 0;
    /* They reclaim all the time: a tenth of the time is enough. */
    machine->duration_us = min_u64(machine->duration_us, 10000 + 1500 * machine->quantum_us);
    machine->duration_us = min_u64(machine->duration_us, 200 * machine->epoch_us);
    machine->warmup_us = min_u64(machine->warmup_us, machine->duration_us / 5);
    machine->stall_us = in_100(dice, 50) ? machine->duration_us / 5 : 2 * machine->duration_us;
    machine->interval_us = max_u64(1, machine->duration_us / 10);
    for (unsigned i = 1; i < machine->nworkloads; i++) {
        if (machine->workloads[i].kind != MACHINE_DATABASE) {
            machine->workloads[i].rate = max_u64(machine->workloads[i].rate, 500000000);
        }
    }
}

/* What the kernel's memory is like, and costs that came later, from a sequence of its own: the rest
 * of a machine stays as it was. */
static void choose_kernel_memory(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 33};
    for (size_t i = DRAWN_COSTS; i < COST_COUNT; i++) {
        machine->cost_ps[i] = magnitude(&dice, 1000, 1000000);
    }
    if (machine->arch == ARCH_X86_64 || !in_100(&dice, 60)) {
        return;
    }
    machine->high_tables = in_100(&dice, 40);
    machine->split_4g4g = in_100(&dice, 25);
    if (in_100(&dice, 40)) {
        machine->low_left = 600 + magnitude(&dice, 32, 2048);
        machine->high_left = in_100(&dice, 30) ? 0 : between(&dice, 500, 12000);
        machine->auto_ballast = false;
    }
}

static void choose_windows(struct dice *dice, struct machine_workload *windows)
{
    windows->kind = MACHINE_WINDOWS;
    windows->processes = in_100(dice, 30) ? 1 : between(dice, 2, 6);
    windows->windows = between(dice, 1, 4);
    windows->pages = magnitude(dice, 64, 8192);
    const uint64_t most = min_u64(windows->pages, 8192 / windows->processes / windows->windows);
    windows->window = between(dice, 1, max_u64(1, most));
    windows->file = in_100(dice, 50);
    windows->populate = 0;
    windows->access = (unsigned)between(dice, 0, 2);
    windows->rate = magnitude(dice, 1000, 200000);
    windows->moves = in_100(dice, 10) ? 0 : magnitude(dice, 4, 4096);
    windows->hot_permille = between(dice, 0, 1000);
    windows->hot_touches_permille = between(dice, 0, 1000);
    windows->zipf_permille = between(dice, 0, 1000);
    windows->write_permille = between(dice, 0, 1000);
    windows->cpu_permille = between(dice, 1, 1000);
    struct dice more = {.number = dice->number, .next = (uint64_t)1 << 24};
    windows->move = (unsigned)ONE_OF(&more, 0, 0, 1, 2, 2);
}

static void choose_fork_exit(struct dice *dice, struct machine_workload *forks)
{
    forks->kind = MACHINE_FORK_EXIT;
    forks->processes = in_100(dice, 30) ? 1 : between(dice, 2, 6);
    forks->iterations = in_100(dice, 70) ? 0 : magnitude(dice, 1, 64);
    forks->pages = magnitude(dice, 1, 128); /* of data */
    forks->private_pages = magnitude(dice, 1, 128);
    forks->data_min = between(dice, 1, forks->pages);
    forks->text = magnitude(dice, 1, 700);
    forks->programs = between(dice, 1, 3);
    forks->shell_writes = between(dice, 0, 20);
    forks->child_writes = between(dice, 0, 20);
    forks->exec_permille = in_100(dice, 20) ? ONE_OF(dice, 0, 1000) : between(dice, 0, 1000);
    forks->text_permille = between(dice, 0, 1000);
    forks->sizes = (unsigned)between(dice, 0, 2);
    forks->touch_ns = magnitude(dice, 500, 50000);
    /* From dice of their own, so that what is thrown after them is what it always was. */
    struct dice calls = {.number = dice->number, .next = (uint64_t)1 << 24};
    forks->calls = in_100(&calls, 50) ? 0 : magnitude(&calls, 1000, 1000000);
    forks->copied = in_100(&calls, 50) ? 0 : magnitude(&calls, 1, 65536);
}

static void choose_fork_tree(struct dice *dice, struct machine_workload *tree)
{
    tree->kind = MACHINE_FORK_TREE;
    tree->processes = between(dice, 1, 10);
    tree->pages = magnitude(dice, 1, 1024);
    tree->fork_every = magnitude(dice, 1, 2000);
    tree->child_touches = magnitude(dice, 1, 4000);
    tree->write_permille = between(dice, 0, 1000);
    tree->touch_ns = magnitude(dice, 1000, 50000);
    tree->cpu_permille = between(dice, 1, 1000);
}

/* Workloads that came later. */
static void choose_more(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 20};
    if (in_100(&dice, 25)) {
        struct machine_workload *windows = &machine->workloads[machine->nworkloads++];
        choose_windows(&dice, windows);
        if (machine->design == DESIGN_2_4_23) { /* had no remap_file_pages() */
            windows->move = min_u64(windows->move, 1) != 0;
        }
    }
    if (in_100(&dice, 20)) {
        choose_fork_exit(&dice, &machine->workloads[machine->nworkloads++]);
    }
    if (in_100(&dice, 20)) {
        struct machine_workload *tree = &machine->workloads[machine->nworkloads++];
        choose_fork_tree(&dice, tree);
        machine->frames += tree->pages; /* which it fills before the clock starts */
    }
}

/* Curves of any form, some of which fall; none: those that are assumed. */
static void choose_contention(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 28};
    machine->has_curves = in_100(&dice, 70);
    machine->utilisation_percent = between(&dice, 0, 100);
    for (int kind = 0; kind < LOCK_KINDS; kind++) {
        const uint64_t most = magnitude(&dice, 1001, 100000);
        for (int point = 0; point < LOCK_CURVE_POINTS; point++) {
            machine->factor[kind][point] = between(&dice, 1000, most);
        }
    }
}

void machine_choose_drawn(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number};
    *machine = (struct machine_choice){.number = number};
    machine->seed = throw(&dice) >> 2;
    machine->arch = (unsigned)between(&dice, 0, 2);
    machine->design = (unsigned)between(&dice, 0, DESIGNS_DRAWN - 1);
    machine->by_axes = !in_100(&dice, 80);
    machine->page_direct = in_100(&dice, 70) ? 0 : (unsigned)between(&dice, 1, 2);
    machine->cpus = in_100(&dice, 40) ? between(&dice, 1, 2) : between(&dice, 1, 8);
    machine->cache_line = ONE_OF(&dice, 0, 32, 64, 128);
    choose_device(&dice, &machine->swap);
    choose_device(&dice, &machine->disk);
    choose_database(&dice, &machine->workloads[machine->nworkloads++]);
    if (in_100(&dice, 10)) {
        choose_database(&dice, &machine->workloads[machine->nworkloads++]);
    }
    do {
        choose_sequential(&dice, machine, &machine->workloads[machine->nworkloads++]);
    } while (machine->nworkloads < DRAWN_WORKLOADS_MAX && in_100(&dice, 20));
    choose_memory(&dice, machine);
    const unsigned kind_of_swap = (unsigned)between(&dice, 0, 9);
    machine->swap.pages = kind_of_swap == 0   ? 0
                          : kind_of_swap <= 2 ? magnitude(&dice, 1, 512)
                                              : magnitude(&dice, 512, 32768);
    choose_times(&dice, machine);
    choose_costs(&dice, machine);
    if (number >= MACHINES_TIGHT_FROM) {
        tighten(&dice, machine);
    }
    choose_kernel_memory(machine);
    choose_more(machine);
    choose_contention(machine);
}

/* One more workload: processes that map an object by windows, with memory for what they populate.
 */
static void add_many_vmas(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *windows = &machine->workloads[machine->nworkloads++];
    *windows = (struct machine_workload){
        .kind = in_100(dice, 70) ? MACHINE_RMAP_TEST : MACHINE_ONE_PAGE_VMAS,
        .processes = between(dice, 1, 6),
        .windows = magnitude(dice, 1, 64),
        .pages = magnitude(dice, 1, 64),
        .populate = (unsigned)between(dice, 0, 2),
        .file = in_100(dice, 50),
        .at_random = in_100(dice, 50),
        .rounds = between(dice, 1, 4),
        .device = between(dice, 0, machine->disk.devices - 1),
        .touch_ns = magnitude(dice, 100, 1000000),
    };
    if (windows->kind == MACHINE_ONE_PAGE_VMAS) {
        const bool scans = machine->design == DESIGN_2_4_23 || machine->design == DESIGN_2_4_22;
        windows->pages = 1;
        windows->windows *= 16;
        windows->nonlinear = !scans && in_100(dice, 50);
    }
    const uint64_t pages = windows->pages * windows->windows;
    machine->frames += 10 * windows->processes +
                       (windows->populate == 0 ? pages / 4 : pages + pages / 8);
}

bool machine_choose_relative(uint64_t number, unsigned which, struct machine_choice *machine)
{
    machine_choose_drawn(number, machine);
    const unsigned drawn = machine->design;
    struct dice dice = {.number = number, .next = UINT64_MAX / 2};
    if (which < relatives[drawn].n) {
        machine->design = relatives[drawn].of[which];
        if (machine->design >= DESIGN_PRIO_TREE) {
            add_many_vmas(&dice, machine);
        }
    }
    return which < relatives[drawn].n;
}

static void extend_design(struct dice *dice, struct machine_choice *machine)
{
    const bool is_2_4 = machine->design == DESIGN_2_4_23 || machine->design == DESIGN_2_4_22;
    const bool all = in_100(dice, 40);
    machine->scan_uses_objects = is_2_4 && (all || in_100(dice, 50));
    machine->prompt = (is_2_4 && all) || in_100(dice, 40);
    machine->clean_first = machine->design == DESIGN_2_4_23 && (all || in_100(dice, 50));
}

static void extend_sequential(struct dice *dice, struct machine_choice *machine,
                              struct machine_workload *workload)
{
    if (in_100(dice, 60)) {
        workload->kind = MACHINE_FILE_COPY;
        workload->device = between(dice, 0, machine->disk.devices - 1);
        workload->to = between(dice, 0, machine->disk.devices - 1);
        const unsigned kind = (unsigned)between(dice, 0, 9);
        if (kind <= 2) {
            /* On a disk that reads faster than it writes, and more than may be dirty. */
            workload->pages = min_u64(machine->frames, 16384);
            workload->to = workload->device;
            workload->rate = 500000000;
            machine->disk.queue = between(dice, 2, 6);
            machine->disk.bytes_per_second = magnitude(dice, 100000000, 1000000000);
            machine->disk.latency_us = between(dice, 0, 100);
        } else if (kind == 3) {
            /* The round of who writes old pages is of seconds: some machines live to see a few. */
            machine->epoch_us = 50000;
            machine->quantum_us = 20000;
            machine->duration_us = 60000000;
            machine->interval_us = 3000000;
            workload->rate = magnitude(dice, 20000, 400000);
        }
    }
}

void machine_extend(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number, .next = (uint64_t)UINT32_MAX << 1};
    extend_design(&dice, machine);
    machine->workloads[0].locked = in_100(&dice, 15);
    for (unsigned i = 1; i < machine->nworkloads; i++) {
        struct machine_workload *workload = &machine->workloads[i];
        if (workload->kind == MACHINE_COPY || workload->kind == MACHINE_READER) {
            extend_sequential(&dice, machine, workload);
        }
    }
}

static void choose_tlb(struct dice *dice, struct machine_tlb *tlb)
{
    tlb->there = true;
    for (unsigned level = 0; level < 2; level++) {
        for (unsigned i = 0; i < 3; i++) {
            const uint64_t ways = ONE_OF(dice, 0, 1, 2, 4, 8);
            const uint64_t sets = magnitude(dice, 1, level == 0 ? 16 : 64);
            const bool exists = i == 0 ? level == 0 || in_100(dice, 60) : in_100(dice, 40);
            tlb->array[level][i].entries = exists ? max_u64(ways, 1) * sets : 0;
            tlb->array[level][i].ways = ways;
            tlb->array[level][i].pages = (unsigned)between(dice, 0, 6);
        }
    }
    tlb->l2_hit_ps = magnitude(dice, 1000, 20000);
    tlb->walk_step_ps = magnitude(dice, 1000, 20000);
    tlb->walk_memory_ps = magnitude(dice, 10000, 2000000);
    tlb->walk_misses = between(dice, 0, 4);
    tlb->tagged = in_100(dice, 30);
    tlb->timeslice_us = magnitude(dice, 1, 20000);
    tlb->sampling = in_100(dice, 50) ? 1 : between(dice, 2, 5);
}

/* Segments of shared memory in large pages; the machine gets so much larger. */
static void choose_large_pages(struct dice *dice, struct machine_choice *machine)
{
    machine->shared_pages = machine->arch == 0 ? 2 : machine->arch == 2 && in_100(dice, 30) ? 3 : 1;
    const uint64_t mib[] = {0, 2, 4, 1024};
    const uint64_t of_page = mib[machine->shared_pages] * 256;
    uint64_t pages = 0;
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        struct machine_workload *workload = &machine->workloads[i];
        if (workload->kind == MACHINE_DATABASE && !workload->file) {
            pages += (workload->pages + of_page - 1) / of_page;
            if (workload->window > 0) {
                workload->window = workload->pages / of_page == 0
                                       ? 0
                                       : between(dice, 1, workload->pages / of_page) * of_page;
            }
        }
    }
    if (in_100(dice, 30)) {
        pages += between(dice, 1, 3);
        machine->large_pages = pages * mib[machine->shared_pages];
    }
    machine->frames += pages * of_page + pages * of_page / 40;
}

static void add_syscalls(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *calls = &machine->workloads[machine->nworkloads++];
    *calls = (struct machine_workload){
        .kind = MACHINE_SYSCALLS,
        .processes = between(dice, 1, 6),
        .pages = magnitude(dice, 1, 256),
        .calls = in_100(dice, 10) ? 0 : magnitude(dice, 1, 200000),
        .copied = in_100(dice, 50) ? 0 : magnitude(dice, 1, 65536),
        .rate = magnitude(dice, 1, 100000),
        .cpu_permille = between(dice, 1, 1000),
    };
    machine->frames += calls->processes * (calls->pages + 12);
}

static void add_mixed(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *mixed = &machine->workloads[machine->nworkloads++];
    *mixed = (struct machine_workload){
        .kind = MACHINE_MIXED,
        .processes = between(dice, 1, 9),
        .pages = magnitude(dice, 16, 8192),
        .rate = magnitude(dice, 1000, 200000),
        .calls = in_100(dice, 50) ? 0 : magnitude(dice, 1, 100000),
        .device = between(dice, 0, machine->disk.devices - 1),
        .populate = machine->low_left > 0 ? 0 : (unsigned)ONE_OF(dice, 0, 0, 1, 2),
        .text_permille = in_100(dice, 20) ? 0 : between(dice, 0, 500),
        .files_permille = in_100(dice, 20) ? 0 : between(dice, 0, 500),
        .text_touches_permille = between(dice, 0, 500),
        .file_touches_permille = between(dice, 0, 500),
        .hot_permille = between(dice, 0, 1000),
        .hot_touches_permille = between(dice, 0, 1000),
        .write_permille = between(dice, 0, 1000),
        .cpu_permille = between(dice, 1, 1000),
    };
    machine->frames += 12 * mixed->processes +
                       (mixed->populate == 0 ? mixed->pages / 4 : mixed->pages * 9 / 8);
}

/* Machines with these workloads beside are what they were but for them. */
static bool choose_more_beside(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 41};
    const unsigned before = machine->nworkloads;
    if (in_100(&dice, 20)) {
        add_syscalls(&dice, machine);
    }
    if (in_100(&dice, 25)) {
        add_mixed(&dice, machine);
    }
    return machine->nworkloads > before;
}

bool machine_choose_beside(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 40};
    const bool more = choose_more_beside(machine);
    if (in_100(&dice, 30)) {
        choose_tlb(&dice, &machine->tlb);
    }
    if (in_100(&dice, machine->tlb.there ? 40 : 10)) {
        choose_large_pages(&dice, machine);
    }
    return more || machine->tlb.there || machine->shared_pages > 0;
}

void machine_choose(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number, .next = UINT32_MAX};
    machine_choose_drawn(number, machine);
    if (in_100(&dice, 55)) {
        const unsigned drawn = machine->design;
        machine->design = relatives[drawn].of[between(&dice, 0, relatives[drawn].n - 1)];
    }
    if (number < MACHINES_TIGHT_FROM && in_100(&dice, 30)) {
        add_many_vmas(&dice, machine);
    }
    if (in_100(&dice, 40)) {
        machine_extend(number, machine);
    }
    machine_choose_beside(machine);
}

static void write_device(const struct machine_device *device, bool swap, struct text *yaml)
{
    text_append_format(yaml, "  %s: { ", swap ? "swap" : "disk");
    if (swap) {
        text_append_format(yaml, "size: %" PRIu64 "KiB, ", device->pages * 4);
    }
    text_append_format(yaml,
                       "devices: %" PRIu64 ", bandwidth: %" PRIu64 "B/s, latency: %" PRIu64
                       "us, queue: %" PRIu64 " }\n",
                       device->devices, device->bytes_per_second, device->latency_us,
                       device->queue);
}

/* Lists with high page tables are refused. */
static bool has_high_tables(const struct machine_choice *machine)
{
    return machine->high_tables && machine->design != DESIGN_2_5_27;
}

/* Where there are none, asking for page_direct is refused. */
static bool has_chain_blocks(const struct machine_choice *machine)
{
    return machine->design == DESIGN_2_6_0 || machine->design == DESIGN_OBJRMAP ||
           machine->design == DESIGN_PRIO_TREE;
}

static void write_choices(const struct machine_choice *machine, struct text *yaml)
{
    const bool by_axes = machine->by_axes || presets[machine->design] == NULL;
    if (by_axes) {
        text_append_format(yaml, "reclaim: %s", axes[machine->design].reclaim);
    } else {
        text_append_format(yaml, "preset: %s", presets[machine->design]);
    }
    if (machine->scan_uses_objects) {
        text_append(yaml, ", rmap: objrmap_in_scan");
    } else if (by_axes) {
        text_append_format(yaml, ", rmap: %s", axes[machine->design].rmap);
    }
    if (by_axes || machine->prompt) {
        text_append_format(yaml, ", swap_writeout: %s", machine->prompt ? "prompt" : "deferred");
    }
    if (machine->clean_first) {
        text_append(yaml, ", prefer_clean: true");
    }
}

static void write_design(const struct machine_choice *machine, struct text *yaml)
{
    const bool all = machine->scan_uses_objects && machine->prompt && machine->clean_first;
    text_append(yaml, "design: { ");
    if (all && !machine->by_axes) {
        text_append(yaml, "preset: linux-2.4.23-aa");
    } else {
        write_choices(machine, yaml);
    }
    if (machine->page_direct == 1 && has_chain_blocks(machine)) {
        text_append(yaml, ", page_direct: true");
    } else if (machine->page_direct == 2) {
        text_append(yaml, ", page_direct: false");
    }
    if (machine->shared_pages > 0) {
        static const char *const sizes[] = {"4KiB", "2MiB", "4MiB", "1GiB"};
        text_append_format(yaml, ", shared_page_size: %s", sizes[machine->shared_pages]);
    }
    if (has_high_tables(machine)) {
        text_append(yaml, ", page_tables: highmem");
    }
    if (machine->split_4g4g) {
        text_append(yaml, ", split: 4g4g");
    }
    text_append(yaml, " }\n");
}

static void write_picoseconds(const char *key, uint64_t ps, struct text *yaml)
{
    text_append_format(yaml, ", %s: %" PRIu64 ".%03" PRIu64 "ns", key, ps / 1000, ps % 1000);
}

static void write_tlb(const struct machine_tlb *tlb, struct text *yaml)
{
    static const char *const pages[] = {"small",      "large",      "huge", "small+large",
                                        "small+huge", "large+huge", "all"};
    text_append_format(yaml, "  timeslice: %" PRIu64 "us\n  tlb_sampling: %" PRIu64 "\n  tlb: { ",
                       tlb->timeslice_us, tlb->sampling);
    for (unsigned level = 0; level < 2; level++) {
        text_append_format(yaml, "%sl%u: { ", level == 0 ? "" : ", ", level + 1);
        for (unsigned i = 0; i < 3; i++) {
            text_append_format(yaml, "%sarray%u: { entries: %" PRIu64 ", pages: %s",
                               i == 0 ? "" : ", ", i + 1, tlb->array[level][i].entries,
                               pages[tlb->array[level][i].pages]);
            if (tlb->array[level][i].ways > 0) {
                text_append_format(yaml, ", ways: %" PRIu64, tlb->array[level][i].ways);
            }
            text_append(yaml, " }");
        }
        text_append(yaml, " }");
    }
    write_picoseconds("l2_hit", tlb->l2_hit_ps, yaml);
    write_picoseconds("walk_step", tlb->walk_step_ps, yaml);
    write_picoseconds("walk_memory", tlb->walk_memory_ps, yaml);
    text_append_format(yaml, ", walk_misses: %" PRIu64 ", tagged: %s }\n", tlb->walk_misses,
                       tlb->tagged ? "true" : "false");
}

/* So much memory that its mem_map leaves `low_left` frames of low memory; ballast then takes high
 * memory but `high_left` frames. */
static void size_by_mem_map(const struct machine_choice *machine, uint64_t *frames_p,
                            uint64_t *ballast_p)
{
    const bool is_2_4 = machine->design == DESIGN_2_4_23 || machine->design == DESIGN_2_4_22;
    const bool wide = has_high_tables(machine) && machine->arch == ARCH_I386_PAE;
    const uint64_t struct_page = is_2_4 ? 48 : wide || machine->design == DESIGN_2_5_27 ? 44 : 40;
    const uint64_t low = machine->split_4g4g ? 974830 : 896 * 256;
    const uint64_t image = 10240;
    *frames_p = (low - image - machine->low_left) * 4096 / struct_page;
    *ballast_p = machine->high_left == 0 ? 0 : *frames_p - low - machine->high_left;
}

static void write_permille(const char *key, uint64_t permille, struct text *yaml)
{
    text_append_format(yaml, "    %s: %" PRIu64 ".%03" PRIu64 "\n", key, permille / 1000,
                       permille % 1000);
}

static void write_database(const struct machine_workload *database, struct text *yaml)
{
    static const char *const populates[] = {"none", "read", "write"};
    static const char *const accesses[] = {"uniform", "hot_cold", "zipf"};
    text_append_format(yaml, "    processes: %" PRIu64 "\n", database->processes);
    text_append_format(yaml, "    segment: { size: %" PRIu64 "KiB, backing: %s, populate: %s",
                       database->pages * 4, database->file ? "file" : "shm",
                       populates[database->populate]);
    if (database->locked) {
        text_append(yaml, ", locked: true");
    }
    if (database->window > 0) {
        text_append_format(yaml, ", window: %" PRIu64 "KiB", database->window * 4);
    }
    text_append_format(yaml, " }\n    private_memory: %" PRIu64 "KiB\n",
                       database->private_pages * 4);
    text_append_format(yaml, "    private_touches: %" PRIu64 "%%\n", database->private_percent);
    text_append_format(yaml, "    touch_rate: %" PRIu64 "\n", database->rate);
    text_append_format(yaml, "    access: %s\n", accesses[database->access]);
    write_permille("hot_fraction", database->hot_permille, yaml);
    write_permille("hot_share", database->hot_touches_permille, yaml);
    write_permille("zipf_exponent", database->zipf_permille, yaml);
    write_permille("write_share", database->write_permille, yaml);
    write_permille("cpu_use", database->cpu_permille, yaml);
    text_append_format(yaml, "    log_writes: %" PRIu64 "\n", database->log_writes);
}

static void write_many_vmas(const struct machine_workload *windows, struct text *yaml)
{
    static const char *const populates[] = {"none", "read", "write"};
    text_append_format(yaml, "    processes: %" PRIu64 "\n", windows->processes);
    if (windows->kind == MACHINE_RMAP_TEST) {
        text_append_format(yaml, "    windows: %" PRIu64 "\n    window: %" PRIu64 "KiB\n",
                           windows->windows, windows->pages * 4);
    } else {
        text_append_format(yaml, "    vmas: %" PRIu64 "\n    mapping: %s\n", windows->windows,
                           windows->nonlinear ? "nonlinear" : "vmas");
    }
    text_append_format(yaml,
                       "    backing: %s\n    populate: %s\n    order: %s\n    iterations: %" PRIu64
                       "\n    device: %" PRIu64 "\n    touch_time: %" PRIu64 "ns\n",
                       windows->file ? "file" : "shm", populates[windows->populate],
                       windows->at_random ? "random" : "linear", windows->rounds, windows->device,
                       windows->touch_ns);
}

static void write_windows(const struct machine_workload *windows, struct text *yaml)
{
    static const char *const accesses[] = {"uniform", "hot_cold", "zipf"};
    static const char *const moves[] = {"munmap_mmap", "mremap", "remap_file_pages"};
    text_append_format(yaml,
                       "    processes: %" PRIu64 "\n    size: %" PRIu64
                       "KiB\n    backing: %s\n    window: %" PRIu64 "KiB\n    windows: %" PRIu64
                       "\n    moves: %" PRIu64 "\n    touch_rate: %" PRIu64 "\n    access: %s\n",
                       windows->processes, windows->pages * 4, windows->file ? "file" : "shm",
                       windows->window * 4, windows->windows, windows->moves, windows->rate,
                       accesses[windows->access]);
    write_permille("hot_fraction", windows->hot_permille, yaml);
    write_permille("hot_share", windows->hot_touches_permille, yaml);
    write_permille("zipf_exponent", windows->zipf_permille, yaml);
    write_permille("write_share", windows->write_permille, yaml);
    write_permille("cpu_use", windows->cpu_permille, yaml);
    text_append_format(yaml, "    move: %s\n", moves[windows->move]);
}

static void write_syscalls(const struct machine_workload *calls, struct text *yaml)
{
    text_append_format(
        yaml,
        "    processes: %" PRIu64 "\n    syscalls_per_second: %" PRIu64 "\n    copied: %" PRIu64
        "B\n    memory: %" PRIu64 "KiB\n    touch_rate: %" PRIu64 "\n",
        calls->processes, calls->calls, calls->copied, calls->pages * 4, calls->rate);
    write_permille("cpu_use", calls->cpu_permille, yaml);
}

static void write_mixed(const struct machine_workload *mixed, uint64_t frames, struct text *yaml)
{
    static const char *const populates[] = {"none", "read", "write"};
    const uint64_t billionths = (mixed->pages * 1000000000 + frames - 1) / frames;
    text_append_format(yaml,
                       "    processes: %" PRIu64 "\n    working_set: %" PRIu64 ".%09" PRIu64
                       "\n    touch_rate: %" PRIu64 "\n    syscalls_per_second: %" PRIu64
                       "\n    populate: %s\n    device: %" PRIu64 "\n",
                       mixed->processes, billionths / 1000000000, billionths % 1000000000,
                       mixed->rate, mixed->calls, populates[mixed->populate], mixed->device);
    write_permille("text", mixed->text_permille, yaml);
    write_permille("files", mixed->files_permille, yaml);
    write_permille("text_touches", mixed->text_touches_permille, yaml);
    write_permille("file_touches", mixed->file_touches_permille, yaml);
    write_permille("hot_fraction", mixed->hot_permille, yaml);
    write_permille("hot_share", mixed->hot_touches_permille, yaml);
    write_permille("write_share", mixed->write_permille, yaml);
    write_permille("cpu_use", mixed->cpu_permille, yaml);
}

static void write_fork_exit(const struct machine_workload *forks, struct text *yaml)
{
    static const char *const sizes[] = {"fixed", "uniform", "log_uniform"};
    text_append_format(yaml,
                       "    loops: %" PRIu64 "\n    iterations: %" PRIu64
                       "\n    shell_text: %" PRIu64 "KiB\n    shell_data: %" PRIu64
                       "KiB\n    shell_writes: %" PRIu64 "\n    child_writes: %" PRIu64
                       "\n    programs: %" PRIu64 "\n    program_text: %" PRIu64
                       "KiB\n    data_min: %" PRIu64 "KiB\n    data_max: %" PRIu64
                       "KiB\n    sizes: %s\n    touch_time: %" PRIu64
                       "ns\n    syscalls_per_second: %" PRIu64 "\n    copied: %" PRIu64 "B\n",
                       forks->processes, forks->iterations, (forks->text + 1) / 2 * 4,
                       forks->private_pages * 4, forks->shell_writes, forks->child_writes,
                       forks->programs, forks->text * 4, forks->data_min * 4, forks->pages * 4,
                       sizes[forks->sizes], forks->touch_ns, forks->calls, forks->copied);
    write_permille("exec_share", forks->exec_permille, yaml);
    write_permille("text_touched", forks->text_permille, yaml);
}

static void write_fork_tree(const struct machine_workload *tree, struct text *yaml)
{
    text_append_format(
        yaml,
        "    children: %" PRIu64 "\n    memory: %" PRIu64 "KiB\n    fork_every: %" PRIu64
        "\n    child_touches: %" PRIu64 "\n    touch_time: %" PRIu64 "ns\n",
        tree->processes, tree->pages * 4, tree->fork_every, tree->child_touches, tree->touch_ns);
    write_permille("write_share", tree->write_permille, yaml);
    write_permille("cpu_use", tree->cpu_permille, yaml);
}

static void write_workload(const struct machine_workload *workload, uint64_t frames, unsigned index,
                           struct text *yaml)
{
    static const char *const kinds[] = {"database",  "shm_copy",      "page_cache_reader",
                                        "file_copy", "rmap_test",     "one_page_vmas",
                                        "windows",   "syscall_heavy", "mixed",
                                        "fork_exit", "anon_fork_tree"};
    text_append_format(yaml, "  - kind: %s\n    name: w%u\n", kinds[workload->kind], index);
    if (workload->kind == MACHINE_DATABASE) {
        write_database(workload, yaml);
        return;
    }
    if (workload->kind == MACHINE_WINDOWS) {
        write_windows(workload, yaml);
        return;
    }
    if (workload->kind == MACHINE_SYSCALLS) {
        write_syscalls(workload, yaml);
        return;
    }
    if (workload->kind == MACHINE_MIXED) {
        write_mixed(workload, frames, yaml);
        return;
    }
    if (workload->kind == MACHINE_FORK_EXIT) {
        write_fork_exit(workload, yaml);
        return;
    }
    if (workload->kind == MACHINE_FORK_TREE) {
        write_fork_tree(workload, yaml);
        return;
    }
    if (workload->kind >= MACHINE_RMAP_TEST) {
        write_many_vmas(workload, yaml);
        return;
    }
    text_append_format(yaml, "    size: %" PRIu64 "KiB\n    rate: %" PRIu64 "B/s\n",
                       workload->pages * 4, workload->rate);
    if (workload->kind == MACHINE_READER) {
        text_append_format(yaml, "    device: %" PRIu64 "\n    rounds: %" PRIu64 "\n",
                           workload->device, workload->rounds);
    } else if (workload->kind == MACHINE_FILE_COPY) {
        text_append_format(yaml, "    from: %" PRIu64 "\n    to: %" PRIu64 "\n", workload->device,
                           workload->to);
    }
}

static uint64_t write_machine(const struct machine_choice *machine, struct text *yaml)
{
    uint64_t frames = machine->frames;
    uint64_t ballast = machine->ballast;
    if (machine->low_left > 0) {
        size_by_mem_map(machine, &frames, &ballast);
    }
    text_append_format(yaml,
                       "machine:\n  arch: %s\n  memory: %" PRIu64 "KiB\n  cpus: %" PRIu64 "\n",
                       archs[machine->arch], frames * 4, machine->cpus);
    if (machine->auto_ballast) {
        text_append(yaml, "  ballast: auto\n");
    } else {
        text_append_format(yaml, "  ballast: %" PRIu64 "KiB\n", ballast * 4);
    }
    if (machine->cache_line > 0) {
        text_append_format(yaml, "  cache_line: %" PRIu64 "\n", machine->cache_line);
    }
    if (machine->large_pages > 0) {
        text_append_format(yaml, "  large_pages: %" PRIu64 "MiB\n", machine->large_pages);
    }
    if (machine->tlb.there) {
        write_tlb(&machine->tlb, yaml);
    }
    write_device(&machine->swap, true, yaml);
    write_device(&machine->disk, false, yaml);
    return frames;
}

static void write_curves(const struct machine_choice *machine, struct text *yaml)
{
    text_append_format(yaml, "  contention:\n    utilisation_limit: { share: %" PRIu64 "%% }\n",
                       machine->utilisation_percent);
    for (int kind = 0; kind < LOCK_KINDS; kind++) {
        text_append_format(yaml, "    %s: { ", contention_options.rows[kind].key);
        for (int point = 0; point < LOCK_CURVE_POINTS; point++) {
            text_append_format(yaml, "%scpus_%u: %" PRIu64, point > 0 ? ", " : "", 2U << point,
                               machine->factor[kind][point]);
        }
        text_append(yaml, " }\n");
    }
}

void machine_write(const struct machine_choice *machine, struct text *yaml)
{
    text_append_format(yaml, "title: random machine %" PRIu64 "\nseed: %" PRIu64 "\n",
                       machine->number, machine->seed);
    text_append_format(yaml,
                       "duration: %" PRIu64 "us\nepoch: %" PRIu64 "us\nquantum: %" PRIu64
                       "us\nstall: %" PRIu64 "us\n",
                       machine->duration_us, machine->epoch_us, machine->quantum_us,
                       machine->stall_us);
    text_append_format(yaml,
                       "phases: { warmup: %" PRIu64 "us, pressure: { until_freed: %" PRIu64
                       "%% } }\noutput: { interval: %" PRIu64 "us }\n",
                       machine->warmup_us, machine->until_freed_percent, machine->interval_us);
    const uint64_t frames = write_machine(machine, yaml);
    write_design(machine, yaml);
    text_append(yaml, "workloads:\n");
    for (unsigned i = 0; i < machine->nworkloads; i++) {
        write_workload(&machine->workloads[i], frames, i, yaml);
    }
    text_append(yaml, "costs:\n  name: random\n  costs:\n");
    for (int i = 0; i < COST_COUNT; i++) {
        text_append_format(yaml,
                           "    %s: { time: %" PRIu64 ".%03" PRIu64
                           "ns, from: assumed, source: drawn at random }\n",
                           cost_key((enum cost)i), machine->cost_ps[i] / 1000,
                           machine->cost_ps[i] % 1000);
    }
    if (machine->has_curves) {
        write_curves(machine, yaml);
    }
}

const char *machine_design(const struct machine_choice *machine)
{
    return presets[machine->design] != NULL ? presets[machine->design] : axes[machine->design].rmap;
}
