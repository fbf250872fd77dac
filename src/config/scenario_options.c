#include "config/scenario_options.h"

#include "config/cost_reader.h"
#include "config/scenario.h"

#define SECOND         (1000000000 * TICKS_PER_NS)
#define MICROSECOND    (1000 * TICKS_PER_NS)
#define TIME_LIMIT     (2400 * (3600 * SECOND)) /* 100 days: two of them still add up in 64 bits */
#define EXBIBYTE       ((byte_count)1 << 60)
#define CELLS_LIMIT    ((uint64_t)1 << 24) /* what random_draw() tells apart */
#define DEVICES_LIMIT  1024
#define CPUS_LIMIT     65536
#define QUEUE_LIMIT    65536
#define RATE_LIMIT     1000000000000000ULL /* 1 PB/s */
#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const arch_names[] = {
    [ARCH_I386] = "i386",
    [ARCH_I386_PAE] = "i386-pae",
    [ARCH_X86_64] = "x86_64",
    NULL,
};

#define DEVICE_ROW(name, kind, member, standard, least, most, text)                      \
    {                                                                                    \
        .key = (name), .type = (kind), .offset = offsetof(struct device_config, member), \
        .fallback = (standard), .low = (least), .high = (most), .help = (text)           \
    }

/* What swap and disks have in common. */
#define DEVICE_ROWS(ndevices)                                                       \
    DEVICE_ROW("devices", OPTION_COUNT, devices, ndevices, 1, DEVICES_LIMIT,        \
               "how many there are"),                                               \
        DEVICE_ROW("bandwidth", OPTION_RATE, bandwidth, "50MB/s", 1000, RATE_LIMIT, \
                   "transfer rate of each device"),                                 \
        DEVICE_ROW("latency", OPTION_TIME, latency, "5ms", 0, SECOND,               \
                   "from the end of a transfer to its completion"),                 \
        DEVICE_ROW("queue", OPTION_COUNT, queue, "128", 1, QUEUE_LIMIT,             \
                   "requests in flight on each device before a submitter has to wait")

static const struct option_row swap_rows[] = {
    DEVICE_ROW("size", OPTION_SIZE, size, "0", 0, EXBIBYTE,
               "swap space of all devices together; 0 is no swap"),
    DEVICE_ROWS("4"),
};

static const struct option_row disk_rows[] = {DEVICE_ROWS("1")};

static const struct option_table swap_options = {
    .title = "block devices that swap space lies on",
    .rows = swap_rows,
    .nrows = COUNT_OF(swap_rows),
    .size = sizeof(struct device_config),
    .flow = true,
};

static const struct option_table disk_options = {
    .title = "block devices that files lie on",
    .rows = disk_rows,
    .nrows = COUNT_OF(disk_rows),
    .size = sizeof(struct device_config),
    .flow = true,
};

static const struct option_row machine_rows[] = {
    {.key = "arch",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct machine_config, arch),
     .fallback = "x86_64",
     .choices = arch_names,
     .help = "processor architecture: page-table geometry, zones, size of kernel structures"},
    {.key = "memory",
     .type = OPTION_SIZE,
     .offset = offsetof(struct machine_config, memory),
     .low = (byte_count)4 << 20,
     .high = EXBIBYTE,
     .help = "physical memory of the simulated machine",
     .example = "32GiB"},
    {.key = "nodes",
     .type = OPTION_COUNT,
     .offset = offsetof(struct machine_config, nodes),
     .fallback = "1",
     .low = 1,
     .high = CELLS_LIMIT,
     .help = "memory nodes, each with its own zones and kswapd; divides the number of cells"},
    {.key = "cells",
     .type = OPTION_COUNT,
     .offset = offsetof(struct machine_config, cells),
     .fallback = "1",
     .low = 1,
     .high = CELLS_LIMIT,
     .help = "shards of the machine for parallel execution, all nodes together"},
    {.key = "cpus",
     .type = OPTION_COUNT,
     .offset = offsetof(struct machine_config, cpus),
     .fallback = "1",
     .low = 1,
     .high = CPUS_LIMIT,
     .help = "processors, all nodes together"},
    {.key = "ballast",
     .type = OPTION_SIZE,
     .offset = offsetof(struct machine_config, ballast),
     .fallback = "0",
     .high = EXBIBYTE,
     .automatic = true,
     .help = "memory taken out of play; auto leaves 1/32 of the memory free when pressure begins"},
    {.key = "cache_line",
     .type = OPTION_COUNT,
     .offset = offsetof(struct machine_config, cache_line),
     .fallback = "auto",
     .low = 32,
     .high = 128,
     .automatic = true,
     .help = "32, 64 or 128 bytes; auto is 64 on x86_64 and 128 (Pentium 4) on i386 and i386-pae"},
    {.key = "swap",
     .type = OPTION_SECTION,
     .offset = offsetof(struct machine_config, swap),
     .section = &swap_options,
     .help = "block devices that swap space lies on"},
    {.key = "disk",
     .type = OPTION_SECTION,
     .offset = offsetof(struct machine_config, disk),
     .section = &disk_options,
     .help = "block devices that files lie on"},
    {.key = "large_pages",
     .type = OPTION_SIZE,
     .offset = offsetof(struct machine_config, large_pages),
     .fallback = "auto",
     .high = EXBIBYTE,
     .automatic = true,
     .help = "memory reserved at boot for large pages of segments; auto is what they need"},
    {.key = "timeslice",
     .type = OPTION_TIME,
     .offset = offsetof(struct machine_config, timeslice),
     .fallback = "10ms",
     .low = MICROSECOND,
     .high = TIME_LIMIT,
     .help = "user time after which a CPU goes to another process, where there are more of them "
             "than CPUs, and with it the TLB (assumed)"},
    {.key = "tlb_sampling",
     .type = OPTION_COUNT,
     .offset = offsetof(struct machine_config, tlb_sampling),
     .fallback = "8",
     .low = 1,
     .high = 1000000,
     .help = "one in so many timeslices of each process is simulated on the TLB"},
    {.key = "tlb",
     .type = OPTION_SECTION,
     .offset = offsetof(struct machine_config, tlb),
     .section = &tlb_options,
     .help =
         "the data TLB of each processor: none, a name in configs/tlb/, a path ending in .yaml, "
         "or a mapping"},
};

static const struct option_table machine_options = {
    .title = "the hardware that is simulated",
    .rows = machine_rows,
    .nrows = COUNT_OF(machine_rows),
    .size = sizeof(struct machine_config),
};

#define AXIS_ROW(member, names, text)                                                          \
    {                                                                                          \
        .key = #member, .type = OPTION_NAME, .offset = offsetof(struct design_config, member), \
        .fallback = "auto", .automatic = true, .list = (names), .help = (text)                 \
    }

#define SWITCH_ROW(member, text)                                                                 \
    {                                                                                            \
        .key = #member, .type = OPTION_SWITCH, .offset = offsetof(struct design_config, member), \
        .fallback = "auto", .help = (text)                                                       \
    }

static const struct option_row design_rows[] = {
    AXIS_ROW(preset, CATALOGUE_PRESETS,
             "historical combination; needed unless rmap, reclaim and swap_writeout are given"),
    AXIS_ROW(rmap, CATALOGUE_RMAP, "how the mappings of a page are found; auto is the preset's"),
    AXIS_ROW(reclaim, CATALOGUE_RECLAIM, "how pages to free are chosen; auto is the preset's"),
    AXIS_ROW(swap_writeout, CATALOGUE_SWAP_WRITEOUT,
             "when unmapped dirty pages are written; auto is the preset's"),
    AXIS_ROW(page_tables, CATALOGUE_PAGE_TABLES, "where page tables live; auto is the preset's"),
    AXIS_ROW(split, CATALOGUE_SPLIT,
             "how user and kernel share the address space; auto is the preset's"),
    AXIS_ROW(shared_page_size, CATALOGUE_SHARED_PAGE_SIZE,
             "page size of shared segments; auto is the preset's"),
    SWITCH_ROW(page_direct, "a page mapped once has no pte_chain; auto is the preset's"),
    SWITCH_ROW(prefer_clean, "reclaim takes clean page cache first; auto is the preset's"),
};

static const struct option_table design_options = {
    .title = "the memory manager under test",
    .rows = design_rows,
    .nrows = COUNT_OF(design_rows),
    .size = sizeof(struct design_config),
};

static const struct option_row pressure_rows[] = {
    {.key = "until_freed",
     .type = OPTION_SHARE,
     .offset = offsetof(struct pressure_config, until_freed),
     .fallback = "0%",
     .high = SHARE_ONE,
     .help = "stop when this share of the first shared segment has been freed; 0% is never"},
};

static const struct option_table pressure_options = {
    .title = "when the pressure phase stops before the run does",
    .rows = pressure_rows,
    .nrows = COUNT_OF(pressure_rows),
    .size = sizeof(struct pressure_config),
    .flow = true,
};

static const struct option_row phases_rows[] = {
    {.key = "warmup",
     .type = OPTION_TIME,
     .offset = offsetof(struct phases_config, warmup),
     .fallback = "10s",
     .high = TIME_LIMIT,
     .help = "simulated time without pressure first; gives the unhindered touch rate"},
    {.key = "pressure",
     .type = OPTION_SECTION,
     .offset = offsetof(struct phases_config, pressure),
     .section = &pressure_options,
     .help = "when the pressure phase stops before the run does"},
};

static const struct option_table phases_options = {
    .title = "what happens when",
    .rows = phases_rows,
    .nrows = COUNT_OF(phases_rows),
    .size = sizeof(struct phases_config),
};

static const struct option_row output_rows[] = {
    {.key = "file",
     .type = OPTION_TEXT,
     .offset = offsetof(struct output_config, file),
     .fallback = "",
     .help = "HDF5 file to write; empty is <scenario>.h5 in the directory for results"},
    {.key = "interval",
     .type = OPTION_TIME,
     .offset = offsetof(struct output_config, interval),
     .fallback = "1s",
     .low = MICROSECOND,
     .high = TIME_LIMIT,
     .help = "simulated time between two points of the series"},
    {.key = "mpi_hints",
     .type = OPTION_TEXT,
     .offset = offsetof(struct output_config, mpi_hints),
     .fallback = "",
     .help = "hints for the MPI library that writes the file, as key=value;key=value"},
};

static const struct option_table output_options = {
    .title = "where results go; changes nothing in the simulation",
    .rows = output_rows,
    .nrows = COUNT_OF(output_rows),
    .size = sizeof(struct output_config),
};

static const struct option_row scenario_rows[] = {
    {.key = "title",
     .type = OPTION_TEXT,
     .offset = offsetof(struct scenario, title),
     .fallback = "",
     .help = "one line that says what this is, for results and plots"},
    {.key = "seed",
     .type = OPTION_COUNT,
     .offset = offsetof(struct scenario, seed),
     .fallback = "1",
     .high = INT64_MAX,
     .help = "seed of all random numbers"},
    {.key = "duration",
     .type = OPTION_TIME,
     .offset = offsetof(struct scenario, duration),
     .low = MICROSECOND,
     .high = TIME_LIMIT,
     .help = "limit of simulated time, warm-up included",
     .example = "600s"},
    {.key = "epoch",
     .type = OPTION_TIME,
     .offset = offsetof(struct scenario, epoch),
     .fallback = "1ms",
     .low = MICROSECOND,
     .high = SECOND,
     .help = "simulated time after which cells exchange messages"},
    {.key = "quantum",
     .type = OPTION_TIME,
     .offset = offsetof(struct scenario, quantum),
     .fallback = "100us",
     .low = MICROSECOND,
     .high = SECOND,
     .help = "longest time that one kernel context runs before others of its cell; at most epoch"},
    {.key = "stall",
     .type = OPTION_TIME,
     .offset = offsetof(struct scenario, stall),
     .fallback = "30s",
     .low = MICROSECOND,
     .high = TIME_LIMIT,
     .help = "time under reclaim without progress after which the verdict is livelock"},
    {.key = "phases",
     .type = OPTION_SECTION,
     .offset = offsetof(struct scenario, phases),
     .section = &phases_options,
     .help = "what happens when"},
    {.key = "machine",
     .type = OPTION_SECTION,
     .offset = offsetof(struct scenario, machine),
     .section = &machine_options,
     .help = "the hardware that is simulated"},
    {.key = "design",
     .type = OPTION_SECTION,
     .offset = offsetof(struct scenario, design),
     .section = &design_options,
     .help = "the memory manager under test"},
    {.key = "output",
     .type = OPTION_SECTION,
     .offset = offsetof(struct scenario, output),
     .section = &output_options,
     .help = "where results go; changes nothing in the simulation"},
};

const struct option_table scenario_options = {
    .title = "a scenario",
    .rows = scenario_rows,
    .nrows = COUNT_OF(scenario_rows),
    .size = sizeof(struct scenario),
};

static const struct option_row cost_override_rows[] = {
#define X(identifier, name, text)                    \
    {.key = (name),                                  \
     .type = OPTION_COST,                            \
     .offset = COST_##identifier * sizeof(sim_time), \
     .fallback = "auto",                             \
     .high = COST_LIMIT,                             \
     .automatic = true,                              \
     .help = (text)},
    COST_TABLE(X)
#undef X
};

const struct option_table cost_override_options = {
    .title = HELP_COST_OVERRIDES,
    .rows = cost_override_rows,
    .nrows = COUNT_OF(cost_override_rows),
    .size = COST_COUNT * sizeof(sim_time),
};

const char *const scenario_other_keys[] = {"include", "workloads", "costs", "cost_overrides", NULL};
const char *const workload_other_keys[] = {"kind", "name", NULL};
