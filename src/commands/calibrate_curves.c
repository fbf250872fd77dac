#include "commands/calibrate_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/calibrate_parts.h"
#include "commands/calibrate_profile.h"
#include "host/contention/operation.h"
#include "host/contention/scaling.h"

#define PASSES_TABLE "passes"
#define CHAINS_TABLE "shared/pte_chain_array/page_bit"
#define NONE_TABLE   "shared/none/no_lock"

/* How a curve is measured. */
struct calibrated_curve {
    const char *key;
    const char *source;
    bool in_turn; /* the factor is without the waiting in turn */
};

#define PASS_SOURCE "passes of threads through one ticket lock, over those of one thread"

static const struct calibrated_curve curves[LOCK_KINDS] = {
    [LOCK_KIND_CHAIN] = {"chain_lock",
                         "fork and exit of pages that all threads share, with chains in arrays "
                         "under a bit of each page, less the same without a reverse map, over that "
                         "of one thread",
                         false},
    [LOCK_KIND_MM] = {"page_table_lock", PASS_SOURCE, true},
    [LOCK_KIND_OBJECT] = {"object_lock", PASS_SOURCE, true},
    [LOCK_KIND_LRU] = {"lru_lock", PASS_SOURCE, true},
};

static unsigned threads_of(size_t point)
{
    return 2U << point;
}

/* --- one host --------------------------------------------------------------------------------- */

/* Which column of a group is of so many threads; false if none is. */
static bool find_threads(const struct tables *tables, const char *group, unsigned threads,
                         uint64_t *column_p)
{
    struct table_record scale;
    if (!tables_find(tables, CALIBRATE_CONTENTION, group, "threads", &scale) ||
        scale.type != NUMBER_U64) {
        return false;
    }
    for (uint64_t i = 0; i < scale.shape[0]; i++) {
        if (((const uint64_t *)scale.values)[i] == threads) {
            *column_p = i;
            return true;
        }
    }
    return false;
}

/* time_median(row, threads) of a group; NaN if it has none. */
static double time_of(const struct tables *tables, const char *group, uint64_t row,
                      unsigned threads)
{
    struct table_record time;
    uint64_t column;
    if (!find_threads(tables, group, threads, &column) ||
        !tables_find(tables, CALIBRATE_CONTENTION, group, "time_median", &time) ||
        time.type != NUMBER_F64 || row >= time.shape[0] || column >= time.shape[1]) {
        return NAN;
    }
    return ((const double *)time.values)[row * time.shape[1] + column];
}

/* Which line of the table of passes is a type of lock. */
static uint64_t line_of(const struct tables *tables, const char *type)
{
    struct table_record types;
    const size_t length = strlen(type);
    if (!tables_find(tables, CALIBRATE_CONTENTION, PASSES_TABLE, "types", &types)) {
        return UINT64_MAX;
    }
    uint64_t line = 0;
    for (const char *at = types.text; *at != '\0'; line++) {
        const size_t size = strcspn(at, "\n");
        if (size == length && strncmp(at, type, length) == 0) {
            return line;
        }
        at += size + (at[size] == '\n');
    }
    return UINT64_MAX;
}

/* What chains add to a fork and an exit, for a page. */
static double chain_time(const struct tables *tables, unsigned threads)
{
    return time_of(tables, CHAINS_TABLE, OPERATION_FORK, threads) +
           time_of(tables, CHAINS_TABLE, OPERATION_EXIT, threads) -
           time_of(tables, NONE_TABLE, OPERATION_FORK, threads) -
           time_of(tables, NONE_TABLE, OPERATION_EXIT, threads);
}

/* Times that are not above zero were lost in the noise. */
static double over(double time, double alone)
{
    return time > 0 && alone > 0 ? time / alone : NAN;
}

double calibrate_factor(const struct tables *tables, enum lock_kind kind, unsigned threads)
{
    if (kind == LOCK_KIND_CHAIN) {
        return over(chain_time(tables, threads), chain_time(tables, 1));
    }
    const uint64_t row = line_of(tables, "ticket");
    return over(time_of(tables, PASSES_TABLE, row, threads),
                threads * time_of(tables, PASSES_TABLE, row, 1));
}

/* --- curves ----------------------------------------------------------------------------------- */

/* Factors as rates over that of one thread, and back. */
static double rate_of(const struct calibrated_curve *curve, double threads, double factor)
{
    return (curve->in_turn ? 1 : threads) / factor;
}

static bool fit_curve(const struct calibrated_curve *curve, const double *factors,
                      struct scaling_fit *fit)
{
    double threads[LOCK_CURVE_POINTS + 1] = {1};
    double rates[LOCK_CURVE_POINTS + 1] = {1};
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        threads[i + 1] = threads_of(i);
        rates[i + 1] = rate_of(curve, threads[i + 1], factors[i]);
    }
    return scaling_fit(threads, rates, LOCK_CURVE_POINTS + 1, fit) == NULL;
}

struct made_curve {
    double measured[LOCK_CURVE_POINTS]; /* medians of hosts; NaN */
    enum curve_origin origin[LOCK_CURVE_POINTS];
    uint64_t factor[LOCK_CURVE_POINTS];
    double residual; /* of the fit; NaN: there is none */
    bool any;        /* anything was measured */
};

static uint64_t in_thousandths(double factor)
{
    return max_u64(FACTOR_ONE, (uint64_t)llround(factor * FACTOR_ONE));
}

/* `made->measured` is there. */
static void make_curve(const struct calibrated_curve *curve, const struct lock_curve *before,
                       struct made_curve *made)
{
    const double most = (double)FACTOR_LIMIT / FACTOR_ONE;
    struct scaling_fit fit;
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        if (made->measured[i] > most) {
            made->measured[i] = NAN; /* threads did not have processors */
        }
        made->any = made->any || isfinite(made->measured[i]);
    }
    const bool fitted = fit_curve(curve, made->measured, &fit);
    made->residual = fitted ? fit.residual : NAN;
    uint64_t left = FACTOR_ONE;
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        const double threads = threads_of(i);
        const double fitted_factor = fitted ? rate_of(curve, threads,
                                                      scaling_rate(&fit, threads) / fit.lambda)
                                            : NAN;
        if (isfinite(made->measured[i])) {
            made->origin[i] = CURVE_MEASURED;
            made->factor[i] = in_thousandths(made->measured[i]);
        } else if (fitted_factor > 0 && fitted_factor <= most) {
            made->origin[i] = CURVE_EXTRAPOLATED;
            made->factor[i] = in_thousandths(fitted_factor);
        } else {
            made->origin[i] = CURVE_KEPT;
            made->factor[i] = max_u64(before->factor[i], left);
        }
        left = made->factor[i];
    }
}

/* "cpus_2, cpus_4" of one origin. */
static bool list_points(const struct made_curve *made, enum curve_origin origin, struct text *text)
{
    bool any = false;
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        if (made->origin[i] == origin) {
            text_append_format(text, "%scpus_%u", any ? ", " : "", threads_of(i));
            any = true;
        }
    }
    return any;
}

static void say_source(const struct calibrated_curve *curve, const struct made_curve *made,
                       const struct lock_curve *before, const char *hosts, const char *base,
                       struct text *text)
{
    (void)list_points(made, CURVE_MEASURED, text);
    text_append_format(text, " measured: %s; %s", curve->source, hosts);
    struct text points = {0};
    if (list_points(made, CURVE_EXTRAPOLATED, &points)) {
        text_append_format(text,
                           "; %s extrapolated by the Universal Scalability Law, which misses what "
                           "was measured by %.1f %%",
                           text_string(&points), 100 * made->residual);
    }
    text_free(&points);
    if (list_points(made, CURVE_KEPT, &points)) {
        text_append_format(text, "; %s %s, as in %s, but no less than the point before",
                           text_string(&points), cost_origins[before->from], base);
    }
    text->failed = text->failed || points.failed;
    text_free(&points);
}

/* The texts come first and the pointers into them afterwards, since the buffer may move. */
static void set_curves(const struct made_curve *made, const char *hosts, struct text *sources,
                       struct cost_profile *profile)
{
    size_t place[LOCK_KINDS];
    for (size_t kind = 0; kind < LOCK_KINDS; kind++) {
        place[kind] = sources->size;
        if (made[kind].any) {
            say_source(&curves[kind], &made[kind], &profile->contention.curve[kind], hosts,
                       profile->name, sources);
            text_append_bytes(sources, "", 1);
        }
    }
    for (size_t kind = 0; kind < LOCK_KINDS && !sources->failed; kind++) {
        struct lock_curve *curve = &profile->contention.curve[kind];
        if (made[kind].any) {
            memcpy(curve->factor, made[kind].factor, sizeof curve->factor);
            curve->from = COST_MEASURED;
            curve->source = sources->chars + place[kind];
        }
    }
}

/* --- what there is to see --------------------------------------------------------------------- */

static void put_scales(size_t nhosts, struct tables *overall)
{
    struct text keys = {0};
    uint64_t cpus[LOCK_CURVE_POINTS], kinds[LOCK_KINDS];
    uint64_t *hosts = calloc(nhosts, sizeof *hosts);
    if (hosts == NULL) {
        overall->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        cpus[i] = threads_of(i);
    }
    for (size_t i = 0; i < LOCK_KINDS; i++) {
        kinds[i] = i;
        text_append_format(&keys, "%s%s: %s", i > 0 ? "\n" : "", curves[i].key, curves[i].source);
    }
    for (size_t i = 0; i < nhosts; i++) {
        hosts[i] = i;
    }
    tables_text(overall, "curves", "name of each curve, one a line", text_string(&keys));
    tables_scale(overall, &(struct table_label){"curve", "1", "line of curves"}, NUMBER_U64,
                 LOCK_KINDS, kinds);
    tables_scale(overall, &(struct table_label){"cpus", "1", "CPUs that contend"}, NUMBER_U64,
                 LOCK_CURVE_POINTS, cpus);
    tables_scale(overall, &(struct table_label){"host", "1", "line of hosts of costs"}, NUMBER_U64,
                 nhosts, hosts);
    free(hosts);
    text_free(&keys);
}

static void put_curves(const struct made_curve *made, size_t nhosts, const double *factors,
                       struct tables *overall)
{
    static const char *const marks[] = {
        [CURVE_KEPT] = "(kept)", [CURVE_MEASURED] = "", [CURVE_EXTRAPOLATED] = "(fit)"};
    double written[LOCK_KINDS][LOCK_CURVE_POINTS];
    uint64_t origin[LOCK_KINDS][LOCK_CURVE_POINTS];
    put_scales(nhosts, overall);
    tables_report(overall, "%-16s", "slowdown at CPUs");
    for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
        tables_report(overall, " %13u", threads_of(i));
    }
    tables_report(overall, "\n");
    for (size_t kind = 0; kind < LOCK_KINDS; kind++) {
        tables_report(overall, "%-16s", curves[kind].key);
        for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
            written[kind][i] = (double)made[kind].factor[i] / FACTOR_ONE;
            origin[kind][i] = made[kind].origin[i];
            tables_report(overall, " %7.2f%6s", written[kind][i], marks[made[kind].origin[i]]);
        }
        tables_report(overall, "\n");
    }
    const struct table_axis axes[] = {
        {"curve", LOCK_KINDS}, {"cpus", LOCK_CURVE_POINTS}, {"host", nhosts}};
    tables_array(overall, &(struct table_label){"factor", "1", "slowdown on each host"}, NUMBER_F64,
                 3, axes, factors);
    tables_array(overall, &(struct table_label){"written", "1", "slowdown in the profile"},
                 NUMBER_F64, 2, axes, written);
    tables_array(overall,
                 &(struct table_label){"origin", "1",
                                       "0: as in the base, 1: median of hosts that measured it, 2: "
                                       "extrapolated by the Universal Scalability Law"},
                 NUMBER_U64, 2, axes, origin);
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool read_factors(const struct measured_host *hosts, size_t nhosts, double *factors,
                         struct made_curve *made, struct text *outliers)
{
    bool any = false;
    for (size_t kind = 0; kind < LOCK_KINDS; kind++) {
        for (size_t i = 0; i < LOCK_CURVE_POINTS; i++) {
            double *row = factors + (kind * LOCK_CURVE_POINTS + i) * nhosts;
            char name[48];
            for (size_t host = 0; host < nhosts; host++) {
                row[host] = calibrate_factor(&hosts[host].tables, (enum lock_kind)kind,
                                             threads_of(i));
            }
            made[kind].measured[i] = calibrate_median(row, nhosts);
            any = any || isfinite(made[kind].measured[i]);
            (void)snprintf(name, sizeof name, "%s at cpus_%u", curves[kind].key, threads_of(i));
            calibrate_name_outliers(hosts, nhosts, name, "times", row, made[kind].measured[i],
                                    outliers);
        }
    }
    return any;
}

static void conclude(const struct measured_host *hosts, size_t nhosts, struct made_curve *made,
                     const double *factors, struct tables *overall, struct text *sources,
                     struct cost_profile *profile)
{
    struct text where = {0};
    text_append_format(&where, "%s%s", nhosts > 1 ? "median of hosts, the first of them " : "on ",
                       hosts[0].name);
    for (size_t kind = 0; kind < LOCK_KINDS; kind++) {
        make_curve(&curves[kind], &profile->contention.curve[kind], &made[kind]);
    }
    put_curves(made, nhosts, factors, overall);
    set_curves(made, text_string(&where), sources, profile);
    text_free(&where);
}

enum status calibrate_curves(const struct measured_host *hosts, size_t nhosts,
                             struct tables *overall, struct text *sources,
                             struct cost_profile *profile)
{
    struct made_curve made[LOCK_KINDS];
    struct text outliers = {0};
    memset(made, 0, sizeof made);
    double *factors = calloc(LOCK_KINDS * LOCK_CURVE_POINTS * nhosts, sizeof *factors);
    if (factors == NULL) {
        return fail(STATUS_FAILED, "out of memory for a cost profile");
    }
    tables_group(overall, "contention", "contention curves of a cost profile");
    if (!read_factors(hosts, nhosts, factors, made, &outliers)) {
        tables_absence(overall, "curves",
                       "no host measured threads that contend: it takes two hardware threads");
        tables_report(overall, "contention curves are those of %s: no host measured any\n",
                      profile->name);
    } else {
        conclude(hosts, nhosts, made, factors, overall, sources, profile);
        calibrate_put_outliers(nhosts, &outliers, overall);
    }
    const bool failed = outliers.failed || sources->failed;
    text_free(&outliers);
    free(factors);
    return failed ? fail(STATUS_FAILED, "out of memory for a cost profile") : STATUS_OK;
}
