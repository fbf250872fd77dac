#include "commands/compare_statistics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MOST 20 /* values of a sample, up to which the exact distribution is counted out */

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    if (isnan(x) || isnan(y)) {
        return (isnan(x) != 0) - (isnan(y) != 0);
    }
    return (x > y) - (x < y);
}

struct sample_summary sample_summarise(double *values, size_t n)
{
    struct sample_summary summary = {0, NAN, NAN, NAN};
    qsort(values, n, sizeof *values, by_value);
    while (summary.n < n && !isnan(values[summary.n])) {
        summary.n++;
    }
    if (summary.n > 0) {
        const size_t half = summary.n / 2;
        summary.median = summary.n % 2 != 0
                             ? values[half]
                             : values[half - 1] + (values[half] - values[half - 1]) / 2;
        summary.least = values[0];
        summary.most = values[summary.n - 1];
    }
    return summary;
}

/* The probability of U <= u. The number of orders with U = v is that of partitions of v into at
 * most na parts of at most nb: counted by adding one value after the other. */
static double exact_tail(size_t na, size_t nb, size_t u)
{
    enum { SUMS = EXACT_MOST * EXACT_MOST + 1 };
    static const size_t sizes = EXACT_MOST + 1;
    double ways[EXACT_MOST + 1][SUMS]; /* [values of a so far][U], over values of b */
    memset(ways, 0, sizeof ways);
    for (size_t i = 0; i <= na && i < sizes; i++) {
        ways[i][0] = 1;
    }
    /* With j values of b: w(i, j, v) = w(i - 1, j, v - j) + w(i, j - 1, v). */
    for (size_t j = 1; j <= nb; j++) {
        for (size_t i = 1; i <= na; i++) {
            for (size_t v = j; v <= na * nb; v++) {
                ways[i][v] += ways[i - 1][v - j];
            }
        }
    }
    double below = 0;
    double all = 0;
    for (size_t v = 0; v <= na * nb; v++) {
        all += ways[na][v];
        below += v <= u ? ways[na][v] : 0;
    }
    return below / all;
}

/* The sum over groups of equal values of (t^3 - t), from both samples merged. */
static double tie_term(const double *a, size_t na, const double *b, size_t nb)
{
    double term = 0;
    for (size_t i = 0, j = 0; i < na || j < nb;) {
        const double value = j == nb || (i < na && a[i] <= b[j]) ? a[i] : b[j];
        double equal = 0;
        for (; i < na && a[i] == value; i++) {
            equal++;
        }
        for (; j < nb && b[j] == value; j++) {
            equal++;
        }
        term += equal * equal * equal - equal;
    }
    return term;
}

double sample_rank_test(const double *a, size_t na, const double *b, size_t nb)
{
    if (na < 2 || nb < 2) {
        return NAN;
    }
    double u = 0; /* pairs in which a is the larger; equal ones count a half */
    for (size_t i = 0; i < na; i++) {
        for (size_t j = 0; j < nb; j++) {
            u += a[i] > b[j] ? 1 : a[i] == b[j] ? 0.5 : 0;
        }
    }
    const double pairs = (double)na * (double)nb;
    const double smaller = fmin(u, pairs - u);
    const double ties = tie_term(a, na, b, nb);
    if (ties == 0 && na <= EXACT_MOST && nb <= EXACT_MOST) {
        return fmin(1, 2 * exact_tail(na, nb, (size_t)smaller));
    }
    const double n = (double)(na + nb);
    const double variance = pairs / 12 * (n + 1 - ties / (n * (n - 1)));
    if (!(variance > 0)) {
        return 1;
    }
    const double z = fmax(0, pairs / 2 - smaller - 0.5) / sqrt(variance);
    return fmin(1, erfc(z / sqrt(2)));
}
