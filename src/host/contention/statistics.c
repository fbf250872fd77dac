#include "host/contention/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int ascending(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;
    if (isnan(a) || isnan(b)) {
        return (isnan(a) != 0) - (isnan(b) != 0);
    }
    return (a > b) - (a < b);
}

size_t sample_sort(double *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, ascending);
    while (n > 0 && isnan(samples[n - 1])) {
        n--;
    }
    return n;
}

double sample_percentile(const double *sorted, size_t n, double share)
{
    size_t rank = (size_t)ceil(share * (double)n);
    return sorted[rank == 0 ? 0 : rank > n ? n - 1 : rank - 1];
}

/* The quantile of a continuous distribution: between two samples where it lies between them. */
static double quantile(const double *sorted, size_t n, double share)
{
    const double at = share * (double)(n - 1);
    const size_t below = (size_t)at;
    const double rest = at - (double)below;
    return below + 1 < n ? sorted[below] * (1 - rest) + sorted[below + 1] * rest : sorted[below];
}

struct sample_summary sample_summarize(const double *samples, size_t n)
{
    struct sample_summary summary = {0, NAN, NAN, NAN, NAN, NAN};
    double *sorted = malloc((n + 1) * sizeof *sorted);
    if (sorted == NULL) {
        return summary;
    }
    memcpy(sorted, samples, n * sizeof *sorted);
    const size_t there = sample_sort(sorted, n);
    if (there > 0) {
        summary = (struct sample_summary){
            .n = there,
            .median = quantile(sorted, there, 0.5),
            .low = quantile(sorted, there, 0.25),
            .high = quantile(sorted, there, 0.75),
            .least = sorted[0],
            .most = sorted[there - 1],
        };
    }
    free(sorted);
    return summary;
}

uint64_t clock_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
