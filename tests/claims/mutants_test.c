/* Shows that every claim that is reproduced can fail: with the mechanism it rests on broken, the
 * verdict of its short form must change.
 *
 *   claims_mutants_test                 every row below
 *   claims_mutants_test ID M            one claim with mutant number M; exits with VERDICT + its
 *                                       verdict
 *
 * Each is a process of its own: a broken model may also break its own assertions, or not end, which
 * is a change as well. */
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

enum { VERDICT = 100, SECONDS_MAX = 600 };

static const char *const names[MUTANT_COUNT] = {[MUTANT_NONE] = "the model as it is",
#define X(name, what) [MUTANT_##name] = #name ": " what,
                                                MUTANT_TABLE(X)
#undef X
};

/* A claim and the mechanism it rests on. */
static const struct {
    const char *id;
    enum mutant mutant;
} rows[] = {
    {"L2", MUTANT_CHAIN_WALK},
    {"L4", MUTANT_OBJECT_CHAINS},
    {"I1", MUTANT_CREDIT_THRESHOLD},
    {"I3", MUTANT_ENTRY_SLOTS},
    {"I4", MUTANT_LAZY_COLLAPSE},
    {"I4", MUTANT_EAGER_COLLAPSE},
    {"I5", MUTANT_REMOVAL_SEARCH},
    {"I7", MUTANT_TABLE_FRAMES},
    {"I8", MUTANT_LARGE_ENTRIES},
    {"I9", MUTANT_TLB_WAYS},
    {"I13", MUTANT_LARGE_ENTRIES},
    {"I10", MUTANT_TABLE_FRAMES},
    {"I11", MUTANT_KMAP},
    {"V3", MUTANT_REMOVAL_SEARCH},
    {"V3-quad", MUTANT_REMOVAL_SEARCH},
    {"V10", MUTANT_KMAP},
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

/* The verdict of a claim with a mutant, from a process of its own; VERDICT + CLAIM_VERDICTS if that
 * did not end well. */
static int verdict_with(const char *id, enum mutant mutant)
{
    char number[16];
    char program[] = "/proc/self/exe";
    char *claim = strdup(id);
    (void)snprintf(number, sizeof number, "%d", (int)mutant);
    char *const arguments[] = {program, claim, number, NULL};
    pid_t child;
    int status = 0;
    int verdict = VERDICT + CLAIM_VERDICTS;
    printf("%s with %s\n", id, names[mutant]);
    (void)fflush(stdout);
    if (claim != NULL && posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0 &&
        waitpid(child, &status, 0) == child && WIFEXITED(status) &&
        WEXITSTATUS(status) >= VERDICT) {
        verdict = WEXITSTATUS(status);
    }
    printf("  %s\n", verdict < VERDICT + CLAIM_VERDICTS
                         ? claim_verdict_name((enum claim_verdict)(verdict - VERDICT))
                         : "did not end well");
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
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int right = verdict_with(rows[i].id, MUTANT_NONE);
        const int wrong = verdict_with(rows[i].id, rows[i].mutant);
        if (right != VERDICT + CLAIM_REPRODUCED || wrong == right) {
            printf("%s does not rest on it\n", rows[i].id);
            alive++;
        }
    }
    printf("%zu claims, %d whose verdict did not change\n", sizeof rows / sizeof rows[0], alive);
    return alive == 0 ? 0 : 1;
}
