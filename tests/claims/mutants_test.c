/* Shows that every claim that is reproduced can fail: with the mechanism it rests on broken, the
 * verdict of its short form must change.
 *
 *   claims_mutants_test                 every row below
 *   claims_mutants_test ID M            one claim with mutant number M; exits with VERDICT + its
 *                                       verdict
 *
 * Each is a process of its own: a broken model may also break its own assertions, which is a change
 * as well. One that does not end is reported apart, and is a failure unless its row says that it
 * may. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mutant.h"
#include "commands/catalogue.h"
#include "commands/validation.h"

extern char **environ;

enum mutant mutant_active;

enum { VERDICT = 100, BROKEN = VERDICT + CLAIM_VERDICTS, HANGS, SECONDS_MAX = 600 };

static const char *const names[MUTANT_COUNT] = {[MUTANT_NONE] = "the model as it is",
#define X(name, what) [MUTANT_##name] = #name ": " what,
                                                MUTANT_TABLE(X)
#undef X
};

/* A claim and the mechanism it rests on. */
static const struct {
    const char *id;
    enum mutant mutant;
    bool may_hang; /* runs of the broken model may go on for ever */
} rows[] = {
    {"L2", MUTANT_CHAIN_WALK, false},     {"L4", MUTANT_OBJECT_CHAINS, false},
    {"L4", MUTANT_VMA_LINKS, false},      {"I1", MUTANT_CREDIT_THRESHOLD, false},
    {"I3", MUTANT_ENTRY_SLOTS, false},    {"I4", MUTANT_LAZY_COLLAPSE, false},
    {"I4", MUTANT_EAGER_COLLAPSE, false}, {"I5", MUTANT_REMOVAL_SEARCH, false},
    {"I7", MUTANT_TABLE_FRAMES, false},   {"I8", MUTANT_LARGE_ENTRIES, false},
    {"I9", MUTANT_TLB_WAYS, false},       {"I13", MUTANT_LARGE_ENTRIES, false},
    {"I10", MUTANT_TABLE_FRAMES, false},  {"I11", MUTANT_KMAP, false},
    {"V3", MUTANT_REMOVAL_SEARCH, false}, {"V3-quad", MUTANT_REMOVAL_SEARCH, false},
    {"V10", MUTANT_KMAP, false},
};

/* The verdict of one claim, in this process. */
static int judge(int argc, char **argv, const char *id)
{
    struct launcher launcher;
    struct catalogue_names catalogue;
    alarm(SECONDS_MAX);
    if (launcher_init(&argc, &argv, true, &launcher) != STATUS_OK) {
        return 1;
    }
    catalogue_fill(&catalogue);
    struct validation validation = {
        .launcher = &launcher, .catalogue = &catalogue.catalogue, .form = FORM_QUICK};
    const bool published = id[0] == 'V';
    enum status status = validation_plan(published ? published_table : claim_table, id,
                                         &validation);
    if (status == STATUS_OK) {
        status = validation_run(&validation, PROGRESS_NONE, NULL);
    }
    int code = (int)status;
    if (status == STATUS_OK) {
        struct text measured = {0};
        validation_judge(&validation);
        judgement_write(&validation.judgements[0], &measured);
        printf("  %s\n", text_string(&measured));
        (void)fflush(stdout);
        text_free(&measured);
        code = VERDICT + (int)validation.judgements[0].verdict;
    }
    validation_free(&validation);
    (void)launcher_finish(status);
    return code;
}

/* The verdict of a claim with a mutant, from a process of its own; BROKEN if that did not end well,
 * HANGS if it was still at it after SECONDS_MAX. */
static int verdict_with(const char *id, enum mutant mutant)
{
    char number[16];
    char program[] = "/proc/self/exe";
    char *claim = strdup(id);
    (void)snprintf(number, sizeof number, "%d", (int)mutant);
    char *const arguments[] = {program, claim, number, NULL};
    pid_t child;
    int status = 0;
    int verdict = BROKEN;
    printf("%s with %s\n", id, names[mutant]);
    (void)fflush(stdout);
    if (claim != NULL && posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0 &&
        waitpid(child, &status, 0) == child) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            verdict = HANGS;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) >= VERDICT) {
            verdict = WEXITSTATUS(status);
        }
    }
    printf("  %s\n", verdict < BROKEN ? claim_verdict_name((enum claim_verdict)(verdict - VERDICT))
                     : verdict == BROKEN ? "did not end well"
                                         : "did not end");
    free(claim);
    return verdict;
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        mutant_active = (enum mutant)atoi(argv[2]);
        const char *id = argv[1];
        return judge(argc, argv, id);
    }
    int alive = 0;
    int hanging = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int right = verdict_with(rows[i].id, MUTANT_NONE);
        const int wrong = verdict_with(rows[i].id, rows[i].mutant);
        if (right != VERDICT + CLAIM_REPRODUCED || wrong == right) {
            printf("%s does not rest on it\n", rows[i].id);
            alive++;
        } else if (wrong == HANGS && !rows[i].may_hang) {
            printf("%s has no verdict with it, and should have one\n", rows[i].id);
            hanging++;
        }
    }
    printf("%zu claims, %d whose verdict did not change, %d that did not end\n",
           sizeof rows / sizeof rows[0], alive, hanging);
    return alive == 0 && hanging == 0 ? 0 : 1;
}
