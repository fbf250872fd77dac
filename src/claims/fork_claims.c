/* Claims about what reverse maps cost where nothing is reclaimed: forks, execs and exits. */
#include "claims/rows.h"

/* --- I5: reverse maps are set up and removed ------------------------------------------------- */

enum { I5_NONE, I5_LINKED, I5_ARRAYS, I5_OBJECTS, I5_DESIGNS };

#define I5_RUN(preset, cpus)                                                                    \
    {                                                                                           \
        "i5-fork-exit.yaml", "design.preset=linux-" preset " machine.cpus=" cpus, {1, 1}, false \
    }
#define I5_RUNS(cpus)                                                      \
    I5_RUN("2.4.23", cpus), I5_RUN("2.5.27", cpus), I5_RUN("2.6.0", cpus), \
        I5_RUN("2.5-objrmap", cpus)

static const struct claim_run i5_runs[] = {I5_RUNS("1"), I5_RUNS("4")};

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
        judge_report(judgement, 1 - time[I5_NONE] / time[I5_LINKED], "1",
                     "share_of_linked_chains_%s", cpus);
    }
}

const struct claim claim_i5 = {
    .id = "I5",
    .kind = CLAIM_EMERGENT,
    .sentence = "Setting up and removing reverse mappings under locks is very expensive for "
                "applications that perform a lot of forks and exits",
    .source = IBM_ARTICLE,
    .compared = "system time per fork of ten loops of a shell script, one and four CPUs: linked "
                "chains, arrays and objects over none",
    .required = "linked chains over none +20 to +30 % on one CPU, +15 to +25 % on four; arrays and "
                "objects less, in that order",
    .analysis = "I5",
    CLAIM_RUNS(i5_runs),
    .judge = judge_i5,
};
