#include <math.h>
#include <string.h>

#include "commands/compare_report.h"

struct listener {
    void (*say)(void *who, const char *text);
    void *who;
};

static void say(const struct listener *listener, struct text *text)
{
    listener->say(listener->who, text_string(text));
    text_free(text);
}

static void caution_of_run(const struct listener *listener, const struct run_values *run,
                           const char *letter)
{
    struct text text = {0};
    if (!run->facts.valid) {
        text_append_format(&text, "%s: %s is marked invalid: ", letter, run->path);
        for (const char *at = run->facts.invalid_reasons; *at != '\0'; at++) {
            text_append_bytes(&text, *at == '\n' ? "; " : at, *at == '\n' ? 2 : 1);
        }
        say(listener, &text);
    }
    if (run->facts.partial) {
        text_append_format(&text, "%s: %s is partial: the run was interrupted", letter, run->path);
        say(listener, &text);
    }
}

/* A fact of runs that would best be the same for all: says who has what when it is not. */
static void caution_of_fact(const struct listener *listener, const struct compare_sides *sides,
                            const char *what, const char *(*fact)(const struct run_facts *facts))
{
    bool same = true;
    for (size_t i = 1; i < sides->nruns; i++) {
        same = same && strcmp(fact(&sides->runs[0].facts), fact(&sides->runs[i].facts)) == 0;
    }
    if (same) {
        return;
    }
    struct text text = {0};
    text_append(&text, what);
    for (size_t i = 0; i < sides->nsides; i++) {
        const struct compare_side *side = &sides->side[i];
        const char *own = fact(&sides->runs[side->run[0]].facts);
        bool alike = true;
        for (size_t k = 1; k < side->nruns; k++) {
            alike = alike && strcmp(own, fact(&sides->runs[side->run[k]].facts)) == 0;
        }
        text_append_format(&text, "%s %s: %.*s%s", i == 0 ? ":" : ",", side->letter,
                           (int)strcspn(own, "\n"), own, alike ? "" : " and others");
    }
    say(listener, &text);
}

static const char *host_of(const struct run_facts *facts)
{
    return facts->host;
}

static const char *version_of(const struct run_facts *facts)
{
    return facts->version;
}

static const char *compiler_of(const struct run_facts *facts)
{
    return facts->compiler;
}

static const char *verdict_of(const struct run_facts *facts)
{
    return facts->verdict;
}

static void caution_of_lengths(const struct listener *listener, const struct compare_sides *sides)
{
    double least = INFINITY;
    double most = 0;
    for (size_t i = 0; i < sides->nruns; i++) {
        const double seconds = run_metric_value(&sides->runs[i].facts, "elapsed_seconds");
        least = fmin(least, seconds);
        most = fmax(most, seconds);
    }
    if (most > least * 1.01) {
        struct text text = {0};
        text_append_format(&text,
                           "totals cover different lengths of simulated time, %.6g to %.6g s: "
                           "compare rates and figures per page",
                           least, most);
        say(listener, &text);
    }
}

static void caution_of_repetitions(const struct listener *listener,
                                   const struct compare_sides *sides)
{
    size_t least = SIZE_MAX;
    size_t most = 0;
    for (size_t i = 0; i < sides->nsides; i++) {
        least = sides->side[i].nruns < least ? sides->side[i].nruns : least;
        most = sides->side[i].nruns > most ? sides->side[i].nruns : most;
    }
    if (most > 1 && least < REPETITIONS_ENOUGH) {
        struct text text = {0};
        text_append_format(
            &text,
            "%zu repetition%s where at least %d are wanted: p says little about what "
            "is chance",
            least, least == 1 ? "" : "s", REPETITIONS_ENOUGH);
        say(listener, &text);
    }
}

void compare_cautions(const struct compare_sides *sides, void (*tell)(void *who, const char *text),
                      void *who)
{
    const struct listener listener = {tell, who};
    for (size_t i = 0; i < sides->nsides; i++) {
        for (size_t k = 0; k < sides->side[i].nruns; k++) {
            caution_of_run(&listener, &sides->runs[sides->side[i].run[k]], sides->side[i].letter);
        }
    }
    caution_of_fact(&listener, sides, "other verdicts", verdict_of);
    caution_of_lengths(&listener, sides);
    caution_of_repetitions(&listener, sides);
    caution_of_fact(&listener, sides, "other versions of thrash", version_of);
    caution_of_fact(&listener, sides, "other compilers (of weight for performance.* only)",
                    compiler_of);
    caution_of_fact(&listener, sides, "other hosts (of weight for performance.* only)", host_of);
}
