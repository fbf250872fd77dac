/* Machines as they are drawn: size, design, workloads, costs. What further kinds of them are is in
 * machines_more.c. */
#include "oracle/machines.h"

#include <string.h>

#include "config/scenario.h"
#include "oracle/dice.h"

/* What was drawn before there was more to draw stays what it was. */
enum { DRAWN_WORKLOADS_MAX = 4, DRAWN_COSTS = COST_SYSCALL + 1 };

static void choose_device(struct dice *dice, struct machine_device *device)
{
    device->devices = dice_in_100(dice, 60) ? 1 : dice_between(dice, 2, 3);
    device->bytes_per_second = dice_magnitude(dice, 1000000, 2000000000);
    device->latency_us = dice_in_100(dice, 10) ? 0 : dice_magnitude(dice, 1, 10000);
    device->queue = dice_in_100(dice, 20) ? dice_between(dice, 1, 4) : dice_magnitude(dice, 4, 256);
}

static void choose_database(struct dice *dice, struct machine_workload *database)
{
    database->kind = MACHINE_DATABASE;
    database->pages = dice_magnitude(dice, 64, 4096);
    database->processes = dice_in_100(dice, 20) ? 1 : dice_between(dice, 2, 12);
    /* Enough ptes for every rule, few enough for ten thousand machines. */
    database->pages = min_u64(database->pages, 16384 / database->processes);
    database->window = dice_in_100(dice, 80) ? 0 : dice_between(dice, 1, database->pages);
    database->private_pages = dice_in_100(dice, 15)   ? 0
                              : dice_in_100(dice, 20) ? dice_between(dice, 1, 16)
                                                      : dice_magnitude(dice, 16, 512);
    database->file = dice_in_100(dice, 25);
    database->populate = (unsigned)DICE_ONE_OF(dice, 0, 0, 1, 2, 2, 2);
    database->access = (unsigned)dice_between(dice, 0, 2);
    database->rate = dice_magnitude(dice, 1000, 200000);
    database->private_percent = DICE_ONE_OF(dice, 0, 10, 50, 100);
    database->hot_permille = dice_between(dice, 0, 1000);
    database->hot_touches_permille = dice_between(dice, 0, 1000);
    database->zipf_permille = dice_between(dice, 0, 1000);
    database->write_permille = dice_in_100(dice, 15) ? DICE_ONE_OF(dice, 0, 1000)
                                                     : dice_between(dice, 0, 1000);
    database->log_writes = dice_in_100(dice, 70) ? 0 : dice_magnitude(dice, 1, 20000);
    database->cpu_permille = dice_between(dice, 1, 1000);
}

static void choose_sequential(struct dice *dice, const struct machine_choice *machine,
                              struct machine_workload *workload)
{
    workload->kind = dice_in_100(dice, 65) ? MACHINE_COPY : MACHINE_READER;
    workload->pages = dice_magnitude(dice, 64, 8192);
    workload->rate = dice_magnitude(dice, 1000000, 1000000000);
    workload->device = dice_between(dice, 0, machine->disk.devices - 1);
    workload->rounds = dice_between(dice, 1, 3);
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
    machine->frames = dice_between(dice, least, max_u64(least, most));
    machine->auto_ballast = dice_in_100(dice, 25);
    machine->ballast = 0;
    if (machine->arch != 2 && dice_in_100(dice, 15)) {
        /* High memory, of which ballast leaves little. */
        machine->frames = dice_between(dice, 896 * 256 + 300, 1200 * 256);
        machine->auto_ballast = dice_in_100(dice, 10);
        const uint64_t taken = frames_of_kernel(machine) + populated;
        const uint64_t leave = dice_between(dice, is_2_4 ? 100 : 500, 600 + all);
        machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    } else if (!machine->auto_ballast && dice_in_100(dice, 60)) {
        const uint64_t taken = frames_of_kernel(machine) + populated;
        const uint64_t leave = dice_between(dice, is_2_4 ? 60 : 300, 300 + all / 2);
        machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    }
}

/* The costs that there were when the first machines were kept. */

static void choose_costs(struct dice *dice, struct machine_choice *machine)
{
    const uint64_t scale = dice_magnitude(dice, 1, 64);
    const bool some_zero = dice_in_100(dice, 30);
    for (size_t i = 0; i < DRAWN_COSTS; i++) {
        const bool zero = some_zero && dice_in_100(dice, 30);
        machine->cost_ps[i] = zero ? 0 : dice_magnitude(dice, 1000, 400000) * scale / 8;
    }
    machine->cost_ps[COST_PTE_SKIP] /= 64;
    if (dice_in_100(dice, 3)) {
        memset(machine->cost_ps, 0, sizeof machine->cost_ps);
    }
}

static void choose_times(struct dice *dice, struct machine_choice *machine)
{
    machine->epoch_us = dice_in_100(dice, 50) ? 1000 : dice_magnitude(dice, 100, 5000);
    machine->quantum_us = min_u64(machine->epoch_us,
                                  dice_in_100(dice, 40) ? 1 : dice_magnitude(dice, 2, 500));
    machine->duration_us = dice_magnitude(dice, 50000, 2000000);
    /* Reclaim may run all the time, one step after the other: bound the number of steps. */
    machine->duration_us = min_u64(machine->duration_us, 100000 + 20000 * machine->quantum_us);
    machine->duration_us = min_u64(machine->duration_us, 3000 * machine->epoch_us);
    machine->warmup_us = dice_in_100(dice, 10)
                             ? 0
                             : dice_between(dice, 1, machine->duration_us * 3 / 10);
    machine->stall_us = dice_in_100(dice, 30) ? dice_magnitude(dice, 1000, machine->duration_us)
                                              : dice_between(dice, 1, 4) * machine->duration_us;
    machine->interval_us = dice_between(dice, machine->duration_us / 20, machine->duration_us / 2);
    machine->until_freed_percent = dice_in_100(dice, 20) ? dice_between(dice, 1, 100) : 0;
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
    const bool lowmem = machine->arch != 2 && dice_in_100(dice, 30);
    demand(machine, &populated, &all);
    if (lowmem) {
        machine->frames = dice_between(dice, 896 * 256 + 300, 1000 * 256);
        machine->swap.pages = dice_in_100(dice, 70) ? 0 : dice_between(dice, 1, 300);
        machine->workloads[0].populate = 0;
        machine->workloads[0].file = false;
        demand(machine, &populated, &all);
    } else {
        machine->frames = 1536 + populated * 11 / 10 + dice_between(dice, 0, all);
        machine->swap.pages = dice_magnitude(dice, 512, 32768);
    }
    machine->auto_ballast = false;
    const uint64_t taken = exact_frames_of_kernel(machine) + populated;
    const uint64_t leave = dice_between(dice, is_2_4 ? 60 : 300,
                                        (is_2_4 ? 160 : 400) + (lowmem ? 0 : all / 16));
    machine->ballast = machine->frames - min_u64(machine->frames, taken + leave);
    machine->until_freed_percent = 0;
    /* They reclaim all the time: a tenth of the time is enough. */
    machine->duration_us = min_u64(machine->duration_us, 10000 + 1500 * machine->quantum_us);
    machine->duration_us = min_u64(machine->duration_us, 200 * machine->epoch_us);
    machine->warmup_us = min_u64(machine->warmup_us, machine->duration_us / 5);
    machine->stall_us = dice_in_100(dice, 50) ? machine->duration_us / 5 : 2 * machine->duration_us;
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
        machine->cost_ps[i] = dice_magnitude(&dice, 1000, 1000000);
    }
    if (machine->arch == ARCH_X86_64 || !dice_in_100(&dice, 60)) {
        return;
    }
    machine->high_tables = dice_in_100(&dice, 40);
    machine->split_4g4g = dice_in_100(&dice, 25);
    if (dice_in_100(&dice, 40)) {
        machine->low_left = 600 + dice_magnitude(&dice, 32, 2048);
        machine->high_left = dice_in_100(&dice, 30) ? 0 : dice_between(&dice, 500, 12000);
        machine->auto_ballast = false;
    }
}

static void choose_windows(struct dice *dice, struct machine_workload *windows)
{
    windows->kind = MACHINE_WINDOWS;
    windows->processes = dice_in_100(dice, 30) ? 1 : dice_between(dice, 2, 6);
    windows->windows = dice_between(dice, 1, 4);
    windows->pages = dice_magnitude(dice, 64, 8192);
    const uint64_t most = min_u64(windows->pages, 8192 / windows->processes / windows->windows);
    windows->window = dice_between(dice, 1, max_u64(1, most));
    windows->file = dice_in_100(dice, 50);
    windows->populate = 0;
    windows->access = (unsigned)dice_between(dice, 0, 2);
    windows->rate = dice_magnitude(dice, 1000, 200000);
    windows->moves = dice_in_100(dice, 10) ? 0 : dice_magnitude(dice, 4, 4096);
    windows->hot_permille = dice_between(dice, 0, 1000);
    windows->hot_touches_permille = dice_between(dice, 0, 1000);
    windows->zipf_permille = dice_between(dice, 0, 1000);
    windows->write_permille = dice_between(dice, 0, 1000);
    windows->cpu_permille = dice_between(dice, 1, 1000);
    struct dice more = {.number = dice->number, .next = (uint64_t)1 << 24};
    windows->move = (unsigned)DICE_ONE_OF(&more, 0, 0, 1, 2, 2);
}

static void choose_fork_exit(struct dice *dice, struct machine_workload *forks)
{
    forks->kind = MACHINE_FORK_EXIT;
    forks->processes = dice_in_100(dice, 30) ? 1 : dice_between(dice, 2, 6);
    forks->iterations = dice_in_100(dice, 70) ? 0 : dice_magnitude(dice, 1, 64);
    forks->pages = dice_magnitude(dice, 1, 128); /* of data */
    forks->private_pages = dice_magnitude(dice, 1, 128);
    forks->data_min = dice_between(dice, 1, forks->pages);
    forks->text = dice_magnitude(dice, 1, 700);
    forks->programs = dice_between(dice, 1, 3);
    forks->shell_writes = dice_between(dice, 0, 20);
    forks->child_writes = dice_between(dice, 0, 20);
    forks->exec_permille = dice_in_100(dice, 20) ? DICE_ONE_OF(dice, 0, 1000)
                                                 : dice_between(dice, 0, 1000);
    forks->text_permille = dice_between(dice, 0, 1000);
    forks->sizes = (unsigned)dice_between(dice, 0, 2);
    forks->touch_ns = dice_magnitude(dice, 500, 50000);
    /* From dice of their own, so that what is thrown after them is what it always was. */
    struct dice calls = {.number = dice->number, .next = (uint64_t)1 << 24};
    forks->calls = dice_in_100(&calls, 50) ? 0 : dice_magnitude(&calls, 1000, 1000000);
    forks->copied = dice_in_100(&calls, 50) ? 0 : dice_magnitude(&calls, 1, 65536);
}

static void choose_fork_tree(struct dice *dice, struct machine_workload *tree)
{
    tree->kind = MACHINE_FORK_TREE;
    tree->processes = dice_between(dice, 1, 10);
    tree->pages = dice_magnitude(dice, 1, 1024);
    tree->fork_every = dice_magnitude(dice, 1, 2000);
    tree->child_touches = dice_magnitude(dice, 1, 4000);
    tree->write_permille = dice_between(dice, 0, 1000);
    tree->touch_ns = dice_magnitude(dice, 1000, 50000);
    tree->cpu_permille = dice_between(dice, 1, 1000);
}

/* Workloads that came later. */
static void choose_more(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 20};
    if (dice_in_100(&dice, 25)) {
        struct machine_workload *windows = &machine->workloads[machine->nworkloads++];
        choose_windows(&dice, windows);
        if (machine->design == DESIGN_2_4_23) { /* had no remap_file_pages() */
            windows->move = min_u64(windows->move, 1) != 0;
        }
    }
    if (dice_in_100(&dice, 20)) {
        choose_fork_exit(&dice, &machine->workloads[machine->nworkloads++]);
    }
    if (dice_in_100(&dice, 20)) {
        struct machine_workload *tree = &machine->workloads[machine->nworkloads++];
        choose_fork_tree(&dice, tree);
        machine->frames += tree->pages; /* which it fills before the clock starts */
    }
}

/* Curves of any form, some of which fall; none: those that are assumed. */
static void choose_contention(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 28};
    machine->has_curves = dice_in_100(&dice, 70);
    machine->utilisation_percent = dice_between(&dice, 0, 100);
    for (int kind = 0; kind < LOCK_KINDS; kind++) {
        const uint64_t most = dice_magnitude(&dice, 1001, 100000);
        for (int point = 0; point < LOCK_CURVE_POINTS; point++) {
            machine->factor[kind][point] = dice_between(&dice, 1000, most);
        }
    }
}

void machine_choose_drawn(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number};
    *machine = (struct machine_choice){.number = number};
    machine->seed = dice_throw(&dice) >> 2;
    machine->arch = (unsigned)dice_between(&dice, 0, 2);
    machine->design = (unsigned)dice_between(&dice, 0, DESIGNS_DRAWN - 1);
    machine->by_axes = !dice_in_100(&dice, 80);
    machine->page_direct = dice_in_100(&dice, 70) ? 0 : (unsigned)dice_between(&dice, 1, 2);
    machine->cpus = dice_in_100(&dice, 40) ? dice_between(&dice, 1, 2) : dice_between(&dice, 1, 8);
    machine->cache_line = DICE_ONE_OF(&dice, 0, 32, 64, 128);
    choose_device(&dice, &machine->swap);
    choose_device(&dice, &machine->disk);
    choose_database(&dice, &machine->workloads[machine->nworkloads++]);
    if (dice_in_100(&dice, 10)) {
        choose_database(&dice, &machine->workloads[machine->nworkloads++]);
    }
    do {
        choose_sequential(&dice, machine, &machine->workloads[machine->nworkloads++]);
    } while (machine->nworkloads < DRAWN_WORKLOADS_MAX && dice_in_100(&dice, 20));
    choose_memory(&dice, machine);
    const unsigned kind_of_swap = (unsigned)dice_between(&dice, 0, 9);
    machine->swap.pages = kind_of_swap == 0   ? 0
                          : kind_of_swap <= 2 ? dice_magnitude(&dice, 1, 512)
                                              : dice_magnitude(&dice, 512, 32768);
    choose_times(&dice, machine);
    choose_costs(&dice, machine);
    if (number >= MACHINES_TIGHT_FROM) {
        tighten(&dice, machine);
    }
    choose_kernel_memory(machine);
    choose_more(machine);
    choose_contention(machine);
}
