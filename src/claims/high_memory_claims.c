/* Claims about the ways to leave more low memory to the kernel, and what they cost. */
#include "claims/rows.h"

#define COMPILE_RUN(set)          \
    {                             \
        "compile-load.yaml", set, \
        {                         \
            1, 1                  \
        }                         \
    }

/* System time of a compile, whose user time is the same however long it takes. */
static double system_per_user(const struct outcome *outcome)
{
    return outcome_total(outcome, METRIC_SYSTEM) / outcome_total(outcome, METRIC_USER);
}

/* --- L11: the 4 GB split --------------------------------------------------------------------- */

#define L11_IDLE(memory, split)                                           \
    {                                                                     \
        "l11-idle.yaml", "machine.memory=" memory " design.split=" split, \
        {                                                                 \
            1, 1                                                          \
        }                                                                 \
    }
#define L11_CALLS(split)                         \
    {                                            \
        "l11-calls.yaml", "design.split=" split, \
        {                                        \
            1, 1                                 \
        }                                        \
    }

enum {
    L11_64,
    L11_32,
    L11_64_3G,
    L11_32_3G,
    L11_SPLIT,
    L11_WHOLE,
    L11_SPLIT_CALLS,
    L11_WHOLE_CALLS
};

static const struct claim_run l11_runs[] = {
    [L11_64] = L11_IDLE("64GiB", "4g4g"),           [L11_32] = L11_IDLE("32GiB", "4g4g"),
    [L11_64_3G] = L11_IDLE("64GiB", "3g1g"),        [L11_32_3G] = L11_IDLE("32GiB", "3g1g"),
    [L11_SPLIT] = COMPILE_RUN("design.split=4g4g"), [L11_WHOLE] = COMPILE_RUN("design.split=3g1g"),
    [L11_SPLIT_CALLS] = L11_CALLS("4g4g"),          [L11_WHOLE_CALLS] = L11_CALLS("3g1g"),
};

/* LowTotal in MiB: what of low memory is neither mem_map nor the kernel itself. */
static double low_total(const struct outcome *outcome)
{
    static const enum metric parts[] = {
        METRIC_LOWMEM_FREE_BYTES,       METRIC_LOWMEM_USER_BYTES, METRIC_LOWMEM_PAGETABLE_BYTES,
        METRIC_LOWMEM_DIRECTORY_BYTES,  METRIC_LOWMEM_RMAP_BYTES, METRIC_LOWMEM_TASK_BYTES,
        METRIC_LOWMEM_MM_BYTES,         METRIC_LOWMEM_VMA_BYTES,  METRIC_LOWMEM_BUFFER_HEAD_BYTES,
        METRIC_LOWMEM_RADIX_NODE_BYTES,
    };
    double total = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        total += outcome_total(outcome, parts[i]) / (1024.0 * 1024);
    }
    return total;
}

static void judge_l11(const struct outcome *const *runs, struct judgement *judgement)
{
    const double published = 3137464.0 / 1024; /* LowTotal of the machine of 64 GiB, in MiB */
    const double predicted = 3416;
    judge_between(judgement, 0.99 * published, 1.01 * published, low_total(runs[L11_64]), "MiB",
                  "low_total_64_GiB_4g4g");
    judge_between(judgement, 0.99 * predicted, 1.01 * predicted, low_total(runs[L11_32]), "MiB",
                  "low_total_32_GiB_4g4g");
    judge_report(judgement, low_total(runs[L11_64_3G]), "MiB", "low_total_64_GiB_3g1g");
    judge_report(judgement, low_total(runs[L11_32_3G]), "MiB", "low_total_32_GiB_3g1g");
    judge_between(judgement, 1.1, 1.2,
                  system_per_user(runs[L11_SPLIT]) / system_per_user(runs[L11_WHOLE]), "1",
                  "compile_system_time_4g4g_over_3g1g");
    judge_report(judgement,
                 system_per_user(runs[L11_SPLIT_CALLS]) / system_per_user(runs[L11_WHOLE_CALLS]),
                 "1", "null_calls_4g4g_over_3g1g");
    judge_note(judgement, "low memory of 64 GiB is what the model was calibrated on");
}

const struct claim claim_l11 = {
    .id = "L11",
    .kind = CLAIM_EMERGENT,
    .sentence = "The 4 GB split gives the kernel more low memory, and costs performance",
    .source = LWN_ARTICLE,
    .compared =
        "LowTotal of idle machines of 64 and 32 GiB; system time of a compile-like load and "
        "of null system calls, 4g4g over 3g1g",
    .required = "3,064 MiB (calibration) and 3,416 MiB, within 1 %; +10 to +20 % system time",
    .analysis = "L11",
    CLAIM_RUNS(l11_runs),
    .judge = judge_l11,
};

/* --- I11: page tables in high memory --------------------------------------------------------- */

#define I11_TASKS(preset)                                                                     \
    {                                                                                         \
        "l3-tasks.yaml", "design.preset=" preset " design.split=3g1g machine.cache_line=128", \
        {                                                                                     \
            1, 1                                                                              \
        }                                                                                     \
    }

static const struct claim_run i11_runs[] = {
    I11_TASKS("linux-2.6.0"),
    I11_TASKS("linux-2.6.0-highpte"),
    COMPILE_RUN("design.page_tables=lowmem"),
    COMPILE_RUN("design.page_tables=highmem"),
};

static void judge_i11(const struct outcome *const *runs, struct judgement *judgement)
{
    const double mebibyte = 1024.0 * 1024;
    judge_at_least(judgement, 1, outcome_total(runs[0], METRIC_LOWMEM_PAGETABLE_BYTES) / mebibyte,
                   "MiB", "page_tables_in_low_memory");
    judge_between(judgement, 0, 0, outcome_total(runs[1], METRIC_LOWMEM_PAGETABLE_BYTES) / mebibyte,
                  "MiB", "page_tables_in_low_memory_highpte");
    judge_at_least(judgement, 1, outcome_total(runs[1], METRIC_PAGETABLE_BYTES) / mebibyte, "MiB",
                   "page_tables_highpte");
    judge_between(judgement, 1.05, 1.1, system_per_user(runs[3]) / system_per_user(runs[2]), "1",
                  "compile_system_time_highpte_over_low");
}

const struct claim claim_i11 = {
    .id = "I11",
    .kind = CLAIM_EMERGENT,
    .sentence = "With page tables in high memory more low memory is left; access to them is slower",
    .source = IBM_ARTICLE,
    .compared = "page tables in low memory, of tasks that map 2.7 GiB; system time of a "
                "compile-like load",
    .required = "page tables leave low memory; +5 to +10 % system time",
    CLAIM_RUNS(i11_runs),
    .judge = judge_i11,
};
