#include "commands/converge_report.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

static const struct converge_run *run_of(const struct converge_report *report, size_t setting,
                                         size_t seed)
{
    return &report->runs[setting * report->nseeds + seed];
}

/* Mean and spread over seeds; both NaN when any run lacks the figure. */
static struct converge_figure over_seeds(const struct converge_report *report, size_t setting,
                                         enum headline headline)
{
    double sum = 0;
    double least = INFINITY;
    double most = -INFINITY;
    for (size_t i = 0; i < report->nseeds; i++) {
        double value = run_of(report, setting, i)->values[headline];
        sum += value;
        least = fmin(least, value);
        most = fmax(most, value);
    }
    struct converge_figure figure = {.mean = sum / (double)report->nseeds};
    figure.spread = figure.mean == 0 ? 0 : (most - least) / figure.mean;
    if (isnan(figure.mean) || report->nseeds == 1) {
        figure.spread = NAN;
    }
    return figure;
}

static double change_between(double from, double to)
{
    return from == to ? 0 : (to - from) / from;
}

/* A figure that is a part of another matters as far as that one does: many times nothing much is
 * nothing much. */
static bool matters(const struct converge_report *report, enum headline headline, double change)
{
    if (headline != HEADLINE_SPIN) {
        return true;
    }
    double whole = over_seeds(report, 0, HEADLINE_RECLAIM_CPU).mean;
    return !(fabs(change) <= CONVERGE_LIMIT * whole); /* also where there is no whole */
}

struct converge_figure converge_figure(const struct converge_report *report, size_t setting,
                                       enum headline headline)
{
    struct converge_figure base = over_seeds(report, 0, headline);
    struct converge_figure figure = over_seeds(report, setting, headline);
    figure.change = change_between(base.mean, figure.mean);
    if (report->nseeds == 1) {
        figure.marked = false; /* nothing tells the change from what seeds do */
    } else if (isnan(base.mean) || isnan(figure.mean)) {
        figure.marked = isnan(base.mean) != isnan(figure.mean);
    } else {
        figure.marked = fabs(figure.change) > CONVERGE_LIMIT &&
                        fabs(figure.change) > fmax(base.spread, figure.spread) &&
                        matters(report, headline, figure.mean - base.mean);
    }
    return figure;
}

bool converge_is_empty(const struct converge_report *report, enum headline headline)
{
    for (size_t i = 0; i < report->ndone * report->nseeds; i++) {
        double value = report->runs[i].values[headline];
        if (!isnan(value) && value != 0) {
            return false;
        }
    }
    return true;
}

static void count_verdicts(const struct converge_report *report, size_t setting,
                           size_t counts[VERDICT_COUNT])
{
    memset(counts, 0, VERDICT_COUNT * sizeof *counts);
    for (size_t i = 0; i < report->nseeds; i++) {
        counts[(size_t)run_of(report, setting, i)->verdict]++;
    }
}

void converge_verdicts(const struct converge_report *report, size_t setting, struct text *text)
{
    size_t counts[VERDICT_COUNT];
    count_verdicts(report, setting, counts);
    const char *separator = "";
    for (size_t i = 0; i < VERDICT_COUNT; i++) {
        if (counts[i] == report->nseeds) {
            text_append(text, verdict_name((enum verdict)i));
        } else if (counts[i] > 0) {
            text_append_format(text, "%s%zu %s", separator, counts[i],
                               verdict_name((enum verdict)i));
            separator = ", ";
        }
    }
}

/* --- the table ------------------------------------------------------------------------------- */

enum { NAME_WIDTH = 28 };

static void print_setting(const struct converge_setting *setting, const char *name, FILE *stream)
{
    char epoch[UNITS_TEXT_SIZE];
    char quantum[UNITS_TEXT_SIZE];
    (void)fprintf(stream, "%-*s %6" PRIu64 " %8s %8s ", NAME_WIDTH, name, setting->cells,
                  units_print_time(setting->epoch, epoch),
                  units_print_time(setting->quantum, quantum));
}

static void print_number(double number, FILE *stream)
{
    if (isnan(number)) {
        (void)fprintf(stream, "%12s", "-");
    } else {
        (void)fprintf(stream, number >= 1000 ? "%12.0f" : "%12.4g", number);
    }
}

static void print_share(double share, const char *format, FILE *stream)
{
    if (isfinite(share)) {
        (void)fprintf(stream, format, 100 * share);
    } else {
        (void)fprintf(stream, "%11s", isnan(share) ? "-" : "from 0");
    }
}

/* Returns whether the line is marked. */
static bool print_figure(const struct converge_report *report, size_t setting,
                         enum headline headline, FILE *stream)
{
    struct converge_figure figure = converge_figure(report, setting, headline);
    print_setting(&report->settings[setting], setting == 0 ? headline_table[headline].name : "",
                  stream);
    print_number(figure.mean, stream);
    print_share(setting == 0 ? NAN : figure.change, "%+9.1f %%", stream);
    print_share(figure.spread, "%9.1f %%", stream);
    (void)fputs(figure.marked ? " *\n" : "\n", stream);
    return figure.marked;
}

static bool print_verdict(const struct converge_report *report, size_t setting, FILE *stream)
{
    size_t base[VERDICT_COUNT];
    size_t counts[VERDICT_COUNT];
    count_verdicts(report, 0, base);
    count_verdicts(report, setting, counts);
    bool marked = report->nseeds > 1 && memcmp(base, counts, sizeof base) != 0;
    struct text text = {0};
    converge_verdicts(report, setting, &text);
    print_setting(&report->settings[setting], setting == 0 ? "verdict" : "", stream);
    (void)fprintf(stream, "  %s%s\n", text_string(&text), marked ? " *" : "");
    text_free(&text);
    return marked;
}

/* What the table comes to. Figures that no run has anything of show nothing, and do not count. */
static void print_conclusion(const struct converge_report *report, size_t marked, FILE *stream)
{
    size_t compared = report->ndone == 0 ? 0 : report->ndone - 1; /* verdicts */
    for (int headline = 0; headline < HEADLINES && report->ndone > 0; headline++) {
        compared += converge_is_empty(report, (enum headline)headline) ? 0 : report->ndone - 1;
    }
    (void)fputc('\n', stream);
    if (report->ndone > 0 && converge_is_empty(report, HEADLINE_PAGES_FREED)) {
        (void)fputs("no page was freed in any run: nothing was reclaimed within their length, and "
                    "nothing can be said of reclaim\n",
                    stream);
    }
    if (report->nseeds == 1) {
        (void)fprintf(stream,
                      "%zu changes, none marked: one seed shows no spread to compare them with "
                      "(--seeds 3)\n",
                      compared);
    } else {
        (void)fprintf(stream,
                      "%zu of %zu changes are above %.0f %% and above the spread over seeds (*); "
                      "figures that are 0 or - in all runs are not counted, changes of "
                      "spin_seconds below %.0f %% of reclaim_cpu_seconds not marked\n",
                      marked, compared, 100 * CONVERGE_LIMIT, 100 * CONVERGE_LIMIT);
    }
}

void converge_print(const struct converge_report *report, FILE *stream)
{
    (void)fprintf(stream, "%-*s %6s %8s %8s %12s%11s%11s\n", NAME_WIDTH, "figure", "cells", "epoch",
                  "quantum", "mean", "change", "spread");
    size_t marked = 0;
    for (int headline = 0; headline < HEADLINES; headline++) {
        for (size_t i = 0; i < report->ndone; i++) {
            marked += print_figure(report, i, (enum headline)headline, stream);
        }
    }
    for (size_t i = 0; i < report->ndone; i++) {
        marked += print_verdict(report, i, stream);
    }
    print_conclusion(report, marked, stream);
}

/* --- the numbers ----------------------------------------------------------------------------- */

static void append_value(struct text *text, double value)
{
    if (isnan(value)) {
        text_append(text, ",nan"); /* printf may say -nan */
    } else {
        text_append_format(text, ",%.17g", value);
    }
}

void converge_csv(const struct converge_report *report, struct text *text)
{
    const double second = 1e9 * (double)TICKS_PER_NS;
    text_append(text, "cells,epoch_seconds,quantum_seconds,seed,verdict");
    for (int i = 0; i < HEADLINES; i++) {
        text_append_format(text, ",%s", headline_table[i].name);
    }
    for (size_t i = 0; i < report->ndone * report->nseeds; i++) {
        const struct converge_setting *setting = &report->settings[i / report->nseeds];
        text_append_format(text, "\n%" PRIu64 ",%.12g,%.12g,%" PRIu64 ",%s", setting->cells,
                           (double)setting->epoch / second, (double)setting->quantum / second,
                           report->first_seed + i % report->nseeds,
                           verdict_name((enum verdict)report->runs[i].verdict));
        for (int k = 0; k < HEADLINES; k++) {
            append_value(text, report->runs[i].values[k]);
        }
    }
    text_append(text, "\n");
}
