/* thrash converge: what the number of cells and the length of the epoch change about a scenario. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/converge_plan.h"
#include "commands/converge_report.h"
#include "commands/launcher.h"
#include "commands/progress.h"
#include "commands/scenario_everywhere.h"
#include "commands/stop_signals.h"
#include "engine/sim.h"
#include "io/comm.h"
#include "io/output_lock.h"
#include "io/silence.h"
#include "io/text_file.h"
#include "io/work_file.h"

static const char usage[] = "thrash converge CONFIG [--cells LIST] [--epoch LIST] [OPTION...]";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "A machine of several cells approximates one of a single cell, and epoch and quantum are\n"
        "not of the machine at all. Runs a scenario with every number of cells at the first "
        "epoch,\n"
        "and with one and the largest number of cells at each other epoch, each with several\n"
        "seeds, and prints what changes against one cell beside what the seeds change. The "
        "quantum\n"
        "goes with the epoch. Starts alone or through mpirun or srun; ranks that a run cannot use\n"
        "make runs with other seeds at the same time.\n"
        "\n"
        "  --cells LIST        in ascending order, 1 added where it is missing; 1,2,4,8\n"
        "  --epoch LIST        the scenario's, and half of it, unless given\n"
        "  --seeds N           seeds from the scenario's on, 1 to %d; 3\n"
        "  --set KEY=VALUE     override a key, dotted; duration=10s is the begin of a long run\n"
        "  --costs FILE        another cost profile: a file, or a name such as p4-2003\n"
        "  -o, --output FILE   write the figures of every run as comma-separated values\n"
        "  --csv FILE          the same\n"
        "  --force             replace an existing file\n"
        "  --progress MODE     auto, bar, lines or none\n"
        "  --allow-singletons  run even if srun seems to have started separate copies\n"
        "\n"
        "The figures are of the pressure phase, elapsed_seconds is of the whole run. The change "
        "is\n"
        "that of the mean over seeds, the spread the largest less the smallest, over the mean. A\n"
        "line is marked where the change is above %.0f %% and above the spread of both settings; "
        "in\n"
        "spin_seconds, of which there may be hardly any, where it is above %.0f %% of one cell's\n"
        "reclaim_cpu_seconds as well. A figure that some run of a setting does not have is `-`.\n"
        "One seed shows no spread: nothing is marked then.\n"
        "\n"
        "example: thrash converge configs/quickstart.yaml --cells 1,4 -o quickstart.csv\n",
        usage, CONVERGE_SEEDS_MAX, 100 * CONVERGE_LIMIT, 100 * CONVERGE_LIMIT);
}

/* --- the command line ------------------------------------------------------------------------ */

struct converge_options {
    struct scenario_arguments scenario;
    struct converge_lists lists;
    uint64_t seeds;
    const char *output;
    bool force;
    enum progress_mode progress;
    bool allow_singletons;
    bool help;
};

static enum status parse_seeds(const char *text, uint64_t *seeds_p)
{
    char reason[UNITS_REASON_SIZE];
    uint64_t seeds;
    if (units_parse_count(text, &seeds, reason) != STATUS_OK) {
        return fail(STATUS_USAGE, "--seeds: %s", reason);
    }
    if (seeds == 0 || seeds > CONVERGE_SEEDS_MAX) {
        return fail(STATUS_USAGE, "--seeds: expected 1 to %d, found %" PRIu64, CONVERGE_SEEDS_MAX,
                    seeds);
    }
    *seeds_p = seeds;
    return STATUS_OK;
}

static enum status parse(int argc, char **argv, struct converge_options *arguments)
{
    enum { SET = 256, COSTS, CELLS, EPOCH, SEEDS, FORCE, PROGRESS, SINGLETONS };
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"csv", required_argument, NULL, 'o'},
        {"set", required_argument, NULL, SET},
        {"costs", required_argument, NULL, COSTS},
        {"cells", required_argument, NULL, CELLS},
        {"epoch", required_argument, NULL, EPOCH},
        {"seeds", required_argument, NULL, SEEDS},
        {"force", no_argument, NULL, FORCE},
        {"progress", required_argument, NULL, PROGRESS},
        {"allow-singletons", no_argument, NULL, SINGLETONS},
        {NULL, 0, NULL, 0},
    };
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":ho:", options, NULL)) != -1;) {
        switch (option) {
        case 'h':
            arguments->help = true;
            return STATUS_OK;
        case 'o':
            arguments->output = optarg;
            break;
        case SET:
            status = scenario_arguments_set(&arguments->scenario, optarg);
            break;
        case COSTS:
            arguments->scenario.overrides.costs = optarg;
            break;
        case CELLS:
            status = converge_parse_cells(optarg, &arguments->lists);
            break;
        case EPOCH:
            status = converge_parse_epochs(optarg, &arguments->lists);
            break;
        case SEEDS:
            status = parse_seeds(optarg, &arguments->seeds);
            break;
        case FORCE:
            arguments->force = true;
            break;
        case PROGRESS:
            status = progress_parse_mode(optarg, &arguments->progress);
            break;
        case SINGLETONS:
            arguments->allow_singletons = true;
            break;
        default:
            status = unusable_option("converge", argv, option);
            break;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return scenario_arguments_config(&arguments->scenario, argc, argv, optind, usage);
}

/* --- which ranks make which runs ------------------------------------------------------------- */

/* Everything that stays the same while settings are run. */
struct converge {
    struct output_lock *lock; /* on rank 0 */
    const struct converge_options *options;
    const struct launcher *launcher;
    const struct catalogue *catalogue;
    struct scenario *scenarios; /* [nsettings][nseeds] */
    size_t nloaded;
    struct converge_report report;
    const atomic_int *stop;

    struct progress progress;
    size_t run, nruns;   /* of rank 0: under way, and in all */
    sim_time done, left; /* of rank 0: simulated so far, and limits of the runs to come */
};

/* Ranks are divided into as many groups as there are seeds, but not so many that a group could not
 * have a rank for each cell. Group g makes the runs of seeds g, g + groups, ... */
static int groups_of(const struct converge *converge, size_t setting)
{
    uint64_t groups = (uint64_t)converge->launcher->size / converge->report.settings[setting].cells;
    return (int)max_u64(1, min_u64(groups, converge->report.nseeds));
}

static int group_of_rank(const struct converge *converge, int groups)
{
    return (int)((int64_t)converge->launcher->rank * groups / converge->launcher->size);
}

/* --- before anything runs -------------------------------------------------------------------- */

static enum status load_setting(struct converge *converge, size_t setting)
{
    struct converge_report *report = &converge->report;
    for (size_t i = 0; i < report->nseeds; i++) {
        struct converge_arguments arguments;
        struct scenario *scenario = &converge->scenarios[setting * report->nseeds + i];
        struct prediction prediction;
        enum status status = converge_arguments_fill(&converge->options->scenario,
                                                     &report->settings[setting],
                                                     report->first_seed + i, &arguments);
        if (status == STATUS_OK) {
            status = scenario_load_everywhere(&arguments.scenario, converge->launcher->rank,
                                              converge->catalogue, scenario);
        }
        if (status != STATUS_OK) {
            return status;
        }
        converge->nloaded++;
        int ranks = converge->launcher->size / groups_of(converge, setting);
        status = launcher_agree(
            scenario_check_memory(scenario, converge->launcher, ranks, &prediction));
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* Reads the scenario as it is, and then for every setting and seed. */
static enum status load_all(struct converge *converge)
{
    struct converge_report *report = &converge->report;
    struct scenario scenario;
    enum status status = scenario_load_everywhere(
        &converge->options->scenario, converge->launcher->rank, converge->catalogue, &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    report->nsettings = converge_plan(&converge->options->lists, &scenario, report->settings);
    report->nseeds = (size_t)converge->options->seeds;
    report->first_seed = scenario.seed;
    scenario_free(&scenario);
    size_t nruns = report->nsettings * report->nseeds;
    report->runs = calloc(nruns, sizeof *report->runs);
    converge->scenarios = calloc(nruns, sizeof *converge->scenarios);
    if (report->runs == NULL || converge->scenarios == NULL) {
        status = fail(STATUS_RESOURCE, "out of memory for %zu runs", nruns);
    }
    status = launcher_agree(status);
    for (size_t i = 0; i < report->nsettings && status == STATUS_OK; i++) {
        status = load_setting(converge, i);
    }
    return status;
}

/* --- running --------------------------------------------------------------------------------- */

static void show_progress(void *who, const struct sim_progress *at)
{
    struct converge *converge = who;
    char label[64];
    (void)snprintf(label, sizeof label, "run %zu of %zu, %s", converge->run, converge->nruns,
                   at->phase);
    struct progress_point point = {.unit = PROGRESS_SIMULATED_TIME,
                                   .done = converge->done + at->now,
                                   .total = converge->done + converge->left,
                                   .label = label};
    progress_update(&converge->progress, &point, progress_clock());
}

/* Counts the runs that rank 0 will make. */
static void begin_progress(struct converge *converge)
{
    struct converge_report *report = &converge->report;
    for (size_t i = 0; i < report->nsettings; i++) {
        size_t groups = (size_t)groups_of(converge, i);
        size_t runs = (report->nseeds + groups - 1) / groups;
        converge->nruns += runs;
        converge->left += runs * converge->scenarios[i * report->nseeds].duration;
    }
    progress_open(&converge->progress,
                  converge->launcher->rank == 0 ? converge->options->progress : PROGRESS_NONE,
                  STDERR_FILENO, progress_clock());
}

static enum status run_one(struct converge *converge, MPI_Comm comm, size_t setting, size_t seed)
{
    size_t index = setting * converge->report.nseeds + seed;
    const struct scenario *scenario = &converge->scenarios[index];
    struct sim_options options = {
        .progress = converge->launcher->rank == 0 ? show_progress : NULL,
        .who = converge,
        .stop = converge->stop,
    };
    struct sim_result result;
    converge->run++;
    enum status status = sim_run(scenario, comm, &options, &result);
    converge->left -= scenario->duration;
    if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
        return status;
    }
    const struct recording *recording = &result.recording;
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (rank == 0) {
        struct converge_run *run = &converge->report.runs[index];
        headline_measure(recording, run->values);
        run->verdict = recording->verdict;
    }
    converge->done += recording->time[recording->npoints - 1];
    sim_result_free(&result);
    if (status == STATUS_INTERRUPTED) {
        return fail(status, "%s: interrupted; what follows are the settings that were done",
                    scenario->source_path);
    }
    return STATUS_OK;
}

/* Makes all runs of one setting; the figures are on every rank then. */
static enum status run_setting(struct converge *converge, size_t setting)
{
    const size_t nseeds = converge->report.nseeds;
    const int groups = groups_of(converge, setting);
    const int group = group_of_rank(converge, groups);
    const struct io_comm world = io_comm_of(MPI_COMM_WORLD);
    MPI_Comm comm;
    silence_phase("dividing the ranks for setting", setting + 1);
    silence_enter_call();
    MPI_Comm_split(MPI_COMM_WORLD, group, converge->launcher->rank, &comm);
    silence_leave_call();
    enum status status = STATUS_OK;
    for (size_t i = (size_t)group; i < nseeds && status == STATUS_OK; i += (size_t)groups) {
        status = run_one(converge, comm, setting, i);
    }
    MPI_Comm_free(&comm);
    /* Groups that are done leave the cores to those that are not. */
    silence_phase("waiting for the other runs of setting", setting + 1);
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        const size_t numbers = nseeds * sizeof(struct converge_run) / sizeof(double);
        io_reduce(&world, &converge->report.runs[setting * nseeds], (int)numbers, MPI_DOUBLE,
                  MPI_SUM);
        converge->report.ndone++;
    }
    return status;
}

static enum status run_all(struct converge *converge)
{
    begin_progress(converge);
    converge->stop = stop_signals_catch();
    enum status status = STATUS_OK;
    for (size_t i = 0; i < converge->report.nsettings && status == STATUS_OK; i++) {
        status = run_setting(converge, i);
    }
    struct progress_point point = {.unit = PROGRESS_SIMULATED_TIME,
                                   .done = converge->done,
                                   .total = converge->done + converge->left,
                                   .label = status == STATUS_OK ? "done" : "stopped"};
    progress_close(&converge->progress, &point, progress_clock());
    return status;
}

/* --- results --------------------------------------------------------------------------------- */

static void print_report(const struct converge *converge)
{
    const struct scenario *scenario = &converge->scenarios[0];
    const struct converge_report *report = &converge->report;
    struct design design;
    char duration[UNITS_TEXT_SIZE];
    printf("%s, %s, at most %s, seeds %" PRIu64 " to %" PRIu64 "\n\n", scenario->source_path,
           design_resolve(scenario, &design) == STATUS_OK ? design.name : "",
           units_print_time(scenario->duration, duration), report->first_seed,
           report->first_seed + report->nseeds - 1);
    converge_print(report, stdout);
}

/* Rank 0 writes, alone. */
static enum status write_csv(const struct converge *converge)
{
    const char *path = converge->options->output;
    if (path == NULL || converge->launcher->rank != 0) {
        return STATUS_OK;
    }
    struct text text = {0};
    converge_csv(&converge->report, &text);
    enum status status = text_file_write(path, converge->options->force, &text);
    text_free(&text);
    return status;
}

/* Rank 0 alone. */
static enum status claim_output(struct converge *converge)
{
    const struct converge_options *options = converge->options;
    if (options->output == NULL || converge->launcher->rank != 0) {
        return STATUS_OK;
    }
    enum status status = output_lock_take(options->output, &converge->lock);
    return status == STATUS_OK ? work_file_check(options->output, options->force) : status;
}

static enum status converge_all(struct converge *converge)
{
    const struct launcher *launcher = converge->launcher;
    enum status status = launcher_agree(claim_output(converge));
    if (status == STATUS_OK) {
        status = load_all(converge);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = run_all(converge);
    if (status != STATUS_OK && status != STATUS_INTERRUPTED) {
        return status;
    }
    if (launcher->rank == 0 && converge->report.ndone > 0) {
        print_report(converge);
    }
    enum status written = converge->report.ndone > 0 ? launcher_agree(write_csv(converge))
                                                     : STATUS_OK;
    return written == STATUS_OK ? status : written;
}

int command_converge(int argc, char **argv)
{
    struct converge_options options = {.seeds = 3, .progress = PROGRESS_AUTO};
    (void)stop_signals_catch(); /* one that comes while it starts does not kill it */
    launcher_quiet_others();
    enum status status = parse(argc, argv, &options);
    if (status != STATUS_OK) {
        return (int)launcher_leave(status);
    }
    if (options.help) {
        print_help();
        return STATUS_OK;
    }
    struct launcher launcher;
    status = launcher_init(&argc, &argv, options.allow_singletons, &launcher);
    if (status != STATUS_OK) {
        return (int)status;
    }
    struct catalogue_names names;
    catalogue_fill(&names);
    struct converge converge = {
        .options = &options, .launcher = &launcher, .catalogue = &names.catalogue};
    status = launcher_watch();
    if (status == STATUS_OK) {
        status = launcher_watched(converge_all(&converge));
    }
    output_lock_release(converge.lock);
    for (size_t i = 0; i < converge.nloaded; i++) {
        scenario_free(&converge.scenarios[i]);
    }
    free(converge.scenarios);
    free(converge.report.runs);
    return (int)launcher_finish(status);
}
