#include "commands/show_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands/run_labels.h"
#include "commands/run_values.h"
#include "commands/verdict_text.h"

static const struct {
    const char *heading;
    const char *metric;
    const char *format;
    int width;
} columns[] = {
    {"pages freed", "pressure.pages_freed", "%.0f", 11},
    {"visits/freed", "pressure.visits_per_page_freed", "%.0f", 12},
    {"minor f./freed", "pressure.minor_faults_per_page_freed", "%.3g", 14},
    {"touches/s", "pressure.touches_per_second", "%.0f", 10},
    {"1st free, s", "time_to_first_free", "%.2f", 11},
    {"under, s", "pressure.seconds", "%.2f", 10},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

struct values {
    double column[COLUMNS]; /* NaN: not available */
    char verdict[VERDICT_TEXT_SIZE];
    bool partial;
    bool valid;
};

static void fill_values(const struct run_facts *facts, struct values *values)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        values->column[i] = run_metric_value(facts, columns[i].metric);
    }
    (void)verdict_text(facts->verdict, facts->verdict_time, values->verdict);
    values->partial = facts->partial;
    values->valid = facts->valid;
}

/* In characters, for columns. */
static int width_of(const char *text)
{
    int width = 0;
    for (size_t size = strlen(text); size > 0; width++) {
        uint32_t character = 0;
        size_t bytes = text_decode(text, size, &character);
        bytes += bytes == 0; /* what is no UTF-8 takes a place for each byte */
        text += bytes;
        size -= bytes;
    }
    return width;
}

static int wider(int width, const char *text)
{
    int other = width_of(text);
    return other > width ? other : width;
}

static void print_cell(const char *text, int width)
{
    (void)printf("%s%*s", text, width - width_of(text), "");
}

/* What is not available is a dash, never 0. */
static void print_numbers(const struct values *values)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        char text[400] = "-";
        if (isfinite(values->column[i])) {
            (void)snprintf(text, sizeof text, columns[i].format, values->column[i]);
        }
        (void)printf(" %*s", columns[i].width, text);
    }
    (void)putchar('\n');
}

/* The label with what must not be overlooked, as in the pictures. */
static char *marked(const struct labelled_run *run, const struct values *values)
{
    struct text text = {0};
    text_append_format(&text, "%s%s%s", run->label, values->partial ? " (partial)" : "",
                       values->valid ? "" : " (invalid)");
    if (text.failed) {
        text_free(&text);
    }
    return text.chars;
}

static enum status print_all(struct labelled_run *runs, const struct values *values, size_t n)
{
    int label_width = width_of("run");
    int verdict_width = width_of("verdict");
    for (size_t i = 0; i < n; i++) {
        char *label = marked(&runs[i], &values[i]);
        if (label == NULL) {
            return fail(STATUS_FAILED, "show: out of memory for the runs");
        }
        free(runs[i].label);
        runs[i].label = label;
        label_width = wider(label_width, label);
        verdict_width = wider(verdict_width, values[i].verdict);
    }
    print_cell("run", label_width + 1);
    print_cell("verdict", verdict_width);
    for (size_t i = 0; i < COLUMNS; i++) {
        (void)printf(" %*s", columns[i].width, columns[i].heading);
    }
    (void)putchar('\n');
    for (size_t i = 0; i < n; i++) {
        print_cell(runs[i].label, label_width + 1);
        print_cell(values[i].verdict, verdict_width);
        print_numbers(&values[i]);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return fail(STATUS_FAILED, "cannot write to the standard output");
    }
    return STATUS_OK;
}

enum status show_table(char **paths, int npaths)
{
    const size_t n = (size_t)npaths;
    struct run_values *read = NULL;
    enum status status = run_values_read(paths, n, &read);
    if (status != STATUS_OK) {
        return status;
    }
    struct labelled_run *runs = calloc(n, sizeof *runs);
    struct values *values = calloc(n, sizeof *values);
    if (runs == NULL || values == NULL) {
        status = fail(STATUS_FAILED, "show: out of memory for the runs");
    }
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        runs[i] = (struct labelled_run){.path = read[i].path, .config = read[i].config};
        fill_values(&read[i].facts, &values[i]);
    }
    if (status == STATUS_OK) {
        status = run_labels(runs, n);
    }
    if (status == STATUS_OK) {
        status = print_all(runs, values, n);
    }
    for (size_t i = 0; runs != NULL && i < n; i++) {
        free(runs[i].label);
    }
    free(runs);
    free(values);
    run_values_free(read, n);
    return status;
}
