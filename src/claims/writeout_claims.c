/* Claims about writing shared memory to swap, and about what is freed while a file is copied. */
#include <math.h>

#include "claims/rows.h"

static const double mebibyte = 1024.0 * 1024;

/* --- L6, L7: the storm ----------------------------------------------------------------------- */

#define STORM_RUN(design, size)           \
    {                                     \
        "l6-storm.yaml", design " " size, \
        {                                 \
            64, 8                         \
        }                                 \
    }
#define STORM_SEGMENTS(size)                                                     \
    "workloads.first.segment.size=" size " workloads.second.segment.size=" size  \
    " workloads.third.segment.size=" size " workloads.fourth.segment.size=" size \
    " workloads.fifth.size=" size
#define STORM_8   "machine.memory=8GiB machine.swap.size=8GiB " STORM_SEGMENTS("1331MiB")
#define STORM_32  "machine.memory=32GiB machine.swap.size=32GiB " STORM_SEGMENTS("5324MiB")
#define STOCK     "design.preset=linux-2.4.23"
#define FIRST_FIX "design.preset=linux-2.4.23 design.rmap=objrmap_in_scan"

/* The time between two points stands for a second of the undivided machine: rates are not
 * divided. */
static double swap_out_rate(const struct outcome *outcome, size_t point)
{
    return (outcome_at(outcome, "swap_out_bytes", point) -
            outcome_at(outcome, "swap_out_bytes", point - 1)) /
           (outcome_time(outcome, point) - outcome_time(outcome, point - 1));
}

/* Dirty swap cache at the begin of the first interval with swap-out of 16 MiB/s and more, as a
 * share of resident shared memory; NaN if there is none. */
static double pile(const struct outcome *outcome)
{
    for (size_t i = 1; i < outcome->recording.npoints; i++) {
        if (swap_out_rate(outcome, i) >= 16 * mebibyte) {
            return outcome_at(outcome, "swapcache_dirty_bytes", i - 1) /
                   outcome_at(outcome, "shm_bytes", i - 1);
        }
    }
    return NAN;
}

/* The whole swap cache at that point, as a share of memory. */
static double swap_cache_before_storm(const struct outcome *outcome)
{
    for (size_t i = 1; i < outcome->recording.npoints; i++) {
        if (swap_out_rate(outcome, i) >= 16 * mebibyte) {
            return outcome_at(outcome, "swapcache_bytes", i - 1) / outcome->memory;
        }
    }
    return NAN;
}

/* Highest rate of swap-out over the mean from the first swap-out on. */
static double peak_over_mean(const struct outcome *outcome)
{
    const size_t n = outcome->recording.npoints;
    size_t first = 0;
    double peak = 0;
    for (size_t i = 1; i < n; i++) {
        const double rate = swap_out_rate(outcome, i);
        first = first == 0 && rate > 0 ? i : first;
        peak = fmax(peak, rate);
    }
    if (first == 0) {
        return NAN;
    }
    return peak / (outcome_named(outcome, "swap_out_bytes") /
                   (outcome_time(outcome, n - 1) - outcome_time(outcome, first - 1)));
}

/* Time from the end of a write to the page's being freed, over the time in which reclaim looks at
 * as many pages as the inactive list has on the mean. */
static double laps_to_free(const struct outcome *outcome)
{
    const size_t n = outcome->recording.npoints;
    double inactive = 0;
    for (size_t i = 0; i < n; i++) {
        inactive += outcome_at(outcome, "inactive_bytes", i) / 4096 / (double)n;
    }
    const double lap = inactive * outcome_pressure(outcome, METRIC_ELAPSED) /
                       outcome_pressure(outcome, METRIC_PAGES_SCANNED);
    return outcome_named(outcome, "swap_write_to_free_seconds") /
           outcome_named(outcome, "swap_written_freed") / lap;
}

static const struct claim_run l6_runs[] = {
    STORM_RUN(STOCK, STORM_8),     STORM_RUN(STOCK, ""),     STORM_RUN(STOCK, STORM_32),
    STORM_RUN(FIRST_FIX, STORM_8), STORM_RUN(FIRST_FIX, ""), STORM_RUN(FIRST_FIX, STORM_32),
};

static void judge_l6(const struct outcome *const *runs, struct judgement *judgement)
{
    static const char *const designs[] = {"2_4_23", "first_fix"};
    static const unsigned sizes[] = {8, 16, 32};
    for (size_t k = 0; k < 2; k++) {
        double least = INFINITY;
        double most = 0;
        for (size_t i = 0; i < 3; i++) {
            const struct outcome *run = runs[3 * k + i];
            const double share = pile(run);
            least = fmin(least, share);
            most = fmax(most, share);
            judge_between(judgement, 0.2, 1, share, "1", "pile_over_shm_%s_%uGiB", designs[k],
                          sizes[i]);
            judge_between(judgement, 5, INFINITY, peak_over_mean(run), "1",
                          "peak_over_mean_%s_%uGiB", designs[k], sizes[i]);
            judge_between(judgement, 1, INFINITY, laps_to_free(run), "1",
                          "laps_from_written_to_free_%s_%uGiB", designs[k], sizes[i]);
        }
        judge_between(judgement, 1, 1.25, most / least, "1", "largest_over_smallest_share_%s",
                      designs[k]);
    }
    if (outcomes_freed_few(runs, 6)) {
        judge_inconclusive(judgement, "no run freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_l6 = {
    .id = "L6",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "Unmapped shared memory is not written at once: it piles up, then all of it is written "
        "in a storm, and that memory is free is noticed late",
    .source = LWN_ARTICLE,
    .compared =
        "dirty swap cache when swap-out begins, peak over mean write rate, laps of the "
        "inactive list from written to free: 2.4.23 and with object rmap in the scan, 8, 16 "
        "and 32 GiB",
    .required = "pile >= 20 % of resident shared memory and in proportion to memory within 25 %; "
                "peak over mean > 5; completion to free >= one lap of the inactive list",
    .analysis = "L6",
    CLAIM_RUNS(l6_runs),
    .judge = judge_l6,
};

static const struct claim_run l7_runs[] = {
    STORM_RUN("design.preset=linux-2.4.23-aa design.prefer_clean=off", ""),
};

static void judge_l7(const struct outcome *const *runs, struct judgement *judgement)
{
    /* 128 MiB of the 16 GiB, so that the divided form says the same. */
    const double allowed = 128.0 / (16 * 1024);
    judge_at_most(judgement, allowed,
                  outcome_peak(runs[0], METRIC_SWAPCACHE_DIRTY_BYTES) / runs[0]->memory, "1",
                  "largest_pile_over_memory");
    judge_at_most(judgement, 2, peak_over_mean(runs[0]), "1", "peak_over_mean");
    judge_note(judgement, "peak_over_mean is as required in the short form only");
    if (outcomes_freed_few(runs, 1)) {
        judge_inconclusive(judgement, "no run freed %d pages", OUTCOME_FREED_MIN);
    }
}

const struct claim claim_l7 = {
    .id = "L7",
    .kind = CLAIM_EMERGENT,
    .sentence = "Writing dirty memory out promptly, a batch at a time, does away with the storm",
    .source = LWN_ARTICLE,
    .compared = "as L6, 16 GiB, with prompt write-out",
    .required = "pile <= 128 MiB (0.0078 of memory) at every second; peak over mean < 2",
    .analysis = "L7",
    CLAIM_RUNS(l7_runs),
    .judge = judge_l7,
};

/* --- V8: the vmstat that showed it ----------------------------------------------------------- */

static const struct claim_run v8_runs[] = {STORM_RUN(STOCK, ""),
                                           STORM_RUN("design.preset=linux-2.4.23-aa", "")};

static void judge_v8(const struct outcome *const *runs, struct judgement *judgement)
{
    /* Of 16 GiB, so that the divided form says the same. */
    static const double published[] = {4.8e9 / (16 * 1073741824.0), 64e6 / (16 * 1073741824.0)};
    static const char *const names[] = {"2_4_23", "2_4_23_aa"};
    for (size_t i = 0; i < 2; i++) {
        judge_between(judgement, 0.75 * published[i], 1.25 * published[i],
                      swap_cache_before_storm(runs[i]), "1", "swap_cache_over_memory_%s", names[i]);
    }
}

const struct claim published_v8 = {
    .id = "V8",
    .kind = CLAIM_PREDICTION,
    .sentence = "bytes turned into swap cache before the first big swap-out, 16 GB machine",
    .source = "A. Arcangeli, linux-kernel, 27 Feb 2004",
    .compared = "swap cache over memory when swap-out reaches 16 MiB/s, 2.4.23 and 2.4.23-aa",
    .required = "4.8 GB stock (0.279), 64 MB fixed (0.0037); within 25 %",
    .analysis = "V8",
    CLAIM_RUNS(v8_runs),
    .judge = judge_v8,
};

/* --- L8, L9: copying a file ------------------------------------------------------------------ */

#define COPY_OFF                                   \
    {                                              \
        "l8-copy.yaml", "design.prefer_clean=off", \
        {                                          \
            64, 8                                  \
        }                                          \
    }
#define COPY_ON                                   \
    {                                             \
        "l8-copy.yaml", "design.prefer_clean=on", \
        {                                         \
            64, 8                                 \
        }                                         \
    }
#define COPY_ALONE(set)            \
    {                              \
        "l8-copy-alone.yaml", set, \
        {                          \
            64, 8                  \
        }                          \
    }

/* Bytes per second of the copy, until it was done or the run ended. */
static double copy_rate(const struct outcome *outcome)
{
    const double copied = outcome_named(outcome, "file_write_bytes");
    size_t done = 0;
    while (outcome_at(outcome, "file_write_bytes", done) < copied) {
        done++;
    }
    const double began = sim_seconds(outcome->recording.pressure_began);
    return copied / (outcome_time(outcome, done) - began);
}

static double swapped_per_copied(const struct outcome *outcome)
{
    return outcome_named(outcome, "shm_swap_out_bytes") /
           outcome_named(outcome, "file_write_bytes");
}

/* Touches per second under pressure. */
static double touch_rate(const struct outcome *outcome)
{
    return outcome_per(outcome, METRIC_TOUCHES, METRIC_ELAPSED);
}

static void judge_copy(const struct outcome *loaded, const struct outcome *alone,
                       struct judgement *judgement)
{
    judge_report(judgement, touch_rate(loaded), "1/s", "touches_per_second");
    judge_report(judgement, outcome_named(loaded, "buffer_heads"), "1", "buffer_heads");
    judge_report(judgement, copy_rate(alone) / mebibyte, "MiB/s", "copy_alone");
    if (outcomes_freed_few(&loaded, 1)) {
        judge_inconclusive(judgement, "fewer than %d pages were freed", OUTCOME_FREED_MIN);
    }
}

static const struct claim_run l8_runs[] = {COPY_OFF, COPY_ALONE("design.prefer_clean=off")};

static void judge_l8(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_at_least(judgement, 0.3, swapped_per_copied(runs[0]), "1", "shm_swapped_out_per_copied");
    judge_at_most(judgement, 0.25, copy_rate(runs[0]) / copy_rate(runs[1]), "1",
                  "copy_rate_over_alone");
    judge_copy(runs[0], runs[1], judgement);
}

const struct claim claim_l8 = {
    .id = "L8",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "While a large file is copied, dirty and used shared memory of the database is swapped "
        "out, and the clean copied data stays",
    .source = LWN_ARTICLE,
    .compared = "2.4.23-aa without prefer_clean, 24 GiB of shared memory: pages of it swapped out "
                "per page copied; copy rate over that without a database",
    .required = ">= 0.3; <= 0.25",
    .analysis = "L8",
    CLAIM_RUNS(l8_runs),
    .judge = judge_l8,
};

static const struct claim_run l9_runs[] = {COPY_ON, COPY_ALONE("design.prefer_clean=on"), COPY_OFF};

/* Bytes read from files beyond those of the copy. */
static double reread(const struct outcome *outcome)
{
    return outcome_named(outcome, "file_read_bytes") - outcome_named(outcome, "file_write_bytes");
}

static void judge_l9(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_at_most(judgement, 0.02, swapped_per_copied(runs[0]), "1", "shm_swapped_out_per_copied");
    judge_at_least(judgement, 0.8, copy_rate(runs[0]) / copy_rate(runs[1]), "1",
                   "copy_rate_over_alone");
    judge_at_least(judgement, 1 + 1e-9, reread(runs[0]) / reread(runs[2]), "1",
                   "hot_file_read_on_over_off");
    judge_copy(runs[0], runs[1], judgement);
}

const struct claim claim_l9 = {
    .id = "L9",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "With clean cache pages taken first the database stays in memory; that is less fair to "
        "other users of the cache",
    .source = LWN_ARTICLE,
    .compared = "as L8 with prefer_clean, beside a small hot clean file",
    .required = "< 0.02; >= 0.8; more of the hot file is read again than without",
    .analysis = "L9",
    CLAIM_RUNS(l9_runs),
    .judge = judge_l9,
};
