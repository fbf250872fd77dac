/* The tables of a series. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/contention/contention.h"
#include "host/contention/scaling.h"
#include "host/contention/statistics.h"

/* Rates are extrapolated to so many times the largest number of threads. */
#define EXTRAPOLATION 8

enum { LOCK_NAME = 48 };

static void lock_name(const struct series *series, char name[LOCK_NAME])
{
    if (!series->rmap->locks) {
        (void)snprintf(name, LOCK_NAME, "no_lock");
    } else if (series->kind->is_bit) {
        (void)snprintf(name, LOCK_NAME, "%s", series->kind->name);
    } else {
        (void)snprintf(name, LOCK_NAME, "%s_%s", lock_granularity_names[series->granularity],
                       series->kind->name);
    }
}

void series_medians(const struct contention_plan *plan, const struct series *series,
                    struct baseline *medians)
{
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t t = 0; t < plan->nthreads; t++) {
            medians->time[o][t] =
                sample_summarize(series->points[t].time[o], plan->repetitions).median;
        }
    }
}

/* A table under way: [operation][threads], or [threads]. */
struct writer {
    const struct contention_plan *plan;
    const struct series *series;
    struct tables *tables;
    double *values; /* room for the largest */
};

static void put_scales(const struct writer *writer)
{
    static const double percentiles[WAIT_PERCENTILES] = {50, 99, 99.9, 100};
    const struct contention_plan *plan = writer->plan;
    uint64_t numbers[OPERATIONS] = {0};
    uint64_t threads[CONTENTION_THREADS_MAX];
    uint64_t *repetitions = calloc(plan->repetitions, sizeof *repetitions);
    struct text names = {0};
    if (repetitions == NULL) {
        writer->tables->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < OPERATIONS; i++) {
        numbers[i] = i;
        text_append_format(&names, "%s%s: %s", i > 0 ? "\n" : "", operation_names[i],
                           operation_descriptions[i]);
    }
    for (size_t i = 0; i < plan->nthreads; i++) {
        threads[i] = plan->threads[i];
    }
    for (unsigned i = 0; i < plan->repetitions; i++) {
        repetitions[i] = i;
    }
    tables_text(writer->tables, "operations", "what each operation is, one a line",
                text_string(&names));
    tables_scale(writer->tables, &(struct table_label){"operation", "1", "line of operations"},
                 NUMBER_U64, OPERATIONS, numbers);
    tables_scale(writer->tables, &(struct table_label){"threads", "1", "threads"}, NUMBER_U64,
                 plan->nthreads, threads);
    tables_scale(writer->tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64,
                 plan->repetitions, repetitions);
    tables_scale(writer->tables,
                 &(struct table_label){"percentile", "1", "per cent of waits; 100 is the longest"},
                 NUMBER_F64, WAIT_PERCENTILES, percentiles);
    text_free(&names);
    free(repetitions);
}

/* All samples, [operation][threads][repetition], of times or of rates. */
static void put_samples(const struct writer *writer, bool rates, const struct table_label *label)
{
    const struct contention_plan *plan = writer->plan;
    size_t at = 0;
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t t = 0; t < plan->nthreads; t++) {
            const struct point_samples *point = &writer->series->points[t];
            memcpy(writer->values + at, rates ? point->rate[o] : point->time[o],
                   plan->repetitions * sizeof(double));
            at += plan->repetitions;
        }
    }
    const struct table_axis axes[] = {
        {"operation", OPERATIONS}, {"threads", plan->nthreads}, {"repetition", plan->repetitions}};
    tables_array(writer->tables, label, NUMBER_F64, 3, axes, writer->values);
}

enum statistic { MEDIAN, LOW, HIGH };

static double statistic_of(const double *samples, unsigned n, enum statistic statistic)
{
    const struct sample_summary summary = sample_summarize(samples, n);
    return statistic == MEDIAN ? summary.median : statistic == LOW ? summary.low : summary.high;
}

static void put_by_operation(const struct writer *writer, const struct table_label *label)
{
    const struct table_axis axes[] = {{"operation", OPERATIONS},
                                      {"threads", writer->plan->nthreads}};
    tables_array(writer->tables, label, NUMBER_F64, 2, axes, writer->values);
}

static void put_statistic(const struct writer *writer, bool rates, enum statistic statistic,
                          const struct table_label *label)
{
    size_t at = 0;
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t t = 0; t < writer->plan->nthreads; t++) {
            const struct point_samples *point = &writer->series->points[t];
            writer->values[at++] = statistic_of(rates ? point->rate[o] : point->time[o],
                                                writer->plan->repetitions, statistic);
        }
    }
    put_by_operation(writer, label);
}

static void put_slowdown(const struct writer *writer, const struct baseline *medians,
                         const struct baseline *baseline, const struct table_label *label)
{
    bool any = false;
    size_t at = 0;
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t t = 0; t < writer->plan->nthreads; t++) {
            writer->values[at] = medians->time[o][t] / baseline->time[o][t];
            any = any || isfinite(writer->values[at]);
            at++;
        }
    }
    if (any) {
        put_by_operation(writer, label);
    } else {
        tables_absence(writer->tables, label->name,
                       "what it would be compared with was not measured");
    }
}

static void put_times(const struct writer *writer, const struct baseline *none,
                      const struct baseline *direct)
{
    struct baseline medians;
    series_medians(writer->plan, writer->series, &medians);
    put_samples(writer, false, &(struct table_label){"time", "ns", "of a thread for one page"});
    put_statistic(writer, false, MEDIAN,
                  &(struct table_label){"time_median", "ns", "median of repetitions of time"});
    put_statistic(writer, false, LOW,
                  &(struct table_label){"time_low", "ns", "first quartile of time"});
    put_statistic(writer, false, HIGH,
                  &(struct table_label){"time_high", "ns", "third quartile of time"});
    put_samples(writer, true,
                &(struct table_label){"rate", "1/s", "pages in a second, by all threads"});
    put_statistic(writer, true, MEDIAN,
                  &(struct table_label){"rate_median", "1/s", "median of repetitions of rate"});
    put_slowdown(
        writer, &medians, none,
        &(struct table_label){"slowdown_none", "1", "time_median by that of no reverse map"});
    put_slowdown(writer, &medians, direct,
                 &(struct table_label){"slowdown_direct", "1",
                                       "time_median by that of page_direct_only under the same "
                                       "lock, or the page's bit where locks are of objects"});
}

static void put_by_threads(const struct writer *writer, const struct table_label *label,
                           size_t offset)
{
    const struct contention_plan *plan = writer->plan;
    for (size_t t = 0; t < plan->nthreads; t++) {
        const char *point = (const char *)&writer->series->points[t];
        const double *samples;
        memcpy(&samples, point + offset, sizeof samples);
        memcpy(writer->values + t * plan->repetitions, samples, plan->repetitions * sizeof(double));
    }
    const struct table_axis axes[] = {{"threads", plan->nthreads},
                                      {"repetition", plan->repetitions}};
    tables_array(writer->tables, label, NUMBER_F64, 2, axes, writer->values);
}

static void put_waits(const struct writer *writer)
{
    const struct contention_plan *plan = writer->plan;
    if (!writer->series->rmap->locks || !plan->waits) {
        const char *reason = plan->waits ? "there is no lock to wait for" : "not asked for";
        tables_absence(writer->tables, "wait", reason);
        tables_absence(writer->tables, "contended", reason);
        return;
    }
    for (size_t t = 0; t < plan->nthreads; t++) {
        for (unsigned k = 0; k < plan->repetitions; k++) {
            for (size_t p = 0; p < WAIT_PERCENTILES; p++) {
                writer->values[(t * plan->repetitions + k) * WAIT_PERCENTILES + p] =
                    writer->series->points[t].wait[p][k];
            }
        }
    }
    const struct table_axis all[] = {{"threads", plan->nthreads},
                                     {"repetition", plan->repetitions},
                                     {"percentile", WAIT_PERCENTILES}};
    tables_array(
        writer->tables,
        &(struct table_label){"wait", "ns", "from when an operation was due until it had the lock"},
        NUMBER_F64, 3, all, writer->values);
    for (size_t t = 0; t < plan->nthreads; t++) {
        for (size_t p = 0; p < WAIT_PERCENTILES; p++) {
            writer->values[t * WAIT_PERCENTILES + p] = statistic_of(
                writer->series->points[t].wait[p], plan->repetitions, MEDIAN);
        }
    }
    const struct table_axis medians[] = {{"threads", plan->nthreads},
                                         {"percentile", WAIT_PERCENTILES}};
    tables_array(writer->tables,
                 &(struct table_label){"wait_median", "ns", "median of repetitions of wait"},
                 NUMBER_F64, 2, medians, writer->values);
    put_by_threads(writer,
                   &(struct table_label){"contended", "1",
                                         "share of locks that were held when they were wanted"},
                   offsetof(struct point_samples, contended));
}

static void put_left(const struct writer *writer)
{
    if (writer->series->rmap->no_reclaim != NULL) {
        tables_absence(writer->tables, "reclaim", writer->series->rmap->no_reclaim);
    } else {
        put_by_threads(writer,
                       &(struct table_label){"reclaim_left", "1",
                                             "share of ptes whose mm was locked when reclaim found "
                                             "them"},
                       offsetof(struct point_samples, left));
    }
}

/* --- the fit --------------------------------------------------------------------------------- */

enum { CURVE = 64 };

/* Numbers of threads at which the fitted rate is given: up to the largest measured and beyond. */
static size_t curve_threads(const struct contention_plan *plan, uint64_t threads[CURVE],
                            uint64_t measured[CURVE])
{
    const uint64_t most = plan->threads[plan->nthreads - 1];
    size_t n = 0;
    for (uint64_t at = plan->threads[0]; at <= most * EXTRAPOLATION && n < CURVE;
         at += at < 8 ? 1 : at / 8) {
        threads[n] = at;
        measured[n++] = at <= most;
    }
    return n;
}

static void put_curve(const struct writer *writer, const struct scaling_fit *fits,
                      const bool *fitted)
{
    uint64_t threads[CURVE];
    uint64_t measured[CURVE];
    const size_t n = curve_threads(writer->plan, threads, measured);
    double *rates = calloc(n * OPERATIONS, sizeof *rates);
    if (rates == NULL) {
        writer->tables->bytes.failed = true;
        return;
    }
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t i = 0; i < n; i++) {
            rates[o * n + i] = fitted[o] ? scaling_rate(&fits[o], (double)threads[i]) : NAN;
        }
    }
    const struct table_axis curve[] = {{"operation", OPERATIONS}, {"usl_threads", n}};
    tables_scale(writer->tables, &(struct table_label){"usl_threads", "1", "threads"}, NUMBER_U64,
                 n, threads);
    tables_array(writer->tables,
                 &(struct table_label){"usl_measured", "1",
                                       "1 within the range measured, 0 where it is extrapolated"},
                 NUMBER_U64, 1, curve + 1, measured);
    tables_array(writer->tables, &(struct table_label){"usl_rate", "1/s", "fitted rate"},
                 NUMBER_F64, 2, curve, rates);
    free(rates);
}

static void put_parameters(const struct writer *writer, const struct scaling_fit *fits,
                           const bool *fitted)
{
    static const struct {
        struct table_label label;
        size_t offset;
    } parameters[] = {
        {{"usl_lambda", "1/s", "fitted rate of one thread"}, offsetof(struct scaling_fit, lambda)},
        {{"usl_sigma", "1", "fitted contention"}, offsetof(struct scaling_fit, sigma)},
        {{"usl_kappa", "1", "fitted cost of coherence"}, offsetof(struct scaling_fit, kappa)},
        {{"usl_residual", "1", "root of the mean square of relative errors of the fit"},
         offsetof(struct scaling_fit, residual)},
        {{"usl_peak", "1", "threads at which the fitted rate is highest"},
         offsetof(struct scaling_fit, peak)},
    };
    const struct table_axis axis[] = {{"operation", OPERATIONS}};
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
        double values[OPERATIONS];
        for (size_t o = 0; o < OPERATIONS; o++) {
            values[o] = NAN;
            if (fitted[o]) {
                memcpy(&values[o], (const char *)&fits[o] + parameters[i].offset, sizeof(double));
            }
        }
        tables_array(writer->tables, &parameters[i].label, NUMBER_F64, 1, axis, values);
    }
}

static void put_fit(const struct writer *writer)
{
    const struct contention_plan *plan = writer->plan;
    struct scaling_fit fits[OPERATIONS];
    bool fitted[OPERATIONS] = {false};
    bool any = false;
    const char *why = "no operation was measured";
    double threads[CONTENTION_THREADS_MAX];
    for (size_t o = 0; o < OPERATIONS; o++) {
        double rates[CONTENTION_THREADS_MAX];
        for (size_t t = 0; t < plan->nthreads; t++) {
            threads[t] = plan->threads[t];
            rates[t] = statistic_of(writer->series->points[t].rate[o], plan->repetitions, MEDIAN);
        }
        const char *failed = scaling_fit(threads, rates, plan->nthreads, &fits[o]);
        fitted[o] = failed == NULL;
        any = any || fitted[o];
        why = failed != NULL ? failed : why;
    }
    if (!any) {
        tables_absence(writer->tables, "usl", why);
        return;
    }
    put_parameters(writer, fits, fitted);
    put_curve(writer, fits, fitted);
}

/* --- for people ------------------------------------------------------------------------------ */

void series_put_head(const struct contention_plan *plan, enum sharing sharing,
                     struct tables *tables)
{
    tables_report(tables,
                  "\n%s pages: ns of a thread for a page, medians of %u, widest quartile range; "
                  "waits for the lock in ns\n",
                  sharing_names[sharing], plan->repetitions);
    tables_report(tables, "  %-25s %-20s %7s", "reverse map", "lock", "threads");
    for (size_t o = 0; o < OPERATIONS; o++) {
        tables_report(tables, " %8s", operation_names[o]);
    }
    tables_report(tables, " %7s %8s %8s %9s %9s %9s\n", "spread", "wait p50", "p99", "p99.9", "max",
                  "contended");
}

static void report_number(struct tables *tables, int width, const char *format, double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, format, value);
    tables_report(tables, " %*s", width, isnan(value) ? "-" : text);
}

/* The widest of the operations: between its quartiles, by its median. */
static double spread_of(const struct point_samples *point, unsigned n)
{
    double widest = NAN;
    for (size_t o = 0; o < OPERATIONS; o++) {
        const struct sample_summary summary = sample_summarize(point->time[o], n);
        widest = fmax(widest, (summary.high - summary.low) / summary.median);
    }
    return widest;
}

/* The smallest and the largest number of threads. */
static void report(const struct writer *writer)
{
    const struct contention_plan *plan = writer->plan;
    const unsigned n = plan->repetitions;
    for (size_t t = 0; t<plan->nthreads; t += plan->nthreads> 1 ? plan->nthreads - 1 : 1) {
        const struct point_samples *point = &writer->series->points[t];
        char name[LOCK_NAME];
        lock_name(writer->series, name);
        tables_report(writer->tables, "  %-25s %-20s %7u", writer->series->rmap->name, name,
                      plan->threads[t]);
        for (size_t o = 0; o < OPERATIONS; o++) {
            report_number(writer->tables, 8, "%.1f", statistic_of(point->time[o], n, MEDIAN));
        }
        report_number(writer->tables, 6, "%.0f", 100 * spread_of(point, n));
        tables_report(writer->tables, "%%");
        for (size_t i = 0; i < WAIT_PERCENTILES; i++) {
            report_number(writer->tables, i < WAIT_P999 ? 8 : 9, "%.0f",
                          statistic_of(point->wait[i], n, MEDIAN));
        }
        report_number(writer->tables, 8, "%.2f", 100 * statistic_of(point->contended, n, MEDIAN));
        tables_report(writer->tables, "%%\n");
    }
}

void series_put(const struct contention_plan *plan, const struct series *series,
                const struct baseline *none, const struct baseline *direct, struct tables *tables)
{
    char lock[LOCK_NAME];
    char path[128];
    lock_name(series, lock);
    (void)snprintf(path, sizeof path, "%s/%s/%s", sharing_names[series->sharing],
                   series->rmap->name, lock);
    tables_group(tables, path, series->rmap->locks ? series->kind->description : "no lock");
    struct writer writer = {
        .plan = plan,
        .series = series,
        .tables = tables,
        .values = calloc((size_t)OPERATIONS * plan->nthreads * plan->repetitions, sizeof(double)),
    };
    if (writer.values == NULL) {
        tables->bytes.failed = true;
        return;
    }
    put_scales(&writer);
    put_times(&writer, none, direct);
    put_waits(&writer);
    put_left(&writer);
    put_fit(&writer);
    report(&writer);
    free(writer.values);
}
