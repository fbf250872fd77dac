/* Medians, spreads and percentiles of samples, of which some may be missing (NaN). */
#ifndef THRASH_HOST_CONTENTION_STATISTICS_H
#define THRASH_HOST_CONTENTION_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

struct sample_summary {
    size_t n;      /* samples that are there */
    double median; /* NaN without any, like the others */
    double low;    /* first and third quartile */
    double high;
    double least;
    double most;
};

/* Leaves `samples` as they are. */
struct sample_summary sample_summarize(const double *samples, size_t n);

/* The value at `share` (0 .. 1) of sorted samples, n > 0: the smallest that at least this share of
 * them does not exceed. */
double sample_percentile(const double *sorted, size_t n, double share);

/* Sorts ascending, NaN last; returns how many are not NaN. */
size_t sample_sort(double *samples, size_t n);

/* Now, in nanoseconds from an arbitrary start. */
uint64_t clock_now_ns(void);

#endif
