/* What became of drawn machines as there was more to draw: relatives of their designs, fixes, large
 * pages, a TLB, and workloads beside theirs. Each has random numbers of its own, so that a machine
 * is what it was but for them. */
#include "oracle/machines.h"

#include "oracle/dice.h"

/* The relatives of each that is drawn. */
enum { RELATIVES_MAX = 8 };
static const struct {
    unsigned n, of[RELATIVES_MAX];
} relatives[DESIGNS_DRAWN] = {
    [DESIGN_2_4_23] = {1, {DESIGN_2_4_22}},
    [DESIGN_2_6_0] = {1, {DESIGN_2_5_27}},
    [DESIGN_OBJRMAP] = {3, {DESIGN_PRIO_TREE, DESIGN_ANONMM, DESIGN_2_6_7}},
};

/* One more workload: processes that map an object by windows, with memory for what they populate.
 */
static void add_many_vmas(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *windows = &machine->workloads[machine->nworkloads++];
    *windows = (struct machine_workload){
        .kind = dice_in_100(dice, 70) ? MACHINE_RMAP_TEST : MACHINE_ONE_PAGE_VMAS,
        .processes = dice_between(dice, 1, 6),
        .windows = dice_magnitude(dice, 1, 64),
        .pages = dice_magnitude(dice, 1, 64),
        .populate = (unsigned)dice_between(dice, 0, 2),
        .file = dice_in_100(dice, 50),
        .at_random = dice_in_100(dice, 50),
        .rounds = dice_between(dice, 1, 4),
        .device = dice_between(dice, 0, machine->disk.devices - 1),
        .touch_ns = dice_magnitude(dice, 100, 1000000),
    };
    if (windows->kind == MACHINE_ONE_PAGE_VMAS) {
        const bool scans = machine->design == DESIGN_2_4_23 || machine->design == DESIGN_2_4_22;
        windows->pages = 1;
        windows->windows *= 16;
        windows->nonlinear = !scans && dice_in_100(dice, 50);
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
    const bool all = dice_in_100(dice, 40);
    machine->scan_uses_objects = is_2_4 && (all || dice_in_100(dice, 50));
    machine->prompt = (is_2_4 && all) || dice_in_100(dice, 40);
    machine->clean_first = machine->design == DESIGN_2_4_23 && (all || dice_in_100(dice, 50));
}

static void extend_sequential(struct dice *dice, struct machine_choice *machine,
                              struct machine_workload *workload)
{
    if (dice_in_100(dice, 60)) {
        workload->kind = MACHINE_FILE_COPY;
        workload->device = dice_between(dice, 0, machine->disk.devices - 1);
        workload->to = dice_between(dice, 0, machine->disk.devices - 1);
        const unsigned kind = (unsigned)dice_between(dice, 0, 9);
        if (kind <= 2) {
            /* On a disk that reads faster than it writes, and more than may be dirty. */
            workload->pages = min_u64(machine->frames, 16384);
            workload->to = workload->device;
            workload->rate = 500000000;
            machine->disk.queue = dice_between(dice, 2, 6);
            machine->disk.bytes_per_second = dice_magnitude(dice, 100000000, 1000000000);
            machine->disk.latency_us = dice_between(dice, 0, 100);
        } else if (kind == 3) {
            /* The round of who writes old pages is of seconds: some machines live to see a few. */
            machine->epoch_us = 50000;
            machine->quantum_us = 20000;
            machine->duration_us = 60000000;
            machine->interval_us = 3000000;
            workload->rate = dice_magnitude(dice, 20000, 400000);
        }
    }
}

void machine_extend(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number, .next = (uint64_t)UINT32_MAX << 1};
    extend_design(&dice, machine);
    machine->workloads[0].locked = dice_in_100(&dice, 15);
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
            const uint64_t ways = DICE_ONE_OF(dice, 0, 1, 2, 4, 8);
            const uint64_t sets = dice_magnitude(dice, 1, level == 0 ? 16 : 64);
            const bool exists = i == 0 ? level == 0 || dice_in_100(dice, 60)
                                       : dice_in_100(dice, 40);
            tlb->array[level][i].entries = exists ? max_u64(ways, 1) * sets : 0;
            tlb->array[level][i].ways = ways;
            tlb->array[level][i].pages = (unsigned)dice_between(dice, 0, 6);
        }
    }
    tlb->l2_hit_ps = dice_magnitude(dice, 1000, 20000);
    tlb->walk_step_ps = dice_magnitude(dice, 1000, 20000);
    tlb->walk_memory_ps = dice_magnitude(dice, 10000, 2000000);
    tlb->walk_misses = dice_between(dice, 0, 4);
    tlb->tagged = dice_in_100(dice, 30);
    tlb->timeslice_us = dice_magnitude(dice, 1, 20000);
    tlb->sampling = dice_in_100(dice, 50) ? 1 : dice_between(dice, 2, 5);
}

/* Segments of shared memory in large pages; the machine gets so much larger. */
static void choose_large_pages(struct dice *dice, struct machine_choice *machine)
{
    machine->shared_pages = machine->arch == 0                            ? 2
                            : machine->arch == 2 && dice_in_100(dice, 30) ? 3
                                                                          : 1;
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
                                       : dice_between(dice, 1, workload->pages / of_page) * of_page;
            }
        }
    }
    if (dice_in_100(dice, 30)) {
        pages += dice_between(dice, 1, 3);
        machine->large_pages = pages * mib[machine->shared_pages];
    }
    machine->frames += pages * of_page + pages * of_page / 40;
}

static void add_syscalls(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *calls = &machine->workloads[machine->nworkloads++];
    *calls = (struct machine_workload){
        .kind = MACHINE_SYSCALLS,
        .processes = dice_between(dice, 1, 6),
        .pages = dice_magnitude(dice, 1, 256),
        .calls = dice_in_100(dice, 10) ? 0 : dice_magnitude(dice, 1, 200000),
        .copied = dice_in_100(dice, 50) ? 0 : dice_magnitude(dice, 1, 65536),
        .rate = dice_magnitude(dice, 1, 100000),
        .cpu_permille = dice_between(dice, 1, 1000),
    };
    machine->frames += calls->processes * (calls->pages + 12);
}

static void add_mixed(struct dice *dice, struct machine_choice *machine)
{
    struct machine_workload *mixed = &machine->workloads[machine->nworkloads++];
    *mixed = (struct machine_workload){
        .kind = MACHINE_MIXED,
        .processes = dice_between(dice, 1, 9),
        .pages = dice_magnitude(dice, 16, 8192),
        .rate = dice_magnitude(dice, 1000, 200000),
        .calls = dice_in_100(dice, 50) ? 0 : dice_magnitude(dice, 1, 100000),
        .device = dice_between(dice, 0, machine->disk.devices - 1),
        .populate = machine->low_left > 0 ? 0 : (unsigned)DICE_ONE_OF(dice, 0, 0, 1, 2),
        .text_permille = dice_in_100(dice, 20) ? 0 : dice_between(dice, 0, 500),
        .files_permille = dice_in_100(dice, 20) ? 0 : dice_between(dice, 0, 500),
        .text_touches_permille = dice_between(dice, 0, 500),
        .file_touches_permille = dice_between(dice, 0, 500),
        .hot_permille = dice_between(dice, 0, 1000),
        .hot_touches_permille = dice_between(dice, 0, 1000),
        .write_permille = dice_between(dice, 0, 1000),
        .cpu_permille = dice_between(dice, 1, 1000),
    };
    machine->frames += 12 * mixed->processes +
                       (mixed->populate == 0 ? mixed->pages / 4 : mixed->pages * 9 / 8);
}

/* Machines with these workloads beside are what they were but for them. */
static bool choose_more_beside(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 41};
    const unsigned before = machine->nworkloads;
    if (dice_in_100(&dice, 20)) {
        add_syscalls(&dice, machine);
    }
    if (dice_in_100(&dice, 25)) {
        add_mixed(&dice, machine);
    }
    return machine->nworkloads > before;
}

bool machine_choose_beside(struct machine_choice *machine)
{
    struct dice dice = {.number = machine->number, .next = (uint64_t)1 << 40};
    const bool more = choose_more_beside(machine);
    if (dice_in_100(&dice, 30)) {
        choose_tlb(&dice, &machine->tlb);
    }
    if (dice_in_100(&dice, machine->tlb.there ? 40 : 10)) {
        choose_large_pages(&dice, machine);
    }
    return more || machine->tlb.there || machine->shared_pages > 0;
}

void machine_choose(uint64_t number, struct machine_choice *machine)
{
    struct dice dice = {.number = number, .next = UINT32_MAX};
    machine_choose_drawn(number, machine);
    if (dice_in_100(&dice, 55)) {
        const unsigned drawn = machine->design;
        machine->design = relatives[drawn].of[dice_between(&dice, 0, relatives[drawn].n - 1)];
    }
    if (number < MACHINES_TIGHT_FROM && dice_in_100(&dice, 30)) {
        add_many_vmas(&dice, machine);
    }
    if (dice_in_100(&dice, 40)) {
        machine_extend(number, machine);
    }
    machine_choose_beside(machine);
}
