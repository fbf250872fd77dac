/* A drawn machine as a scenario. */
#include "oracle/machines.h"

#include <inttypes.h>
#include <string.h>

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
static const char *const archs[] = {"i386", "i386-pae", "x86_64"};

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
