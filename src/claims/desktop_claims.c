/* The claim about machines of all sizes. */
#include "claims/rows.h"

/* --- I12: from low-end desktops to large machines -------------------------------------------- */

/* Run lengths, with the time that says what a livelock is: the short form has a twelfth where the
 * working set fits into memory, a third where it does not, and there the smallest machines alone.
 * Processors and touches grow with memory, by less than it. */
#define I12_TWELFTH " duration=5s phases.warmup=800ms stall=2500ms"
#define I12_THIRD   " duration=20s phases.warmup=3s stall=10s"

#define I12_FORM(config, set, quick, full)  \
    {                                       \
        config, "design.preset=linux-" set, \
        {                                   \
            quick, full                     \
        }                                   \
    }
#define I12_FITS(preset, machine)                                       \
    I12_FORM("i12-desktop.yaml", preset " " machine I12_TWELFTH, 1, 0), \
        I12_FORM("i12-desktop.yaml", preset " " machine, 0, 1)
#define I12_OVER(preset, machine, quick)                               \
    I12_FORM("i12-over.yaml", preset " " machine I12_THIRD, quick, 0), \
        I12_FORM("i12-over.yaml", preset " " machine, 0, 1)
#define I12_MACHINE(machine, rate, half, quick)                          \
    I12_FITS("2.6.0", machine " workloads.mixed.touch_rate=" rate),      \
        I12_FITS("2.4.23", machine " workloads.mixed.touch_rate=" rate), \
        I12_OVER("2.6.0",                                                \
                 machine " workloads.resident.touch_rate=" half          \
                         " workloads.newcomers.touch_rate=" half,        \
                 quick),                                                 \
        I12_OVER("2.4.23",                                               \
                 machine " workloads.resident.touch_rate=" half          \
                         " workloads.newcomers.touch_rate=" half,        \
                 quick)

#define I12_SIZE(memory, swap, cpus) \
    "machine.memory=" memory " machine.swap.size=" swap " machine.cpus=" cpus
#define I12_PAE    " machine.arch=i386-pae costs=xeon-2003"
#define I12_X86_64 " machine.arch=x86_64 costs=x86_64-2003"

enum { I12_FORMS = 2, I12_DESIGNS = 2, I12_OF_A_MACHINE = 2 * I12_DESIGNS * I12_FORMS };

static const struct claim_run i12_runs[] = {
    I12_MACHINE(I12_SIZE("64MiB", "128MiB", "1"), "200000", "100000", 1),
    I12_MACHINE(I12_SIZE("256MiB", "512MiB", "1"), "200000", "100000", 1),
    I12_MACHINE(I12_SIZE("1GiB", "2GiB", "1"), "200000", "100000", 0),
    I12_MACHINE(I12_SIZE("4GiB", "8GiB", "2"), "400000", "200000", 0),
    I12_MACHINE(I12_SIZE("16GiB", "32GiB", "8") I12_PAE, "1600000", "800000", 0),
    I12_MACHINE(I12_SIZE("64GiB", "128GiB", "16") I12_PAE, "3200000", "1600000", 0),
    I12_MACHINE(I12_SIZE("64GiB", "128GiB", "16") I12_X86_64, "3200000", "1600000", 0),
};

static double touches_per_second_and_cpu(const struct outcome *outcome, double cpus)
{
    const double elapsed = outcome_pressure(outcome, METRIC_ELAPSED);
    return elapsed > 0 ? (outcome_pressure(outcome, METRIC_TOUCHES) +
                          outcome_pressure(outcome, METRIC_PRIVATE_TOUCHES)) /
                             elapsed / cpus
                       : 0;
}

static void judge_i12(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *name;
        double cpus;
    } machines[] = {{"64_MiB", 1},     {"256_MiB", 1},     {"1_GiB", 1},         {"4_GiB", 2},
                    {"16_GiB_pae", 8}, {"64_GiB_pae", 16}, {"64_GiB_x86_64", 16}};
    static const struct {
        const char *design;
        unsigned percent;
    } kinds[I12_OF_A_MACHINE / I12_FORMS] = {
        {"2_6_0", 60}, {"2_4_23", 60}, {"2_6_0", 110}, {"2_4_23", 110}};
    for (size_t i = 0; i < sizeof machines / sizeof machines[0]; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            const struct outcome *const *forms = runs + i * I12_OF_A_MACHINE + k * I12_FORMS;
            const struct outcome *run = forms[FORM_QUICK] != NULL ? forms[FORM_QUICK]
                                                                  : forms[FORM_FULL];
            if (run == NULL) {
                continue;
            }
            if (k == 0) {
                const double completed = run->recording.verdict == VERDICT_COMPLETED ? 1 : 0;
                judge_between(judgement, 1, 1, completed, "1", "completed_60_%s_%s",
                              machines[i].name, kinds[k].design);
            }
            if (run->recording.verdict != VERDICT_COMPLETED) {
                judge_note(judgement, "%s at %u %% of %s: %s", kinds[k].design, kinds[k].percent,
                           machines[i].name, verdict_name(run->recording.verdict));
            }
            judge_report(judgement, touches_per_second_and_cpu(run, machines[i].cpus), "1/s",
                         "touches_per_cpu_%u_%s_%s", kinds[k].percent, machines[i].name,
                         kinds[k].design);
        }
    }
}

const struct claim claim_i12 = {
    .id = "I12",
    .kind = CLAIM_EMERGENT,
    .sentence =
        "The memory manager of 2.6 does well on machines of every size, from a small desktop to a "
        "large server",
    .source = IBM_ARTICLE,
    .compared = "a mixed load sized to memory, 64 MiB to 64 GiB: verdict, touches per second and "
                "CPU; 2.6.0 and 2.4.23, working sets of 60 % and 110 % of memory",
    .required = "completed on 2.6.0 at 60 %; the others are reported",
    .analysis = "I12",
    CLAIM_RUNS(i12_runs),
    .judge = judge_i12,
};
