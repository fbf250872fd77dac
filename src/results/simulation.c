#include "results/simulation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/schema.h"

/* A value as it leaves the simulator: 8 bytes, a uint64_t or a double by the metric's form. */
union value {
    uint64_t count;
    double real;
};

static enum number_type type_of(const struct metric_info *metric)
{
    return metric->form == FORM_COUNT ? NUMBER_U64 : NUMBER_F64;
}

static union value converted(const struct metric_info *metric, uint64_t raw)
{
    union value value = {.count = raw};
    if (metric->form == FORM_TICKS) {
        value.real = sim_seconds(raw);
    }
    return value;
}

/* A label whose path and long name are put together; `label` points into the struct. */
struct built_label {
    char path[RESULT_PATH_SIZE];
    char long_name[RESULT_PATH_SIZE];
    struct h5_label label;
};

static void build_label(struct built_label *built, const char *group,
                        const struct metric_info *metric, const char *suffix, const char *when)
{
    (void)snprintf(built->path, sizeof built->path, "%s/%s%s", group, metric->name, suffix);
    (void)snprintf(built->long_name, sizeof built->long_name, "%s%s", metric->description, when);
    built->label = (struct h5_label){built->path, metric->unit, built->long_name};
}

static void put_value(struct result *result, const struct h5_label *label,
                      const struct metric_info *metric, uint64_t raw)
{
    union value value = converted(metric, raw);
    if (type_of(metric) == NUMBER_U64) {
        result_put_count(result, label, value.count);
    } else {
        result_put_real(result, label, value.real);
    }
}

static void put_series_of(struct result *result, const struct recording *recording, size_t m,
                          union value *buffer)
{
    const struct metric_info *metric = &metric_table[m];
    for (size_t i = 0; i < recording->npoints; i++) {
        buffer[i] = converted(metric, recording->machine[i * METRIC_COUNT + m]);
    }
    struct built_label built;
    build_label(&built, GROUP_SERIES, metric, "", "");
    struct h5_array array = {.label = built.label,
                             .type = type_of(metric),
                             .ndims = 1,
                             .shape = {recording->npoints},
                             .scales = {"time"}};
    result_put_array(result, &array, buffer);
}

static void put_time(struct result *result, const char *path, const double *time, size_t n)
{
    struct h5_label label = {path, "s", "simulated time at the end of each interval"};
    result_put_scale(result, &label, NUMBER_F64, n, time);
}

/* Whether a metric has no values in this run; then the group says why. */
static bool put_absence_of(struct result *result, const struct recording *recording,
                           const char *group, size_t m)
{
    const char *reason = recording_lacks(recording, (enum metric)m);
    if (reason != NULL) {
        result_put_absence(result, group, metric_table[m].name, reason);
    }
    return reason != NULL;
}

static void put_series(struct result *result, const struct recording *recording, const double *time,
                       union value *buffer)
{
    result_put_group(result, GROUP_SERIES);
    put_time(result, GROUP_SERIES "/time", time, recording->npoints);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (!put_absence_of(result, recording, GROUP_SERIES, m)) {
            put_series_of(result, recording, m, buffer);
        }
    }
}

static void describe(struct result *result, const char *path, const struct recording *recording,
                     enum metric which)
{
    const struct metric_info *metric = &metric_table[which];
    static const char *const kinds[] = {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge"};
    static const char *const directions[] = {
        [BETTER_HIGHER] = "higher", [BETTER_LOWER] = "lower", [BETTER_NEITHER] = "neither"};
    result_put_attribute(result, path, "kind", kinds[metric->kind]);
    result_put_attribute(result, path, "better", directions[metric->direction]);
    if (metric_is_sampled(which)) {
        char rate[32];
        (void)snprintf(rate, sizeof rate, "1/%" PRIu64, recording->tlb_sampling);
        result_put_attribute(result, path, "sampling_rate", rate);
    }
}

static void put_totals(struct result *result, const struct recording *recording)
{
    result_put_group(result, GROUP_TOTALS);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *metric = &metric_table[m];
        if (put_absence_of(result, recording, GROUP_TOTALS, m)) {
            continue;
        }
        if (recording->npoints == 0) {
            result_put_absence(result, GROUP_TOTALS, metric->name, "no interval was completed");
            continue;
        }
        size_t last = (recording->npoints - 1) * METRIC_COUNT + m;
        struct built_label built;
        build_label(&built, GROUP_TOTALS, metric, "", "");
        put_value(result, &built.label, metric, recording->machine[last]);
        describe(result, built.path, recording, (enum metric)m);
        if (metric->kind == METRIC_GAUGE) {
            build_label(&built, GROUP_TOTALS, metric, "_peak", "; highest value");
            put_value(result, &built.label, metric, recording->peak[m]);
            describe(result, built.path, recording, (enum metric)m);
        }
    }
}

static void put_at_pressure(struct result *result, const struct recording *recording)
{
    result_put_group(result, GROUP_AT_PRESSURE);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *metric = &metric_table[m];
        if (put_absence_of(result, recording, GROUP_AT_PRESSURE, m)) {
            continue;
        }
        if (recording->pressure_began == TIME_NEVER) {
            result_put_absence(result, GROUP_AT_PRESSURE, metric->name,
                               "the pressure phase was not reached");
            continue;
        }
        struct built_label built;
        build_label(&built, GROUP_AT_PRESSURE, metric, "", "; when the pressure phase began");
        put_value(result, &built.label, metric, recording->at_pressure[m]);
    }
}

static void put_verdict(struct result *result, const struct recording *recording)
{
    result_put_text(result,
                    &(struct h5_label){GROUP_SIMULATION "/verdict", "1", "how the run ended"},
                    verdict_name(recording->verdict));
    result_put_text(result,
                    &(struct h5_label){GROUP_SIMULATION "/verdict_detail", "1",
                                       "what failed, and who held what"},
                    recording->verdict_detail);
    result_put_real(result,
                    &(struct h5_label){GROUP_SIMULATION "/verdict_time", "s",
                                       "simulated time when the verdict was reached"},
                    sim_seconds(recording->verdict_time));
    if (recording->pressure_began == TIME_NEVER) {
        result_put_absence(result, GROUP_SIMULATION, "pressure_began",
                           "the pressure phase was not reached");
    } else {
        result_put_real(result,
                        &(struct h5_label){GROUP_SIMULATION "/pressure_began", "s",
                                           "simulated time when the pressure phase began"},
                        sim_seconds(recording->pressure_began));
    }
    result_put_count(result,
                     &(struct h5_label){GROUP_SIMULATION "/ballast_bytes", "byte",
                                        "unreclaimable memory that stands for other users"},
                     recording->ballast);
}

/* Calls `visit` with this rank's columns of every metric that is counted in cells. */
typedef void visit_columns(struct result *result, const struct result_columns *columns);

static void for_each_cell_metric(struct result *result, const struct recording *recording,
                                 union value *buffer, visit_columns *visit)
{
    size_t ncells = recording->ncells_here;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        const struct metric_info *metric = &metric_table[m];
        if (metric->scope != SCOPE_CELL || recording_lacks(recording, (enum metric)m) != NULL) {
            continue;
        }
        for (size_t i = 0; i < recording->npoints; i++) {
            const uint64_t *row = recording->per_cell + (i * METRIC_COUNT + m) * ncells;
            for (size_t cell = 0; cell < ncells; cell++) {
                buffer[i * ncells + cell] = converted(metric, row[cell]);
            }
        }
        struct built_label built;
        build_label(&built, GROUP_PER_CELL, metric, "", "");
        struct h5_array array = {.label = built.label,
                                 .type = type_of(metric),
                                 .ndims = 2,
                                 .shape = {recording->npoints, recording->ncells},
                                 .scales = {"time", "cell"}};
        visit(result, &(struct result_columns){&array, recording->first_cell, ncells, buffer});
    }
}

static void put_cell_scales(struct result *result, const struct recording *recording,
                            const double *time, uint64_t *cell)
{
    for (cell_id i = 0; i < recording->ncells; i++) {
        cell[i] = i;
    }
    result_put_group(result, GROUP_PER_CELL);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        if (metric_table[m].scope == SCOPE_CELL) {
            (void)put_absence_of(result, recording, GROUP_PER_CELL, m);
        }
    }
    put_time(result, GROUP_PER_CELL "/time", time, recording->npoints);
    result_put_scale(result, &(struct h5_label){GROUP_PER_CELL "/cell", "1", "cell of the machine"},
                     NUMBER_U64, recording->ncells, cell);
}

/* Room for the values of one metric, in the larger of its two forms. NULL after fail(); the ranks
 * have agreed. */
static void *scratch(struct result *result, size_t nvalues)
{
    void *bytes = calloc(nvalues + 1, sizeof(union value));
    enum status status = STATUS_OK;
    if (bytes == NULL) {
        status = fail(STATUS_FAILED, "out of memory for writing %zu values", nvalues);
    }
    if (io_agree(result_comm(result), status) != STATUS_OK) {
        result_give_up(result, STATUS_FAILED);
        free(bytes);
        return NULL;
    }
    return bytes;
}

static size_t cell_values(const struct recording *recording)
{
    return recording->npoints * recording->ncells_here;
}

void simulation_put(struct result *result, const struct recording *recording)
{
    size_t n = recording->npoints;
    double *time = scratch(result, n);
    union value *buffer = scratch(result, n > recording->ncells ? n : recording->ncells);
    union value *cells = scratch(result, cell_values(recording));
    if (time != NULL && buffer != NULL && cells != NULL) {
        for (size_t i = 0; i < n; i++) {
            time[i] = sim_seconds(recording->time[i]);
        }
        result_put_group(result, GROUP_SIMULATION);
        put_time(result, GROUP_SIMULATION "/time", time, n);
        put_verdict(result, recording);
        put_series(result, recording, time, buffer);
        put_totals(result, recording);
        put_at_pressure(result, recording);
        put_cell_scales(result, recording, time, &buffer->count);
        for_each_cell_metric(result, recording, cells, result_declare_columns);
    }
    free(time);
    free(buffer);
    free(cells);
}

enum status simulation_digest(MPI_Comm comm, const struct recording *recording,
                              struct digest *digest_p)
{
    struct result *result = NULL;
    enum status status = result_begin_nowhere(comm, &result);
    if (status != STATUS_OK) {
        return status;
    }
    simulation_put(result, recording);
    return result_discard(result, digest_p);
}

void simulation_put_cells(struct result *result, const struct recording *recording)
{
    union value *cells = scratch(result, cell_values(recording));
    if (cells != NULL) {
        for_each_cell_metric(result, recording, cells, result_put_columns);
    }
    free(cells);
}
