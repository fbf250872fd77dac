/* Claims about large pages and the TLB. */
#include <math.h>

#include "claims/rows.h"

/* --- I8, I13: entries of large pages --------------------------------------------------------- */

#define LARGE_RUN(arch, segment, page, memory)                                              \
    {                                                                                       \
        "i8-large-pages.yaml",                                                              \
            "machine.arch=" arch " machine.memory=" memory " design.shared_page_size=" page \
            " workloads.database.segment.size=" segment,                                    \
        {                                                                                   \
            1, 1                                                                            \
        }                                                                                   \
    }

static const struct claim_run i8_runs[] = {
    LARGE_RUN("i386", "1GiB", "4MiB", "4GiB"),     LARGE_RUN("i386-pae", "1GiB", "2MiB", "5GiB"),
    LARGE_RUN("x86_64", "1GiB", "2MiB", "5GiB"),   LARGE_RUN("i386", "4MiB", "4MiB", "4GiB"),
    LARGE_RUN("i386-pae", "2MiB", "2MiB", "5GiB"), LARGE_RUN("x86_64", "2MiB", "2MiB", "5GiB"),
};

static void judge_i8(const struct outcome *const *runs, struct judgement *judgement)
{
    static const struct {
        const char *name;
        double entries, bytes_each;
    } archs[] = {{"i386", 256, 4}, {"i386_pae", 512, 8}, {"x86_64", 512, 8}};
    for (size_t i = 0; i < 3; i++) {
        const double entries = outcome_named(runs[i], "large_ptes");
        judge_between(judgement, archs[i].entries, archs[i].entries, entries, "1", "entries_%s",
                      archs[i].name);
        judge_report(judgement, entries * archs[i].bytes_each, "byte", "bytes_as_they_are_%s",
                     archs[i].name);
        /* Against a single large page: frames that the other entries need. */
        judge_between(judgement, 0, 0,
                      (outcome_total(runs[i], METRIC_PAGETABLE_BYTES) -
                       outcome_total(runs[i + 3], METRIC_PAGETABLE_BYTES)) /
                          4096,
                      "page", "further_page_table_pages_%s", archs[i].name);
    }
    judge_between(judgement, 2048, 2048, outcome_named(runs[0], "large_ptes") * 8, "byte",
                  "bytes_of_4_MiB_pages_at_8_bytes");
}

const struct claim claim_i8 = {
    .id = "I8",
    .kind = CLAIM_DEFINITION,
    .sentence = "With 4 MB pages the same gigabyte takes 256 page-table entries, 2,048 bytes",
    .source = IBM_ARTICLE,
    .compared = "entries and bytes of a gigabyte in 4 MiB and 2 MiB pages",
    .required =
        "256 entries: 2,048 bytes at the article's 8 bytes, 1,024 at the 4 bytes that 4 MiB "
        "pages have; 512 entries and 4,096 bytes for 2 MiB pages; no page-table page beyond "
        "that of the first entry",
    CLAIM_RUNS(i8_runs),
    .judge = judge_i8,
};

static const struct claim_run i13_runs[] = {LARGE_RUN("x86_64", "1GiB", "1GiB", "5GiB"),
                                            LARGE_RUN("x86_64", "4GiB", "1GiB", "5GiB")};

static void judge_i13(const struct outcome *const *runs, struct judgement *judgement)
{
    judge_between(judgement, 1, 1, outcome_named(runs[0], "large_ptes"), "1", "entries_of_1_GiB");
    judge_between(judgement, 4, 4, outcome_named(runs[1], "large_ptes"), "1", "entries_of_4_GiB");
}

const struct claim claim_i13 = {
    .id = "I13",
    .kind = CLAIM_DEFINITION,
    .sentence = "Beside a small and a large page size some processors have further ones",
    .source = IBM_ARTICLE,
    .compared = "entries of a segment in 1 GiB pages on x86_64",
    .required = "one entry per GiB",
    CLAIM_RUNS(i13_runs),
    .judge = judge_i13,
};

/* --- I9: misses of the TLB ------------------------------------------------------------------- */

#define I9_RUN(tlb, page, footprint)                            \
    {                                                           \
        "i9-tlb.yaml",                                          \
            "machine.tlb=" tlb " design.shared_page_size=" page \
            " workloads.database.segment.size=" footprint,      \
        {                                                       \
            1, 1                                                \
        }                                                       \
    }

/* Reach: entries of the level that holds most pages of the size, times the page. */
static const struct {
    const char *name;
    double footprint, reach; /* MiB */
} i9_points[] = {
    {"pentium3_4KiB_of_1_MiB", 1, 0.25},      {"pentium3_4KiB_of_64_MiB", 64, 0.25},
    {"pentium3_4KiB_of_16_GiB", 16384, 0.25}, {"opteron_4KiB_of_1_MiB", 1, 2},
    {"opteron_4KiB_of_64_MiB", 64, 2},        {"opteron_4KiB_of_1_GiB", 1024, 2},
    {"pentium3_2MiB_of_8_MiB", 8, 16},        {"pentium3_2MiB_of_64_MiB", 64, 16},
    {"pentium3_2MiB_of_1_GiB", 1024, 16},     {"pentium3_2MiB_of_16_GiB", 16384, 16},
};

static const struct claim_run i9_runs[] = {
    I9_RUN("pentium3", "4KiB", "1MiB"),  I9_RUN("pentium3", "4KiB", "64MiB"),
    I9_RUN("pentium3", "4KiB", "16GiB"), I9_RUN("opteron", "4KiB", "1MiB"),
    I9_RUN("opteron", "4KiB", "64MiB"),  I9_RUN("opteron", "4KiB", "1GiB"),
    I9_RUN("pentium3", "2MiB", "8MiB"),  I9_RUN("pentium3", "2MiB", "64MiB"),
    I9_RUN("pentium3", "2MiB", "1GiB"),  I9_RUN("pentium3", "2MiB", "16GiB"),
};

static void judge_i9(const struct outcome *const *runs, struct judgement *judgement)
{
    for (size_t i = 0; i < sizeof i9_points / sizeof i9_points[0]; i++) {
        const double misses = outcome_named(runs[i], "tlb_misses") /
                              outcome_named(runs[i], "tlb_accesses");
        const double share = i9_points[i].reach / i9_points[i].footprint;
        const double expected = fmax(1 - share, 0);
        const double slack = share >= 1 ? 0.01 : 0.02;
        judge_between(judgement, fmax(expected - slack, 0), expected + slack, misses, "1",
                      "misses_%s", i9_points[i].name);
    }
}

const struct claim claim_i9 = {
    .id = "I9",
    .kind = CLAIM_EMERGENT,
    .sentence = "Large pages reduce TLB misses, because the TLB references more memory",
    .source = IBM_ARTICLE,
    .compared = "misses per access, uniform random access to 1 MiB to 16 GiB, pages of 4 KiB and 2 "
                "MiB, TLBs of a Pentium III and an Opteron",
    .required = "1 - reach/footprint +-0.02 from 1.25 x reach on; <= 0.01 up to 0.8 x reach",
    CLAIM_RUNS(i9_runs),
    .judge = judge_i9,
};
