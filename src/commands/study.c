#include "commands/study.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "commands/commands.h"
#include "commands/scenario_arguments.h"

static const struct verb {
    const char *name;
    const char *summary;
    const char *options; /* besides --output and --quick, blanks around each */
    enum status (*run)(const struct study_arguments *arguments, const struct study_plan *plan);
} verbs[] = {
    {"expand", "print every run with its memory, ranks and time; runs nothing", "", study_expand},
    {"run", "run here what is not done yet, several runs at once", " jobs checkpoint-every force ",
     study_run},
    {"submit", "submit as job arrays of Slurm what was never started",
     " site dry-run collect checkpoint-every force ", study_submit},
    {"retry", "submit what is missing, has failed or was interrupted",
     " site dry-run collect checkpoint-every force ", study_retry},
    {"cancel", "cancel what was submitted", "", study_cancel},
    {"collect", "put all results into one file, with the axes as dimensions", " force require-all ",
     study_collect},
    {"status", "say what is done, running, failed and missing, and why", "", study_status},
};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void print_help(void)
{
    puts("usage: thrash study VERB JOB [OPTION...]\n"
         "\n"
         "A study varies a scenario along axes: JOB is a file like those in jobs/, which\n"
         "jobs/README.md explains. Each point is a run of `thrash simulate`; its result is\n"
         "DIR/runs/POINT.h5, what it said DIR/logs/POINT.out. Every point is validated before the\n"
         "first is run. All verbs can be repeated: what is done is not done again.\n");
    for (size_t i = 0; i < VERBS; i++) {
        printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
    }
    puts("\n"
         "  -o, --output DIR  where the study is; otherwise a directory named after JOB\n"
         "  --quick           the short form of the study, in a directory of its own\n"
         "  --jobs N          run: so many runs at once; otherwise as many as cores and memory "
         "allow\n"
         "  --force           run, submit, retry: replace what is in the way of results; collect: "
         "of\n"
         "                    its file\n"
         "  --require-all     collect: fail where a point is missing\n"
         "  --checkpoint-every TIME\n"
         "                    run, submit, retry: of simulate; 10min otherwise\n"
         "  --site FILE       submit, retry: what is particular to the cluster; otherwise\n"
         "                    slurm/site.yaml\n"
         "  --collect         submit, retry: also a job that collects when all of it is over\n"
         "  --dry-run         submit, retry: print what would be submitted\n"
         "  --help            print this\n"
         "\n"
         "Runs of several ranks are started by $MPIEXEC, or mpirun. An interrupt stops the runs,\n"
         "which leave checkpoints; the same command goes on.\n"
         "\n"
         "exit codes: 0 all done; 1 a run failed; 2 usage; 3 a point does not fit this host; 4\n"
         "interrupted; 5 all done, some results invalid. status: 0 whatever it finds. collect: 0\n"
         "also where points are missing, which are NaN and listed; 1 if all are\n"
         "\n"
         "example: thrash study run jobs/memory-scaling.yaml --quick");
}

static enum status find_verb(const char *name, const struct verb **verb_p)
{
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(name, verbs[i].name) == 0) {
            *verb_p = &verbs[i];
            return STATUS_OK;
        }
    }
    const char *nearest = text_nearest(name, names, VERBS);
    char excerpt[TEXT_EXCERPT_SIZE];
    return fail(STATUS_USAGE, "study: expected a verb, found %s%s%s%s; see thrash study --help",
                text_excerpt(name, excerpt), nearest == NULL ? "" : ", did you mean `",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
}

static enum status parse_count(const char *option, const char *spelled, uint64_t *count_p)
{
    char reason[UNITS_REASON_SIZE];
    uint64_t count;
    if (units_parse_count(spelled, &count, reason) != STATUS_OK) {
        return fail(STATUS_USAGE, "%s: %s", option, reason);
    }
    if (count < 1 || count > 10000) {
        return fail(STATUS_USAGE, "%s: expected 1 to 10000, found %s", option, spelled);
    }
    *count_p = count;
    return STATUS_OK;
}

/* Before any run refuses it. */
static enum status check_time(const char *option, const char *spelled)
{
    char reason[UNITS_REASON_SIZE];
    sim_time time;
    return units_parse_time(spelled, &time, reason) == STATUS_OK
               ? STATUS_OK
               : fail(STATUS_USAGE, "%s: %s", option, reason);
}

/* An option that the verb does not have would be passed over: whoever asked for --dry-run must not
 * get a run. */
static enum status check_options(const struct verb *verb, const char *const *given, size_t ngiven)
{
    for (size_t i = 0; i < ngiven; i++) {
        char word[40];
        (void)snprintf(word, sizeof word, " %s ", given[i]);
        if (strstr(" output quick ", word) == NULL && strstr(verb->options, word) == NULL) {
            return fail(STATUS_USAGE, "study %s has no option --%s; see thrash study --help",
                        verb->name, given[i]);
        }
    }
    return STATUS_OK;
}

enum { QUICK = 256, JOBS, FORCE, SITE, DRY_RUN, EVERY, REQUIRE_ALL, COLLECT };

/* Those with a value have it in `optarg`. */
static enum status take_option(int option, char **argv, struct study_arguments *arguments)
{
    switch (option) {
    case 'o':
        arguments->directory = optarg;
        return STATUS_OK;
    case QUICK:
        arguments->quick = true;
        return STATUS_OK;
    case JOBS:
        return parse_count("--jobs", optarg, &arguments->at_once);
    case EVERY:
        arguments->manner.checkpoint_every = optarg;
        return check_time("--checkpoint-every", optarg);
    case SITE:
        arguments->site = optarg;
        return STATUS_OK;
    case DRY_RUN:
        arguments->dry_run = true;
        return STATUS_OK;
    case FORCE:
        arguments->manner.force = true;
        return STATUS_OK;
    case COLLECT:
        arguments->collect = true;
        return STATUS_OK;
    case REQUIRE_ALL:
        arguments->require_all = true;
        return STATUS_OK;
    default:
        return unusable_option("study", argv, option);
    }
}

static enum status parse(int argc, char **argv, struct study_arguments *arguments,
                         const struct verb **verb_p, bool *help_p)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"quick", no_argument, NULL, QUICK},
                                            {"jobs", required_argument, NULL, JOBS},
                                            {"require-all", no_argument, NULL, REQUIRE_ALL},
                                            {"site", required_argument, NULL, SITE},
                                            {"collect", no_argument, NULL, COLLECT},
                                            {"dry-run", no_argument, NULL, DRY_RUN},
                                            {"checkpoint-every", required_argument, NULL, EVERY},
                                            {"force", no_argument, NULL, FORCE},
                                            {NULL, 0, NULL, 0}};
    enum { GIVEN_MOST = 64 };
    const char *given[GIVEN_MOST];
    size_t ngiven = 0;
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option, index = -1;
         status == STATUS_OK && (option = getopt_long(argc, argv, ":ho:", options, &index)) != -1;
         index = -1) {
        if (index >= 0 && ngiven < GIVEN_MOST) {
            given[ngiven++] = options[index].name;
        }
        if (option == 'h') {
            *help_p = true;
            return STATUS_OK;
        }
        status = take_option(option, argv, arguments);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (argc - optind < 1) {
        return fail(STATUS_USAGE, "study: expected a verb; see thrash study --help");
    }
    status = find_verb(argv[optind], verb_p);
    if (status == STATUS_OK) {
        status = check_options(*verb_p, given, ngiven);
    }
    if (status == STATUS_OK && argc - optind != 2) {
        status = fail(STATUS_USAGE, "study %s: expected one JOB, found %d; see thrash study --help",
                      argv[optind], argc - optind - 1);
    }
    arguments->job = argv[argc - 1];
    return status;
}

/* Beside the working directory's other studies; the short form has results of its own. */
static char *default_directory(const struct study *study)
{
    char *directory = NULL;
    return asprintf(&directory, "%s%s", study->stem, study->quick ? "-quick" : "") < 0 ? NULL
                                                                                       : directory;
}

int command_study(int argc, char **argv)
{
    struct study_arguments arguments = {.argc = argc, .argv = argv};
    const struct verb *verb = NULL;
    bool help = false;
    enum status status = parse(argc, argv, &arguments, &verb, &help);
    if (status != STATUS_OK) {
        return (int)status;
    }
    if (help) {
        print_help();
        return STATUS_OK;
    }
    struct study_plan plan;
    status = study_plan_load(arguments.job, arguments.quick, &plan);
    if (status != STATUS_OK) {
        return (int)status;
    }
    char *directory = default_directory(&plan.study);
    arguments.directory = arguments.directory != NULL ? arguments.directory : directory;
    status = arguments.directory == NULL ? fail(STATUS_FAILED, "out of memory for a path")
                                         : verb->run(&arguments, &plan);
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = fail(STATUS_FAILED, "cannot write to the standard output");
    }
    free(directory);
    study_plan_free(&plan);
    return (int)status;
}
