/* Claims about reverse maps that are judged by a result of `thrash locks`. */
#include <math.h>
#include <stdlib.h>

#include "claims/rows.h"

/* --- I2: one page beside processes that do not map it ------------------------------------------
 */

#define MOST_OTHERS 10000 /* as the claim has them */

/* The greatest by the least of a row; NaN if a point is missing. */
static double range_of(const struct h5_numbers *time, size_t row, size_t n)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < n; i++) {
        const double value = h5_number_at(time, row * n + i);
        if (!isfinite(value)) {
            return NAN;
        }
        least = fmin(least, value);
        most = fmax(most, value);
    }
    return most / least;
}

static void judge_ranges(const struct measurement *measurement, size_t host,
                         const struct h5_numbers *others, const struct h5_numbers *time,
                         struct judgement *judgement)
{
    static const struct {
        const char *scheme;
        double high;
    } rows[] = {
        {"pte_chain_linked", 1.1},
        {"pte_chain_array", 1.1},
        {"none", INFINITY},
    };
    const char *name = measurement->host[host];
    const size_t n = others->info.nvalues;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const size_t row = measurement_line(measurement, host, "beside/schemes", rows[i].scheme);
        const bool there = row < time->info.nvalues / n;
        judge_between(judgement, -INFINITY, rows[i].high, there ? range_of(time, row, n) : NAN, "1",
                      "most_over_least_%s_%.25s", rows[i].scheme, name);
    }
    if (h5_number_at(others, 0) > 0 || h5_number_at(others, n - 1) < MOST_OTHERS) {
        judge_inconclusive(judgement, "%s: %.0f to %.0f others, not 0 to %d", name,
                           h5_number_at(others, 0), h5_number_at(others, n - 1), MOST_OTHERS);
    }
}

static void judge_i2(const struct measurement *measurement, struct judgement *judgement)
{
    size_t judged = 0;
    for (size_t host = 0; host < measurement->nhosts; host++) {
        struct h5_numbers others = {.values = NULL}, time = {.values = NULL};
        if (measurement_numbers(measurement, host, "beside/others", &others) &&
            measurement_numbers(measurement, host, "beside/time_median", &time) &&
            others.info.nvalues > 0) {
            judge_ranges(measurement, host, &others, &time, judgement);
            judged++;
        }
        if (others.values != NULL) {
            h5_numbers_free(&others);
        }
        if (time.values != NULL) {
            h5_numbers_free(&time);
        }
    }
    if (judged == 0) {
        judge_unavailable(judgement,
                          "no host has unmapped a page beside others (`--others none`?)");
    }
}

const struct claim claim_i2 = {
    .id = "I2",
    .kind = CLAIM_MEASURED,
    .sentence = "With PTE chains, finding the mappings of a page is fast",
    .source = IBM_ARTICLE,
    .compared = "ns per unmap of a page with 100 mappers beside 0 to 10,000 processes that do not "
                "map it",
    .required = "flat within 10 %",
    .measured_by = "locks",
    .judge_measured = judge_i2,
};

/* --- I5-host: fork and exit under each reverse map ---------------------------------------------
 */

/* From the dearest to the cheapest, each under the lock that the kernel had for it: the bit of a
 * page, and the semaphore of an object's vmas. */
static const struct {
    const char *name;
    const char *group;
} schemes[] = {
    {"linked", "shared/pte_chain_linked/page_bit"},
    {"array", "shared/pte_chain_array/page_bit"},
    {"object", "shared/objrmap/object_pthread_mutex"},
    {"none", "shared/none/no_lock"},
};
enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

/* ns of a thread for a page of a fork and an exit. */
struct fork_time {
    double median, low, high; /* sums of medians and of quartiles */
};

/* Of each number of threads; NULL if there is none. To be freed. */
static double *read_times(const struct measurement *measurement, size_t host, const char *group,
                          const char *statistic, size_t *n_p)
{
    struct text path = {0}, operations = {0};
    struct h5_numbers numbers = {.values = NULL};
    double *times = NULL;
    text_append_format(&path, "%s/%s", group, statistic);
    text_append_format(&operations, "%s/operations", group);
    const size_t fork = measurement_line(measurement, host, text_string(&operations), "fork");
    const size_t exit = measurement_line(measurement, host, text_string(&operations), "exit");
    if (fork != SIZE_MAX && exit != SIZE_MAX &&
        measurement_numbers(measurement, host, text_string(&path), &numbers) &&
        numbers.info.ndims == 2 && fork < numbers.info.shape[0] && exit < numbers.info.shape[0]) {
        const size_t n = (size_t)numbers.info.shape[1];
        times = calloc(n, sizeof *times);
        for (size_t i = 0; i < n && times != NULL; i++) {
            times[i] = h5_number_at(&numbers, fork * n + i) + h5_number_at(&numbers, exit * n + i);
        }
        *n_p = n;
    }
    if (numbers.values != NULL) {
        h5_numbers_free(&numbers);
    }
    text_free(&operations);
    text_free(&path);
    return times;
}

/* At the least and at the greatest number of threads; false if the host has none. */
static bool read_scheme(const struct measurement *measurement, size_t host, const char *group,
                        struct fork_time times[2])
{
    size_t n = 0, nlow = 0, nhigh = 0;
    double *median = read_times(measurement, host, group, "time_median", &n);
    double *low = read_times(measurement, host, group, "time_low", &nlow);
    double *high = read_times(measurement, host, group, "time_high", &nhigh);
    const bool there = median != NULL && low != NULL && high != NULL && n > 0 && nlow == n &&
                       nhigh == n && isfinite(median[0]) && isfinite(median[n - 1]);
    for (size_t i = 0; there && i < 2; i++) {
        const size_t at = i == 0 ? 0 : n - 1;
        times[i] = (struct fork_time){median[at], low[at], high[at]};
    }
    free(high);
    free(low);
    free(median);
    return there;
}

/* Whether quartiles tell the two apart, whichever is above. */
static bool are_apart(const struct fork_time *a, const struct fork_time *b)
{
    return a->low > b->high || b->low > a->high;
}

/* At the least (0) or the greatest (1) number of threads. Returns pairs that are too close. */
static size_t judge_order(struct fork_time times[SCHEMES][2], size_t at, const char *host,
                          struct judgement *judgement)
{
    static const char *const where[] = {"fewest", "most"};
    size_t close = 0;
    for (size_t i = 0; i + 1 < SCHEMES; i++) {
        const bool apart = are_apart(&times[i][at], &times[i + 1][at]);
        judge_between(judgement, apart ? 1 : -INFINITY, INFINITY,
                      times[i][at].median / times[i + 1][at].median, "1", "%s_over_%s_%s_%.25s",
                      schemes[i].name, schemes[i + 1].name, where[at], host);
        if (!apart) {
            judge_note(judgement, "%s: quartiles of %s and %s with the %s threads overlap", host,
                       schemes[i].name, schemes[i + 1].name, where[at]);
            close++;
        }
    }
    return close;
}

static void judge_i5_host(const struct measurement *measurement, struct judgement *judgement)
{
    size_t judged = 0, close = 0;
    for (size_t host = 0; host < measurement->nhosts; host++) {
        struct fork_time times[SCHEMES][2];
        const char *lacks = NULL;
        for (size_t i = 0; i < SCHEMES && lacks == NULL; i++) {
            lacks = read_scheme(measurement, host, schemes[i].group, times[i]) ? NULL
                                                                               : schemes[i].group;
        }
        if (lacks != NULL) {
            judge_note(judgement, "%s: no fork and exit of %s", measurement->host[host], lacks);
            continue;
        }
        close += judge_order(times, 0, measurement->host[host], judgement);
        close += judge_order(times, 1, measurement->host[host], judgement);
        judged++;
    }
    if (judged == 0) {
        judge_unavailable(judgement, "no host has all four reverse maps under their locks");
    } else if (close > 0 && judgement->verdict == CLAIM_REPRODUCED) {
        judge_inconclusive(judgement, "what is told apart is in order");
    }
}

const struct claim claim_i5_host = {
    .id = "I5-host",
    .kind = CLAIM_MEASURED,
    .sentence =
        "Applications that often fork and exit pay dearly for reverse mappings, which are set up "
        "and removed under locks",
    .source = IBM_ARTICLE,
    .compared = "ns per mapped page of a fork and exit on real structures under real locks",
    .required = "linked chains above arrays above objects above none",
    .measured_by = "locks",
    .judge_measured = judge_i5_host,
};
