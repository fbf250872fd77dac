/* thrash: a benchmark harness for virtual-memory designs. This file is the table of commands. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/commands.h"
#include "io/h5_leaks.h"

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
    {"simulate", "run a scenario and write its result", command_simulate},
    {"converge", "say what cells and epochs change about a scenario", command_converge},
    {"validate", "say what the sources claim beside what the model gives", command_validate},
    {"locks", "measure locks and reverse maps under real threads on each host", command_locks},
    {"kernel", "measure page tables, forks, faults and reclaim of each host's kernel",
     command_kernel},
    {"calibrate", "make a cost profile out of what hosts measure", command_calibrate},
    {"tlb", "measure what translating addresses costs on each host, by page size", command_tlb},
    {"study", "vary a scenario along axes: many runs from one file", command_study},
    {"check", "validate a scenario, print every value, predict memory and time", command_check},
    {"list", "list designs, workloads, metrics or options", command_list},
    {"info", "say what this host can and cannot measure, and why", command_info},
    {"show", "show, verify or export a result", command_show},
    {"compare", "put the metrics of results side by side", command_compare},
    {"plot", "draw pictures of results", command_plot},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    puts(
        "thrash: what does it cost a virtual-memory design to find the processes that map a page?\n"
        "\n"
        "usage: thrash COMMAND [OPTION...] [ARGUMENT...]\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    puts("\n`thrash COMMAND --help` explains a command and gives an example.\n"
         "\n"
         "exit codes: 0 done and valid; 1 failed; 2 configuration or usage; 3 a required resource "
         "is\n"
         "missing; 4 interrupted, partial result (and checkpoint) written; 5 ran, but the result "
         "is invalid");
}

static enum status unknown_command(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
    }
    const char *nearest = text_nearest(name, names, COMMANDS);
    if (nearest != NULL) {
        return fail(STATUS_USAGE, "unknown command `%s`, did you mean `%s`?", name, nearest);
    }
    return fail(STATUS_USAGE, "unknown command `%s`; `thrash --help` lists the commands", name);
}

/* The process that says what is wrong carries the exit code: a launcher that sees another one fail
 * kills the rest, perhaps before the sentence is out. */
static int exit_code(int code)
{
    return status_is_quiet() ? STATUS_OK : code;
}

/* A command that was started without standard streams must not find that a result of its own has
 * become one. */
static void open_standard_streams(void)
{
    int file = 0;
    while (file >= 0 && file <= STDERR_FILENO) {
        file = open("/dev/null", O_RDWR);
    }
    if (file > STDERR_FILENO) {
        (void)close(file);
    }
}

/* What was printed may have gone nowhere; a command that has said so already is not asked. */
static int flushed(int code)
{
    errno = 0;
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == STATUS_OK) {
        return (int)fail(STATUS_FAILED, "cannot write to the standard output%s%s",
                         errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    }
    return code;
}

int main(int argc, char **argv)
{
    open_standard_streams();
    /* A file that may not grow any further is a failed write, not the end of the program. */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        print_help();
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help();
        return flushed(STATUS_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("thrash " THRASH_VERSION);
        return flushed(STATUS_OK);
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            int code = flushed(commands[i].run(argc - 1, argv + 1));
#ifdef THRASH_CHECKS
            code = code == STATUS_OK ? (int)h5_leaks_check() : code;
#endif
            return exit_code(code);
        }
    }
    return (int)unknown_command(argv[1]);
}
