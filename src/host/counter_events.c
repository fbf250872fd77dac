#include "host/counter_events.h"

#include <stdlib.h>
#include <string.h>

const struct host_meaning_row host_meanings[HOST_MEANINGS] = {
    [HOST_CYCLES] = {"cycles", "cycles", true, false, HOST_STREAM_COMPUTE},
    [HOST_INSTRUCTIONS] = {"instructions", "instructions", true, false, HOST_STREAM_COMPUTE},
    [HOST_LOAD_MISSES] = {"dtlb_load_misses", "data-TLB load misses", true, false,
                          HOST_STREAM_PAGES},
    [HOST_STORE_MISSES] = {"dtlb_store_misses", "data-TLB store misses", true, false,
                           HOST_STREAM_STORES},
    [HOST_WALKS] = {"dtlb_walks", "page walks completed", true, false, HOST_STREAM_PAGES},
    [HOST_WALK_CYCLES] = {"dtlb_walk_cycles", "page-walk cycles", true, false,
                          HOST_STREAM_WALK_TIME},
    [HOST_SECOND_LEVEL] = {"dtlb_second_level_hits", "second-level TLB hits", true, false,
                           HOST_STREAM_SECOND_LEVEL},
    [HOST_PAGE_FAULTS] = {"page_faults", "page faults", false, false, HOST_STREAM_FAULTS},
    [HOST_MINOR_FAULTS] = {"minor_faults", "minor faults", false, false, HOST_STREAM_FAULTS},
    [HOST_CONTEXT_SWITCHES] = {"context_switches", "context switches", false, true,
                               HOST_STREAM_SLEEPS},
};

const struct host_processor_row host_processors[HOST_PROCESSORS] = {
    [HOST_PROCESSOR_UNKNOWN] = {.name = "a processor that is not in the table of events"},
    [HOST_SKYLAKE_SP] = {"Intel Skylake-SP or Cascade Lake",
                         "GenuineIntel",
                         6,
                         {{85, 85}},
                         {"skx", "clx"},
                         "skylake-sp",
                         true},
    [HOST_ICELAKE_SP] = {"Intel Ice Lake-SP",
                         "GenuineIntel",
                         6,
                         {{106, 106}, {108, 108}},
                         {"icx"},
                         "icelake-sp",
                         true},
    [HOST_SAPPHIRE_RAPIDS] = {"Intel Sapphire Rapids",
                              "GenuineIntel",
                              6,
                              {{143, 143}, {207, 207}},
                              {"spr"},
                              "sapphire-rapids",
                              true},
    [HOST_ZEN2] = {"AMD Zen 2",
                   "AuthenticAMD",
                   23,
                   {{48, 127}, {144, 175}},
                   {"amd64_fam17h_zen2"},
                   "zen2",
                   true},
    [HOST_ZEN3] =
        {"AMD Zen 3", "AuthenticAMD", 25, {{0, 15}, {32, 95}}, {"amd64_fam19h_zen3"}, "zen3", true},
    [HOST_ZEN4] = {"AMD Zen 4",
                   "AuthenticAMD",
                   25,
                   {{16, 31}, {96, 127}, {160, 175}},
                   {"amd64_fam19h_zen4"},
                   "zen4",
                   true},
    [HOST_NEOVERSE_N1] =
        {"ARM Neoverse N1", "0x41", 0, {{0xd0c, 0xd0c}}, {"arm_n1"}, "neoverse-n1", false},
    [HOST_NEOVERSE_V1] = {"ARM Neoverse V1", "0x41", 0, {{0xd40, 0xd40}}, {"arm_v1"}, NULL, false},
    [HOST_NEOVERSE_N2] = {"ARM Neoverse N2", "0x41", 0, {{0xd49, 0xd49}}, {"arm_n2"}, NULL, false},
    [HOST_NEOVERSE_V2] = {"ARM Neoverse V2", "0x41", 0, {{0xd4f, 0xd4f}}, {"arm_v2"}, NULL, false},
};

/* Zen's event counts loads and stores alike. */
#define ZEN_MISS                                                \
    "L1_DTLB_MISS:TLB_RELOAD_4K_L2_MISS:TLB_RELOAD_2M_L2_MISS:" \
    "TLB_RELOAD_1G_L2_MISS:TLB_RELOAD_COALESCED_PAGE_MISS"
#define ZEN_HIT                                               \
    "L1_DTLB_MISS:TLB_RELOAD_4K_L2_HIT:TLB_RELOAD_2M_L2_HIT:" \
    "TLB_RELOAD_1G_L2_HIT:TLB_RELOAD_COALESCED_PAGE_HIT"
#define ZEN_ROWS(processor)                                                                       \
    {HOST_LOAD_MISSES, (processor), ZEN_MISS,                                                     \
     "accesses, stores included, that missed both levels"},                                       \
        {HOST_STORE_MISSES, (processor), ZEN_MISS,                                                \
         "accesses, loads included, that missed both levels"},                                    \
        {HOST_WALKS, (processor), ZEN_MISS, "reloads of the first level that missed the second"}, \
    {                                                                                             \
        HOST_SECOND_LEVEL, (processor), ZEN_HIT,                                                  \
            "reloads of the first level that the second had, loads and stores"                    \
    }

/* Ice Lake and later have no event for walks that began. */
#define INTEL_ROWS(processor)                                                                \
    {HOST_WALKS, (processor), "DTLB_LOAD_MISSES:WALK_COMPLETED", "walks that loads caused"}, \
        {HOST_WALK_CYCLES, (processor), "DTLB_LOAD_MISSES:WALK_ACTIVE",                      \
         "cycles with at least one walk for a load"},                                        \
    {                                                                                        \
        HOST_SECOND_LEVEL, (processor), "DTLB_LOAD_MISSES:STLB_HIT",                         \
            "loads that missed the first level and hit the second"                           \
    }
#define INTEL_COMPLETED_ROWS(processor)                                     \
    {HOST_LOAD_MISSES, (processor), "DTLB_LOAD_MISSES:WALK_COMPLETED",      \
     "loads that missed both levels, by the walks that completed"},         \
    {                                                                       \
        HOST_STORE_MISSES, (processor), "DTLB_STORE_MISSES:WALK_COMPLETED", \
            "stores that missed both levels, by the walks that completed"   \
    }

/* The names of ARM are those of its architecture; second-level events include instructions. */
#define ARM_ROWS(processor)                                                                       \
    {HOST_LOAD_MISSES, (processor), "L2D_TLB_REFILL_RD", "reads that refilled the second level"}, \
        {HOST_STORE_MISSES, (processor), "L2D_TLB_REFILL_WR",                                     \
         "writes that refilled the second level"},                                                \
    {                                                                                             \
        HOST_WALKS, (processor), "DTLB_WALK", "accesses to the data TLB that caused a walk"       \
    }

const struct host_event_row host_event_rows[] = {
    {HOST_CYCLES, HOST_PROCESSOR_UNKNOWN, "PAPI_TOT_CYC", "cycles"},
    {HOST_CYCLES, HOST_PROCESSOR_UNKNOWN, "perf::CYCLES", "cycles"},
    {HOST_INSTRUCTIONS, HOST_PROCESSOR_UNKNOWN, "PAPI_TOT_INS", "instructions"},
    {HOST_INSTRUCTIONS, HOST_PROCESSOR_UNKNOWN, "perf::INSTRUCTIONS", "instructions"},
    {HOST_PAGE_FAULTS, HOST_PROCESSOR_UNKNOWN, "perf::PAGE-FAULTS", "page faults"},
    {HOST_MINOR_FAULTS, HOST_PROCESSOR_UNKNOWN, "perf::MINOR-FAULTS", "minor faults"},
    {HOST_CONTEXT_SWITCHES, HOST_PROCESSOR_UNKNOWN, "perf::CONTEXT-SWITCHES:u=1:k=1",
     "context switches"},

    {HOST_LOAD_MISSES, HOST_SKYLAKE_SP, "DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK",
     "loads that missed both levels"},
    {HOST_STORE_MISSES, HOST_SKYLAKE_SP, "DTLB_STORE_MISSES:MISS_CAUSES_A_WALK",
     "stores that missed both levels"},
    {HOST_WALKS, HOST_SKYLAKE_SP, "PAPI_TLB_DM", "walks that loads and stores caused"},
    INTEL_ROWS(HOST_SKYLAKE_SP),
    INTEL_COMPLETED_ROWS(HOST_ICELAKE_SP),
    INTEL_ROWS(HOST_ICELAKE_SP),
    INTEL_COMPLETED_ROWS(HOST_SAPPHIRE_RAPIDS),
    INTEL_ROWS(HOST_SAPPHIRE_RAPIDS),

    ZEN_ROWS(HOST_ZEN2),
    ZEN_ROWS(HOST_ZEN3),
    ZEN_ROWS(HOST_ZEN4),

    ARM_ROWS(HOST_NEOVERSE_N1),
    ARM_ROWS(HOST_NEOVERSE_V1),
    ARM_ROWS(HOST_NEOVERSE_N2),
    ARM_ROWS(HOST_NEOVERSE_V2),

    /* Of processors that are not in the table: presets, what the kernel takes for it, and the
     * names of older families. */
    {HOST_LOAD_MISSES, HOST_PROCESSOR_UNKNOWN, "PAPI_TLB_DM",
     "data-TLB misses as PAPI defines them for this processor"},
    {HOST_LOAD_MISSES, HOST_PROCESSOR_UNKNOWN, "perf::DTLB-LOAD-MISSES",
     "data-TLB load misses as the kernel defines them for this processor"},
    {HOST_LOAD_MISSES, HOST_PROCESSOR_UNKNOWN, "DTLB_LOAD_MISSES:MISS_CAUSES_A_WALK",
     "loads that caused a walk"},
    {HOST_LOAD_MISSES, HOST_PROCESSOR_UNKNOWN, "L1D_TLB_REFILL_RD",
     "reads that refilled the first level"},
    {HOST_LOAD_MISSES, HOST_PROCESSOR_UNKNOWN, "PM_DTLB_MISS", "data-TLB misses"},
    {HOST_STORE_MISSES, HOST_PROCESSOR_UNKNOWN, "perf::DTLB-STORE-MISSES",
     "data-TLB store misses as the kernel defines them for this processor"},
    {HOST_STORE_MISSES, HOST_PROCESSOR_UNKNOWN, "DTLB_STORE_MISSES:MISS_CAUSES_A_WALK",
     "stores that caused a walk"},
    {HOST_STORE_MISSES, HOST_PROCESSOR_UNKNOWN, "L1D_TLB_REFILL_WR",
     "writes that refilled the first level"},
    {HOST_WALKS, HOST_PROCESSOR_UNKNOWN, "DTLB_LOAD_MISSES:WALK_COMPLETED",
     "walks that loads caused"},
    {HOST_WALKS, HOST_PROCESSOR_UNKNOWN, "DTLB_WALK",
     "accesses to the data TLB that caused a walk"},
    {HOST_WALK_CYCLES, HOST_PROCESSOR_UNKNOWN, "DTLB_LOAD_MISSES:WALK_ACTIVE",
     "cycles with at least one walk for a load"},
    {HOST_WALK_CYCLES, HOST_PROCESSOR_UNKNOWN, "DTLB_LOAD_MISSES:WALK_DURATION",
     "cycles of walks for loads"},
    {HOST_SECOND_LEVEL, HOST_PROCESSOR_UNKNOWN, "DTLB_LOAD_MISSES:STLB_HIT",
     "loads that missed the first level and hit the second"},
};

const size_t host_event_row_count = sizeof host_event_rows / sizeof host_event_rows[0];

/* A decimal or 0x... number that is the whole text. */
static bool number(const struct host_fact *fact, unsigned *number_p)
{
    if (!fact->known) {
        return false;
    }
    char *end;
    *number_p = (unsigned)strtoul(fact->text, &end, 0);
    return end > fact->text && *end == '\0';
}

static bool has_model(const struct host_processor_row *row, unsigned model)
{
    for (size_t i = 0; i < HOST_PROCESSOR_RANGES && row->models[i].last > 0; i++) {
        if (model >= row->models[i].first && model <= row->models[i].last) {
            return true;
        }
    }
    return false;
}

enum host_processor host_processor_find(const struct host_cpu *cpu)
{
    unsigned family = 0, model;
    if (!cpu->vendor.known || !number(&cpu->model, &model)) {
        return HOST_PROCESSOR_UNKNOWN;
    }
    bool family_known = number(&cpu->family, &family);
    for (int i = HOST_PROCESSOR_UNKNOWN + 1; i < HOST_PROCESSORS; i++) {
        const struct host_processor_row *row = &host_processors[i];
        if (!strcmp(row->vendor, cpu->vendor.text) &&
            (row->family == 0 || (family_known && row->family == family)) &&
            has_model(row, model)) {
            return (enum host_processor)i;
        }
    }
    return HOST_PROCESSOR_UNKNOWN;
}

size_t host_event_choices(enum host_meaning meaning, enum host_processor processor,
                          const struct host_event_row *choices[HOST_EVENT_CHOICES])
{
    const bool own = meaning >= HOST_TRANSLATION_FIRST &&
                     (int)meaning < HOST_TRANSLATION_FIRST + HOST_TRANSLATION_COUNT;
    size_t n = 0;
    for (size_t i = 0; i < host_event_row_count && n < HOST_EVENT_CHOICES; i++) {
        const struct host_event_row *row = &host_event_rows[i];
        if (row->meaning == meaning &&
            row->processor == (own ? processor : HOST_PROCESSOR_UNKNOWN)) {
            choices[n++] = row;
        }
    }
    return n;
}
