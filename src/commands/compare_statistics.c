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

/* Calls `visit` for each group of equal values of both samples, in ascending order, with how many
 * there are and how many are smaller. */
static void visit_groups(const double *a, size_t na, const double *b, size_t nb,
                         void (*visit)(void *who, size_t smaller, size_t equal), void *who)
{
    for (size_t i = 0, j = 0; i < na || j < nb;) {
        const size_t smaller = i + j;
        const double value = j == nb || (i < na && a[i] <= b[j]) ? a[i] : b[j];
        for (; i < na && a[i] == value; i++) {
        }
        for (; j < nb && b[j] == value; j++) {
        }
        visit(who, smaller, i + j - smaller);
    }
}

/* The values dealt out anew: in how many ways i of those so far go to a, so that twice the sum of
 * their ranks is s. Equal values share the mean of their ranks. */
enum { RANK_SUMS = 2 * 2 * EXACT_MOST * EXACT_MOST + 1 };
struct dealing {
    size_t na;
    double ways[EXACT_MOST + 1][RANK_SUMS];
};

static void deal_group(void *who, size_t smaller, size_t equal)
{
    struct dealing *dealing = who;
    const size_t rank = 2 * smaller + equal + 1; /* twice the mean */
    for (size_t k = 0; k < equal; k++) {
        for (size_t i = dealing->na; i > 0; i--) {
            for (size_t s = rank; s < RANK_SUMS; s++) {
                dealing->ways[i][s] += dealing->ways[i - 1][s - rank];
            }
        }
    }
}

/* The probability that U is as far from its mean as `u`, or further, when values are dealt out by
 * chance. */
static double exact_p(const double *a, size_t na, const double *b, size_t nb, double u)
{
    struct dealing dealing = {.na = na};
    dealing.ways[0][0] = 1;
    visit_groups(a, na, b, nb, deal_group, &dealing);
    const double pairs = (double)na * (double)nb;
    const double far = fabs(2 * u - pairs); /* twice the distance: a whole number */
    double beyond = 0;
    double all = 0;
    for (size_t s = 0; s < RANK_SUMS; s++) {
        const double twice = (double)s - (double)(na * (na + 1));
        all += dealing.ways[na][s];
        beyond += fabs(twice - pairs) >= far ? dealing.ways[na][s] : 0;
    }
    return beyond / all;
}

static void add_tie_term(void *who, size_t smaller, size_t equal)
{
    (void)smaller;
    double *term = who;
    *term += (double)equal * (double)equal * (double)equal - (double)equal;
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
    if (na <= EXACT_MOST && nb <= EXACT_MOST) {
        return exact_p(a, na, b, nb, u);
    }
    const double pairs = (double)na * (double)nb;
    const double smaller = fmin(u, pairs - u);
    double ties = 0; /* the sum over groups of equal values of t^3 - t */
    visit_groups(a, na, b, nb, add_tie_term, &ties);
    const double n = (double)(na + nb);
    const double variance = pairs / 12 * (n + 1 - ties / (n * (n - 1)));
    if (!(variance > 0)) {
        return 1;
    }
    const double z = fmax(0, pairs / 2 - smaller - 0.5) / sqrt(variance);
    return fmin(1, erfc(z / sqrt(2)));
}
