/* Shows that every claim that is reproduced can fail: with the mechanism it rests on broken, the
 * verdict of its short form must change.
 *
 *   claims_mutants_test                 every row below
 *   claims_mutants_test ID M            one claim with mutant number M; exits with VERDICT + its
 *                                       verdict
 *
 * Each is a process of its own: a broken model may also break its own assertions, or go on for
 * ever. Neither is a verdict, and each is a failure unless the row says that it may be. */
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

/* What else than a verdict a broken model may lead to. */
enum other_end {
    NO_OTHER,
    MAY_HANG,  /* its runs may go on for ever */
    MAY_BREAK, /* an assertion of its own may fail */
};

/* A claim and the mechanism it rests on. */
static const struct {
    const char *id;
    enum mutant mutant;
    enum other_end other;
} rows[] = {
    {"L2", MUTANT_CHAIN_WALK, NO_OTHER},
    {"L4", MUTANT_OBJECT_CHAINS, NO_OTHER},
    {"L4", MUTANT_VMA_LINKS, NO_OTHER},
    {"I1", MUTANT_CREDIT_THRESHOLD, NO_OTHER},
    {"I3", MUTANT_ENTRY_SLOTS, NO_OTHER},
    {"I4", MUTANT_LAZY_COLLAPSE, NO_OTHER},
    {"I4", MUTANT_EAGER_COLLAPSE, NO_OTHER},
    {"I5", MUTANT_REMOVAL_SEARCH, NO_OTHER},
    {"I7", MUTANT_TABLE_FRAMES, NO_OTHER},
    {"I8", MUTANT_LARGE_ENTRIES, NO_OTHER},
    {"I9", MUTANT_TLB_WAYS, NO_OTHER},
    {"I13", MUTANT_LARGE_ENTRIES, NO_OTHER},
    {"I10", MUTANT_TABLE_FRAMES, NO_OTHER},
    {"I11", MUTANT_KMAP, NO_OTHER},
    {"V3", MUTANT_REMOVAL_SEARCH, NO_OTHER},
    {"V3-quad", MUTANT_REMOVAL_SEARCH, NO_OTHER},
    {"V10", MUTANT_KMAP, NO_OTHER},
    {"L7", MUTANT_PROMPT_WRITE, NO_OTHER},
    {"I7-host", MUTANT_TABLE_FRAMES, NO_OTHER},
    {"V1", MUTANT_OBJECT_CHAINS, NO_OTHER},
    {"V9", MUTANT_ENTRY_SLOTS, NO_OTHER},
    {"V9-tables", MUTANT_TABLE_FRAMES, NO_OTHER},
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
    int without = 0;
    /* That the model as it is reproduces all of them is what the test of claims shows; here for one
     * row, that it does so when it can be broken. */
    if (verdict_with(rows[0].id, MUTANT_NONE) != VERDICT + CLAIM_REPRODUCED) {
        printf("%s is not reproduced by the model as it is\n", rows[0].id);
        alive++;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int wrong = verdict_with(rows[i].id, rows[i].mutant);
        if (wrong == VERDICT + CLAIM_REPRODUCED) {
            printf("%s does not rest on it\n", rows[i].id);
            alive++;
        } else if ((wrong == HANGS && rows[i].other != MAY_HANG) ||
                   (wrong == BROKEN && rows[i].other != MAY_BREAK)) {
            printf("%s has no verdict with it, and should have one\n", rows[i].id);
            without++;
        }
    }
    printf("%zu claims, %d whose verdict did not change, %d without one\n",
           sizeof rows / sizeof rows[0], alive, without);
    return alive == 0 && without == 0 ? 0 : 1;
}
