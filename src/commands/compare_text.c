#include <math.h>
#include <stdio.h>
#include <string.h>

#include "commands/compare_report.h"
#include "commands/verdict_text.h"

static void print_sides(const struct compare_sides *sides)
{
    for (size_t i = 0; i < sides->nsides; i++) {
        const struct compare_side *side = &sides->side[i];
        const struct run_values *first = &sides->runs[side->run[0]];
        char verdict[VERDICT_TEXT_SIZE];
        (void)printf("%-3s%s: %s", side->letter, side->label, first->path);
        if (side->nruns > 1) {
            (void)printf(" and %zu more", side->nruns - 1);
        }
        (void)printf(" (%s)\n",
                     verdict_text(first->facts.verdict, first->facts.verdict_time, verdict));
    }
}

static void print_differences(const struct compare_sides *sides)
{
    struct flat_cursor cursor = {0};
    bool any = false;
    for (const char *key; (key = flat_configs_next(sides->flats, sides->nruns, &cursor)) != NULL;) {
        (void)printf("%s  %-34s", any ? "" : "\nThey differ in\n", key);
        any = true;
        for (size_t i = 0; i < sides->nsides; i++) {
            const struct flat_config *flat = &sides->flats[sides->side[i].run[0]];
            const char *value = flat_config_find(flat, key, 0);
            (void)printf("  %s %s%s", sides->side[i].letter, value == NULL ? "missing" : value,
                         compare_side_agrees(sides, i, key) ? "" : ", ...");
        }
        (void)putchar('\n');
    }
    if (!any) {
        (void)puts("\nThey are runs of one scenario.");
    }
}

static void print_caution(void *any, const char *text)
{
    (void)printf("%s  - %s\n", *(bool *)any ? "" : "\nBeware\n", text);
    *(bool *)any = true;
}

static const char *direction(enum run_better better)
{
    return better == RUN_BETTER_HIGHER ? "higher" : better == RUN_BETTER_LOWER ? "lower" : "-";
}

static void print_number(const char *format, int width, double value)
{
    char text[64] = "-";
    if (isfinite(value)) {
        (void)snprintf(text, sizeof text, format, value);
    }
    (void)printf(" %*s", width, text);
}

static bool has_tests(const struct compare_sides *sides)
{
    for (size_t i = 1; i < sides->nsides; i++) {
        if (sides->side[0].nruns > 1 && sides->side[i].nruns > 1) {
            return true;
        }
    }
    return false;
}

static void print_rows(const struct compare_report *report)
{
    const struct compare_sides *sides = report->sides;
    const bool tests = has_tests(sides);
    (void)printf("\n%-38s %-5s %-6s", "metric", "unit", "better");
    for (size_t i = 0; i < sides->nsides; i++) {
        char heading[16];
        (void)printf(" %12s", sides->side[i].letter);
        if (i > 0) {
            (void)snprintf(heading, sizeof heading, "%s/A", sides->side[i].letter);
            (void)printf(" %9s", heading);
            if (tests) {
                (void)printf(" %8s", "p");
            }
        }
    }
    (void)putchar('\n');
    for (size_t row = 0; row < report->nrows; row++) {
        const struct run_metric *metric = report->rows[row].metric;
        (void)printf("%-38s %-5s %-6s", metric->name, metric->unit, direction(metric->better));
        for (size_t i = 0; i < sides->nsides; i++) {
            const struct compare_figure *figure = &report->rows[row].figure[i];
            print_number("%.6g", 12, figure->summary.median);
            if (i > 0) {
                print_number("%.4gx", 9, figure->ratio);
                if (tests) {
                    print_number("%.2g", 8, figure->p);
                }
            }
        }
        (void)putchar('\n');
    }
    if (report->nunchanging > 0) {
        (void)printf("%zu more are 0 or not available everywhere (--all)\n", report->nunchanging);
    }
}

static void print_judged(const struct compare_report *report)
{
    for (size_t i = 0; i < report->njudged; i++) {
        const struct judged_condition *judged = &report->judged[i];
        const char *letter = report->sides->side[judged->side].letter;
        (void)printf("%s%-8s %s: %s", i == 0 ? "\n" : "", judged->holds ? "FAILS" : "passes",
                     letter, judged->condition->spelled);
        if (isnan(judged->first) || isnan(judged->value)) {
            (void)printf(" (not available, so not known to pass)\n");
        } else {
            (void)printf(" (A %.6g, %s %.6g)\n", judged->first, letter, judged->value);
        }
    }
}

void compare_print_text(const struct compare_report *report)
{
    bool any = false;
    print_sides(report->sides);
    print_differences(report->sides);
    compare_cautions(report->sides, print_caution, &any);
    print_rows(report);
    print_judged(report);
}
