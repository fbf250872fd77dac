/* thrash validate: what the sources say beside what the model gives. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "commands/commands.h"
#include "commands/launcher.h"
#include "commands/progress.h"
#include "commands/scenario_arguments.h"
#include "commands/stop_signals.h"
#include "commands/validation.h"
#include "commands/validation_report.h"
#include "io/output_lock.h"
#include "io/silence.h"
#include "results/guard.h"
#include "results/output.h"

static const char usage[] = "thrash validate claims|tables [--quick] [OPTION...]";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "Makes the runs that test the claims of the two articles (claims), or figures that kernel\n"
        "developers published (tables), and prints for each row what was compared, the published\n"
        "or required figure, the measured figure and the verdict: reproduced, not reproduced,\n"
        "inconclusive (too short a run), or unavailable with the reason. Rows that are true by\n"
        "definition or arithmetic are not counted in the sum. Runs are made side by side, one on\n"
        "each rank of mpirun or srun; what several rows need is made once.\n"
        "\n"
        "  --quick             at a 64th of the size, in minutes; otherwise at an eighth, with "
        "some\n"
        "                      points at full size, in half an hour\n"
        "  --only ID,...       these rows alone\n"
        "  --measured FILE     a result of `thrash tlb` or `thrash locks`, by which rows that are\n"
        "                      measured on hosts are judged; may be repeated\n"
        "  -o, --output FILE   write rows, figures and runs to an HDF5 file\n"
        "  --force             replace an existing file\n"
        "  --progress MODE     auto, bar, lines or none\n"
        "  --allow-singletons  run even if srun seems to have started separate copies\n"
        "\n"
        "example: mpirun -n 2 thrash validate claims --quick -o claims.h5\n",
        usage);
}

/* --- the command line ------------------------------------------------------------------------ */

#define MEASURED_MAX 16

struct validate_options {
    const char *what; /* "claims" or "tables" */
    const char *only;
    const char *output;
    const char *measured[MEASURED_MAX];
    size_t nmeasured;
    enum claim_form form;
    bool force;
    enum progress_mode progress;
    bool allow_singletons;
    bool help;
};

static enum status parse_what(int argc, char **argv, struct validate_options *options)
{
    if (optind + 1 != argc) {
        return fail(STATUS_USAGE, "validate: expected one of claims, tables; usage: %s", usage);
    }
    options->what = argv[optind];
    if (strcmp(options->what, "claims") != 0 && strcmp(options->what, "tables") != 0) {
        char excerpt[TEXT_EXCERPT_SIZE];
        return fail(STATUS_USAGE, "validate: expected claims or tables, found %s",
                    text_excerpt(options->what, excerpt));
    }
    return STATUS_OK;
}

static enum status parse(int argc, char **argv, struct validate_options *options)
{
    enum { QUICK = 256, ONLY, MEASURED, FORCE, PROGRESS, SINGLETONS };
    static const struct option known[] = {
        {"help", no_argument, NULL, 'h'},
        {"output", required_argument, NULL, 'o'},
        {"quick", no_argument, NULL, QUICK},
        {"only", required_argument, NULL, ONLY},
        {"measured", required_argument, NULL, MEASURED},
        {"force", no_argument, NULL, FORCE},
        {"progress", required_argument, NULL, PROGRESS},
        {"allow-singletons", no_argument, NULL, SINGLETONS},
        {NULL, 0, NULL, 0},
    };
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":ho:", known, NULL)) != -1;) {
        switch (option) {
        case 'h':
            options->help = true;
            return STATUS_OK;
        case 'o':
            options->output = optarg;
            break;
        case QUICK:
            options->form = FORM_QUICK;
            break;
        case ONLY:
            options->only = optarg;
            break;
        case MEASURED:
            if (options->nmeasured == MEASURED_MAX) {
                return fail(STATUS_USAGE, "validate: more than %d times --measured", MEASURED_MAX);
            }
            options->measured[options->nmeasured++] = optarg;
            break;
        case FORCE:
            options->force = true;
            break;
        case PROGRESS:
            status = progress_parse_mode(optarg, &options->progress);
            break;
        case SINGLETONS:
            options->allow_singletons = true;
            break;
        default:
            status = unusable_option("validate", argv, option);
            break;
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return parse_what(argc, argv, options);
}

/* --- doing it -------------------------------------------------------------------------------- */

static enum status write_file(const struct validation *validation,
                              const struct validate_options *options,
                              const struct provenance *provenance, bool partial)
{
    if (options->output == NULL) {
        return STATUS_OK;
    }
    const struct validation_file file = {.path = options->output,
                                         .force = options->force,
                                         .partial = partial,
                                         .what = options->what,
                                         .provenance = provenance};
    return validation_write(validation, &file);
}

/* Judges all rows that a file is for, for nothing: what is read of it later can be read. */
static enum status try_measured(void *argument)
{
    const char *path = argument;
    char section[16];
    bool used = false;
    enum status status = measurement_section(path, section);
    for (size_t k = 0; claim_table[k] != NULL && status == STATUS_OK; k++) {
        const struct claim *claim = claim_table[k];
        if (claim->measured_by == NULL || strcmp(claim->measured_by, section) != 0) {
            continue;
        }
        struct measurement measurement;
        used = true;
        status = measurement_open(path, section, &measurement);
        if (status == STATUS_OK) {
            struct judgement judgement = {.verdict = CLAIM_REPRODUCED};
            const int quiet = status_set_quiet(1);
            claim->judge_measured(&measurement, &judgement);
            (void)status_set_quiet(quiet);
            judgement_free(&judgement);
            measurement_close(&measurement);
        }
    }
    if (status == STATUS_OK && !used) {
        status = fail(STATUS_USAGE,
                      "--measured %s: a result of `thrash %s`, by which no row is judged", path,
                      section);
    }
    return status;
}

/* Every file must be the result of a command that some row is judged by. Before MPI, and HDF5, are
 * there: a damaged file may crash who looks at it first. */
static enum status check_measured(const struct validate_options *options)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < options->nmeasured && status == STATUS_OK; i++) {
        char *path = strdup(options->measured[i]);
        status = path == NULL ? fail(STATUS_FAILED, "out of memory for the name of a file")
                              : results_guarded(path, try_measured, path);
        free(path);
    }
    return status;
}

static enum status validate(struct validation *validation, const struct validate_options *options,
                            const struct provenance *provenance, struct output_lock **lock_p)
{
    const bool claims = strcmp(options->what, "claims") == 0;
    enum status status = STATUS_OK;
    if (options->output != NULL && validation->launcher->rank == 0) {
        status = output_lock_take(options->output, lock_p);
        if (status == STATUS_OK) {
            status = results_check_output(options->output, options->force);
        }
    }
    status = launcher_agree(status);
    if (status == STATUS_OK) {
        status = validation_plan(claims ? claim_table : published_table, options->only, validation);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = validation_run(validation, options->progress, stop_signals_catch());
    const bool partial = status == STATUS_INTERRUPTED;
    if (status != STATUS_OK && !partial) {
        return status;
    }
    silence_phase("judging, and writing the result", SILENCE_NO_NUMBER);
    if (validation->launcher->rank == 0) {
        validation_judge(validation);
        validation_print(validation, stdout);
        (void)fflush(stdout);
    }
    if (partial) {
        (void)fail(status,
                   "validate %s: interrupted; rows whose runs were not done are unavailable",
                   options->what);
    }
    enum status written = write_file(validation, options, provenance, partial);
    return written == STATUS_OK ? status : written;
}

static enum status gather_and_validate(int argc, char **argv,
                                       const struct validate_options *options,
                                       const struct launcher *launcher)
{
    struct catalogue_names names;
    struct provenance provenance;
    catalogue_fill(&names);
    enum status status = provenance_gather(MPI_COMM_WORLD, argc, argv, &provenance);
    if (status != STATUS_OK) {
        return status;
    }
    struct validation validation = {.launcher = launcher,
                                    .catalogue = &names.catalogue,
                                    .form = options->form,
                                    .measured = options->measured,
                                    .nmeasured = options->nmeasured};
    struct output_lock *lock = NULL;
    status = validate(&validation, options, &provenance, &lock);
    output_lock_release(lock);
    validation_free(&validation);
    provenance_free(&provenance);
    return status;
}

int command_validate(int argc, char **argv)
{
    struct validate_options options = {.progress = PROGRESS_AUTO, .form = FORM_FULL};
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
    status = check_measured(&options);
    if (status != STATUS_OK) {
        return (int)launcher_leave(status);
    }
    struct launcher launcher;
    status = launcher_init(&argc, &argv, options.allow_singletons, &launcher);
    if (status != STATUS_OK) {
        return (int)status;
    }
    status = launcher_watch();
    if (status == STATUS_OK) {
        status = launcher_watched(gather_and_validate(argc, argv, &options, &launcher));
    }
    return (int)launcher_finish(status);
}
