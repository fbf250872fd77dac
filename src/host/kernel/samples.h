/* Repetitions of a measurement: all samples, their median and their spread. */
#ifndef THRASH_HOST_KERNEL_SAMPLES_H
#define THRASH_HOST_KERNEL_SAMPLES_H

#include "host/kernel/kernel.h"

/* Samples of one quantity at the points of one scale; NaN where there is none. */
struct samples {
    unsigned points;
    unsigned repetitions;
    double *value; /* repetitions of the first point, then of the second, ... */
};

/* False when there is no memory. Released with samples_free(). */
bool samples_make(unsigned points, unsigned repetitions, struct samples *samples_p);
void samples_free(struct samples *samples);

void samples_set(struct samples *samples, unsigned point, unsigned repetition, double value);

/* NaN when a point has no sample. */
double samples_median(const struct samples *samples, unsigned point);

/* From the lower to the upper quartile. */
double samples_spread(const struct samples *samples, unsigned point);

/* Whether the samples of a point that are there equal `value`, and there is one. */
bool samples_all_equal(const struct samples *samples, unsigned point, double value);

/* Appends the arrays `name`, `name_median` and `name_spread`; the group has the scales `scale` and
 * "repetition". */
void samples_put(const struct samples *samples, const struct table_label *label, const char *scale,
                 struct tables *tables);

/* Appends the scale "repetition". */
void samples_put_scale(unsigned repetitions, struct tables *tables);

#endif
