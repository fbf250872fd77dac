/* Claims about the work to find the ptes of a page. */
#include <math.h>
#include <stdio.h>

#include "claims/rows.h"

/* --- L1: the virtual scan under many processes ----------------------------------------------- */

enum { L1_DESIGNS = 3, L1_SIZES = 4, L1_RATES = 6 };

static const unsigned l1_processes[L1_SIZES] = {50, 100, 200, 300};
static const char *const l1_designs[L1_DESIGNS] = {"2_4_22", "2_4_23", "2_6_0"};
static const unsigned l1_rates[L1_RATES] = {66000, 220000, 440000, 660000, 880000, 1320000};

#define L1_RUN(preset, set, quick, full)                           \
    {                                                              \
        "l1-database.yaml", "design.preset=linux-" preset " " set, \
        {                                                          \
            quick, full                                            \
        }                                                          \
    }
#define L1_EACH(set, quick, full)                                           \
    L1_RUN("2.4.22", set, quick, full), L1_RUN("2.4.23", set, quick, full), \
        L1_RUN("2.6.0", set, quick, full)
#define L1_TWO(set, quick, full) \
    L1_RUN("2.4.23", set, quick, full), L1_RUN("2.6.0", set, quick, full)
#define L1_SWEEP(set)                                            \
    L1_EACH("workloads.database.processes=50 " set, 64, 8),      \
        L1_EACH("workloads.database.processes=100 " set, 64, 8), \
        L1_EACH("workloads.database.processes=200 " set, 64, 8), \
        L1_EACH("workloads.database.processes=300 " set, 64, 8)
#define L1_RATE(rate, set) L1_TWO("workloads.database.touch_rate=" rate " " set, 64, 8)
#define L1_FILE            "workloads.database.segment.backing=file"

enum {
    L1_SHM = 0,
    L1_OF_FILE = L1_SHM + L1_SIZES * L1_DESIGNS,
    L1_SHM_RATES = L1_OF_FILE + L1_SIZES * L1_DESIGNS,
    L1_FILE_RATES = L1_SHM_RATES + 2 * L1_RATES,
    L1_COSTS = L1_FILE_RATES + 2 * L1_RATES,
    L1_WHOLE = L1_COSTS + 4,
    L1_RUNS = L1_WHOLE + 4
};

static const struct claim_run l1_runs[L1_RUNS] = {
    L1_SWEEP(""),
    L1_SWEEP(L1_FILE),
    L1_RATE("66000", ""),
    L1_RATE("220000", ""),
    L1_RATE("440000", ""),
    L1_RATE("660000", ""),
    L1_RATE("880000", ""),
    L1_RATE("1320000", ""),
    L1_RATE("66000", L1_FILE),
    L1_RATE("220000", L1_FILE),
    L1_RATE("440000", L1_FILE),
    L1_RATE("660000", L1_FILE),
    L1_RATE("880000", L1_FILE),
    L1_RATE("1320000", L1_FILE),
    L1_TWO("cost_overrides.pte_visit=30ns", 64, 8),
    L1_TWO("cost_overrides.pte_visit=120ns", 64, 8),
    L1_TWO("workloads.database.processes=50", 0, 1),
    L1_TWO("workloads.database.processes=300", 0, 1),
};

static double ratio_of_visits(const struct outcome *scan, const struct outcome *rmap)
{
    return outcome_visits_per_freed(scan) / outcome_visits_per_freed(rmap);
}

/* `backing` is where its runs begin: sizes, of each the designs, 2.6.0 last. */
static void judge_l1_backing(const struct outcome *const *runs, const char *backing,
                             struct judgement *judgement)
{
    const struct outcome *const *few = runs;
    const struct outcome *const *many = runs + (ptrdiff_t)(L1_SIZES - 1) * L1_DESIGNS;
    for (size_t i = 0; i < L1_DESIGNS - 1; i++) {
        const double at_50 = ratio_of_visits(few[i], few[L1_DESIGNS - 1]);
        const double at_300 = ratio_of_visits(many[i], many[L1_DESIGNS - 1]);
        judge_between(judgement, 10, INFINITY, at_300, "1", "%s_visits_%s_over_2_6_0_at_300",
                      backing, l1_designs[i]);
        judge_between(judgement, 10, INFINITY, at_300 / at_50, "1", "%s_growth_of_that_from_50_%s",
                      backing, l1_designs[i]);
        judge_between(judgement, 10, INFINITY, outcome_faults_per_freed(many[i]), "1",
                      "%s_minor_faults_per_page_%s", backing, l1_designs[i]);
        judge_between(judgement, 100, INFINITY,
                      outcome_freed_per_second(few[i]) / outcome_freed_per_second(many[i]), "1",
                      "%s_freed_per_second_50_over_300_%s", backing, l1_designs[i]);
    }
    judge_between(judgement, -INFINITY, 0.1, outcome_faults_per_freed(many[L1_DESIGNS - 1]), "1",
                  "%s_minor_faults_per_page_2_6_0", backing);
}

/* The range of theta_cold in which the scan does not do much worse, and from where it is much
 * worse. */
static void note_l1_rates(const struct outcome *const *runs, const char *backing,
                          struct judgement *judgement)
{
    double below = NAN;
    double from = NAN;
    double nobody = NAN;
    for (size_t i = 0; i < L1_RATES; i++) {
        const struct outcome *scan = runs[2 * i];
        const struct outcome *rmap = runs[2 * i + 1];
        if (scan == NULL) {
            return;
        }
        const double nominal = l1_rates[i] / 220000.0;
        const double ratio = ratio_of_visits(scan, rmap);
        const bool frees = outcome_pressure(scan, METRIC_PAGES_FREED) >= OUTCOME_FREED_MIN;
        const bool rmap_frees = outcome_pressure(rmap, METRIC_PAGES_FREED) >= OUTCOME_FREED_MIN;
        judge_report(judgement, ratio, "1", "%s_ratio_at_nominal_theta_%.1f", backing, nominal);
        judge_report(judgement, outcome_total(scan, METRIC_THETA_COLD), "1",
                     "%s_theta_cold_2_4_23_at_nominal_%.1f", backing, nominal);
        below = ratio < 4 && isnan(from) ? nominal : below;
        from = ratio >= 10 && isnan(from) ? nominal : from;
        nobody = !frees && !rmap_frees && isnan(nobody) ? nominal : nobody;
    }
    char where[3][64] = {"at no rate", "at no rate", "at no rate"};
    const double edges[] = {below, from, nobody};
    for (size_t i = 0; i < 3; i++) {
        if (!isnan(edges[i])) {
            (void)snprintf(where[i], sizeof where[i], "%s nominal theta %.1f",
                           i == 0 ? "up to" : "from", edges[i]);
        }
    }
    judge_note(judgement, "%s: ratio < 4 %s, >= 10 %s, neither design frees %s", backing, where[0],
               where[1], where[2]);
}

static void judge_l1(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_l1_backing(runs + L1_SHM, "shm", judgement);
    judge_l1_backing(runs + L1_OF_FILE, "file", judgement);
    note_l1_rates(runs + L1_SHM_RATES, "shm", judgement);
    note_l1_rates(runs + L1_FILE_RATES, "file", judgement);
    judge_report(judgement, ratio_of_visits(runs[L1_COSTS], runs[L1_COSTS + 1]), "1",
                 "shm_ratio_at_half_pte_visit");
    judge_report(judgement, ratio_of_visits(runs[L1_COSTS + 2], runs[L1_COSTS + 3]), "1",
                 "shm_ratio_at_double_pte_visit");
    if (runs[L1_WHOLE] != NULL) {
        judge_report(judgement, ratio_of_visits(runs[L1_WHOLE], runs[L1_WHOLE + 1]), "1",
                     "shm_ratio_at_50_full_size");
        judge_report(judgement, ratio_of_visits(runs[L1_WHOLE + 2], runs[L1_WHOLE + 3]), "1",
                     "shm_ratio_at_300_full_size");
    }
    const struct outcome *const *many = runs + (ptrdiff_t)(L1_SIZES - 1) * L1_DESIGNS;
    if (outcomes_made_few_laps(many, L1_DESIGNS)) {
        judge_inconclusive(judgement, "no design made %d laps", OUTCOME_LAPS_MIN);
    }
    if (outcomes_freed_few(many, L1_DESIGNS)) {
        judge_inconclusive(judgement, "no design freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_l1 = {
    .id = "L1",
    .kind = CLAIM_EMERGENT,
    .sentence = "With 32 GB and hundreds of processes that share a large mapping, the 2.4 scan is "
                "almost never able to free anything: processes remap by minor faults meanwhile",
    .source = LWN_ARTICLE,
    .compared =
        "scenario A with 50, 100, 200, 300 processes, shared memory and a file; touch rates "
        "at 300; half and double cost of a pte visit",
    .required = "visits per page freed, 2.4.22 and 2.4.23 over 2.6.0, >= 10 at 300 and grown >= 10 "
                "times from 50; minor faults per page freed >= 10 on 2.4, <= 0.1 on 2.6.0; pages "
                "freed per second on 2.4 fall >= 100 times from 50 to 300",
    .analysis = "L1",
    CLAIM_RUNS(l1_runs),
    .judge = judge_l1,
};

/* --- L2: rmap goes to physical pages --------------------------------------------------------- */

#define L2_RUN(set)               \
    {                             \
        "l2-unrelated.yaml", set, \
        {                         \
            64, 8                 \
        }                         \
    }

static const struct claim_run l2_runs[] = {
    {"l2-cold.yaml", "", {64, 8}},
    L2_RUN("machine.memory=48GiB workloads.unrelated.segment.size=12GiB "
           "workloads.unrelated.touch_rate=100000"),
    L2_RUN("machine.memory=96GiB workloads.unrelated.segment.size=48GiB "
           "workloads.unrelated.touch_rate=400000"),
    L2_RUN("machine.memory=256GiB workloads.unrelated.segment.size=192GiB "
           "workloads.unrelated.touch_rate=1600000"),
};

static void judge_l2(const struct outcome *const *runs, struct judgement *judgement)
{
    static const unsigned times[] = {0, 1, 4, 16};
    const double alone = outcome_per(runs[0], METRIC_UNMAP_VISITS, METRIC_PTES_UNMAPPED);
    for (size_t i = 0; i < 4; i++) {
        const double entries = outcome_per(runs[i], METRIC_UNMAP_VISITS, METRIC_PAGES_UNMAPPED);
        const double mapcount = outcome_per(runs[i], METRIC_PTES_UNMAPPED, METRIC_PAGES_UNMAPPED);
        judge_report(judgement, entries, "1", "entries_per_page_beside_%ux", times[i]);
        judge_between(judgement, -1, 1, entries - mapcount, "1", "less_its_mapcount_beside_%ux",
                      times[i]);
        judge_between(judgement, -0.02, 0.02,
                      outcome_per(runs[i], METRIC_UNMAP_VISITS, METRIC_PTES_UNMAPPED) / alone - 1,
                      "1", "change_per_mapping_beside_%ux", times[i]);
    }
    if (outcomes_freed_few(runs, 4)) {
        judge_inconclusive(judgement, "no run freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_l2 = {
    .id = "L2",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "The reverse-mapping VM frees physical pages directly, by following pointers to the "
        "page tables that map them",
    .source = LWN_ARTICLE,
    .compared =
        "chain entries visited to unmap a page, 2.6.0, 300 processes, pages not touched since "
        "they were last checked; beside 1, 4, 16 times as much unrelated mapped memory",
    .required = "the mapcount of the page +-1; entries per mapping change < 2 %",
    CLAIM_RUNS(l2_runs),
    .judge = judge_l2,
};

/* --- I1: work to free a page grows with the processes ---------------------------------------- */

#define I1_RUN(processes, rate)                                                  \
    {                                                                            \
        "l1-database.yaml",                                                      \
            "design.preset=linux-2.4.23 workloads.database.processes=" processes \
            " workloads.database.touch_rate=" rate,                              \
        {                                                                        \
            64, 8                                                                \
        }                                                                        \
    }
#define I1_SIZES(rate) \
    I1_RUN("50", rate), I1_RUN("100", rate), I1_RUN("200", rate), I1_RUN("300", rate)

static const struct claim_run i1_runs[] = {I1_SIZES("66000"), I1_SIZES("440000"),
                                           I1_SIZES("880000")};

static void judge_i1(const struct outcome *const *runs, struct judgement *judgement)
{
    double n[L1_SIZES];
    double visits[L1_SIZES];
    double theta = 0;
    for (size_t i = 0; i < L1_SIZES; i++) {
        n[i] = l1_processes[i];
        visits[i] = outcome_visits_per_freed(runs[i]);
        judge_between(judgement, 1, 20, visits[i] / n[i], "1", "visits_per_process_at_%u",
                      l1_processes[i]);
        theta = fmax(theta, outcome_total(runs[i], METRIC_THETA_COLD));
    }
    judge_at_least(judgement, 0.95, line_fit(n, visits, L1_SIZES).r2, "1", "r2_of_line");
    judge_at_most(judgement, 0.3, theta, "1", "theta_cold");
    static const unsigned rates[] = {440000, 880000};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < L1_SIZES; i++) {
            judge_report(judgement, outcome_visits_per_freed(runs[(k + 1) * L1_SIZES + i]) / n[i],
                         "1", "visits_per_process_at_%u_and_%u_touches", l1_processes[i], rates[k]);
        }
    }
    if (outcomes_freed_few(runs, L1_SIZES)) {
        judge_inconclusive(judgement, "no run freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_i1 = {
    .id = "I1",
    .kind = CLAIM_EMERGENT,
    .sentence = "In 2.4 the work to free a page grows with the number of processes",
    .source = IBM_ARTICLE,
    .compared = "ptes visited per page freed, 2.4.23, 50 to 300 processes, 66,000 touches per "
                "second (theta_cold <= 0.3); 440,000 and 880,000 reported",
    .required = "linear in the number of processes, r2 >= 0.95; 1 to 20 visits per process; "
                "theta_cold <= 0.3",
    CLAIM_RUNS(i1_runs),
    .judge = judge_i1,
};

/* --- I6: scaling ------------------------------------------------------------------------------ */

enum { I6_SIZES = 5 };

/* Memory in units of 4 GiB. What grows with it: CPUs, touch rates, swap devices, and processes. */
#define I6_SIZE(preset, config, units, gib, segment, copy, processes, touches, rate, quick)        \
    {                                                                                              \
        config,                                                                                    \
            "design.preset=linux-" preset " machine.memory=" gib " machine.cpus=" units            \
            " machine.swap.size=" gib " machine.swap.devices=" units                               \
            " workloads.database.segment.size=" segment " workloads.database.processes=" processes \
            " workloads.database.touch_rate=" touches " workloads.shm_copy.size=" copy             \
            " workloads.shm_copy.rate=" rate,                                                      \
        {                                                                                          \
            quick, 16                                                                              \
        }                                                                                          \
    }
#define I6_GROUPS(preset)                                                                          \
    I6_SIZE(preset, "i6-groups.yaml", "1", "4GiB", "2GiB", "1GiB", "32", "55000", "6MB/s", 16),    \
        I6_SIZE(preset, "i6-groups.yaml", "4", "16GiB", "8GiB", "4GiB", "128", "220000", "25MB/s", \
                16),                                                                               \
        I6_SIZE(preset, "i6-groups.yaml", "16", "64GiB", "32GiB", "16GiB", "512", "880000",        \
                "100MB/s", 16),                                                                    \
        I6_SIZE(preset, "i6-groups.yaml", "64", "256GiB", "128GiB", "64GiB", "2048", "3520000",    \
                "400MB/s", 0),                                                                     \
        I6_SIZE(preset, "i6-groups.yaml", "256", "1TiB", "512GiB", "256GiB", "8192", "14080000",   \
                "1600MB/s", 0)
#define I6_SHARERS(preset)                                                                       \
    I6_SIZE(preset, "i6-sharers.yaml", "1", "4GiB", "512MiB", "1GiB", "4", "1000", "6MB/s", 16), \
        I6_SIZE(preset, "i6-sharers.yaml", "4", "16GiB", "2GiB", "4GiB", "16", "4000", "25MB/s", \
                16),                                                                             \
        I6_SIZE(preset, "i6-sharers.yaml", "16", "64GiB", "8GiB", "16GiB", "64", "16000",        \
                "100MB/s", 16),                                                                  \
        I6_SIZE(preset, "i6-sharers.yaml", "64", "256GiB", "32GiB", "64GiB", "256", "64000",     \
                "400MB/s", 0),                                                                   \
        I6_SIZE(preset, "i6-sharers.yaml", "256", "1TiB", "128GiB", "256GiB", "1024", "256000",  \
                "1600MB/s", 0)

static const struct claim_run i6_runs[] = {I6_GROUPS("2.6.0"), I6_GROUPS("2.4.23"),
                                           I6_SHARERS("2.6.0"), I6_SHARERS("2.4.23")};

/* CPU time of reclaim per page freed, in microseconds; a lower bound where none was freed. */
static double reclaim_us(const struct outcome *outcome)
{
    return 1e6 * outcome_pressure(outcome, METRIC_RECLAIM_CPU) /
           fmax(outcome_pressure(outcome, METRIC_PAGES_FREED), 1);
}

/* How much of a run there is of one series: as many sizes as the form has. */
static size_t reclaim_costs(const struct outcome *const *runs, double values[I6_SIZES])
{
    size_t n = 0;
    while (n < I6_SIZES && runs[n] != NULL) {
        values[n] = reclaim_us(runs[n]);
        n++;
    }
    return n;
}

/* Slope of the logarithms of y over those of x. */
static double slope_of_logarithms(const double *x, const double *y, size_t n)
{
    double log_x[I6_SIZES];
    double log_y[I6_SIZES];
    for (size_t i = 0; i < n; i++) {
        log_x[i] = log(x[i]);
        log_y[i] = log(y[i]);
    }
    return line_fit(log_x, log_y, n).slope;
}

/* (a): groups of 32 sharers. */
static void judge_i6_groups(const double *rmap, const double *scan, size_t n,
                            struct judgement *judgement)
{
    double least = rmap[0];
    double most = rmap[0];
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, rmap[i]);
        most = fmax(most, rmap[i]);
    }
    judge_at_most(judgement, 1.25, most / least, "1", "groups_2_6_0_largest_over_smallest");
    judge_at_least(judgement, 1.25, scan[n - 1] / scan[0], "1", "groups_2_4_23_last_over_first");
}

/* (b): sharers in proportion. The pages freed are not all of the segment: against the number of
 * ptes that those had which were unmapped. */
static void judge_i6_sharers(const struct outcome *const *runs, const double *rmap,
                             const double *scan, size_t n, struct judgement *judgement)
{
    double mapcount[I6_SIZES];
    double sharers[I6_SIZES];
    for (size_t i = 0; i < n; i++) {
        sharers[i] = 4U << (2 * i);
        mapcount[i] = outcome_per(runs[i], METRIC_PTES_UNMAPPED, METRIC_PAGES_UNMAPPED);
        judge_report(judgement, mapcount[i], "1", "mean_mapcount_of_%.0f_sharers", sharers[i]);
    }
    judge_between(judgement, 0.8, 1.2, slope_of_logarithms(mapcount, rmap, n), "1",
                  "sharers_2_6_0_slope_over_mapcount");
    judge_between(judgement, slope_of_logarithms(sharers, rmap, n), INFINITY,
                  slope_of_logarithms(sharers, scan, n), "1", "sharers_2_4_23_slope");
}

static void judge_i6(const struct outcome *const *runs, struct judgement *judgement)
{
    static const char *const names[] = {"groups_2_6_0", "groups_2_4_23", "sharers_2_6_0",
                                        "sharers_2_4_23"};
    double costs[4][I6_SIZES];
    size_t n = 0;
    for (size_t k = 0; k < 4; k++) {
        n = reclaim_costs(runs + k * I6_SIZES, costs[k]);
        for (size_t i = 0; i < n; i++) {
            judge_report(judgement, costs[k][i], "us", "reclaim_us_per_page_%s_%uGiB", names[k],
                         4U << (2 * i));
        }
    }
    judge_i6_groups(costs[0], costs[1], n, judgement);
    judge_i6_sharers(runs + (ptrdiff_t)2 * I6_SIZES, costs[2], costs[3], n, judgement);
    if (outcomes_freed_few(runs, sizeof i6_runs / sizeof i6_runs[0])) {
        judge_inconclusive(judgement, "no run freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_i6 = {
    .id = "I6",
    .kind = CLAIM_EMERGENT,
    .sentence = "With reverse maps the system scales with the demands made on kernel and memory",
    .source = IBM_ARTICLE,
    .compared =
        "CPU time of reclaim per page freed from 4 GiB up, CPUs, touches, swap and pressure "
        "in proportion: (a) groups of 32 sharers, (b) sharers in proportion",
    .required =
        "(a) 2.6.0 flat within 25 %, 2.4.23 grows by more than that; (b) 2.6.0 in proportion "
        "to the mapcount (slope of logarithms 0.8 to 1.2), 2.4.23 steeper",
    .analysis = "I6",
    CLAIM_RUNS(i6_runs),
    .judge = judge_i6,
};
