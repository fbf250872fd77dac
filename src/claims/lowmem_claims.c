/* Claims about what fills low memory. */
#include <math.h>

#include "claims/rows.h"

/* Tasks come one after the other and touch all they map. The one that low memory ran out for; NaN
 * where the run ended otherwise. */
static double tasks_at_exhaustion(const struct outcome *outcome, double pages_each)
{
    if (outcome->recording.verdict != VERDICT_LOWMEM_EXHAUSTED) {
        return NAN;
    }
    return floor(outcome_total(outcome, METRIC_PTES_PRESENT) / pages_each) + 1;
}

/* How many there were when nothing had run out by the end; NaN where the run ended otherwise. */
static double tasks_completed(const struct outcome *outcome, double pages_each)
{
    if (outcome->recording.verdict != VERDICT_COMPLETED) {
        return NAN;
    }
    return floor(outcome_total(outcome, METRIC_PTES_PRESENT) / pages_each);
}

/* --- L3: chains grow until the system collapses ---------------------------------------------- */

#define L3_RUN(preset, split, line)                                                     \
    {                                                                                   \
        "l3-tasks.yaml",                                                                \
            "design.preset=" preset " design.split=" split " machine.cache_line=" line, \
        {                                                                               \
            1, 1                                                                        \
        }                                                                               \
    }
#define L3_LINES(preset, split) \
    L3_RUN(preset, split, "128"), L3_RUN(preset, split, "64"), L3_RUN(preset, split, "32")

/* Some of the runs, by their place. */
enum {
    L3_2_4_23,
    L3_2_5_27,
    L3_2_6_0 = 3,
    L3_2_6_0_HIGHPTE = 6,
    L3_OBJRMAP = 9,
    L3_2_6_7 = 20,
    L3_2_4_23_AA = 22,
    L3_2_6_7_HIGHPTE,
    L3_RUNS
};

static const struct claim_run l3_runs[L3_RUNS] = {
    [L3_2_4_23] = L3_RUN("linux-2.4.23", "3g1g", "128"),
    [L3_2_5_27] = L3_RUN("linux-2.5.27", "3g1g", "128"),
    L3_RUN("andrea-arithmetic", "3g1g", "128"),
    [L3_2_6_0] = L3_LINES("linux-2.6.0", "3g1g"),
    [L3_2_6_0_HIGHPTE] = L3_LINES("linux-2.6.0-highpte", "3g1g"),
    [L3_OBJRMAP] = L3_RUN("linux-2.5-objrmap", "3g1g", "128"),
    L3_RUN("linux-2.5.27", "4g4g", "128"),
    L3_RUN("andrea-arithmetic", "4g4g", "128"),
    L3_LINES("linux-2.6.0", "4g4g"),
    L3_LINES("linux-2.6.0-highpte", "4g4g"),
    L3_RUN("linux-2.5-objrmap", "4g4g", "128"),
    {"l3-windows.yaml", "", {1, 1}},
    [L3_2_6_7] = L3_RUN("linux-2.6.7", "3g1g", "128"),
    L3_RUN("linux-2.6.7", "4g4g", "128"),
    [L3_2_4_23_AA] = L3_RUN("linux-2.4.23-aa", "3g1g", "128"),
    [L3_2_6_7_HIGHPTE] = L3_RUN("linux-2.6.7-highpte", "3g1g", "128"),
};

/* In the order of the runs; 0: all of L3_TASKS complete. */
enum { L3_TASKS = 1000 };

static const struct {
    const char *name;
    double tasks;
} l3_required[L3_RUNS] = {
    {"2_4_23", 87},
    {"2_5_27", 47},
    {"andrea_arithmetic", 93},
    {"2_6_0_on_128", 63},
    {"2_6_0_on_64", 61},
    {"2_6_0_on_32", 63},
    {"2_6_0_highpte_on_128", 76},
    {"2_6_0_highpte_on_64", 78},
    {"2_6_0_highpte_on_32", 70},
    {"2_5_objrmap", 99},
    {"2_5_27_4g4g", 316},
    {"andrea_arithmetic_4g4g", 630},
    {"2_6_0_4g4g_on_128", 413},
    {"2_6_0_4g4g_on_64", 413},
    {"2_6_0_4g4g_on_32", 405},
    {"2_6_0_highpte_4g4g_on_128", 586},
    {"2_6_0_highpte_4g4g_on_64", 547},
    {"2_6_0_highpte_4g4g_on_32", 472},
    {"2_5_objrmap_4g4g", 635},
    {"windows_2_6_0_on_128", 15},
    {"2_6_7", 111},
    {"2_6_7_4g4g", 647},
    {"2_4_23_aa", 0},
    {"2_6_7_highpte", 0},
};

/* Who holds low memory at the end of the runs on lines of 128 bytes with 3g1g; all owners of all
 * runs are in the file. */
static void report_l3_owners(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *what;
        enum metric metric;
    } owners[] = {{"mem_map", METRIC_LOWMEM_MEM_MAP_BYTES},
                  {"page_tables", METRIC_LOWMEM_PAGETABLE_BYTES},
                  {"chains", METRIC_LOWMEM_RMAP_BYTES}};
    static const size_t of[] = {L3_2_4_23,  L3_2_5_27,    L3_2_6_0, L3_2_6_0_HIGHPTE,
                                L3_OBJRMAP, L3_2_4_23_AA, L3_2_6_7, L3_2_6_7_HIGHPTE};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        for (size_t k = 0; k < sizeof owners / sizeof owners[0]; k++) {
            judge_report(judgement, outcome_total(runs[of[i]], owners[k].metric) / 1048576, "MiB",
                         "%s_%s", owners[k].what, l3_required[of[i]].name);
        }
    }
}

static void judge_l3(const struct outcome *const *runs, struct judgement *judgement)
{
    const double pages = 707788; /* that each task maps */
    for (size_t i = 0; i < L3_RUNS; i++) {
        const double tasks = l3_required[i].tasks;
        const char *name = l3_required[i].name;
        if (tasks > 0) {
            judge_between(judgement, 0.9 * tasks, 1.1 * tasks, tasks_at_exhaustion(runs[i], pages),
                          "1", "tasks_%s", name);
        } else {
            judge_between(judgement, L3_TASKS, L3_TASKS, tasks_completed(runs[i], pages), "1",
                          "tasks_completed_%s", name);
        }
    }
    report_l3_owners(runs, judgement);
    judge_note(judgement,
               "published: 100 to 150 tasks with 3g1g and 700 with 4g4g, from chains of 8 "
               "bytes alone, without page tables and mem_map (V9)");
}

const struct claim claim_l3 = {
    .id = "L3",
    .kind = CLAIM_ARITHMETIC,
    .sentence =
        "On a machine of 32 GB that hundreds of processes use, reverse-mapping structures grow "
        "until the system breaks down",
    .source = LWN_ARTICLE,
    .compared =
        "tasks that map 2.7 GiB when low memory is exhausted, every preset, splits 3g1g and "
        "4g4g, cache lines of 32, 64 and 128 bytes; nine windows of a file; who holds it then",
    .required =
        "the tasks that frames and objects add up to, within 10 %; all 1,000 complete where "
        "that is no limit",
    .analysis = "L3",
    CLAIM_RUNS(l3_runs),
    .judge = judge_l3,
};

/* --- L10: the patched 2.4 where 2.6 locks up ------------------------------------------------- */

/* Of 2.4.23-aa the short form has an eighth. `stall`, which says how long nothing moves in a
 * livelock, is divided as run lengths are; ballast leaves an eighth of what is free at full size,
 * where high memory never falls back to low memory (with `auto` most of it would be low, out of
 * reach behind the reserve). */
#define L10_PATCHED(processes, ballast)                                                            \
    {"l10-tasks.yaml",                                                                             \
     "design.preset=linux-2.4.23-aa workloads.database.processes=" processes                       \
     " stall=3750ms machine.ballast=" ballast,                                                     \
     {8, 0}},                                                                                      \
    {                                                                                              \
        "l10-tasks.yaml", "design.preset=linux-2.4.23-aa workloads.database.processes=" processes, \
        {                                                                                          \
            0, 1                                                                                   \
        }                                                                                          \
    }
#define L10_RUN(preset, split, processes)                        \
    {                                                            \
        "l10-tasks.yaml",                                        \
            "design.preset=linux-" preset " design.split=" split \
            " workloads.database.processes=" processes,          \
        {                                                        \
            1, 1                                                 \
        }                                                        \
    }

enum { L10_PATCHED_SIZES = 2, L10_OF_2_6 = 2 * L10_PATCHED_SIZES };

static const struct claim_run l10_runs[] = {
    L10_PATCHED("300", "26144MiB"),  L10_PATCHED("700", "23464MiB"),
    L10_RUN("2.6.0", "3g1g", "300"), L10_RUN("2.6.0-highpte", "3g1g", "300"),
    L10_RUN("2.6.0", "4g4g", "700"), L10_RUN("2.6.0-highpte", "4g4g", "700"),
};

static double touches_per_second(double touches, double seconds)
{
    return seconds > 0 ? touches / seconds : NAN;
}

/* Touches per second under pressure over those before it. */
static double touch_rate_kept(const struct outcome *outcome)
{
    const double under = outcome_pressure(outcome, METRIC_TOUCHES);
    const double seconds = outcome_pressure(outcome, METRIC_ELAPSED);
    return touches_per_second(under, seconds) /
           touches_per_second(outcome_total(outcome, METRIC_TOUCHES) - under,
                              outcome_total(outcome, METRIC_ELAPSED) - seconds);
}

static void judge_l10(const struct outcome *const *runs, struct judgement *judgement)
{
    static const unsigned tasks[L10_PATCHED_SIZES] = {300, 700};
    static const struct {
        const char *name;
        double tasks;
    } of_2_6[] = {
        {"2_6_0", 99}, {"2_6_0_highpte", 99}, {"2_6_0_4g4g", 699}, {"2_6_0_highpte_4g4g", 699}};
    const double pages = 707788 + 256; /* that each task maps */
    for (size_t i = 0; i < L10_PATCHED_SIZES; i++) {
        const struct outcome *run = runs[2 * i] != NULL ? runs[2 * i] : runs[2 * i + 1];
        /* The second segment is as large as the first; nobody else makes new pages. */
        const double copied = outcome_pressure(run, METRIC_NEW_PAGES) * 4096 /
                              outcome_at(run, "shm_bytes", 0);
        judge_between(judgement, 1, 1, run->recording.verdict == VERDICT_COMPLETED ? 1 : 0, "1",
                      "completed_2_4_23_aa_%u", tasks[i]);
        judge_between(judgement, 0.25, INFINITY, touch_rate_kept(run), "1",
                      "touch_rate_kept_2_4_23_aa_%u", tasks[i]);
        judge_between(judgement, 1, INFINITY, copied, "1", "share_copied_2_4_23_aa_%u", tasks[i]);
        judge_report(judgement, outcome_freed_per_second(run), "1/s",
                     "pages_freed_per_second_2_4_23_aa_%u", tasks[i]);
        judge_note(judgement, "2.4.23-aa with %u tasks: %s", tasks[i],
                   verdict_name(run->recording.verdict));
    }
    for (size_t i = 0; i < sizeof of_2_6 / sizeof of_2_6[0]; i++) {
        judge_between(judgement, 1, of_2_6[i].tasks,
                      tasks_at_exhaustion(runs[L10_OF_2_6 + i], pages), "1", "tasks_%s",
                      of_2_6[i].name);
    }
}

const struct claim claim_l10 = {
    .id = "L10",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "On large systems a 2.4 with these patches bears heavy loads under which 2.6 stops at "
        "once",
    .source = LWN_ARTICLE,
    .compared = "32 GiB i386-pae, 2.7 GiB mapped by 300 and 700 tasks, then a copy of it under "
                "pressure",
    .required =
        "2.4.23-aa completes with >= 25 % of its touch rate, and the copy is done; 2.6.0 and "
        "2.6.0-highpte end in lowmem_exhausted before 100 tasks (3g1g) or 700 (4g4g)",
    .analysis = "L10",
    CLAIM_RUNS(l10_runs),
    .judge = judge_l10,
};

/* --- I10: page tables fill low memory -------------------------------------------------------- */

#define I10_RUN(segment, processes)                                                                \
    {                                                                                              \
        "i10-page-tables.yaml",                                                                    \
            "workloads.database.segment.size=" segment " workloads.database.processes=" processes, \
        {                                                                                          \
            1, 1                                                                                   \
        }                                                                                          \
    }

static const struct claim_run i10_runs[] = {I10_RUN("512MiB", "1000"), I10_RUN("1GiB", "1000"),
                                            I10_RUN("2GiB", "1000")};

static void judge_i10(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *name;
        double pages, tasks;
    } required[] = {{"512_MiB", 131072, 521}, {"1_GiB", 262144, 265}, {"2_GiB", 524288, 134}};
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        judge_between(judgement, 0.98 * required[i].tasks, 1.02 * required[i].tasks,
                      tasks_at_exhaustion(runs[i], required[i].pages), "1", "processes_of_%s",
                      required[i].name);
        judge_report(judgement, outcome_total(runs[i], METRIC_LOWMEM_PAGETABLE_BYTES) / 1048576,
                     "MiB", "page_tables_of_%s", required[i].name);
    }
}

const struct claim claim_i10 = {
    .id = "I10",
    .kind = CLAIM_ARITHMETIC,
    .sentence = "Where many processes map a lot of memory, low memory becomes scarce: page tables "
                "fill it",
    .source = IBM_ARTICLE,
    .compared =
        "processes at which the low memory of a machine of 32 GiB is exhausted, each mapping "
        "512 MiB, 1 or 2 GiB, no chains",
    .required = "521, 265, 134: what frames add up to, +-2 %",
    CLAIM_RUNS(i10_runs),
    .judge = judge_i10,
};
