/* thrash simulate: runs a scenario and writes its result. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/launch_facts.h"
#include "commands/launcher.h"
#include "commands/progress.h"
#include "commands/run_record.h"
#include "commands/scenario_arguments.h"
#include "commands/scenario_everywhere.h"
#include "commands/simulate_result.h"
#include "commands/simulate_resume.h"
#include "commands/stop_signals.h"
#include "engine/predict.h"
#include "engine/sim.h"
#include "io/comm.h"
#include "io/mpi_hints.h"
#include "io/output_lock.h"
#include "io/silence.h"
#include "results/build_info.h"
#include "results/output.h"

static const char usage[] = "thrash simulate CONFIG [-o FILE] [OPTION...]";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "Runs a scenario and writes one HDF5 file. Start it alone or through mpirun or srun. As\n"
        "root, Open MPI's mpirun wants OMPI_ALLOW_RUN_AS_ROOT=1 and\n"
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 in the environment.\n"
        "\n"
        "  -o, --output FILE     where to write; otherwise output.file of the scenario, otherwise\n"
        "                        SCENARIO.h5 in $THRASH_RESULTS_DIR or the current directory\n"
        "                        (FILE.partial if interrupted; a complete run removes that)\n"
        "  --force               replace an existing file; with --resume, start from the\n"
        "                        beginning where FILE.ckpt is another run's, and replace it, or\n"
        "                        damaged, and keep it as FILE.ckpt.damaged\n"
        "  --set KEY=VALUE       override a key, dotted: design.preset=linux-2.4.23\n"
        "  --costs FILE          another cost profile: a file, or a name such as p4-2003\n"
        "  --checkpoint-every TIME\n"
        "                        write FILE.ckpt after every TIME of wall time, and when stopped\n"
        "                        (exit 1 if it cannot be written then); a complete run removes it\n"
        "  --resume              go on from FILE.ckpt, on any number of ranks, with the same bits\n"
        "                        as a run that was never stopped; start from the beginning if\n"
        "                        there is none, end at once if FILE is complete; writes\n"
        "                        checkpoints too, every 10 minutes unless told otherwise\n"
        "  --stop-after TIME     stop after so much wall time and write what there is (exit 4);\n"
        "                        SIGUSR1, SIGINT, SIGTERM and SIGHUP do the same\n"
        "  --progress MODE       auto, bar, lines or none\n"
        "  --allow-singletons    run even if srun seems to have started separate copies\n"
        "\n"
        "Ranks that stop answering are named after a minute; after half an hour all are ended, or\n"
        "after THRASH_SILENCE_LIMIT (as in 2h; 0: never) in the environment of rank 0.\n"
        "\n"
        "A checkpoint is checked for damage, not for malice: go on only from those that you, or\n"
        "whom you would let run programs as you, have written.\n"
        "\n"
        "mpirun: with SIGINT or SIGTERM, Open MPI's gives its ranks one second and then kills "
        "them,\n"
        "which may be too little for a checkpoint. SIGUSR1 it passes on, and the ranks have the "
        "time\n"
        "they need: kill -USR1 $(pidof mpirun). mpirun -q leaves out what it says of exit codes.\n"
        "\n"
        "example: thrash simulate configs/quickstart.yaml -o quickstart.h5\n"
        "         mpirun -n 4 thrash simulate configs/lwn-32g-cells8.yaml --set seed=2\n"
        "         thrash simulate configs/lwn-32g.yaml -o lwn.h5 --stop-after 55min --resume\n",
        usage);
}

struct simulate_arguments {
    struct scenario_arguments scenario;
    const char *output;
    bool force;
    double stop_after;       /* seconds of wall time, 0: never */
    double checkpoint_every; /* likewise; 0: as `resume` says */
    bool resume;
    enum progress_mode progress;
    bool allow_singletons;
    bool help;
};

/* Without --checkpoint-every, a run that is resumed writes checkpoints this often. */
static const double standard_checkpoint_every = 600;

static enum status parse_wall_time(const char *option, const char *text, double *seconds_p)
{
    char reason[UNITS_REASON_SIZE];
    sim_time time;
    if (units_parse_time(text, &time, reason) != STATUS_OK) {
        return fail(STATUS_USAGE, "%s: %s", option, reason);
    }
    if (time == 0) {
        return fail(STATUS_USAGE, "%s: expected a time above 0, found `%s`", option, text);
    }
    *seconds_p = sim_seconds(time);
    return STATUS_OK;
}

static enum status parse(int argc, char **argv, struct simulate_arguments *arguments)
{
    enum { SET = 256, COSTS, FORCE, STOP_AFTER, CHECKPOINT, RESUME, PROGRESS, SINGLETONS };
    static const struct option options[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"force", no_argument, NULL, FORCE},
        {"set", required_argument, NULL, SET},
        {"costs", required_argument, NULL, COSTS},
        {"stop-after", required_argument, NULL, STOP_AFTER},
        {"checkpoint-every", required_argument, NULL, CHECKPOINT},
        {"resume", no_argument, NULL, RESUME},
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
        case FORCE:
            arguments->force = true;
            break;
        case SET:
            status = scenario_arguments_set(&arguments->scenario, optarg);
            break;
        case COSTS:
            arguments->scenario.overrides.costs = optarg;
            break;
        case STOP_AFTER:
            status = parse_wall_time("--stop-after", optarg, &arguments->stop_after);
            break;
        case CHECKPOINT:
            status = parse_wall_time("--checkpoint-every", optarg, &arguments->checkpoint_every);
            break;
        case RESUME:
            arguments->resume = true;
            break;
        case PROGRESS:
            status = progress_parse_mode(optarg, &arguments->progress);
            break;
        case SINGLETONS:
            arguments->allow_singletons = true;
            break;
        default:
            status = unusable_option("simulate", argv, option);
            break;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return scenario_arguments_config(&arguments->scenario, argc, argv, optind, usage);
}

/* --- where the result goes ---------------------------------------------------------------------
 */

/* DIR/NAME.h5 for a scenario in .../NAME.yaml. */
static char *default_output(const struct scenario *scenario)
{
    const char *directory = getenv("THRASH_RESULTS_DIR");
    const char *slash = strrchr(scenario->source_path, '/');
    const char *name = slash == NULL ? scenario->source_path : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    char *path = NULL;
    if (asprintf(&path, "%s/%.*s.h5", directory == NULL ? "." : directory, (int)length, name) < 0) {
        return NULL;
    }
    return path;
}

static char *choose_output(const struct simulate_arguments *arguments,
                           const struct scenario *scenario)
{
    if (arguments->output != NULL) {
        return strdup(arguments->output);
    }
    if (scenario->output.file[0] != '\0') {
        return strdup(scenario->output.file);
    }
    return default_output(scenario);
}

/* The names of what a run writes. */
struct outputs {
    char *result;
    char *checkpoint;
};

static enum status choose_outputs(const struct simulate_arguments *arguments,
                                  const struct scenario *scenario, struct outputs *outputs)
{
    outputs->result = choose_output(arguments, scenario);
    outputs->checkpoint = outputs->result == NULL ? NULL : results_checkpoint_path(outputs->result);
    return outputs->checkpoint != NULL
               ? STATUS_OK
               : fail(STATUS_RESOURCE, "out of memory for the name of the result");
}

static bool keeps_checkpoints(const struct simulate_arguments *arguments)
{
    return arguments->resume || arguments->checkpoint_every > 0;
}

static struct checkpoint_options checkpoint_options(const struct simulate_arguments *arguments,
                                                    const struct scenario *scenario,
                                                    const struct outputs *outputs, bool resume)
{
    if (!keeps_checkpoints(arguments)) {
        return (struct checkpoint_options){0};
    }
    return (struct checkpoint_options){
        .path = outputs->checkpoint,
        .every = arguments->checkpoint_every > 0 ? arguments->checkpoint_every
                                                 : standard_checkpoint_every,
        .resume = resume,
        .version = build_info.version,
        .revision = build_info.git_revision,
        .hints = scenario->output.mpi_hints,
    };
}

/* Rank 0 takes the output for this run and looks at what is there, before anything runs. A complete
 * run removes checkpoint and partial result, so those of another run stand in its way. */
static enum status check_outputs(const struct simulate_arguments *arguments,
                                 const struct scenario *scenario, const struct outputs *outputs,
                                 struct resume_plan *plan, struct output_lock **lock_p)
{
    enum status status = mpi_hints_check(scenario->output.mpi_hints);
    if (status == STATUS_OK) {
        status = output_lock_take(outputs->result, lock_p);
    }
    if (status == STATUS_OK && arguments->resume) {
        const struct checkpoint_options options = checkpoint_options(arguments, scenario, outputs,
                                                                     true);
        status = resume_look(scenario, outputs->result, &options, arguments->force, plan);
    }
    if (status != STATUS_OK || plan->complete) {
        return status;
    }
    status = results_check_output(outputs->result, arguments->force);
    if (status == STATUS_OK) {
        status = results_check_checkpoint(outputs->checkpoint,
                                          arguments->resume || arguments->force);
    }
    if (status == STATUS_OK && !arguments->force) {
        status = resume_check_partial(scenario, outputs->result);
    }
    return status;
}

/* --- running -------------------------------------------------------------------------------- */

static struct progress_point point_of(const struct sim_progress *at)
{
    return (struct progress_point){
        .unit = PROGRESS_SIMULATED_TIME, .done = at->now, .total = at->limit, .label = at->phase};
}

static void show_progress(void *who, const struct sim_progress *at)
{
    struct progress_point point = point_of(at);
    progress_update(who, &point, progress_clock());
}

/* A run that was stopped has left what it was to leave, or ends with what it could not. */
static enum status leave_checkpoint(const struct checkpoint_totals *checkpoints, const char *path)
{
    if (checkpoints->saved_last) {
        printf("checkpoint     %s\n", path);
    }
    if (checkpoints->failure[0] == '\0') {
        return STATUS_INTERRUPTED;
    }
    const bool older = access(path, F_OK) == 0;
    return fail(STATUS_FAILED, "stopped, and no checkpoint could be written: %s; %s%s",
                checkpoints->failure,
                older ? "the one before is kept: " : "there is none to go on from",
                older ? path : "");
}

static enum status run_and_write(const struct simulate_arguments *arguments,
                                 const struct scenario *scenario, const struct outputs *outputs,
                                 bool resume, const struct prediction *prediction,
                                 const struct launcher *launcher, struct run_record *record)
{
    struct progress progress;
    progress_open(&progress, launcher->rank == 0 ? arguments->progress : PROGRESS_NONE,
                  STDERR_FILENO, progress_clock());
    struct sim_options options = {
        .checkpoints = checkpoint_options(arguments, scenario, outputs, resume),
        .progress = launcher->rank == 0 ? show_progress : NULL,
        .who = &progress,
        .stop = stop_signals_catch(),
        .stop_after = arguments->stop_after,
    };
    struct sim_result result;
    enum status ran = sim_run(scenario, MPI_COMM_WORLD, &options, &result);
    if (ran != STATUS_OK && ran != STATUS_INTERRUPTED) {
        struct progress_point point = {
            .unit = PROGRESS_SIMULATED_TIME, .total = scenario->duration, .label = "stopped"};
        progress_close(&progress, &point, progress_clock());
        return ran;
    }
    const struct recording *recording = &result.recording;
    sim_time end = recording->npoints > 0 ? recording->time[recording->npoints - 1]
                                          : recording->verdict_time;
    struct progress_point point = {.unit = PROGRESS_SIMULATED_TIME,
                                   .done = end,
                                   .total = scenario->duration,
                                   .label = verdict_name(recording->verdict)};
    progress_close(&progress, &point, progress_clock());
    silence_phase("writing the result", SILENCE_NO_NUMBER);
    enum status status = simulate_write(scenario, outputs->result, arguments->force, prediction,
                                        &result, launcher, record);
    if (status == STATUS_OK && launcher->rank == 0) {
        if (ran == STATUS_OK) {
            resume_clean_up(outputs->result, outputs->checkpoint);
        } else {
            ran = leave_checkpoint(&result.checkpoints, outputs->checkpoint);
        }
    }
    sim_result_free(&result);
    return status == STATUS_OK ? ran : status;
}

/* A cell is on one rank. */
static void warn_of_idle_ranks(const struct scenario *scenario, const struct launcher *launcher)
{
    const uint64_t ranks = (uint64_t)launcher->size;
    const uint64_t cells = scenario->machine.cells;
    if (ranks > cells) {
        warn("%" PRIu64 " ranks, machine.cells is %" PRIu64 ": %" PRIu64 " rank%s nothing to do",
             ranks, cells, ranks - cells, ranks - cells == 1 ? " has" : "s have");
    }
}

static enum status simulate(int argc, char **argv, const struct simulate_arguments *arguments,
                            const struct launcher *launcher)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario scenario;
    enum status status = scenario_load_everywhere(&arguments->scenario, launcher->rank,
                                                  &names.catalogue, &scenario);
    if (status != STATUS_OK) {
        return status;
    }
    struct prediction prediction;
    status = launcher_agree(
        scenario_check_memory(&scenario, launcher, launcher->size, &prediction));
    struct outputs outputs = {NULL, NULL};
    struct resume_plan plan = {false, false};
    struct output_lock *lock = NULL;
    if (status == STATUS_OK) {
        status = choose_outputs(arguments, &scenario, &outputs);
        if (status == STATUS_OK && launcher->rank == 0) {
            status = check_outputs(arguments, &scenario, &outputs, &plan, &lock);
        }
        status = launcher_agree(status);
        const struct io_comm ranks = io_comm_of(MPI_COMM_WORLD);
        io_broadcast(&ranks, &plan, sizeof plan);
    }
    struct run_record record;
    if (status == STATUS_OK && !plan.complete) {
        warn_of_idle_ranks(&scenario, launcher);
        status = run_record_open(argc, argv, launcher, &record);
        if (status == STATUS_OK) {
            status = run_and_write(arguments, &scenario, &outputs, plan.checkpoint, &prediction,
                                   launcher, &record);
            run_record_close(&record);
        }
    }
    output_lock_release(lock);
    free(outputs.result);
    free(outputs.checkpoint);
    scenario_free(&scenario);
    return status;
}

int command_simulate(int argc, char **argv)
{
    struct simulate_arguments arguments = {.progress = PROGRESS_AUTO};
    (void)stop_signals_catch(); /* a run that is stopped while it starts is not killed by it */
    launcher_quiet_others();
    enum status status = parse(argc, argv, &arguments);
    if (status != STATUS_OK) {
        return (int)launcher_leave(status);
    }
    if (arguments.help) {
        print_help();
        return STATUS_OK;
    }
    struct launcher launcher;
    status = launcher_init(&argc, &argv, arguments.allow_singletons, &launcher);
    if (status != STATUS_OK) {
        return (int)status;
    }
    status = launcher_watch();
    if (status == STATUS_OK) {
        status = launcher_watched(simulate(argc, argv, &arguments, &launcher));
    }
    return (int)launcher_finish(status);
}
