/* Shows that every claim that is reproduced can fail: with the mechanism it rests on broken, the
 * verdict of its short form must change. Of claims that are not reproduced one figure must change
 * sides: one that is as required, or one that is not. (Of L6, L8 and I6 no mutant that was tried
 * takes a figure across its bound.)
 *
 *   claims_mutants_test                 every row below that takes seconds
 *   claims_mutants_test --long          the others, and all figures without a mutant
 *   claims_mutants_test ID M [FIGURE]   one claim with mutant number M; exits with VERDICT + its
 *                                       verdict, or that of one figure of it
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

/* Claims that are not reproduced, and what becomes of a figure of theirs. */
static const struct {
    const char *id;
    const char *figure;
    enum mutant mutant;
    bool holds; /* as the model is: with the mutant it is the other way round */
    bool is_long;
} figures[] = {
    {"L9", "hot_file_read_on_over_off", MUTANT_REFILL_REFERENCED, true, false},
    {"L11", "compile_system_time_4g4g_over_3g1g", MUTANT_CALL_SPACE_SWITCH, false, false},
    {"L1", "shm_visits_2_4_22_over_2_6_0_at_300", MUTANT_SWAP_OUT_ROUNDS, true, true},
    {"L3", "tasks_2_6_0_on_128", MUTANT_CHAIN_SLOTS, true, true},
    {"L10", "tasks_2_6_0", MUTANT_TABLE_FRAMES, true, true},
    {"L5", "tree_rmap_test", MUTANT_TREE_HEAP, true, true},
    {"I12", "completed_60_64_GiB_pae_2_6_0", MUTANT_TABLE_FRAMES, false, true},
};

/* Of one figure: reproduced if it is as required. */
static enum claim_verdict verdict_of(const struct judgement *judgement, const char *name)
{
    for (size_t i = 0; i < judgement->nfigures; i++) {
        const struct claim_figure *figure = &judgement->figures[i];
        if (strcmp(figure->name, name) == 0) {
            printf("  %s %g, is to be from %g to %g\n", name, figure->value, figure->low,
                   figure->high);
            (void)fflush(stdout);
            return figure->value >= figure->low && figure->value <= figure->high
                       ? CLAIM_REPRODUCED
                       : CLAIM_NOT_REPRODUCED;
        }
    }
    return CLAIM_UNAVAILABLE;
}

/* The verdict of one claim, or of one figure of it, in this process. */
static int judge(int argc, char **argv, const char *id, const char *figure)
{
    struct launcher launcher;
    struct catalogue_names catalogue;
    alarm(figure != NULL ? 3 * SECONDS_MAX : SECONDS_MAX);
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
        const struct judgement *judgement = &validation.judgements[0];
        struct text measured = {0};
        validation_judge(&validation);
        judgement_write(judgement, &measured);
        printf("  %s\n", text_string(&measured));
        (void)fflush(stdout);
        text_free(&measured);
        code = VERDICT + (int)(figure != NULL ? verdict_of(judgement, figure) : judgement->verdict);
    }
    validation_free(&validation);
    (void)launcher_finish(status);
    return code;
}

/* The verdict of a claim, or of a figure of it if that is not NULL, with a mutant, from a process
 * of its own; BROKEN if that did not end well, HANGS if it was still at it after SECONDS_MAX. */
static int verdict_with(const char *id, const char *figure, enum mutant mutant)
{
    char number[16];
    char program[] = "/proc/self/exe";
    char *claim = strdup(id);
    char *name = figure != NULL ? strdup(figure) : NULL;
    (void)snprintf(number, sizeof number, "%d", (int)mutant);
    char *const arguments[] = {program, claim, number, name, NULL};
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
    free(name);
    return verdict;
}

/* How many figures are not on the side they are to be on. */
static int check_figures(bool is_long)
{
    int wrong = 0;
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        const char *id = figures[i].id;
        const char *figure = figures[i].figure;
        const int as_it_is = VERDICT + (figures[i].holds ? CLAIM_REPRODUCED : CLAIM_NOT_REPRODUCED);
        const int broken = VERDICT + (figures[i].holds ? CLAIM_NOT_REPRODUCED : CLAIM_REPRODUCED);
        if (is_long && verdict_with(id, figure, MUTANT_NONE) != as_it_is) {
            printf("%s: %s is not as it is on record\n", id, figure);
            wrong++;
        }
        if (figures[i].is_long == is_long &&
            verdict_with(id, figure, figures[i].mutant) != broken) {
            printf("%s: %s does not change\n", id, figure);
            wrong++;
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc >= 3) {
        mutant_active = (enum mutant)atoi(argv[2]);
        const char *id = argv[1];
        const char *figure = argc > 3 ? argv[3] : NULL;
        return judge(argc, argv, id, figure);
    }
    const bool is_long = argc == 2 && strcmp(argv[1], "--long") == 0;
    const int stuck = check_figures(is_long);
    if (is_long) {
        return stuck == 0 ? 0 : 1;
    }
    int alive = 0;
    int without = 0;
    /* That the model as it is reproduces all of them is what the test of claims shows; here for one
     * row, that it does so when it can be broken. */
    if (verdict_with(rows[0].id, NULL, MUTANT_NONE) != VERDICT + CLAIM_REPRODUCED) {
        printf("%s is not reproduced by the model as it is\n", rows[0].id);
        alive++;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int wrong = verdict_with(rows[i].id, NULL, rows[i].mutant);
        if (wrong == VERDICT + CLAIM_REPRODUCED) {
            printf("%s does not rest on it\n", rows[i].id);
            alive++;
        } else if ((wrong == HANGS && rows[i].other != MAY_HANG) ||
                   (wrong == BROKEN && rows[i].other != MAY_BREAK)) {
            printf("%s has no verdict with it, and should have one\n", rows[i].id);
            without++;
        }
    }
    printf("%zu claims, %d whose verdict did not change, %d without one; %d figures that did not "
           "change\n",
           sizeof rows / sizeof rows[0], alive, without, stuck);
    return alive == 0 && without == 0 && stuck == 0 ? 0 : 1;
}
