#include <fnmatch.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands/commands.h"
#include "commands/compare_report.h"
#include "commands/scenario_arguments.h"

static const char usage[] =
    "usage: thrash compare A B... [OPTION...]\n"
    "\n"
    "Puts every metric of two or more results side by side, with its ratio to that of the first,\n"
    "and says what keeps them from being compared: other configurations, verdicts, lengths,\n"
    "versions, hosts, and marks as invalid. Needs no MPI.\n"
    "\n"
    "A, B, ... are results of `thrash simulate`, or directories whose results are repetitions of\n"
    "one another. Of repetitions the median is shown, and p: how likely the two sides would rank "
    "as\n"
    "unevenly by chance (two-sided Mann-Whitney test).\n"
    "\n"
    "  --by-seed        files that differ in nothing but the seed are repetitions of one side\n"
    "  --metric NAME    only this one; may be given several times, and hold * and ?\n"
    "  --all            also what is 0 or not available everywhere\n"
    "  --fail-if EXPR   exit 1 when it holds for any side but the first: a metric, one of > >= < "
    "<=,\n"
    "                   and a number: `1.05x` times the first, `+5%` change, `3` itself; or when "
    "the\n"
    "                   metric is not available. May be given several times\n"
    "  --json           JSON instead of a table; what is not available is null\n"
    "  --help           print this\n"
    "\n"
    "example: thrash compare before.h5 after.h5 --fail-if 'system_seconds > 1.05x'\n";

struct compare_arguments {
    char **paths;
    size_t npaths;
    char **patterns; /* --metric */
    size_t npatterns;
    struct condition *conditions;
    size_t nconditions;
    bool by_seed, all, json, help;
};

static void free_arguments(struct compare_arguments *arguments)
{
    free(arguments->patterns);
    free(arguments->conditions);
}

static enum status add_pattern(struct compare_arguments *arguments, char *pattern)
{
    char **grown = realloc(arguments->patterns, (arguments->npatterns + 1) * sizeof *grown);
    if (grown == NULL) {
        return fail(STATUS_FAILED, "compare: out of memory for options");
    }
    arguments->patterns = grown;
    arguments->patterns[arguments->npatterns++] = pattern;
    return STATUS_OK;
}

static enum status add_condition(struct compare_arguments *arguments, const char *spelled)
{
    struct condition *grown = realloc(arguments->conditions,
                                      (arguments->nconditions + 1) * sizeof *grown);
    if (grown == NULL) {
        return fail(STATUS_FAILED, "compare: out of memory for options");
    }
    arguments->conditions = grown;
    return condition_parse(spelled, &arguments->conditions[arguments->nconditions++]);
}

static enum status parse(int argc, char **argv, struct compare_arguments *arguments)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {"by-seed", no_argument, NULL, 's'},
                                            {"metric", required_argument, NULL, 'm'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"fail-if", required_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    enum status status = STATUS_OK;
    optind = 1;
    opterr = 0;
    for (int option; status == STATUS_OK && !arguments->help &&
                     (option = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        switch (option) {
        case 'h':
            arguments->help = true;
            break;
        case 's':
            arguments->by_seed = true;
            break;
        case 'm':
            status = add_pattern(arguments, optarg);
            break;
        case 'a':
            arguments->all = true;
            break;
        case 'f':
            status = add_condition(arguments, optarg);
            break;
        case 'j':
            arguments->json = true;
            break;
        default:
            status = unusable_option("compare", argv, option);
            break;
        }
    }
    arguments->paths = argv + optind;
    arguments->npaths = (size_t)(argc - optind);
    if (status == STATUS_OK && !arguments->help && arguments->npaths == 0) {
        status = fail(STATUS_USAGE, "compare: expected two or more results; see thrash compare "
                                    "--help");
    }
    return status;
}

/* --- metrics and conditions ----------------------------------------------------------------- */

static enum status no_such_metric(const struct compare_row *rows, size_t nrows, const char *name)
{
    const char **names = calloc(nrows + 1, sizeof *names);
    if (names == NULL) {
        return fail(STATUS_FAILED, "compare: out of memory for names");
    }
    for (size_t i = 0; i < nrows; i++) {
        names[i] = rows[i].metric->name;
    }
    const char *nearest = text_nearest(name, names, nrows);
    enum status status = fail(STATUS_USAGE, "compare: no result has a metric `%s`%s%s%s", name,
                              nearest == NULL ? "" : ", did you mean `",
                              nearest == NULL ? "" : nearest, nearest == NULL ? "" : "`?");
    free(names);
    return status;
}

static bool is_asked_for(const struct compare_arguments *arguments, const char *name)
{
    bool found = arguments->npatterns == 0;
    for (size_t i = 0; i < arguments->npatterns && !found; i++) {
        found = fnmatch(arguments->patterns[i], name, 0) == 0;
    }
    return found;
}

static bool says_nothing(const struct compare_row *row, size_t nsides)
{
    for (size_t i = 0; i < nsides; i++) {
        const struct sample_summary *summary = &row->figure[i].summary;
        if (summary->n > 0 && (summary->least != 0 || summary->most != 0)) {
            return false;
        }
    }
    return true;
}

static enum status check_patterns(const struct compare_arguments *arguments,
                                  const struct compare_row *rows, size_t nrows)
{
    for (size_t i = 0; i < arguments->npatterns; i++) {
        bool found = false;
        for (size_t k = 0; k < nrows && !found; k++) {
            found = fnmatch(arguments->patterns[i], rows[k].metric->name, 0) == 0;
        }
        if (!found) {
            return no_such_metric(rows, nrows, arguments->patterns[i]);
        }
    }
    return STATUS_OK;
}

/* The rows to print, in front; returns how many. The others stay behind them. */
static size_t select_rows(const struct compare_arguments *arguments, size_t nsides,
                          struct compare_row *rows, size_t nrows, size_t *nunchanging_p)
{
    size_t n = 0;
    *nunchanging_p = 0;
    for (size_t i = 0; i < nrows; i++) {
        const bool asked = is_asked_for(arguments, rows[i].metric->name);
        const bool hidden = !arguments->all && arguments->npatterns == 0 &&
                            says_nothing(&rows[i], nsides);
        *nunchanging_p += asked && hidden;
        if (asked && !hidden) {
            const struct compare_row row = rows[i];
            memmove(&rows[n + 1], &rows[n], (i - n) * sizeof *rows);
            rows[n++] = row;
        }
    }
    return n;
}

static enum status judge(const struct compare_arguments *arguments, const struct compare_row *rows,
                         size_t nrows, size_t nsides, struct judged_condition *judged)
{
    for (size_t i = 0; i < arguments->nconditions; i++) {
        const struct condition *condition = &arguments->conditions[i];
        size_t row = 0;
        while (row < nrows && strcmp(rows[row].metric->name, condition->metric) != 0) {
            row++;
        }
        if (row == nrows) {
            return no_such_metric(rows, nrows, condition->metric);
        }
        for (size_t side = 1; side < nsides; side++, judged++) {
            const double first = rows[row].figure[0].summary.median;
            const double value = rows[row].figure[side].summary.median;
            *judged = (struct judged_condition){.condition = condition,
                                                .side = side,
                                                .first = first,
                                                .value = value,
                                                .holds = isnan(first) || isnan(value) ||
                                                         condition_holds(condition, first, value)};
        }
    }
    return STATUS_OK;
}

static enum status say_what_fails(const struct compare_report *report)
{
    size_t n = 0;
    const struct judged_condition *which = NULL;
    for (size_t i = 0; i < report->njudged; i++) {
        if (report->judged[i].holds) {
            which = n++ == 0 ? &report->judged[i] : which;
        }
    }
    if (n == 0) {
        return STATUS_OK;
    }
    const char *letter = report->sides->side[which->side].letter;
    if (isnan(which->first) || isnan(which->value)) {
        return fail(STATUS_FAILED, "compare: %zu of %zu conditions: %s is not available in A or %s",
                    n, report->njudged, which->condition->metric, letter);
    }
    return fail(STATUS_FAILED, "compare: %zu of %zu conditions hold: %s: %s is %.6g, A %.6g", n,
                report->njudged, which->condition->spelled, letter, which->value, which->first);
}

static enum status compare(const struct compare_arguments *arguments)
{
    struct compare_sides sides;
    enum status status = compare_sides_read(arguments->paths, arguments->npaths, arguments->by_seed,
                                            &sides);
    if (status != STATUS_OK) {
        return status;
    }
    struct compare_row *rows = NULL;
    size_t nrows = 0;
    status = compare_rows(&sides, &rows, &nrows);
    struct compare_report report = {.sides = &sides, .rows = rows};
    const size_t njudged = arguments->nconditions * (sides.nsides - 1);
    struct judged_condition *judged = calloc(njudged + 1, sizeof *judged);
    if (status == STATUS_OK && judged == NULL) {
        status = fail(STATUS_FAILED, "compare: out of memory for conditions");
    }
    if (status == STATUS_OK) {
        status = check_patterns(arguments, rows, nrows);
    }
    if (status == STATUS_OK) {
        status = judge(arguments, rows, nrows, sides.nsides, judged);
        report.judged = judged;
        report.njudged = njudged;
    }
    if (status == STATUS_OK) {
        report.nrows = select_rows(arguments, sides.nsides, rows, nrows, &report.nunchanging);
        if (arguments->json) {
            status = compare_print_json(&report);
        } else {
            compare_print_text(&report);
        }
    }
    if (status == STATUS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = fail(STATUS_FAILED, "cannot write to the standard output");
    }
    if (status == STATUS_OK) {
        status = say_what_fails(&report);
    }
    free(judged);
    compare_rows_free(rows, nrows);
    compare_sides_free(&sides);
    return status;
}

int command_compare(int argc, char **argv)
{
    struct compare_arguments arguments = {0};
    enum status status = parse(argc, argv, &arguments);
    if (status == STATUS_OK && arguments.help) {
        (void)fputs(usage, stdout);
    } else if (status == STATUS_OK) {
        status = compare(&arguments);
    }
    free_arguments(&arguments);
    return (int)status;
}
