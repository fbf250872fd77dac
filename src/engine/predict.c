#include "engine/predict.h"

#include "base/units.h"
#include "designs/designs.h"
#include "machine/ledger.h"
#include "machine/populate_needs.h"

/* A process beside its arrays: MPI, HDF5, topology. Measured on Debian 12 with OpenMPI 4.1: 21 MiB
 * alone, 24 to 30 as one of two. */
static const byte_count process_bytes = (byte_count)26 << 20;

/* Wall time per touch and per second of simulated reclaim, measured on a 2.6 GHz x86 server core.
 */
static const double seconds_per_touch = 90e-9;
static const double seconds_per_reclaim_second = 0.02;
static const double seconds_per_pte_populated = 1.5e-9;

/* Of a process that has all the CPU it wants. */
static double touches_per_second_of(const struct workload_set *set,
                                    const struct plan_process *process)
{
    const struct workload *workload = &set->workload[process->workload];
    return (double)process->cpu_share / (double)CPU_SHARE_ONE * 1e9 * TICKS_PER_NS /
           (double)workload->work_per_touch;
}

static double touches_per_second(const struct workload_set *set)
{
    double touches = 0;
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        touches += touches_per_second_of(set, &set->plan.processes[i]);
    }
    return touches;
}

/* Of a run to its duration: no more than its CPUs and the ends of its processes allow. */
static double touches_in_all(const struct scenario *scenario, const struct workload_set *set)
{
    const struct plan *plan = &set->plan;
    const double duration = sim_seconds(scenario->duration);
    double wanted = 0; /* CPUs */
    for (size_t i = 0; i < plan->nprocesses; i++) {
        wanted += (double)plan->processes[i].cpu_share / (double)CPU_SHARE_ONE;
    }
    const double cpus = (double)scenario->machine.cpus;
    const double given = wanted > cpus ? cpus / wanted : 1;
    double touches = 0;
    for (size_t i = 0; i < plan->nprocesses; i++) {
        const struct plan_process *process = &plan->processes[i];
        const double made = duration * given * touches_per_second_of(set, process);
        const double last = (double)process->touches;
        touches += process->touches > 0 && last < made ? last : made;
    }
    return touches;
}

/* The series in memory: a point for each interval of the whole duration, machine-wide and of each
 * cell. */
static byte_count series_bytes(const struct scenario *scenario, cell_id ncells)
{
    uint64_t points = scenario->duration / scenario->output.interval + 2;
    uint128 bytes = (uint128)points * METRIC_COUNT * sizeof(uint64_t) * (1 + (uint64_t)ncells);
    return bytes < (byte_count)1 << 60 ? (byte_count)bytes : (byte_count)1 << 60;
}

/* What a rank has beside arrays and series: of the whole machine, of its cells, and of an epoch, in
 * which each touch may fault and say so to all. */
static byte_count common_bytes(const struct scenario *scenario, const struct workload_set *set,
                               cell_id ncells_here, int nranks)
{
    const struct plan *plan = &set->plan;
    double ncells = (double)scenario->machine.cells;
    double of_machine = (double)plan->nprocesses *
                            (sizeof *plan->processes + sizeof(struct home) + sizeof(uint64_t)) +
                        (double)plan->nvmas * sizeof *plan->vmas +
                        (double)plan->nobjects * sizeof *plan->objects +
                        ncells * (sizeof(struct cell_account) + sizeof(struct cell_report));
    double of_cells = (double)ncells_here *
                      ((double)workloads_draws_bytes(set) + sizeof(struct cell));
    double touches = touches_per_second(set) * (double)scenario->epoch / (1e9 * TICKS_PER_NS);
    double drawn = touches / ncells * (2 * sizeof(struct touch) + 2 * sizeof(uint32_t));
    double said = 2 * touches < (double)plan->nprocesses * ncells
                      ? 2 * touches
                      : (double)plan->nprocesses * ncells;
    /* Messages in outboxes, in the exchange, and sorted three ways. */
    double exchanged = 5 * said * sizeof(struct message) +
                       (double)nranks * (double)exchange_bytes_per_rank();
    double bytes = of_machine + of_cells + drawn + exchanged;
    return bytes < 1e18 ? (byte_count)bytes : (byte_count)1e18;
}

/* The arrays of the cells of one rank, the one that has most. */
static void predict_arrays(const struct scenario *scenario, const struct workload_set *set,
                           const struct design *design, cell_id ncells,
                           struct prediction *prediction)
{
    for (cell_id k = 0; k < ncells; k++) {
        struct cell cell;
        cell_layout(scenario, &set->plan, design, k, &cell);
        for (size_t i = 0; i < cell.state.narrays; i++) {
            const struct state_array *array = &cell.state.array[i];
            prediction->memory[i].name = array->name;
            prediction->memory[i].what = array->what;
            prediction->memory[i].predicted += state_predicted(array);
            prediction->arrays += state_predicted(array);
        }
        prediction->nmemory = cell.state.narrays;
    }
}

/* Frames that page-table entries cannot hold the numbers of are of no machine. */
static enum status check_addresses(const struct scenario *scenario)
{
    const struct arch *arch = &arch_table[scenario->machine.arch];
    if (arch->frames_max == 0 || scenario->machine.memory >> PAGE_SHIFT <= arch->frames_max) {
        return STATUS_OK;
    }
    const unsigned bits = scenario->machine.arch == ARCH_I386 ? 32 : 36;
    return fail(STATUS_USAGE,
                "%s: machine.memory: %s addresses %" PRIpages
                " GiB, with %u bits, and the machine has %" PRIpages " MiB; give it %s",
                scenario_where(scenario, "machine.memory"), arch->name,
                arch->frames_max >> (30 - PAGE_SHIFT), bits, scenario->machine.memory >> 20,
                scenario->machine.arch == ARCH_I386 ? "less, or machine.arch=i386-pae or x86_64"
                                                    : "less, or machine.arch=x86_64");
}

/* What the workloads and the kernel need before the clock starts has room, and so has the pool of
 * large pages; a pool that is larger than the segments need is to blame for itself. */
static enum status check_memory(const struct scenario *scenario, const struct plan *plan,
                                const struct populate_needs *needs)
{
    const page_count frames = scenario->machine.memory >> PAGE_SHIFT;
    const page_count needed = needs->frames + needs->kept;
    if (needed + needs->apart <= frames) {
        return STATUS_OK;
    }
    const page_count mib = (page_count)1 << (20 - PAGE_SHIFT);
    if (needed <= frames) {
        return fail(STATUS_USAGE,
                    "%s: machine.cells: the workloads need %" PRIpages
                    " MiB before the clock starts, and %" PRIu64 " cells may leave %" PRIu64
                    " frames unused between them, but machine.memory is %" PRIpages
                    " MiB; give it fewer cells, or more memory",
                    scenario_where(scenario, "machine.cells"), (needed + mib - 1) / mib,
                    scenario->machine.cells, (uint64_t)needs->apart, frames / mib);
    }
    const page_count beyond_segments = plan->large_pool - plan_large_frames(plan);
    if (needed - beyond_segments <= frames || beyond_segments > frames) {
        return fail(STATUS_USAGE,
                    "%s: machine.large_pages: a pool of %" PRIpages
                    " MiB, of which segments need %" PRIpages ", leaves too little: %" PRIpages
                    " MiB are needed in all, but machine.memory is %" PRIpages
                    " MiB; reserve less, or say auto",
                    scenario_where(scenario, "machine.large_pages"), plan->large_pool >> 8,
                    plan_large_frames(plan) >> 8, needed >> 8, frames >> 8);
    }
    return fail(STATUS_USAGE,
                "%s: the workloads need at least %" PRIpages
                " MiB before the clock starts, with page tables, what pte chains the design keeps "
                "and what must stay free, but machine.memory is %" PRIpages
                " MiB; give it more, or populate less",
                scenario_where(scenario, "machine.memory"), (needed + mib - 1) / mib,
                scenario->machine.memory >> 20);
}

/* A ballast of a given size takes frames that are free when the clock starts. */
static enum status check_ballast(const struct scenario *scenario,
                                 const struct populate_needs *needs)
{
    const page_count free = (scenario->machine.memory >> PAGE_SHIFT) - needs->frames;
    const byte_count wanted = scenario->machine.ballast;
    if (wanted == OPTION_AUTO || pages_for(wanted) <= free) {
        return STATUS_OK;
    }
    char size[UNITS_TEXT_SIZE];
    return fail(STATUS_USAGE, "%s: machine.ballast: only %s are free when the clock starts",
                scenario_where(scenario, "machine.ballast"),
                units_print_size(free * PAGE_BYTES, size));
}

enum status predict(const struct scenario *scenario, int nranks, struct prediction *prediction_p)
{
    struct prediction prediction = {.total = process_bytes};
    struct design design;
    struct workload_set set;
    enum status status = check_addresses(scenario);
    if (status == STATUS_OK) {
        status = design_resolve(scenario, &design);
    }
    if (status == STATUS_OK) {
        status = workloads_plan(scenario, &design, &set);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = design_check_plan(scenario, &design, &set.plan);
    struct populate_needs needs = {0, 0, 0};
    if (status == STATUS_OK) {
        status = populate_needs(scenario, &set.plan, &design, &needs);
    }
    if (status == STATUS_OK) {
        status = check_memory(scenario, &set.plan, &needs);
    }
    if (status == STATUS_OK) {
        status = check_ballast(scenario, &needs);
    }
    if (status != STATUS_OK) {
        workloads_free(&set);
        return status;
    }
    page_count frames = scenario->machine.memory >> PAGE_SHIFT;
    if (scenario->machine.ballast == OPTION_AUTO && frames - needs.frames > frames / 32) {
        prediction.ballast = (frames - needs.frames - frames / 32) * PAGE_BYTES;
    }
    cell_id ncells = (cell_id)scenario->machine.cells;
    cell_id ncells_here = (ncells + (cell_id)nranks - 1) / (cell_id)nranks;
    predict_arrays(scenario, &set, &design, ncells_here, &prediction);
    prediction.series = series_bytes(scenario, ncells_here);
    prediction.common = common_bytes(scenario, &set, ncells_here, nranks);
    prediction.use = expected_use(scenario, &set.plan, &design);
    prediction.total += prediction.arrays + prediction.series + prediction.common;
    for (size_t i = 0; i < set.plan.nvmas; i++) {
        const struct plan_vma *vma = &set.plan.vmas[i];
        bool has_ptes = set.plan.objects[vma->object].page_class == PAGES_SMALL;
        prediction.nptes += vma->populate == POPULATE_NONE || !has_ptes ? 0 : vma->pages;
    }
    double duration = sim_seconds(scenario->duration);
    prediction.seconds = touches_in_all(scenario, &set) * seconds_per_touch +
                         duration * 2 * seconds_per_reclaim_second +
                         (double)prediction.nptes * seconds_per_pte_populated;
    workloads_free(&set);
    *prediction_p = prediction;
    return STATUS_OK;
}
