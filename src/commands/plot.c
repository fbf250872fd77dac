/* thrash plot: draws pictures of results with Python. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/commands.h"
#include "commands/scenario_arguments.h"
#include "commands/share.h"
#include "io/place.h"
#include "results/guard.h"
#include "results/reader.h"

static const char usage[] = "thrash plot FILE... [-o DIR] [--name NAME] [--metric METRIC]";

static void print_help(void)
{
    printf(
        "usage: %s\n"
        "\n"
        "Draws one picture that compares results of `thrash simulate`, or shows those of `thrash\n"
        "tlb`, `thrash locks`, `thrash kernel` or `thrash validate`: NAME.png, NAME.pdf, and\n"
        "NAME.csv with every number in it. Of a file of `thrash study collect` it draws what the\n"
        "axes allow, of files of `thrash calibrate` what they have of kernel, tlb, locks and\n"
        "contention, and of runs that are short of low memory also who holds it, as\n"
        "NAME-PICTURE.png and so on. A picture is of files of one command, but those of\n"
        "`calibrate` also go beside those of `kernel`, `tlb` or `locks`. Prints their paths.\n"
        "Files of these names are replaced. Needs a Python 3 with h5py and matplotlib:\n"
        "$THRASH_PYTHON, or the first python3 that has them.\n"
        "\n"
        "  -o, --output DIR  where they go, made if it is not there; otherwise beside the first\n"
        "                    FILE\n"
        "  --name NAME       otherwise what the names of the FILEs share, or `comparison` if that\n"
        "                    is nothing\n"
        "  --metric METRIC   of a study: this metric alone, as the file calls it, or\n"
        "                    visits_per_page_freed, system_seconds_per_fork, "
        "tlb_misses_per_access\n"
        "  --by AXIS         over this axis: its name in the file, or its key\n"
        "  --per AXIS        with a line for each value of this one\n"
        "\n"
        "example: thrash plot results/quickstart-*.h5 -o results\n"
        "         thrash plot process-scaling.h5 --metric system_seconds --by processes\n",
        usage);
}

/* Whether a Python has what plot.py needs. It is looked for, not imported, which would take as long
 * as the picture; nothing of it is shown. */
static bool python_is_able(const char *python)
{
    pid_t child = fork();
    if (child < 0) {
        return false;
    }
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        execlp(python, python, "-c",
               "import sys, importlib.util as util\n"
               "sys.exit(not all(map(util.find_spec, ('h5py', 'numpy', 'matplotlib'))))",
               (char *)NULL);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static enum status find_python(const char **python_p)
{
    const char *given = getenv("THRASH_PYTHON");
    if (given != NULL && given[0] != '\0') {
        if (!python_is_able(given)) {
            return fail(STATUS_RESOURCE, "THRASH_PYTHON=%s is no Python with h5py and matplotlib",
                        given);
        }
        *python_p = given;
        return STATUS_OK;
    }
    static const char *const candidates[] = {"python3", "/usr/bin/python3",
                                             "/usr/local/bin/python3"};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (python_is_able(candidates[i])) {
            *python_p = candidates[i];
            return STATUS_OK;
        }
    }
    return fail(STATUS_RESOURCE,
                "no python3 with h5py and matplotlib was found; install the Debian "
                "packages python3-h5py and python3-matplotlib, or set THRASH_PYTHON");
}

static enum status check_seal(void *argument)
{
    const char *const *path = argument;
    return results_check_seal(*path);
}

/* What is read is as it was written, and what is made goes where links of others do not lead. */
static enum status check_files(char *const *files, int nfiles, const char *directory)
{
    char *picture = NULL;
    if (asprintf(&picture, "%s/picture", directory != NULL ? directory : ".") < 0) {
        return fail(STATUS_FAILED, "out of memory for the name of a picture");
    }
    enum status status = place_check(directory != NULL ? picture : files[0]);
    for (int i = 0; i < nfiles && status == STATUS_OK; i++) {
        const char *path = files[i];
        status = results_guarded(path, check_seal, &path);
    }
    free(picture);
    return status;
}

/* Becomes plot.py with the same arguments. */
static enum status run_plot(int argc, char **argv)
{
    char script[PATH_MAX];
    const char *python = NULL;
    enum status status = share_find("results/plot.py", script);
    if (status == STATUS_OK) {
        status = find_python(&python);
    }
    if (status != STATUS_OK) {
        return status;
    }
    char **arguments = calloc((size_t)argc + 2, sizeof *arguments);
    if (arguments == NULL) {
        return fail(STATUS_FAILED, "out of memory for %d arguments", argc);
    }
    arguments[0] = (char *)(uintptr_t)python;
    arguments[1] = script;
    for (int i = 1; i < argc; i++) {
        arguments[i + 1] = argv[i];
    }
    fflush(stdout);
    execvp(python, arguments);
    status = fail(STATUS_FAILED, "cannot start %s: %s", python, strerror(errno));
    free(arguments);
    return status;
}

int command_plot(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"name", required_argument, NULL, 'n'},
                                            {"metric", required_argument, NULL, 'n'},
                                            {"by", required_argument, NULL, 'n'},
                                            {"per", required_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    const char *directory = NULL;
    optind = 1;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":ho:", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return STATUS_OK;
        }
        if (option != 'o' && option != 'n') {
            return (int)unusable_option("plot", argv, option);
        }
        if (option == 'o') {
            directory = optarg;
        }
    }
    if (optind >= argc) {
        return (int)fail(STATUS_USAGE, "no FILE given; usage: %s", usage);
    }
    enum status status = check_files(argv + optind, argc - optind, directory);
    return (int)(status == STATUS_OK ? run_plot(argc, argv) : status);
}
