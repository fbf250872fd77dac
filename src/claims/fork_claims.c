/* Claims about what reverse maps cost where nothing is reclaimed: forks, execs and exits. */
#include "claims/rows.h"

/* --- I5: reverse maps are set up and removed ------------------------------------------------- */

enum { I5_NONE, I5_LINKED, I5_ARRAYS, I5_OBJECTS, I5_DESIGNS };

/* The machines of table V3, for half as long. */
#define I5_RUN(config, preset)                                \
    {                                                         \
        config, "design.preset=linux-" preset " duration=6s", \
        {                                                     \
            1, 1                                              \
        }                                                     \
    }
#define I5_RUNS(config)                                                          \
    I5_RUN(config, "2.4.23"), I5_RUN(config, "2.5.27"), I5_RUN(config, "2.6.0"), \
        I5_RUN(config, "2.5-objrmap")

static const struct claim_run i5_runs[] = {I5_RUNS("v3-script.yaml"),
                                           I5_RUNS("v3-script-quad.yaml")};

static double system_time_of_a_fork(const struct outcome *outcome)
{
    return outcome_total(outcome, METRIC_SYSTEM) / outcome_total(outcome, METRIC_FORKS);
}

static void judge_i5(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *cpus;
        double low, high; /* of linked chains */
    } machines[] = {{"one_cpu", 1.2, 1.3}, {"four_cpus", 1.15, 1.25}};
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        const char *cpus = machines[i].cpus;
        double time[I5_DESIGNS];
        for (size_t k = 0; k < I5_DESIGNS; k++) {
            time[k] = system_time_of_a_fork(runs[i * I5_DESIGNS + k]);
        }
        judge_between(judgement, machines[i].low, machines[i].high, time[I5_LINKED] / time[I5_NONE],
                      "1", "linked_over_none_%s", cpus);
        judge_between(judgement, 1 + 1e-9, time[I5_LINKED] / time[I5_NONE],
                      time[I5_ARRAYS] / time[I5_NONE], "1", "arrays_over_none_%s", cpus);
        judge_between(judgement, 1 + 1e-9, time[I5_ARRAYS] / time[I5_NONE],
                      time[I5_OBJECTS] / time[I5_NONE], "1", "objects_over_none_%s", cpus);
        judge_report(judgement, 1e6 * time[I5_NONE], "us", "system_time_per_fork_none_%s", cpus);
        judge_report(judgement, 1e6 * time[I5_LINKED], "us", "system_time_per_fork_linked_%s",
                     cpus);
        const struct outcome *linked = runs[i * I5_DESIGNS + I5_LINKED];
        judge_report(judgement,
                     outcome_total(linked, METRIC_RMAP_CPU) / outcome_total(linked, METRIC_SYSTEM),
                     "1", "share_of_reverse_maps_linked_%s", cpus);
    }
    judge_note(judgement,
               "costs of the machine with one CPU were fitted on linked chains and none (V3)");
}

const struct claim claim_i5 = {
    .id = "I5",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "Applications that often fork and exit pay dearly for reverse mappings, which are set up "
        "and removed under locks",
    .source = IBM_ARTICLE,
    .compared = "system time per fork of ten loops of a shell script, one and four CPUs: linked "
                "chains, arrays and objects over none",
    .required = "linked chains over none +20 to +30 % on one CPU, +15 to +25 % on four; arrays and "
                "objects less, in that order",
    CLAIM_RUNS(i5_runs),
    .judge = judge_i5,
};
