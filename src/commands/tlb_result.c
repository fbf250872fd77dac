#include "commands/tlb_result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "host/contention/statistics.h"

/* Widest arrays: a value for each sample of a pattern, or for each point. */
static size_t points_of(const struct tlb_result *result)
{
    return result->plan->nbackings * result->plan->nfootprints;
}

/* --- texts -------------------------------------------------------------------------------------
 */

static void put_events(const struct tlb_result *result, struct tables *tables)
{
    const struct host_counters *counters = result->counters;
    struct text lines = {0};
    char hint[512];
    host_counters_hint(counters, hint, sizeof hint);
    for (size_t i = 0; i < counters->nevents; i++) {
        const struct host_event *event = &counters->events[i];
        const int number = (int)event->kind - HOST_TRANSLATION_FIRST;
        if (number < 0 || number >= HOST_TRANSLATION_COUNT) {
            continue;
        }
        const char *key = host_meanings[event->kind].key;
        if (event->counts) {
            text_append_format(&lines, "%s: %s (%s); checked: %" PRIu64 " for %s\n", key,
                               event->name, event->covers, event->value, event->check);
        } else {
            struct text reason = {0};
            text_append_format(&reason, "%s%s%s%s", event->why, hint[0] ? " [" : "", hint,
                               hint[0] ? "]" : "");
            tables_absence(tables, key, text_string(&reason));
            text_free(&reason);
        }
    }
    if (!counters->usable) {
        tables_absence(tables, "counters", counters->why);
    }
    if (lines.size > 0) {
        tables_text(tables, "events", "what was counted, an event a line", text_string(&lines));
    }
    text_free(&lines);
}

/* One reason for each kind of pages that is not there at all footprints: the first. */
static void put_absences(const struct tlb_result *result, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    for (size_t b = 0; b < plan->nbackings; b++) {
        const struct sweep_point *points = &result->points[b * plan->nfootprints];
        size_t missing = 0, first = 0;
        for (size_t f = plan->nfootprints; f-- > 0;) {
            if (!points[f].measured) {
                missing++;
                first = f;
            }
        }
        if (missing == 0) {
            continue;
        }
        struct text reason = {0};
        char size[UNITS_TEXT_SIZE];
        text_append_format(&reason, "%zu of %zu footprints, from %s: %s", missing,
                           plan->nfootprints, units_print_size(plan->footprints[first], size),
                           points[first].why);
        tables_absence(tables, plan->backings[b].name, text_string(&reason));
        text_free(&reason);
    }
}

/* What the simulated TLB maps with pages of each size; 0: it has none of them. */
static void put_reach(const struct tlb_result *result, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    uint64_t reach[BACKINGS] = {0};
    for (size_t b = 0; b < plan->nbackings; b++) {
        reach[b] = tlb_predictor_reach(result->predictor, plan->backings[b].page);
    }
    const struct table_axis axis = {"page_size", plan->nbackings};
    tables_array(tables,
                 &(struct table_label){"simulated_reach", "byte",
                                       "what the simulated TLB maps with pages of this size"},
                 NUMBER_U64, 1, &axis, reach);
}

static void put_texts(const struct tlb_result *result, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    struct text kinds = {0};
    for (size_t b = 0; b < plan->nbackings; b++) {
        text_append_format(&kinds, "%s%s", b > 0 ? "\n" : "", plan->backings[b].name);
    }
    tables_text(tables, "kinds", "kind of pages of each entry of page_size, one a line",
                text_string(&kinds));
    text_free(&kinds);
    tables_text(tables, "simulated_tlb", "the TLB that the prediction is made with",
                result->predictor->choice);
    tables_text(tables, "least_footprint", "where the least footprint comes from",
                result->reach_source);
    tables_text(tables, "most_footprint", "where the greatest footprint comes from",
                result->most_source);
    if (result->geometry->known) {
        struct text text = {0};
        const uint32_t(*entries)[GEOMETRY_PAGES] = result->geometry->entries;
        text_append_format(&text,
                           "%s: first level %u of 4 KiB, %u of 2 MiB, %u of 1 GiB; second level "
                           "%u, %u, %u",
                           result->geometry->source, entries[0][0], entries[0][1], entries[0][2],
                           entries[1][0], entries[1][1], entries[1][2]);
        tables_text(tables, "processor_tlb", "entries of the data TLB, as the processor says",
                    text_string(&text));
        text_free(&text);
    } else {
        tables_absence(tables, "processor_tlb", result->geometry->why);
    }
}

/* --- numbers -----------------------------------------------------------------------------------
 */

static void put_scales(const struct tlb_result *result, bool with_repetitions,
                       struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    uint64_t *numbers = calloc(plan->nbackings + plan->repetitions, sizeof *numbers);
    if (numbers == NULL) {
        tables->bytes.failed = true;
        return;
    }
    for (size_t b = 0; b < plan->nbackings; b++) {
        numbers[b] = plan->backings[b].page;
    }
    tables_scale(tables,
                 &(struct table_label){"page_size", "byte",
                                       "size of pages that was asked for; which kind is in kinds"},
                 NUMBER_U64, plan->nbackings, numbers);
    tables_scale(tables, &(struct table_label){"footprint", "byte", "range that is accessed"},
                 NUMBER_U64, plan->nfootprints, plan->footprints);
    if (with_repetitions) {
        for (unsigned r = 0; r < plan->repetitions; r++) {
            numbers[r] = r;
        }
        tables_scale(tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64,
                     plan->repetitions, numbers);
    }
    free(numbers);
}

/* A number for each point, taken from it. */
static void put_points(const struct tlb_result *result, const struct table_label *label,
                       uint64_t (*take)(const struct sweep_point *, int), int which,
                       struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    uint64_t *values = calloc(points_of(result), sizeof *values);
    if (values == NULL) {
        tables->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < points_of(result); i++) {
        values[i] = take(&result->points[i], which);
    }
    const struct table_axis axes[] = {{"page_size", plan->nbackings},
                                      {"footprint", plan->nfootprints}};
    tables_array(tables, label, NUMBER_U64, 2, axes, values);
    free(values);
}

static uint64_t take_got(const struct sweep_point *point, int which)
{
    (void)which;
    return point->got;
}

static uint64_t take_large(const struct sweep_point *point, int which)
{
    (void)which;
    return point->large;
}

static uint64_t take_faults(const struct sweep_point *point, int which)
{
    (void)which;
    return point->faults;
}

static uint64_t take_accesses(const struct sweep_point *point, int which)
{
    return point->accesses[which];
}

static void put_samples(const struct tlb_result *result, enum access_pattern pattern,
                        const struct table_label *label, const char *median_name,
                        const double *samples, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    const struct table_axis axes[] = {{"page_size", plan->nbackings},
                                      {"footprint", plan->nfootprints},
                                      {"repetition", plan->repetitions}};
    const double *first = &samples[sweep_index(plan, pattern, 0, 0, 0)];
    double *medians = calloc(points_of(result), sizeof *medians);
    if (medians == NULL) {
        tables->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < points_of(result); i++) {
        medians[i] = sample_summarize(&first[i * plan->repetitions], plan->repetitions).median;
    }
    tables_array(tables, label, NUMBER_F64, 3, axes, first);
    tables_array(tables,
                 &(struct table_label){median_name, label->unit, "median of the repetitions"},
                 NUMBER_F64, 2, axes, medians);
    free(medians);
}

static void put_predictions(const struct tlb_result *result, enum access_pattern pattern,
                            struct tables *tables)
{
    static const struct {
        struct table_label label;
        size_t offset;
    } rows[] = {
        {{"predicted_walks", "1", "walks per access of the simulated TLB, for the same accesses"},
         offsetof(struct tlb_prediction, walks)},
        {{"predicted_l1_misses", "1", "misses of its first level per access"},
         offsetof(struct tlb_prediction, l1_misses)},
        {{"predicted_time", "ns", "time per access that translating takes it, if nothing overlaps"},
         offsetof(struct tlb_prediction, time)},
    };
    const struct sweep_plan *plan = result->plan;
    const struct table_axis axes[] = {{"page_size", plan->nbackings},
                                      {"footprint", plan->nfootprints}};
    double *values = calloc(points_of(result), sizeof *values);
    if (values == NULL) {
        tables->bytes.failed = true;
        return;
    }
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        for (size_t i = 0; i < points_of(result); i++) {
            const struct tlb_prediction *prediction =
                &result->predictions[(size_t)pattern * points_of(result) + i];
            memcpy(&values[i], (const char *)prediction + rows[k].offset, sizeof values[i]);
        }
        tables_array(tables, &rows[k].label, NUMBER_F64, 2, axes, values);
    }
    free(values);
}

static void put_pattern(const struct tlb_result *result, enum access_pattern pattern,
                        struct tables *tables)
{
    static const char *const titles[ACCESS_PATTERNS] = {
        "loads, each at the address that the one before it read: one line of each base page, in "
        "random order",
        "updates of random cache lines of the whole footprint, several under way at a time",
    };
    tables_group(tables, access_pattern_name(pattern), titles[pattern]);
    put_scales(result, true, tables);
    put_samples(result, pattern,
                &(struct table_label){"time", "ns", "CPU time of the thread per access"},
                "time_median", result->samples->time, tables);
    put_points(result, &(struct table_label){"accesses", "1", "accesses of a repetition"},
               take_accesses, (int)pattern, tables);
    put_predictions(result, pattern, tables);
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        if (result->plan->events.event[e]) {
            const struct host_meaning_row *meaning = &host_meanings[HOST_TRANSLATION_FIRST + e];
            struct text median = {0};
            text_append_format(&median, "%s_median", meaning->key);
            put_samples(result, pattern, &(struct table_label){meaning->key, "1", meaning->text},
                        text_string(&median), result->samples->counts[e], tables);
            text_free(&median);
        }
    }
}

/* --- for people --------------------------------------------------------------------------------
 */

static double median_time(const struct tlb_result *result, enum access_pattern pattern, size_t b,
                          size_t f)
{
    const struct sweep_plan *plan = result->plan;
    return sample_summarize(&result->samples->time[sweep_index(plan, pattern, b, f, 0)],
                            plan->repetitions)
        .median;
}

/* `12.3 (11.9-13.0) 0.87`: median and quartiles in ns, and the walks predicted. */
static void print_cell(const struct tlb_result *result, enum access_pattern pattern, size_t b,
                       size_t f, struct text *line)
{
    const struct sweep_plan *plan = result->plan;
    const struct sample_summary time = sample_summarize(
        &result->samples->time[sweep_index(plan, pattern, b, f, 0)], plan->repetitions);
    char spread[40], walks[24] = "-";
    (void)snprintf(spread, sizeof spread, "(%.1f-%.1f)", time.low, time.high);
    const double predicted =
        result->predictions[(size_t)pattern * points_of(result) + b * plan->nfootprints + f].walks;
    if (!isnan(predicted)) {
        (void)snprintf(walks, sizeof walks, "%.3f", predicted);
    }
    text_append_format(line, "  %8.1f %-16s %6s", time.median, spread, walks);
    const double *counted = result->samples->counts[HOST_WALKS - HOST_TRANSLATION_FIRST];
    if (plan->events.event[HOST_WALKS - HOST_TRANSLATION_FIRST]) {
        text_append_format(
            line, " %6.3f",
            sample_summarize(&counted[sweep_index(plan, pattern, b, f, 0)], plan->repetitions)
                .median);
    }
}

static void report_points(const struct tlb_result *result, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    const bool counted = plan->events.event[HOST_WALKS - HOST_TRANSLATION_FIRST] != NULL;
    const int width = counted ? 41 : 34;
    tables_report(tables, "%-12s %-14s  %-*s  %s\n", "", "", width, "dependent loads",
                  "independent updates");
    const char *columns = counted ? "      ns (quartiles)       walks counted"
                                  : "      ns (quartiles)       walks*";
    tables_report(tables, "%-12s %-14s  %-*s  %s\n", "footprint", "pages", width, columns, columns);
    for (size_t f = 0; f < plan->nfootprints; f++) {
        for (size_t b = 0; b < plan->nbackings; b++) {
            if (!result->points[b * plan->nfootprints + f].measured) {
                continue;
            }
            struct text line = {0};
            char size[UNITS_TEXT_SIZE];
            text_append_format(&line, "%-12s %-14s", units_print_size(plan->footprints[f], size),
                               plan->backings[b].name);
            for (int p = 0; p < ACCESS_PATTERNS; p++) {
                print_cell(result, (enum access_pattern)p, b, f, &line);
            }
            tables_report(tables, "%s\n", text_string(&line));
            text_free(&line);
        }
    }
    tables_report(tables,
                  "walks%s: page walks per access, of the simulated TLB for the same "
                  "accesses%s\n",
                  counted ? "" : "*", counted ? "; counted: of the processor" : "");
}

/* How much faster larger pages are, at the greatest footprint that both kinds have. */
static void report_ratios(const struct tlb_result *result, struct tables *tables)
{
    const struct sweep_plan *plan = result->plan;
    for (size_t b = 1; b < plan->nbackings; b++) {
        for (size_t f = plan->nfootprints; f-- > 0;) {
            if (!result->points[f].measured ||
                !result->points[b * plan->nfootprints + f].measured) {
                continue;
            }
            double ratio[ACCESS_PATTERNS];
            for (int p = 0; p < ACCESS_PATTERNS; p++) {
                ratio[p] = median_time(result, (enum access_pattern)p, 0, f) /
                           median_time(result, (enum access_pattern)p, b, f);
            }
            char size[UNITS_TEXT_SIZE];
            tables_report(tables,
                          "%s against %s at %s: dependent %.2f times faster, independent %.2f\n",
                          plan->backings[b].name, plan->backings[0].name,
                          units_print_size(plan->footprints[f], size), ratio[0], ratio[1]);
            break;
        }
    }
}

void tlb_result_put(const struct tlb_result *result, struct tables *tables)
{
    const size_t from = tables->bytes.size;
    put_texts(result, tables);
    put_events(result, tables);
    put_absences(result, tables);
    put_scales(result, false, tables);
    put_reach(result, tables);
    put_points(result,
               &(struct table_label){"got", "byte",
                                     "size of all pages of the region, proved from "
                                     "smaps; 0: of several sizes, or no region"},
               take_got, 0, tables);
    put_points(result,
               &(struct table_label){"large_bytes", "byte",
                                     "bytes of the region in pages above the base page"},
               take_large, 0, tables);
    put_points(result,
               &(struct table_label){"faults", "1", "page faults during all timed repetitions"},
               take_faults, 0, tables);
    tables_report(tables, "simulated TLB: %s\nfootprints: %s; %s\n", result->predictor->choice,
                  result->reach_source, result->most_source);
    report_points(result, tables);
    report_ratios(result, tables);
    tables_report_absences(tables, from);
    for (int p = 0; p < ACCESS_PATTERNS; p++) {
        put_pattern(result, (enum access_pattern)p, tables);
    }
}
