/* Breaks the model's rules, one at a time: for each mutant the oracle must find a difference.
 *
 *   mutants_test N              every mutant, on at most N machines each
 *   mutants_test N --mutant M   one mutant, by number; 0 is the model as it is
 *
 * The machines that mutant_machines.txt names come first.
 *
 * Each mutant runs in a process of its own: a broken model may also break its own assertions, which
 * is a way of being found. One that does not end on some machine is not found by a difference: it
 * is reported apart, and is a failure unless `may_hang` has it. */
#include <inttypes.h>
#include <mpi.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mutant.h"
#include "oracle/compare.h"
#include "oracle/machines.h"

extern char **environ;

enum mutant mutant_active;

enum { EXIT_ALIVE = 0, EXIT_KILLED = 10, SECONDS_MAX = 60 };

static const char *const names[MUTANT_COUNT] = {
#define X(name, what) [MUTANT_##name] = #name,
    MUTANT_TABLE(X)
#undef X
};

/* Mutants whose machines may go on for ever, so that this is all there is to find. */
static const bool may_hang[MUTANT_COUNT] = {false};

enum finding { FINDING_FOUND, FINDING_ALIVE, FINDING_HANGS, FINDINGS };

static bool finds_difference(const struct machine_choice *machine, const char *mutant)
{
    struct compared compared;
    struct text yaml = {0};
    machine_write(machine, &yaml);
    alarm(SECONDS_MAX);
    compare_yaml(text_string(&yaml), &compared);
    alarm(0);
    text_free(&yaml);
    if (compared.outcome == COMPARED_DIFFERENT) {
        printf("%-20s found by machine %" PRIu64 " (%s): %s\n", mutant, machine->number,
               machine_design(machine), compared.difference);
    }
    return compared.outcome == COMPARED_DIFFERENT;
}

static bool finds_among(uint64_t number, const char *mutant)
{
    struct machine_choice machine;
    struct machine_choice extended;
    machine_choose_drawn(number, &machine);
    extended = machine;
    machine_extend(number, &extended);
    bool found = finds_difference(&machine, mutant);
    for (unsigned i = 0; !found && machine_choose_relative(number, i, &machine); i++) {
        found = finds_difference(&machine, mutant);
    }
    found = found || finds_difference(&extended, mutant);
    machine_choose_drawn(number, &machine);
    return found || (machine_choose_beside(&machine) && finds_difference(&machine, mutant));
}

/* The machine that found the mutant before; 0 where none is on record. */
static uint64_t kept_machine(const char *mutant)
{
    FILE *file = fopen(KEPT_MACHINES, "r");
    char line[256];
    char name[64];
    uint64_t number = 0;
    uint64_t found = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%63s %" SCNu64, name, &number) == 2 && strcmp(name, mutant) == 0) {
            found = number;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static int run_mutant(uint64_t nmachines)
{
    const char *name = mutant_active == MUTANT_NONE ? "no mutant" : names[mutant_active];
    MPI_Init(NULL, NULL);
    const uint64_t kept = kept_machine(name);
    bool found = kept > 0 && finds_among(kept, name);
    for (uint64_t number = 0; number < nmachines && !found; number++) {
        found = finds_among(number, name);
    }
    fflush(stdout);
    MPI_Finalize();
    return found ? EXIT_KILLED : EXIT_ALIVE;
}

static enum finding try_mutant(const char *program, const char *nmachines, enum mutant mutant)
{
    char number[16];
    char name[32];
    char option[] = "--mutant";
    char *path = strdup(program);
    char *machines = strdup(nmachines);
    snprintf(number, sizeof number, "%d", (int)mutant);
    snprintf(name, sizeof name, "%s", mutant == MUTANT_NONE ? "no mutant" : names[mutant]);
    char *const arguments[] = {path, machines, option, number, NULL};
    pid_t child;
    int status = 0;
    enum finding finding = FINDING_ALIVE;
    if (path == NULL || machines == NULL ||
        posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child) {
        printf("%-20s could not be run\n", name);
    } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        finding = FINDING_HANGS;
        printf("%-20s does not end: a machine took more than %d s%s\n", name, SECONDS_MAX,
               may_hang[mutant] ? ", as expected" : "");
    } else if (WIFSIGNALED(status)) {
        finding = FINDING_FOUND;
        printf("%-20s ended by signal %d (%s)\n", name, WTERMSIG(status),
               strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) == EXIT_KILLED) {
        finding = FINDING_FOUND;
    } else {
        printf("%-20s not found by any of %s machines (exit code %d)\n", name, nmachines,
               WEXITSTATUS(status));
    }
    fflush(stdout);
    free(path);
    free(machines);
    return finding;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "--mutant") == 0) {
        mutant_active = (enum mutant)atoi(argv[3]);
        return run_mutant(strtoull(argv[1], NULL, 10));
    }
    if (argc != 2 || strtoull(argv[1], NULL, 10) == 0) {
        fprintf(stderr, "mutants_test N, or mutants_test N --mutant M\n");
        return 2;
    }
    int count[FINDINGS] = {0};
    int unexpected = 0;
    for (int mutant = 1; mutant < MUTANT_COUNT; mutant++) {
        const enum finding finding = try_mutant("/proc/self/exe", argv[1], (enum mutant)mutant);
        count[finding]++;
        unexpected += finding == FINDING_HANGS && !may_hang[mutant];
    }
    /* What finds the mutants must not find the model as it is. */
    const bool sound = try_mutant("/proc/self/exe", "100", MUTANT_NONE) == FINDING_ALIVE;
    printf("%d mutants, %d not found, %d did not end, %d of them unexpectedly\n", MUTANT_COUNT - 1,
           count[FINDING_ALIVE], count[FINDING_HANGS], unexpected);
    return count[FINDING_ALIVE] == 0 && unexpected == 0 && sound ? 0 : 1;
}
