#include "commands/calibrate_profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is measured of each constant -------------------------------------------------------- */

/* Value number `i` of a dataset; NaN where there is none. */
static double value_of(const struct tables *tables, const char *section, const char *group,
                       const char *name, size_t i)
{
    struct table_record record;
    if (!tables_find(tables, section, group, name, &record) || record.type != NUMBER_F64) {
        return NAN;
    }
    return ((const double *)record.values)[i];
}

static double fault_minor(const struct tables *tables)
{
    return value_of(tables, "kernel", "faults/shared_write", "fault_time_median", 0);
}

static double page_zero(const struct tables *tables)
{
    return value_of(tables, "primitives", "page_zero", "time_median", 0);
}

static double page_copy(const struct tables *tables)
{
    return value_of(tables, "primitives", "page_copy", "time_median", 0);
}

static double syscall_time(const struct tables *tables)
{
    return value_of(tables, "primitives", "syscall", "time_median", 0);
}

static double pte_copy(const struct tables *tables)
{
    return value_of(tables, "kernel", "fork_exit/private", "fork_cpu_time_per_page", 0);
}

static double pte_zap(const struct tables *tables)
{
    return value_of(tables, "kernel", "fork_exit/private", "fork_exit_cpu_time_per_page", 0) -
           pte_copy(tables);
}

/* The kinds of locks are lines of a text, the plain loop the first of them. */
static double lock_time(const struct tables *tables)
{
    struct table_record kinds;
    if (!tables_find(tables, "locks", "uncontended", "kinds", &kinds)) {
        return NAN;
    }
    const size_t length = strlen("ticket");
    size_t line = 0;
    for (const char *at = kinds.text; *at != '\0'; line++) {
        const size_t size = strcspn(at, "\n");
        if (size == length && strncmp(at, "ticket", length) == 0) {
            return value_of(tables, "locks", "uncontended", "time_median", line) -
                   value_of(tables, "locks", "uncontended", "time_median", 0);
        }
        at += size + (at[size] == '\n');
    }
    return NAN;
}

/* Operations are rows in the order fork, exit, ...; there is one number of threads. */
static double chain_time(const struct tables *tables, size_t operation)
{
    return value_of(tables, "locks", "disjoint/pte_chain_array/object_ticket", "time_median",
                    operation) -
           value_of(tables, "locks", "disjoint/none/no_lock", "time_median", operation);
}

static double chain_insert(const struct tables *tables)
{
    return chain_time(tables, 0);
}

static double chain_remove(const struct tables *tables)
{
    return chain_time(tables, 1);
}

const struct calibrated calibrated_costs[] = {
    {COST_FAULT_MINOR, "write fault of a shared page that is there", fault_minor},
    {COST_PAGE_ZERO, "memset of memory that is in no cache", page_zero},
    {COST_PAGE_COPY, "memcpy of memory that is in no cache", page_copy},
    {COST_SYSCALL, "getppid", syscall_time},
    {COST_LOCK, "a ticket lock that nobody else wants, less the loop around it", lock_time},
    {COST_PTE_COPY, "CPU time of fork by page of private memory", pte_copy},
    {COST_PTE_ZAP, "CPU time of exit by page of private memory", pte_zap},
    {COST_CHAIN_INSERT,
     "fork with chains in arrays on real structures, its lock and blocks included, less fork "
     "without a reverse map, by page",
     chain_insert},
    {COST_CHAIN_REMOVE,
     "exit with chains in arrays on real structures, its lock, search and blocks included, less "
     "exit without a reverse map, by page",
     chain_remove},
};

const size_t ncalibrated_costs = sizeof calibrated_costs / sizeof calibrated_costs[0];

/* --- hosts beside each other ------------------------------------------------------------------ */

static int compare_values(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double calibrate_median(const double *values, size_t n)
{
    double *sorted = calloc(n, sizeof *sorted);
    size_t known = 0;
    for (size_t i = 0; i < n && sorted != NULL; i++) {
        if (values[i] > 0) {
            sorted[known++] = values[i];
        }
    }
    double median = NAN;
    if (known > 0) {
        qsort(sorted, known, sizeof *sorted, compare_values);
        median = (sorted[(known - 1) / 2] + sorted[known / 2]) / 2;
    }
    free(sorted);
    return median;
}

void calibrate_name_outliers(const struct measured_host *hosts, size_t nhosts, const char *name,
                             const char *unit, const double *values, double median,
                             struct text *outliers)
{
    for (size_t i = 0; i < nhosts; i++) {
        if (fabs(values[i] - median) > CALIBRATE_OUTLIER * median) {
            text_append_format(outliers, "%s%s: %s is %.4g %s, the median of %zu hosts %.4g %s",
                               outliers->size > 0 ? "\n" : "", hosts[i].name, name, values[i], unit,
                               nhosts, median, unit);
        }
    }
}

void calibrate_put_outliers(size_t nhosts, const struct text *outliers, struct tables *overall)
{
    if (nhosts > 1) {
        tables_text(overall, "outliers",
                    "hosts further from the median than a quarter of it, one a line",
                    text_string(outliers));
    } else {
        tables_absence(overall, "outliers", "there is one host");
    }
    if (outliers->size > 0) {
        tables_report(overall, "outliers:\n%s\n", text_string(outliers));
    }
}

static void put_values(const struct measured_host *hosts, size_t nhosts, const double *values,
                       const double *medians, const struct text *outliers, struct tables *overall)
{
    struct text constants = {0}, names = {0};
    uint64_t *numbers = calloc(nhosts + ncalibrated_costs, sizeof *numbers);
    if (numbers == NULL) {
        overall->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < nhosts + ncalibrated_costs; i++) {
        numbers[i] = i;
    }
    for (size_t i = 0; i < ncalibrated_costs; i++) {
        text_append_format(&constants, "%s%s: %s", i > 0 ? "\n" : "",
                           cost_key(calibrated_costs[i].cost), calibrated_costs[i].source);
    }
    for (size_t i = 0; i < nhosts; i++) {
        text_append_format(&names, "%s%s", i > 0 ? "\n" : "", hosts[i].name);
    }
    tables_text(overall, "constants", "name of each constant, one a line", text_string(&constants));
    tables_text(overall, "hosts", "name of each host, one a line", text_string(&names));
    tables_scale(overall, &(struct table_label){"constant", "1", "line of constants"}, NUMBER_U64,
                 ncalibrated_costs, numbers);
    tables_scale(overall, &(struct table_label){"host", "1", "line of hosts"}, NUMBER_U64, nhosts,
                 numbers);
    const struct table_axis axes[] = {{"constant", ncalibrated_costs}, {"host", nhosts}};
    tables_array(overall, &(struct table_label){"time", "ns", "of each constant on each host"},
                 NUMBER_F64, 2, axes, values);
    tables_array(overall, &(struct table_label){"time_median", "ns", "median of the hosts"},
                 NUMBER_F64, 1, axes, medians);
    calibrate_put_outliers(nhosts, outliers, overall);
    text_free(&names);
    text_free(&constants);
    free(numbers);
}

/* The texts come first and the pointers into them afterwards, since the buffer may move. */
static void set_costs(const struct measured_host *hosts, size_t nhosts, const double *medians,
                      struct text *sources, struct cost_profile *profile)
{
    size_t *place = calloc(ncalibrated_costs, sizeof *place);
    if (place == NULL) {
        sources->failed = true;
        return;
    }
    for (size_t i = 0; i < ncalibrated_costs; i++) {
        place[i] = sources->size;
        text_append_format(sources, "%s; %s%s", calibrated_costs[i].source,
                           nhosts > 1 ? "median of hosts, the first of them " : "on ",
                           hosts[0].name);
        text_append_bytes(sources, "", 1);
    }
    for (size_t i = 0; i < ncalibrated_costs && !sources->failed; i++) {
        const enum cost cost = calibrated_costs[i].cost;
        if (medians[i] > 0) {
            profile->ticks[cost] = (sim_time)llround(medians[i] * (double)TICKS_PER_NS);
            profile->origin[cost] = COST_MEASURED;
            profile->source[cost] = sources->chars + place[i];
        }
    }
    free(place);
}

enum status calibrate_profile(const struct measured_host *hosts, size_t nhosts,
                              struct tables *overall, struct text *sources,
                              struct cost_profile *profile)
{
    double *values = calloc(ncalibrated_costs * nhosts, sizeof *values);
    double *medians = calloc(ncalibrated_costs, sizeof *medians);
    struct text outliers = {0};
    tables_group(overall, "costs", "constants of a cost profile");
    if (values != NULL && medians != NULL) {
        tables_report(overall, "%-14s %12s %12s\n", "constant", "measured ns", "before");
        for (size_t i = 0; i < ncalibrated_costs; i++) {
            const enum cost cost = calibrated_costs[i].cost;
            double *row = values + i * nhosts;
            for (size_t k = 0; k < nhosts; k++) {
                row[k] = calibrated_costs[i].from(&hosts[k].tables);
            }
            medians[i] = calibrate_median(row, nhosts);
            calibrate_name_outliers(hosts, nhosts, cost_key(cost), "ns", row, medians[i],
                                    &outliers);
            tables_report(overall, "%-14s %12.1f %12.1f\n", cost_key(cost), medians[i],
                          (double)profile->ticks[cost] / (double)TICKS_PER_NS);
        }
        put_values(hosts, nhosts, values, medians, &outliers, overall);
        set_costs(hosts, nhosts, medians, sources, profile);
    }
    const bool failed = values == NULL || medians == NULL || outliers.failed || sources->failed;
    text_free(&outliers);
    free(medians);
    free(values);
    return failed ? fail(STATUS_FAILED, "out of memory for a cost profile") : STATUS_OK;
}
