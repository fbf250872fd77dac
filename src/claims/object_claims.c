/* Claims about finding ptes through objects. */
#include <math.h>

#include "claims/rows.h"

#define L5_TEST(preset, rmap, quick)                                             \
    {                                                                            \
        "l5-rmap-test.yaml", "design.preset=linux-" preset " design.rmap=" rmap, \
        {                                                                        \
            quick, 1                                                             \
        }                                                                        \
    }
#define L5_ONE_PAGE(rmap)                             \
    {                                                 \
        "l5-one-page-vmas.yaml", "design.rmap=" rmap, \
        {                                             \
            1, 1                                      \
        }                                             \
    }
#define L5_A(rmap)                               \
    {                                            \
        "l1-database.yaml", "design.rmap=" rmap, \
        {                                        \
            64, 8                                \
        }                                        \
    }

#define L5_B3(preset, move)                                                               \
    {                                                                                     \
        "l5-windows.yaml", "design.preset=linux-" preset " workloads.windows.move=" move, \
        {                                                                                 \
            64, 8                                                                         \
        }                                                                                 \
    }

enum {
    L5_LIST,
    L5_TREE,
    L5_CHAIN,
    L5_VMAS_LIST,
    L5_VMAS_TREE,
    L5_A_LIST,
    L5_A_TREE,
    L5_B3_FIRST,
    L5_B3_DESIGNS = 3
};

/* Of scenario B3: windows moved by munmap and mmap, and nonlinear ones. */
static const char *const l5_b3_designs[L5_B3_DESIGNS] = {"list", "tree", "chains"};
static const char *const l5_b3_moves[] = {"mmap", "nonlinear"};

static const struct claim_run l5_runs[] = {
    [L5_LIST] = L5_TEST("2.6.0", "objrmap", 4),
    [L5_TREE] = L5_TEST("2.6.0", "objrmap_prio_tree", 4),
    [L5_CHAIN] = L5_TEST("2.6.0", "pte_chain_array", 4),
    [L5_VMAS_LIST] = L5_ONE_PAGE("objrmap"),
    [L5_VMAS_TREE] = L5_ONE_PAGE("objrmap_prio_tree"),
    [L5_A_LIST] = L5_A("objrmap"),
    [L5_A_TREE] = L5_A("objrmap_prio_tree"),
    [L5_B3_FIRST] = L5_B3("2.5-objrmap", "munmap_mmap"),
    L5_B3("2.6.7", "munmap_mmap"),
    L5_B3("2.6.0", "munmap_mmap"),
    L5_B3("2.5-objrmap", "remap_file_pages"),
    L5_B3("2.6.7", "remap_file_pages"),
    L5_B3("2.6.0", "remap_file_pages"),
};

/* Entries that walks looked at, over those that were of the page. */
static double entries_per_covering(const struct outcome *outcome)
{
    return outcome_total(outcome, METRIC_RMAP_VISITS) / outcome_named(outcome, "rmap_covering");
}

/* Entries for each page that was looked for, and for each pte that was found. */
static void report_walks(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        size_t run;
        const char *name;
    } walks[] = {{L5_LIST, "list_rmap_test"},          {L5_TREE, "tree_rmap_test"},
                 {L5_VMAS_LIST, "list_one_page_vmas"}, {L5_VMAS_TREE, "tree_one_page_vmas"},
                 {L5_A_LIST, "list_scenario_a"},       {L5_A_TREE, "tree_scenario_a"}};
    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        const struct outcome *run = runs[walks[i].run];
        const double entries = outcome_total(run, METRIC_RMAP_VISITS);
        judge_report(judgement, entries / outcome_total(run, METRIC_RMAP_WALKS), "1", "%s_per_page",
                     walks[i].name);
        judge_report(judgement, entries / outcome_total(run, METRIC_RMAP_PTES), "1", "%s_per_pte",
                     walks[i].name);
    }
}

/* Nothing is required of it: it is the use that may contradict the claim. */
static void report_b3(const struct outcome *const *runs, struct judgement *judgement)
{
    for (size_t i = 0; i < (size_t)2 * L5_B3_DESIGNS; i++) {
        const struct outcome *run = runs[i];
        const char *move = l5_b3_moves[i / L5_B3_DESIGNS];
        const char *design = l5_b3_designs[i % L5_B3_DESIGNS];
        if (outcome_named(run, "rmap_covering") > 0) {
            judge_report(judgement, entries_per_covering(run), "1", "b3_%s_%s_entries", move,
                         design);
        }
        judge_report(judgement, outcome_total(run, METRIC_PTES_VISITED), "1",
                     "b3_%s_%s_ptes_searched", move, design);
        judge_report(judgement, outcome_freed_per_second(run), "1/s", "b3_%s_%s_freed", move,
                     design);
        judge_report(judgement, outcome_total(run, METRIC_RECLAIM_CPU), "s",
                     "b3_%s_%s_reclaim_cpu_time", move, design);
        judge_report(judgement, outcome_total(run, METRIC_SYSTEM), "s", "b3_%s_%s_system_time",
                     move, design);
        judge_report(judgement, outcome_total(run, METRIC_OPERATIONS) / 300, "1",
                     "b3_%s_%s_moves_per_process", move, design);
        judge_report(judgement, outcome_peak(run, METRIC_RMAP_BYTES), "byte", "b3_%s_%s_rmap_bytes",
                     move, design);
    }
}

static void judge_l5(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_at_least(judgement, 50, entries_per_covering(runs[L5_LIST]), "1", "list_rmap_test");
    judge_at_least(judgement, 50, entries_per_covering(runs[L5_VMAS_LIST]), "1",
                   "list_one_page_vmas");
    judge_at_most(judgement, 1.2, entries_per_covering(runs[L5_TREE]), "1", "tree_rmap_test");
    judge_at_most(judgement, 1.2, entries_per_covering(runs[L5_VMAS_TREE]), "1",
                  "tree_one_page_vmas");
    judge_at_most(judgement, 1.2, entries_per_covering(runs[L5_A_LIST]), "1", "list_scenario_a");
    judge_at_most(judgement, 1.2, entries_per_covering(runs[L5_A_TREE]), "1", "tree_scenario_a");
    judge_between(judgement, 13.2 / 2, 13.2 * 2,
                  outcome_total(runs[L5_LIST], METRIC_SYSTEM) /
                      outcome_total(runs[L5_CHAIN], METRIC_SYSTEM),
                  "1", "system_time_list_over_chain_rmap_test");
    report_walks(runs, judgement);
    report_b3(runs + L5_B3_FIRST, judgement);
}

const struct claim claim_l5 = {
    .id = "L5",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "Loads under which the object-based approach is pathological do not occur in practice",
    .source = LWN_ARTICLE,
    .compared = "entries visited per covering vma, page and pte: rmap-test as published, 18,000 "
                "one-page vmas, "
                "scenario A; lists and trees; system time of rmap-test, list over chain; scenario "
                "B3, windows moved over a file by munmap and mmap, and nonlinear ones",
    .required =
        "lists: >= 50 in both pathologies; prio_tree <= 1.2; scenario A <= 1.2 with either; "
        "system time 13.2 within a factor of 2; B3 is reported",
    .analysis = "L5",
    CLAIM_RUNS(l5_runs),
    .judge = judge_l5,
};

/* --- V1: the same test as it was published --------------------------------------------------- */

static const struct claim_run v1_runs[] = {
    L5_TEST("2.6.0", "objrmap", 4),
    L5_TEST("2.6.0", "pte_chain_array", 4),
};

static void judge_v1(const struct outcome *const *runs, struct judgement *judgement)
{
    const double published = 13.2;
    judge_between(judgement, 0.75 * published, 1.25 * published,
                  outcome_total(runs[0], METRIC_SYSTEM) / outcome_total(runs[1], METRIC_SYSTEM),
                  "1", "system_time_list_over_chain");
    judge_report(judgement, outcome_total(runs[0], METRIC_SYSTEM), "s", "system_time_list");
    judge_report(judgement, outcome_total(runs[1], METRIC_SYSTEM), "s", "system_time_chain");
    judge_report(judgement,
                 outcome_total(runs[0], METRIC_ELAPSED) / outcome_total(runs[1], METRIC_ELAPSED),
                 "1", "wall_time_list_over_chain");
}

const struct claim published_v1 = {
    .id = "V1",
    .kind = CLAIM_PREDICTION,
    .sentence = "rmap-test, 100 tasks x 100 vmas x 600 pages, linear: system time of object lists "
                "over chains",
    .source = "A. Morton, 5 Apr 2003",
    .compared = "the same test on a machine of 256 MB",
    .required = "1143.26 s over 86.91 s: 13.2, within 25 %",
    CLAIM_RUNS(v1_runs),
    .judge = judge_v1,
};
