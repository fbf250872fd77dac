/* thrash check: validates a scenario, says what it means and what it will need; runs nothing. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/units.h"
#include "commands/amount.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/design_text.h"
#include "commands/launcher.h"
#include "commands/scenario_arguments.h"
#include "engine/predict.h"
#include "host/memory.h"
#include "io/mpi_hints.h"

static const char usage[] =
    "thrash check CONFIG [--ranks N] [--set KEY=VALUE]... [--costs FILE] | --sample";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "Validates a scenario as a run of it does before its clock starts, prints every value\n"
        "with its default and where it was given, and predicts the memory and time a run needs.\n"
        "Runs nothing. `auto (none)` is a choice left to the preset of the design or to the\n"
        "machine, and what it then is.\n"
        "\n"
        "  --set KEY=VALUE  override a key, dotted: machine.memory=1TiB,\n"
        "                   workloads.database.processes=100\n"
        "  --costs FILE     another cost profile: a file, or a name such as p4-2003\n"
        "  --ranks N        predict the memory of each of so many ranks, and what to ask Slurm "
        "for\n"
        "  --sample         print a complete commented scenario instead\n"
        "\n"
        "example: thrash check configs/quickstart.yaml --set design.preset=linux-2.4.23\n",
        usage);
}

static void print_memory(byte_count bytes, const char *name, const char *what)
{
    char size[UNITS_TEXT_SIZE];
    printf("  %14s  %-*s%s%s\n", amount_size(bytes, size), *what == '\0' ? 0 : 18, name,
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
    char ptes[UNITS_TEXT_SIZE];
    const uint64_t second = 1000000000 * TICKS_PER_NS;
    printf("  if reclaim begins no sooner than %s, with no more than %" PRIu64
           " contexts at a time,\n"
           "  and so passes the %s ptes of populate %.2g times at most: %s\n",
           units_print_time(use->reclaim / second * second, begin), use->reclaimers,
           amount_count((double)use->ptes, ptes),
           (double)use->ptes_passed / (double)max_u64(use->ptes, 1),
           use->ptes_passed < use->ptes ? "rows for those it passes, and nothing swapped out"
                                        : "rows for all, and what is freed swapped out");
}

static void print_ballast(const struct scenario *scenario, const struct prediction *prediction)
{
    char ballast[UNITS_TEXT_SIZE];
    char memory[UNITS_TEXT_SIZE];
    if (prediction->ballast > scenario->machine.memory / 2) {
        printf("ballast takes %s of %s: the workload is small for this machine\n",
               amount_size(prediction->ballast, ballast),
               amount_size(scenario->machine.memory, memory));
    }
}

/* What to ask a batch system for: a quarter more than predicted, as predictions are off by a tenth,
 * and what does not fit is killed; and no more ranks than can have a cell. */
static void print_request(const struct scenario *scenario, const struct prediction *prediction,
                          uint64_t ranks)
{
    const byte_count each = (prediction->total + prediction->total / 4) / MEBIBYTE + 1;
    const uint64_t cells = scenario->machine.cells;
    printf("for Slurm: --ntasks=%" PRIu64 " --mem-per-cpu=%" PRIu64
           "M, a quarter more than predicted\n",
           min_u64(ranks, cells), (uint64_t)each);
    if (ranks > cells) {
        printf("%" PRIu64 " of %" PRIu64
               " ranks would have nothing to do: machine.cells is %" PRIu64
               "; more cells are another approximation of the machine (thrash converge)\n",
               ranks - cells, ranks, cells);
    }
}

static void print_prediction(const struct scenario *scenario, const struct prediction *prediction,
                             uint64_t ranks)
{
    if (ranks > 0) {
        printf("\npredicted host memory of the largest of %" PRIu64 " ranks\n", ranks);
    } else {
        printf("\npredicted host memory\n");
    }
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
    char size[UNITS_TEXT_SIZE];
    printf("predicted time: %s on one rank, if it runs to its duration\n",
           amount_seconds(prediction->seconds, size));
    print_ballast(scenario, prediction);
    if (ranks > 0) {
        print_request(scenario, prediction, ranks);
        return;
    }
    struct host_system system = host_system_here();
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(&system, &memory);
    if (host_memory_available(&memory, 1, &available) == STATUS_OK) {
        printf("available here: %s (%s)%s\n", amount_size(available.per_rank, size),
               available.least->source,
               prediction->total > available.per_rank ? ": too little, simulate would refuse" : "");
    }
}

static enum status parse_ranks(const char *spelled, uint64_t *ranks_p)
{
    const uint64_t most = 1 << 20;
    char reason[UNITS_REASON_SIZE];
    uint64_t ranks;
    if (units_parse_count(spelled, &ranks, reason) != STATUS_OK) {
        return fail(STATUS_USAGE, "--ranks: %s", reason);
    }
    if (ranks == 0 || ranks > most) {
        return fail(STATUS_USAGE, "--ranks: expected 1 to %" PRIu64 ", found %" PRIu64, most,
                    ranks);
    }
    *ranks_p = ranks;
    return STATUS_OK;
}

/* `ranks` is 0 where none were named. */
static enum status check(const struct scenario_arguments *arguments,
                         const struct catalogue_names *names, uint64_t ranks)
{
    struct scenario scenario;
    enum status status = scenario_load(arguments->config, &arguments->overrides, &names->catalogue,
                                       &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    struct prediction prediction;
    status = predict(&scenario, ranks > 0 ? (int)ranks : 1, &prediction);
    struct design design;
    if (status == STATUS_OK) {
        status = mpi_hints_check(scenario.output.mpi_hints);
    }
    if (status == STATUS_OK) {
        status = design_resolve(&scenario, &design);
    }
    if (status == STATUS_OK) {
        struct scenario_choice choices[DESIGN_CHOICES];
        design_choices(&design, choices);
        status = scenario_print_values(&scenario, &names->catalogue, choices, DESIGN_CHOICES);
    }
    if (status == STATUS_OK) {
        print_prediction(&scenario, &prediction, ranks);
    }
    scenario_free(&scenario);
    return status;
}

int command_check(int argc, char **argv)
{
    enum { SET = 256, COSTS, RANKS, SAMPLE };
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},          {"set", required_argument, NULL, SET},
        {"costs", required_argument, NULL, COSTS}, {"ranks", required_argument, NULL, RANKS},
        {"sample", no_argument, NULL, SAMPLE},     {NULL, 0, NULL, 0}};
    launcher_quiet_others();
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario_arguments arguments = {0};
    uint64_t ranks = 0;
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
        case RANKS:
            status = parse_ranks(optarg, &ranks);
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
        status = check(&arguments, &names, ranks);
    }
    return (int)status;
}
