/* Claims about the memory that page tables and reverse maps take. */
#include <math.h>

#include "claims/rows.h"

static const double gibibyte = 1024.0 * 1024 * 1024;
static const double mebibyte = 1024.0 * 1024;

/* --- L4: object rmap has no structures per mapping ------------------------------------------- */

#define L4_RUN(set)             \
    {                           \
        "l4-objects.yaml", set, \
        {                       \
            1, 1                \
        }                       \
    }

#define L4_VMAS(set)         \
    {                        \
        "l4-vmas.yaml", set, \
        {                    \
            1, 1             \
        }                    \
    }

enum { L4_VMAS_2_6_0 = 4, L4_VMAS_OBJRMAP, L4_VMAS_2_6_7 };

static const struct claim_run l4_runs[] = {
    L4_RUN("design.preset=linux-2.5-objrmap"),
    L4_RUN("design.preset=linux-2.5-objrmap workloads.database.segment.backing=file"),
    L4_RUN("design.preset=linux-2.5-objrmap design.page_direct=off"),
    L4_RUN("design.preset=linux-2.6.0"),
    [L4_VMAS_2_6_0] = L4_VMAS("design.preset=linux-2.6.0"),
    [L4_VMAS_OBJRMAP] = L4_VMAS("design.preset=linux-2.5-objrmap"),
    [L4_VMAS_2_6_7] = L4_VMAS("design.preset=linux-2.6.7"),
};

/* As frames of their slab cache hold them. */
static double bytes_per_vma(const struct outcome *outcome)
{
    return outcome_named(outcome, "lowmem_vma_bytes") / 18000;
}

static void judge_l4(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_between(judgement, 0, 0, outcome_peak(runs[0], METRIC_RMAP_BYTES), "byte",
                  "objrmap_bytes_for_shm");
    judge_between(judgement, 0, 0, outcome_peak(runs[1], METRIC_RMAP_BYTES), "byte",
                  "objrmap_bytes_for_a_file");
    judge_at_least(judgement, 1, outcome_total(runs[2], METRIC_RMAP_BYTES), "byte",
                   "objrmap_bytes_for_anonymous_memory_without_page_direct");
    judge_report(judgement, outcome_total(runs[3], METRIC_RMAP_BYTES), "byte",
                 "chain_bytes_of_2_6_0");
    const double before = bytes_per_vma(runs[L4_VMAS_2_6_0]);
    judge_report(judgement, before, "byte", "bytes_per_vma_2_6_0");
    judge_between(judgement, 0, 0, bytes_per_vma(runs[L4_VMAS_OBJRMAP]) - before, "byte",
                  "more_per_vma_objrmap");
    judge_between(judgement, 19, 21, bytes_per_vma(runs[L4_VMAS_2_6_7]) - before, "byte",
                  "more_per_vma_2_6_7");
}

const struct claim claim_l4 = {
    .id = "L4",
    .kind = CLAIM_DEFINITION,
    .sentence = "Reverse mapping through objects needs no rmap structures for most mappings",
    .source = LWN_ARTICLE,
    .compared =
        "bytes of reverse maps, 20 processes that map 64 MiB of shared memory or of a file, "
        "1 MiB of anonymous memory each; bytes of vmas, one process that has 18,000",
    .required =
        "0 for shared memory and files; more for anonymous memory under partial object rmap; 20 "
        "+-1 bytes more for a vma of 2.6.7 than of 2.6.0, none more under partial object rmap",
    CLAIM_RUNS(l4_runs),
    .judge = judge_l4,
};

/* --- I3: a chain entry is two pointers ------------------------------------------------------- */

#define I3_RUN(processes)                                            \
    {                                                                \
        "i3-linked.yaml", "workloads.database.processes=" processes, \
        {                                                            \
            1, 1                                                     \
        }                                                            \
    }

static const struct claim_run i3_runs[] = {
    {"i3-unmapped.yaml", "", {1, 1}}, I3_RUN("1"), I3_RUN("2"), I3_RUN("3"), I3_RUN("20"),
};

static void judge_i3(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        unsigned mappings;
        double bytes;
    } expected[] = {{0, 0}, {1, 0}, {2, 16}, {3, 24}, {20, 160}};
    const double pages = 16 * mebibyte / 4096; /* of the segment */
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        judge_between(judgement, expected[i].bytes, expected[i].bytes,
                      outcome_total(runs[i], METRIC_RMAP_BYTES) / pages, "byte",
                      "bytes_per_page_mapped_%u_times", expected[i].mappings);
    }
    judge_at_least(judgement, 4096, outcome_total(runs[0], METRIC_FILE_BYTES) / 4096, "page",
                   "pages_mapped_0_times");
}

const struct claim claim_i3 = {
    .id = "I3",
    .kind = CLAIM_DEFINITION,
    .sentence = "An entry of a PTE chain takes 8 bytes: 4 point to a pte, 4 to the entry after it",
    .source = IBM_ARTICLE,
    .compared = "bytes of linked chains per page, 2.5.27 on i386, 4096 pages mapped 0, 1, 2, 3 and "
                "20 times",
    .required = "0, 0 (page-direct), 16, 24, 8 each",
    CLAIM_RUNS(i3_runs),
    .judge = judge_i3,
};

/* --- I4: page-direct ------------------------------------------------------------------------- */

#define I4_RUN(config, preset)                 \
    {                                          \
        config, "design.preset=linux-" preset, \
        {                                      \
            1, 1                               \
        }                                      \
    }
#define I4_RUNS(config) I4_RUN(config, "2.5.27"), I4_RUN(config, "2.6.0")

enum { I4_PRIVATE, I4_SECOND = 2, I4_FORK = 4, I4_CHECKED = 6 };

static const struct claim_run i4_runs[] = {
    I4_RUNS("i4-private.yaml"),
    I4_RUNS("i4-second.yaml"),
    I4_RUNS("i4-fork.yaml"),
    I4_RUNS("i4-checked.yaml"),
};

static void judge_i4(const struct outcome *const *runs, struct judgement *judgement)
{
    const double segment = 4096; /* pages of it in i4-second */
    const double server = 2048;  /* pages of the server that forks */
    static const struct {
        const char *name;
        double blocks_of_two; /* mappings of a page */
        double left;          /* of a page that was mapped twice, until it is looked at */
    } designs[] = {{"2_5_27", 2, 0}, {"2_6_0", 1, 1}};
    for (size_t i = 0; i < 2; i++) {
        const char *name = designs[i].name;
        const double two = designs[i].blocks_of_two;
        judge_between(judgement, 0, 0, outcome_peak(runs[I4_PRIVATE + i], METRIC_CHAIN_BLOCKS), "1",
                      "blocks_while_mapped_once_%s", name);
        judge_between(judgement, two, two,
                      outcome_total(runs[I4_SECOND + i], METRIC_CHAIN_BLOCKS) / segment, "1",
                      "blocks_per_page_mapped_twice_%s", name);
        judge_between(judgement, two, two,
                      outcome_peak(runs[I4_FORK + i], METRIC_CHAIN_BLOCKS) / server, "1",
                      "blocks_per_page_after_fork_%s", name);
        judge_between(judgement, designs[i].left, designs[i].left,
                      outcome_total(runs[I4_FORK + i], METRIC_CHAIN_BLOCKS) / server, "1",
                      "blocks_per_page_after_exit_%s", name);
        judge_between(judgement, 0, 0.02,
                      outcome_total(runs[I4_CHECKED + i], METRIC_CHAIN_BLOCKS) / server, "1",
                      "blocks_per_page_looked_at_after_exit_%s", name);
    }
}

const struct claim claim_i4 = {
    .id = "I4",
    .kind = CLAIM_EMERGENT,
    .sentence = "A page that is mapped once points to its pte directly, without a list; a second "
                "mapping turns that into a PTE chain",
    .source = IBM_ARTICLE,
    .compared = "chain blocks of 2.5.27 and 2.6.0: private memory; a second mapping; a fork; after "
                "the exit of the child; the same beside reclaim that looks for references",
    .required = "0 while mapped once; 2 entries or 1 block for a page mapped twice; after the exit "
                "none in 2.5.27, in 2.6.0 as before until the page is next looked at",
    CLAIM_RUNS(i4_runs),
    .judge = judge_i4,
};

/* --- I7: page tables of a gigabyte ----------------------------------------------------------- */

#define I7_RUN(arch, processes, segment)                                    \
    {                                                                       \
        "i7-gigabyte.yaml",                                                 \
            "machine.arch=" arch " workloads.database.processes=" processes \
            " workloads.database.segment.size=" segment,                    \
        {                                                                   \
            1, 1                                                            \
        }                                                                   \
    }

/* With a segment of one page beside each: what is not leaf tables of the gigabyte. */
static const struct claim_run i7_runs[] = {
    I7_RUN("i386", "1", "1GiB"),      I7_RUN("i386", "1", "4KiB"),
    I7_RUN("i386-pae", "1", "1GiB"),  I7_RUN("i386-pae", "1", "4KiB"),
    I7_RUN("x86_64", "1", "1GiB"),    I7_RUN("x86_64", "1", "4KiB"),
    I7_RUN("x86_64", "512", "1GiB"),  I7_RUN("x86_64", "512", "4KiB"),
    I7_RUN("x86_64", "513", "1GiB"),  I7_RUN("x86_64", "513", "4KiB"),
    I7_RUN("x86_64", "1000", "1GiB"), I7_RUN("x86_64", "1000", "4KiB"),
};

/* Bytes of leaf tables of the gigabyte: one page of the small segment's is among its own. */
static double leaf_bytes(const struct outcome *const *pair, double processes)
{
    return outcome_total(pair[0], METRIC_PAGETABLE_BYTES) -
           outcome_total(pair[1], METRIC_PAGETABLE_BYTES) + 4096 * processes;
}

static void judge_i7(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *name;
        double mebibytes;
        double processes;
    } archs[] = {{"i386", 1, 1024}, {"i386_pae", 2, 512}, {"x86_64", 2, 512}};
    for (size_t i = 0; i < 3; i++) {
        const double leaves = leaf_bytes(runs + 2 * i, 1);
        judge_between(judgement, 262144, 262144,
                      outcome_total(runs[2 * i], METRIC_PTES_PRESENT) -
                          outcome_total(runs[2 * i + 1], METRIC_PTES_PRESENT) + 1,
                      "1", "ptes_%s", archs[i].name);
        judge_between(judgement, archs[i].mebibytes, archs[i].mebibytes, leaves / mebibyte, "MiB",
                      "leaf_tables_%s", archs[i].name);
        judge_between(judgement, archs[i].processes, archs[i].processes, gibibyte / leaves, "1",
                      "processes_for_a_gigabyte_%s", archs[i].name);
    }
    judge_between(judgement, 1, 1, leaf_bytes(runs + 6, 512) / gibibyte, "GiB",
                  "leaf_tables_of_512");
    judge_at_least(judgement, 1 + 1e-9, outcome_total(runs[6], METRIC_PAGETABLE_BYTES) / gibibyte,
                   "GiB", "all_tables_of_512");
    judge_at_least(judgement, 1 + 1e-9, leaf_bytes(runs + 8, 513) / gibibyte, "GiB",
                   "leaf_tables_of_513");
    judge_report(judgement, outcome_total(runs[10], METRIC_PAGETABLE_BYTES) / gibibyte, "GiB",
                 "all_tables_of_1000");
}

const struct claim claim_i7 = {
    .id = "I7",
    .kind = CLAIM_DEFINITION,
    .sentence =
        "1 GB in 4 KB pages takes 262,144 page-table entries, 2 MB at 8 bytes each, in every "
        "process; with enough processes that exceeds the memory they share",
    .source = IBM_ARTICLE,
    .compared = "ptes and page-table frames of 1 to 1000 processes that map one segment of 1 GiB",
    .required =
        "262,144 ptes; leaf tables of 1, 2, 2 MiB on i386, i386-pae, x86_64; equal to the "
        "gigabyte at 512 processes (1,024 with 4-byte entries), above it at 513, and at 512 "
        "with the upper levels",
    CLAIM_RUNS(i7_runs),
    .judge = judge_i7,
};
