#include "engine/predict.h"

#include "designs/designs.h"
#include "machine/populate.h"

/* A process beside its arrays: MPI, HDF5, topology. Measured on Debian 12 with OpenMPI 4.1. */
static const byte_count process_bytes = (byte_count)30 << 20;

/* Wall time per touch and per second of simulated reclaim, measured on a 2.6 GHz x86 server core.
 */
static const double seconds_per_touch = 90e-9;
static const double seconds_per_reclaim_second = 0.02;
static const double seconds_per_pte_populated = 1.5e-9;

static double touches_per_second(const struct workload_set *set)
{
    double touches = 0;
    for (size_t i = 0; i < set->plan.nprocesses; i++) {
        const struct plan_process *process = &set->plan.processes[i];
        const struct workload *workload = &set->workload[process->workload];
        touches += (double)process->cpu_share / (double)CPU_SHARE_ONE * 1e9 * TICKS_PER_NS /
                   (double)workload->work_per_touch;
    }
    return touches;
}

/* The series in memory: a point for each interval of the whole duration, machine-wide and of each
 * cell. */
static byte_count series_bytes(const struct scenario *scenario, cell_id ncells)
{
    uint64_t points = scenario->duration / scenario->output.interval + 2;
    return points * METRIC_COUNT * sizeof(uint64_t) * (1 + (uint64_t)ncells);
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

enum status predict(const struct scenario *scenario, int nranks, struct prediction *prediction_p)
{
    struct prediction prediction = {.total = process_bytes};
    struct design design;
    struct workload_set set;
    enum status status = design_resolve(scenario, &design);
    if (status == STATUS_OK) {
        status = workloads_plan(scenario, &set);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = design_check_plan(scenario, &design, &set.plan);
    if (status != STATUS_OK) {
        workloads_free(&set);
        return status;
    }
    page_count needed = populate_frames_needed(scenario, &set.plan, &design);
    if (needed > scenario->machine.memory >> PAGE_SHIFT) {
        workloads_free(&set);
        return fail(STATUS_USAGE,
                    "%s: the workloads need at least %" PRIpages
                    " MiB before the clock starts, but machine.memory is %" PRIpages
                    " MiB; give it more, or populate less",
                    scenario_where(scenario, "machine.memory"), needed >> (20 - PAGE_SHIFT),
                    scenario->machine.memory >> 20);
    }
    cell_id ncells = (cell_id)scenario->machine.cells;
    cell_id ncells_here = (ncells + (cell_id)nranks - 1) / (cell_id)nranks;
    predict_arrays(scenario, &set, &design, ncells_here, &prediction);
    prediction.series = series_bytes(scenario, ncells_here);
    prediction.total += prediction.arrays + prediction.series;
    for (size_t i = 0; i < set.plan.nvmas; i++) {
        prediction.nptes += set.plan.vmas[i].populate == POPULATE_NONE ? 0 : set.plan.vmas[i].pages;
    }
    double duration = (double)scenario->duration / (1e9 * TICKS_PER_NS);
    prediction.seconds = duration * (touches_per_second(&set) * seconds_per_touch +
                                     2 * seconds_per_reclaim_second) +
                         (double)prediction.nptes * seconds_per_pte_populated;
    workloads_free(&set);
    *prediction_p = prediction;
    return STATUS_OK;
}
