#include "engine/recorder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Percentiles by nearest rank. */
static enum status sample_progress(const struct cell *cell, const struct workload_set *set,
                                   uint64_t *values)
{
    const struct workload *workload = largest_workload(set);
    uint32_t n = workload->nprocesses - (workload->log_interval > 0 ? 1 : 0);
    uint64_t *touches = malloc((n + 1) * sizeof *touches);
    if (touches == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the progress of %u processes", n);
    }
    touches[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        touches[i] = cell->visitors[workload->first_process + i].touches;
    }
    qsort(touches, n, sizeof *touches, ascending);
    const struct {
        enum metric metric;
        uint32_t percent;
    } wanted[] = {{METRIC_PROGRESS_P10, 10}, {METRIC_PROGRESS_P50, 50}, {METRIC_PROGRESS_P90, 90}};
    for (size_t i = 0; i < 3; i++) {
        uint64_t rank = ((uint64_t)n * wanted[i].percent + 99) / 100;
        values[wanted[i].metric] = touches[rank == 0 ? 0 : rank - 1];
    }
    free(touches);
    return STATUS_OK;
}

/* Touches of the segment that the workload's processes have made: all but those of private memory.
 */
static double segment_touches(const struct cell *cell, const struct workload_set *set)
{
    for (size_t i = 0; i < set->nworkloads; i++) {
        const struct workload *workload = &set->workload[i];
        if (workload->pressure_segment == 0) {
            continue;
        }
        uint64_t touches = 0;
        for (uint32_t k = 0; k < workload->nprocesses; k++) {
            touches += cell->visitors[workload->first_process + k].touches;
        }
        return (double)touches;
    }
    return 0;
}

/* A page of the coldest class is touched this often while one CPU passes every pte of the machine.
 */
static double theta_cold(const struct recording *recording, const struct cell *cell,
                         const struct workload_set *set, sim_time now)
{
    uint64_t relative;
    page_count pages;
    if (recording->pressure_began == TIME_NEVER || now <= recording->pressure_began ||
        !workloads_coldest(set, &relative, &pages)) {
        return NAN;
    }
    double touches = segment_touches(cell, set) - recording->segment_touches_at_pressure;
    double seconds = (double)(now - recording->pressure_began) / ticks_per_second;
    double per_page = touches / seconds / (double)pages * ((double)relative / 4294967296.0);
    double lap = (double)recording->at_pressure[METRIC_PTES_PRESENT] *
                 (double)cell->cost[COST_PTE_VISIT] / ticks_per_second;
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

enum status recorder_sample(struct recording *recording, struct cell *cell,
                            const struct workload_set *set, const struct watch *watch, sim_time now)
{
    enum status status = make_room(recording);
    if (status != STATUS_OK) {
        return status;
    }
    cell_sample(cell);
    uint64_t *values = &recording->machine[recording->npoints * METRIC_COUNT];
    memcpy(values, cell->core->counter, METRIC_COUNT * sizeof *values);
    memcpy(&recording->per_cell[recording->npoints * METRIC_COUNT], cell->core->counter,
           METRIC_COUNT * sizeof *values);
    values[METRIC_ELAPSED] = now;
    values[METRIC_TIME_TO_FIRST_FREE] = bits_of(
        watch->first_free == TIME_NEVER || watch->first_reclaim == TIME_NEVER
            ? NAN
            : (double)(watch->first_free - watch->first_reclaim) / ticks_per_second);
    values[METRIC_LONGEST_GAP] = watch->longest_gap;
    values[METRIC_THETA_COLD] = bits_of(theta_cold(recording, cell, set, now));
    values[METRIC_LAPS] = bits_of(laps(recording, values));
    status = sample_progress(cell, set, values);
    if (status != STATUS_OK) {
        return status;
    }
    follow_peaks(recording, values);
    recording->time[recording->npoints++] = now;
    return STATUS_OK;
}

void recorder_begin_pressure(struct recording *recording, struct cell *cell,
                             const struct workload_set *set, sim_time now)
{
    cell_sample(cell);
    memcpy(recording->at_pressure, cell->core->counter, sizeof recording->at_pressure);
    recording->at_pressure[METRIC_ELAPSED] = now;
    recording->pressure_began = now;
    recording->segment_touches_at_pressure = segment_touches(cell, set);
}
