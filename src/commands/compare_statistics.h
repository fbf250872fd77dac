/* What several repetitions of a run say about a figure. */
#ifndef THRASH_COMMANDS_COMPARE_STATISTICS_H
#define THRASH_COMMANDS_COMPARE_STATISTICS_H

#include <stddef.h>

#define REPETITIONS_ENOUGH 9 /* fewer do not say much about what differs by chance */

struct sample_summary {
    size_t n; /* values that are available; when it is 0 the others are NaN */
    double median, least, most;
};

/* Of values some of which may be NaN: those are left out. Sorts them to the end. */
struct sample_summary sample_summarise(double *values, size_t n);

/* How likely ranks as uneven as these are when both samples are from one distribution: the
 * two-sided p of the Mann-Whitney test, ties among ranks shared. Exact for up to 20 values each,
 * else by the normal approximation with ties and continuity corrected. The values are sorted and
 * not NaN. NaN when a sample has fewer than two values, 1 when all values are equal. */
double sample_rank_test(const double *a, size_t na, const double *b, size_t nb);

#endif
