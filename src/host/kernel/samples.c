#include "host/kernel/samples.h"

#include <math.h>
#include <stdlib.h>

#include "host/contention/statistics.h"

bool samples_make(unsigned points, unsigned repetitions, struct samples *samples_p)
{
    const size_t n = (size_t)points * repetitions;
    struct samples samples = {points, repetitions, calloc(n, sizeof *samples.value)};
    if (!samples.value) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        samples.value[i] = NAN;
    }
    *samples_p = samples;
    return true;
}

void samples_free(struct samples *samples)
{
    free(samples->value);
    *samples = (struct samples){0};
}

void samples_set(struct samples *samples, unsigned point, unsigned repetition, double value)
{
    samples->value[(size_t)point * samples->repetitions + repetition] = value;
}

static struct sample_summary summary(const struct samples *samples, unsigned point)
{
    return sample_summarize(samples->value + (size_t)point * samples->repetitions,
                            samples->repetitions);
}

double samples_median(const struct samples *samples, unsigned point)
{
    return summary(samples, point).median;
}

double samples_spread(const struct samples *samples, unsigned point)
{
    const struct sample_summary of_point = summary(samples, point);
    return of_point.high - of_point.low;
}

bool samples_all_equal(const struct samples *samples, unsigned point, double value)
{
    bool equal = true, any = false;
    for (unsigned i = 0; i < samples->repetitions; i++) {
        const double sample = samples->value[(size_t)point * samples->repetitions + i];
        equal = equal && !(sample < value) && !(sample > value);
        any = any || !isnan(sample);
    }
    return equal && any;
}

static void put_figure(const struct samples *samples, const struct table_label *label,
                       const char *figure, const char *prose,
                       double (*of)(const struct samples *, unsigned), const char *scale,
                       struct tables *tables)
{
    struct text name = {0}, long_name = {0};
    text_append_format(&name, "%s_%s", label->name, figure);
    text_append_format(&long_name, "%s: %s", label->long_name, prose);
    double *values = calloc(samples->points, sizeof *values);
    if (!values || name.failed || long_name.failed) {
        tables->bytes.failed = true;
    } else {
        for (unsigned i = 0; i < samples->points; i++) {
            values[i] = of(samples, i);
        }
        const struct table_label derived = {text_string(&name), label->unit,
                                            text_string(&long_name)};
        const struct table_axis axis = {scale, samples->points};
        tables_array(tables, &derived, NUMBER_F64, 1, &axis, values);
    }
    free(values);
    text_free(&long_name);
    text_free(&name);
}

void samples_put(const struct samples *samples, const struct table_label *label, const char *scale,
                 struct tables *tables)
{
    const struct table_axis axes[] = {{scale, samples->points},
                                      {"repetition", samples->repetitions}};
    tables_array(tables, label, NUMBER_F64, 2, axes, samples->value);
    put_figure(samples, label, "median", "median of the repetitions", samples_median, scale,
               tables);
    put_figure(samples, label, "spread", "from the lower to the upper quartile", samples_spread,
               scale, tables);
}

void samples_put_scale(unsigned repetitions, struct tables *tables)
{
    uint64_t *numbers = calloc(repetitions, sizeof *numbers);
    if (!numbers) {
        tables->bytes.failed = true;
        return;
    }
    for (unsigned i = 0; i < repetitions; i++) {
        numbers[i] = i;
    }
    tables_scale(tables, &(struct table_label){"repetition", "1", "number of the repetition"},
                 NUMBER_U64, repetitions, numbers);
    free(numbers);
}
