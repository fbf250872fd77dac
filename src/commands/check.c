/* thrash check: validates a scenario, says what it means and what it will need; runs nothing. */
#include <getopt.h>
#include <stdio.h>

#include "base/units.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/design_text.h"
#include "commands/scenario_arguments.h"
#include "engine/predict.h"
#include "host/memory.h"

#define MEBIBYTE ((byte_count)1 << 20)

static const char usage[] = "thrash check CONFIG [--set KEY=VALUE]... [--costs FILE] | --sample";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "Validates a scenario, prints every value with its default and where it was given, and\n"
        "predicts the memory and time a run needs. Runs nothing. `auto (none)` is a choice left\n"
        "to the preset of the design or to the machine, and what it then is.\n"
        "\n"
        "  --set KEY=VALUE  override a key, dotted: machine.memory=1TiB,\n"
        "                   workloads.database.processes=100\n"
        "  --costs FILE     another cost profile: a file, or a name such as p4-2003\n"
        "  --sample         print a complete commented scenario instead\n"
        "\n"
        "example: thrash check configs/quickstart.yaml --set design.preset=linux-2.4.23\n",
        usage);
}

static void print_memory(byte_count bytes, const char *name, const char *what)
{
    printf("  %10.1f MiB  %-*s%s%s\n", (double)bytes / MEBIBYTE, *what == '\0' ? 0 : 18, name,
           *what == '\0' ? "" : " ", what);
}

/* What the prediction rests on: it is wrong where this is. */
static void print_grounds(const struct expected_use *use)
{
    if (use->ptes_passed == 0) {
        printf("  if nothing is reclaimed, as free memory seems to last: ptes that nobody clears "
               "take no "
               "rows\n");
        return;
    }
    char begin[UNITS_TEXT_SIZE];
    const uint64_t second = 1000000000 * TICKS_PER_NS;
    printf("  if reclaim begins no sooner than %s, with no more than %" PRIu64
           " contexts at a time,\n"
           "  and so passes the %.3g ptes of populate %.2g times at most: %s\n",
           units_print_time(use->reclaim / second * second, begin), use->reclaimers,
           (double)use->ptes, (double)use->ptes_passed / (double)max_u64(use->ptes, 1),
           use->ptes_passed < use->ptes ? "rows for those it passes, and nothing swapped out"
                                        : "rows for all, and what is freed swapped out");
}

static void print_prediction(const struct prediction *prediction)
{
    printf("\npredicted host memory\n");
    byte_count others = prediction->arrays;
    for (size_t i = 0; i < prediction->nmemory; i++) {
        const struct sim_memory *memory = &prediction->memory[i];
        if (memory->predicted >= MEBIBYTE) {
            print_memory(memory->predicted, memory->name, memory->what);
            others -= memory->predicted;
        }
    }
    print_memory(others, "other arrays", "each below 1 MiB");
    print_memory(prediction->series, "series", "metrics over time, until they are written");
    print_memory(prediction->common, "common",
                 "plan, ledger, tables of popularity, touches and messages of an epoch");
    print_memory(prediction->total - prediction->arrays - prediction->series - prediction->common,
                 "process", "the program and its libraries: MPI, HDF5, topology");
    print_memory(prediction->total, "in all", "");
    print_grounds(&prediction->use);
    printf("predicted time: %.3g s on one rank, if it runs to its duration\n", prediction->seconds);
    struct host_system system = host_system_here();
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(&system, &memory);
    if (host_memory_available(&memory, 1, &available) == STATUS_OK) {
        printf("available here: %.1f MiB (%s)%s\n", (double)available.per_rank / 1048576,
               available.least->source,
               prediction->total > available.per_rank ? ": too little, simulate would refuse" : "");
    }
}

static enum status check(const struct scenario_arguments *arguments,
                         const struct catalogue_names *names)
{
    struct scenario scenario;
    enum status status = scenario_load(arguments->config, &arguments->overrides, &names->catalogue,
                                       &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    struct prediction prediction;
    status = predict(&scenario, 1, &prediction);
    struct design design;
    if (status == STATUS_OK) {
        status = design_resolve(&scenario, &design);
    }
    if (status == STATUS_OK) {
        struct scenario_choice choices[DESIGN_CHOICES];
        design_choices(&design, choices);
        status = scenario_print_values(&scenario, &names->catalogue, choices, DESIGN_CHOICES);
    }
    if (status == STATUS_OK) {
        print_prediction(&prediction);
    }
    scenario_free(&scenario);
    return status;
}

int command_check(int argc, char **argv)
{
    enum { SET = 256, COSTS, SAMPLE };
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"set", required_argument, NULL, SET},
                                            {"costs", required_argument, NULL, COSTS},
                                            {"sample", no_argument, NULL, SAMPLE},
                                            {NULL, 0, NULL, 0}};
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario_arguments arguments = {0};
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (option) {
        case 'h':
            print_help();
            return STATUS_OK;
        case SET:
            status = scenario_arguments_set(&arguments, optarg);
            break;
        case COSTS:
            arguments.overrides.costs = optarg;
            break;
        case SAMPLE:
            return (int)scenario_print_sample(&names.catalogue);
        default:
            status = unusable_option("check", argv, option);
            break;
        }
        if (status != STATUS_OK) {
            return (int)status;
        }
    }
    status = scenario_arguments_config(&arguments, argc, argv, optind, usage);
    if (status == STATUS_OK) {
        status = check(&arguments, &names);
    }
    return (int)status;
}
