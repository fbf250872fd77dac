#include "engine/recorder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/translation.h"

static const double ticks_per_second = 1e9 * TICKS_PER_NS;

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The workload with the most processes: the one that progress is reported for. */
static const struct workload *largest_workload(const struct workload_set *set)
{
    const struct workload *largest = &set->workload[0];
    for (size_t i = 1; i < set->nworkloads; i++) {
        if (set->workload[i].nprocesses > largest->nprocesses) {
            largest = &set->workload[i];
        }
    }
    return largest;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Touches that each process has made, in all cells. */
static uint64_t *touches_of_processes(const struct run *run)
{
    size_t n = run->set.plan.nprocesses;
    memset(run->touches, 0, n * sizeof *run->touches);
    for (cell_id k = 0; k < run->ncells_here; k++) {
        for (size_t i = 0; i < n; i++) {
            run->touches[i] += run->cells[k].visitors[i].touches;
        }
    }
    run_sum(run, run->touches, n);
    return run->touches;
}

/* Percentiles by nearest rank. Sorts the touches. */
static void sample_progress(const struct workload_set *set, uint64_t *touches, uint64_t *values)
{
    const struct workload *workload = largest_workload(set);
    uint32_t n = workload->nprocesses - (workload->log_interval > 0 ? 1 : 0);
    uint64_t *of_workload = touches + workload->first_process;
    qsort(of_workload, n, sizeof *touches, ascending);
    const struct {
        enum metric metric;
        uint32_t percent;
    } wanted[] = {{METRIC_PROGRESS_P10, 10}, {METRIC_PROGRESS_P50, 50}, {METRIC_PROGRESS_P90, 90}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t rank = ((uint64_t)n * wanted[i].percent + 99) / 100;
        values[wanted[i].metric] = n == 0 ? 0 : of_workload[rank == 0 ? 0 : rank - 1];
    }
}

/* Touches of the segment that the workload's processes have made: all but those of private memory.
 */
static double segment_touches(const struct workload_set *set, const uint64_t *touches)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        const struct workload *workload = &set->workload[i];
        if (workload->pressure_segment == 0) {
            continue;
        }
        uint64_t sum = 0;
        for (uint32_t k = 0; k < workload->nprocesses; k++) {
            sum += touches[workload->first_process + k];
        }
        return (double)sum;
    }
    return 0;
}

/* A page of the coldest class is touched this often while one CPU passes every pte of the machine.
 */
static double theta_cold(const struct run *run, const uint64_t *touches_each, sim_time now)
{
    const struct recording *recording = &run->result->recording;
    uint64_t relative;
    page_count pages;
    if (recording->pressure_began == TIME_NEVER || now <= recording->pressure_began ||
        !workloads_coldest(&run->set, &relative, &pages)) {
        return NAN;
    }
    double touches = segment_touches(&run->set, touches_each) -
                     recording->segment_touches_at_pressure;
    double seconds = (double)(now - recording->pressure_began) / ticks_per_second;
    double per_page = touches / seconds / (double)pages * ((double)relative / 4294967296.0);
    double lap = (double)recording->at_pressure[METRIC_PTES_PRESENT] *
                 (double)run->scenario->costs.ticks[COST_PTE_VISIT] / ticks_per_second;
    return per_page * lap;
}

static double laps(const struct recording *recording, const uint64_t *values)
{
    uint64_t ptes = recording->at_pressure[METRIC_PTES_PRESENT];
    if (recording->pressure_began == TIME_NEVER || ptes == 0) {
        return NAN;
    }
    uint64_t visits = values[METRIC_PTES_VISITED] + values[METRIC_RMAP_VISITS] -
                      recording->at_pressure[METRIC_PTES_VISITED] -
                      recording->at_pressure[METRIC_RMAP_VISITS];
    return (double)visits / (double)ptes;
}

static enum status make_room(struct recording *recording)
{
    if (recording->npoints < recording->capacity) {
        return STATUS_OK;
    }
    size_t capacity = recording->capacity == 0 ? 64 : 2 * recording->capacity;
    size_t row = METRIC_COUNT * sizeof(uint64_t);
    sim_time *time = realloc(recording->time, capacity * sizeof *time);
    recording->time = time != NULL ? time : recording->time;
    uint64_t *machine = realloc(recording->machine, capacity * row);
    recording->machine = machine != NULL ? machine : recording->machine;
    uint64_t *per_cell = realloc(recording->per_cell, capacity * row * recording->ncells_here);
    recording->per_cell = per_cell != NULL ? per_cell : recording->per_cell;
    if (time == NULL || machine == NULL || per_cell == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %zu points of the series", capacity);
    }
    recording->capacity = capacity;
    return STATUS_OK;
}

static double real_of(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void follow_peaks(struct recording *recording, const uint64_t *values)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].kind != METRIC_GAUGE) {
            continue;
        }
        if (metric_table[i].form != FORM_REAL) {
            recording->peak[i] = max_u64(recording->peak[i], values[i]);
        } else if (recording->npoints == 0 || isnan(real_of(recording->peak[i])) ||
                   real_of(values[i]) > real_of(recording->peak[i])) {
            recording->peak[i] = values[i];
        }
    }
}

/* Samples all cells: their own values into `per_cell`, if it is not NULL, their sums into `values`.
 */
static void sample_cells(struct run *run, uint64_t *per_cell, uint64_t values[METRIC_COUNT])
{
    memset(values, 0, METRIC_COUNT * sizeof *values);
    for (cell_id k = 0; k < run->ncells_here; k++) {
        struct cell *cell = &run->cells[k];
        cell_sample(cell, ledger_blocked(&run->ledger, cell->id));
        for (size_t i = 0; i < METRIC_COUNT; i++) {
            values[i] += cell->core->counter[i];
            if (per_cell != NULL) {
                per_cell[i * run->ncells_here + k] = cell->core->counter[i];
            }
        }
    }
    run_sum(run, values, METRIC_COUNT);
}

/* What the TLB of a process maps on average, of those whose touches have been translated. */
static uint64_t mean_reach(const struct run *run)
{
    uint64_t values[2] = {0, 0};
    for (cell_id k = 0; k < run->ncells_here; k++) {
        struct translation_reach reach = translation_reach(&run->cells[k]);
        values[0] += reach.mapped;
        values[1] += reach.processes;
    }
    run_sum(run, values, 2);
    return values[1] == 0 ? 0 : values[0] / values[1];
}

enum status recorder_sample(struct run *run, sim_time now)
{
    struct recording *recording = &run->result->recording;
    const struct watch *watch = &run->watch;
    enum status status = make_room(recording);
    uint64_t spare[METRIC_COUNT];
    size_t row = recording->npoints * METRIC_COUNT;
    uint64_t *values = status == STATUS_OK ? &recording->machine[row] : spare;
    sample_cells(run, status == STATUS_OK ? &recording->per_cell[row * run->ncells_here] : NULL,
                 values);
    uint64_t *touches = touches_of_processes(run);
    uint64_t reach = recording->tlb_sampling > 0 ? mean_reach(run) : 0;
    if (status != STATUS_OK) {
        return status;
    }
    values[METRIC_ELAPSED] = now;
    values[METRIC_TLB_REACH] = reach;
    values[METRIC_TIME_TO_FIRST_FREE] = bits_of(
        watch->first_free == TIME_NEVER || watch->first_reclaim == TIME_NEVER
            ? NAN
            : (double)(watch->first_free - watch->first_reclaim) / ticks_per_second);
    values[METRIC_LONGEST_GAP] = watch->longest_gap;
    values[METRIC_THETA_COLD] = bits_of(theta_cold(run, touches, now));
    values[METRIC_LAPS] = bits_of(laps(recording, values));
    sample_progress(&run->set, touches, values);
    follow_peaks(recording, values);
    recording->time[recording->npoints++] = now;
    return STATUS_OK;
}

void recorder_begin_pressure(struct run *run, sim_time now)
{
    struct recording *recording = &run->result->recording;
    sample_cells(run, NULL, recording->at_pressure);
    recording->at_pressure[METRIC_ELAPSED] = now;
    recording->pressure_began = now;
    recording->segment_touches_at_pressure = segment_touches(&run->set, touches_of_processes(run));
}

/* What the verdict needs of the cells, summed up; the first four are of the cell that failed. */
enum shortage {
    FAILED_ZONE,
    FAILED_PROCESS,
    FAILED_OWNER,
    HAS_LOWMEM_LIMIT,
    FREE_FRAMES,
    FREE_LOWMEM,
    HELD,
    HELD_LOWMEM = HELD + OWNERS,
    SHORTAGES = HELD_LOWMEM + OWNERS
};

static void sum_up_shortage(struct run *run, uint64_t values[SHORTAGES])
{
    memset(values, 0, SHORTAGES * sizeof *values);
    for (cell_id k = 0; k < run->ncells_here; k++) {
        const struct cell *cell = &run->cells[k];
        const struct cell_core *core = cell->core;
        if (cell->id == run->sums.out_of_memory) {
            values[FAILED_ZONE] = core->failed_zone;
            values[FAILED_PROCESS] = core->failed_process;
            values[FAILED_OWNER] = core->failed_owner;
            values[HAS_LOWMEM_LIMIT] = cell->has_lowmem_limit;
            if (run->ledger.exhausted.cell == cell->id) {
                values[FAILED_ZONE] = run->ledger.exhausted.zone;
                values[FAILED_PROCESS] = run->ledger.exhausted.process;
                values[FAILED_OWNER] =
                    cell->contexts[CONTEXT_FIRST_PROCESS + values[FAILED_PROCESS]].refused;
            }
        }
        values[FREE_FRAMES] += zone_free_frames(cell);
        values[FREE_LOWMEM] += core->zone[ZONE_DMA].free + core->zone[ZONE_NORMAL].free;
        for (int owner = 0; owner < OWNERS; owner++) {
            values[HELD + owner] += zone_owner_frames(cell, (enum owner)owner);
            values[HELD_LOWMEM + owner] += zone_lowmem_frames(cell, (enum owner)owner);
        }
    }
    run_sum(run, values, SHORTAGES);
}

/* " page tables 12.3 MiB," behind what is there. */
static size_t append_amount(char *text, size_t size, size_t used, const char *name,
                            page_count frames, const char *end)
{
    if (used >= size) {
        return used;
    }
    const page_count mib = 1 << (20 - PAGE_SHIFT);
    int n = frames < mib ? snprintf(text + used, size - used, " %s %" PRIpages " KiB%s", name,
                                    frames * (PAGE_BYTES / 1024), end)
                         : snprintf(text + used, size - used, " %s %.1f MiB%s", name,
                                    (double)frames / (double)mib, end);
    return used + (size_t)n;
}

void recorder_out_of_memory(struct run *run)
{
    static const char *const zone_names[ZONES] = {"ZONE_DMA", "ZONE_NORMAL", "ZONE_HIGHMEM"};
    uint64_t values[SHORTAGES];
    sum_up_shortage(run, values);
    struct recording *recording = &run->result->recording;
    bool lowmem = values[HAS_LOWMEM_LIMIT] != 0 && values[FAILED_ZONE] < ZONE_HIGHMEM;
    recording->verdict = lowmem ? VERDICT_LOWMEM_EXHAUSTED : VERDICT_OOM;
    recording->verdict_time = run->ledger.epoch_end;
    recording->failed_process = (uint32_t)values[FAILED_PROCESS];
    char *text = recording->verdict_detail;
    size_t size = sizeof recording->verdict_detail;
    size_t used = (size_t)snprintf(
        text, size, "no frame in %s or below for %s of process %" PRIu64 "; %smemory is held by",
        zone_names[values[FAILED_ZONE]], zone_owner_name((enum owner)values[FAILED_OWNER]),
        values[FAILED_PROCESS], lowmem ? "low " : "");
    for (int owner = 0; owner < OWNERS; owner++) {
        page_count frames = values[(lowmem ? HELD_LOWMEM : HELD) + owner];
        if (frames > 0) {
            used = append_amount(text, size, used, zone_owner_name((enum owner)owner), frames, ",");
        }
    }
    (void)append_amount(text, size, used, "free", values[lowmem ? FREE_LOWMEM : FREE_FRAMES], "");
}
