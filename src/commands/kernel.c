/* thrash kernel: what the kernel of each host does with shared pages. */
#include "host/kernel/kernel.h"

#include <stddef.h>

#include "base/units.h"
#include "commands/commands.h"
#include "commands/kernel_compared.h"
#include "commands/measure.h"
#include "host/memory.h"

struct kernel_options {
    struct measure_options common;
    const char *probes;
    byte_count segment;
    uint64_t mappers;
    const char *directory;
};

#define QUICK_BUDGET 40000000000 /* ns; the last points take some seconds more */

#define SEGMENT_LOW  ((uint64_t)2 << 20)
#define SEGMENT_HIGH ((uint64_t)1 << 40)

static const struct option_row rows[] = {
    MEASURE_ROW_QUICK,
    MEASURE_ROW_REPETITIONS,
    MEASURE_ROW_BIND,
    MEASURE_ROW_PAGE_SIZE,
    MEASURE_ROW_REQUIRE_COUNTERS("where minor faults cannot be counted, fail (exit 3)"),
    {.key = "probes",
     .type = OPTION_TEXT,
     .offset = offsetof(struct kernel_options, probes),
     .fallback = "all",
     .help = "what to measure: all, or some of page_tables, fork_exit, faults, fault_rate, reclaim "
             "with commas between them"},
    {.key = "segment",
     .type = OPTION_SIZE,
     .offset = offsetof(struct kernel_options, segment),
     .fallback = "auto",
     .low = SEGMENT_LOW,
     .high = SEGMENT_HIGH,
     .automatic = true,
     .help = "shared segment whose page tables are counted, of whole MiB; auto is 1GiB, or less "
             "where a quarter of memory is less"},
    {.key = "mappers",
     .type = OPTION_COUNT,
     .offset = offsetof(struct kernel_options, mappers),
     .fallback = "500",
     .low = 1,
     .high = 100000,
     .help = "processes at most that map each page that is reclaimed"},
    {.key = "directory",
     .type = OPTION_TEXT,
     .offset = offsetof(struct kernel_options, directory),
     .fallback = "",
     .help = "where the file lies whose pages are reclaimed, on a disk; default is the first of "
             "$TMPDIR, /var/tmp, /tmp and the working directory that is"},
};

static const struct option_table options_table = {
    .title = "what thrash kernel measures",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct kernel_options),
    .known = "`thrash kernel --help`",
};

static enum status check_kernel(const void *given)
{
    const struct kernel_options *options = given;
    if (options->segment != OPTION_AUTO && options->segment % ((byte_count)1 << 21) != 0) {
        return fail(STATUS_USAGE, "segment: expected a multiple of 2MiB, found %" PRIbytes " bytes",
                    options->segment);
    }
    const byte_count page = options->common.page_size;
    if (page != OPTION_AUTO && page != PAGE_BYTES && page != (byte_count)1 << 21 &&
        page != (byte_count)1 << 30) {
        char text[UNITS_TEXT_SIZE];
        return fail(STATUS_USAGE, "page_size: expected 4KiB, 2MiB or 1GiB, found %s",
                    units_print_size(page, text));
    }
    return kernel_check_probes(options->probes);
}

/* The last number of mappers is the largest that is asked for. */
static void limit_mappers(uint64_t most, struct kernel_plan *plan)
{
    while (plan->mappers[plan->nmappers - 1] > most) {
        plan->nmappers--;
    }
    if (plan->mappers[plan->nmappers - 1] < most && plan->nmappers < KERNEL_POINTS) {
        plan->mappers[plan->nmappers++] = (unsigned)most;
    }
}

static enum status measure_kernel(const void *given, const struct host_measure *measure,
                                  struct tables *tables)
{
    const struct kernel_options *options = given;
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(measure->system, &memory);
    enum status status = host_memory_available(&memory, 1, &available);
    if (status != STATUS_OK) {
        return status;
    }
    struct kernel_plan plan;
    kernel_plan_make(options->common.quick, available.per_rank, &plan);
    plan.repetitions = measure_repetitions(&options->common);
    plan.probes = options->probes;
    plan.budget = options->common.quick ? QUICK_BUDGET : 0;
    plan.needs_counter = options->common.require_counters;
    if (options->common.page_size != OPTION_AUTO) {
        plan.page = options->common.page_size;
    }
    if (options->segment != OPTION_AUTO) {
        if (options->segment > available.per_rank / 2) {
            return fail(STATUS_RESOURCE,
                        "a segment of %" PRIbytes " MiB is more than half of the %" PRIbytes
                        " MiB that %s leaves",
                        options->segment >> 20, available.per_rank >> 20, available.least->source);
        }
        plan.segment = options->segment;
    }
    if (options->directory[0] != '\0') {
        plan.directory = options->directory;
    }
    limit_mappers(options->mappers, &plan);
    return kernel_measure(measure, &plan, tables);
}

static enum status conclude_kernel(const void *given, const struct measured_host *hosts,
                                   size_t nhosts, const char *output, struct tables *overall)
{
    (void)given;
    (void)output;
    return kernel_compare(hosts, nhosts, overall);
}

static const struct measure_command command = {
    .name = "kernel",
    .about =
        "Measures on each host what its own kernel does with shared pages: page tables of N\n"
        "processes that map one segment, beside those of the simulated machine; fork and exit by\n"
        "pages mapped; minor faults of first touches, and how many a second; reclaim of a page by\n"
        "the number of processes that map it (in a memory cgroup of its own below that of the\n"
        "command, where it may make one; its pages are of a file on a disk without a name).\n"
        "What a host does not permit is absent from the result, with the reason.\n",
    .example = "thrash kernel --quick -o kernel.h5\n"
               "         thrash kernel --probes page_tables --page-size 2MiB",
    .options = &options_table,
    .check = check_kernel,
    .measure = measure_kernel,
    .conclude = conclude_kernel,
};

int command_kernel(int argc, char **argv)
{
    struct kernel_options options;
    return measure_run(&command, argc, argv, &options);
}
