#include "commands/show_table.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/text.h"
#include "commands/run_labels.h"
#include "commands/verdict_text.h"
#include "config/yaml_reader.h"
#include "results/guard.h"
#include "results/reader.h"
#include "results/schema.h"

static const struct {
    const char *heading;
    const char *format;
    int width;
} columns[] = {
    {"pages freed", "%.0f", 11}, {"visits/freed", "%.0f", 12}, {"minor f./freed", "%.3g", 14},
    {"touches/s", "%.0f", 10},   {"1st free, s", "%.2f", 11},  {"under, s", "%.2f", 10},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

struct values {
    double column[COLUMNS]; /* NaN: not available */
    char verdict[VERDICT_TEXT_SIZE];
    bool partial;
    bool valid;
};

/* What the child that reads a file tells its parent, in memory that both have. */
struct reading {
    const char *path;
    struct values values;
    char config[YAML_SIZE_LIMIT + 1];
};

/* NaN when the file does not have the scalar. */
static double scalar(const struct results_scalars *scalars, const char *name)
{
    const struct results_scalar *found = results_find_scalar(scalars, name);
    return found == NULL ? NAN : found->real;
}

static double since_pressure(const struct results_scalars *totals,
                             const struct results_scalars *at_pressure, const char *name)
{
    return scalar(totals, name) - scalar(at_pressure, name);
}

static void fill_columns(const struct results_scalars *totals,
                         const struct results_scalars *at_pressure, double column[COLUMNS])
{
    double freed = since_pressure(totals, at_pressure, "pages_freed");
    double visits = since_pressure(totals, at_pressure, "ptes_visited") +
                    since_pressure(totals, at_pressure, "rmap_visits");
    double faults = since_pressure(totals, at_pressure, "minor_faults");
    double touches = since_pressure(totals, at_pressure, "touches");
    double seconds = since_pressure(totals, at_pressure, "elapsed_seconds");
    const double values[COLUMNS] = {
        freed,
        freed > 0 ? visits / freed : NAN,
        freed > 0 ? faults / freed : NAN,
        seconds > 0 ? touches / seconds : NAN,
        scalar(totals, "time_to_first_free"),
        seconds,
    };
    memcpy(column, values, sizeof values);
}

static enum status read_numbers(const struct h5_reader *reader, const char *verdict,
                                struct values *values)
{
    struct results_scalars moments = {0, NULL};
    struct results_scalars totals = {0, NULL};
    struct results_scalars at_pressure = {0, NULL};
    enum status status = results_read_scalars(reader, GROUP_SIMULATION, &moments);
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_TOTALS, &totals);
    }
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_SIMULATION "/at_pressure", &at_pressure);
    }
    if (status == STATUS_OK) {
        fill_columns(&totals, &at_pressure, values->column);
        (void)verdict_text(verdict, scalar(&moments, "verdict_time"), values->verdict);
    }
    results_scalars_free(&moments);
    results_scalars_free(&totals);
    results_scalars_free(&at_pressure);
    return status;
}

static enum status read_marks(const struct h5_reader *reader, struct values *values)
{
    struct results_summary summary;
    enum status status = results_read_summary(reader, &summary);
    if (status == STATUS_OK) {
        values->partial = summary.partial;
        values->valid = summary.valid;
        results_summary_free(&summary);
    }
    return status;
}

static enum status read_config(const struct h5_reader *reader, struct reading *reading)
{
    char *config = NULL;
    enum status status = h5_read_text(reader, GROUP_CONFIG "/resolved", &config);
    size_t size = status == STATUS_OK ? strlen(config) + 1 : 0;
    if (size > sizeof reading->config) {
        status = fail(STATUS_FAILED, "%s: its configuration has more than %zu bytes", reading->path,
                      sizeof reading->config - 1);
    }
    if (status == STATUS_OK) {
        memcpy(reading->config, config, size);
    }
    free(config);
    return status;
}

static enum status read_run(void *argument)
{
    struct reading *reading = argument;
    struct h5_reader *reader = NULL;
    enum status status = results_open(reading->path, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    char *verdict = NULL;
    if (!h5_exists(reader, GROUP_TOTALS)) {
        status = fail(STATUS_FAILED, "%s: holds no simulation", reading->path);
    }
    if (status == STATUS_OK) {
        status = read_config(reader, reading);
    }
    if (status == STATUS_OK) {
        status = h5_read_text(reader, GROUP_SIMULATION "/verdict", &verdict);
    }
    if (status == STATUS_OK) {
        status = read_numbers(reader, verdict, &reading->values);
    }
    if (status == STATUS_OK) {
        status = read_marks(reader, &reading->values);
    }
    free(verdict);
    h5_reader_close(reader);
    return status;
}

/* Reads every file in a child of its own: a damaged one must not take the others with it. */
static enum status read_all(char **paths, size_t n, struct labelled_run *runs,
                            struct values *values)
{
    struct reading *reading = mmap(NULL, sizeof *reading, PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (reading == MAP_FAILED) {
        return fail(STATUS_FAILED, "show: no memory to read into: %s", strerror(errno));
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        reading->path = paths[i];
        status = results_guarded(paths[i], read_run, reading);
        if (status == STATUS_OK) {
            values[i] = reading->values;
            runs[i].path = paths[i];
            runs[i].config = strdup(reading->config);
            if (runs[i].config == NULL) {
                status = fail(STATUS_FAILED, "show: out of memory for the runs");
            }
        }
    }
    (void)munmap(reading, sizeof *reading);
    return status;
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
    size_t n = (size_t)npaths;
    struct labelled_run *runs = calloc(n, sizeof *runs);
    struct values *values = calloc(n, sizeof *values);
    enum status status = STATUS_OK;
    if (runs == NULL || values == NULL) {
        status = fail(STATUS_FAILED, "show: out of memory for the runs");
    } else {
        status = read_all(paths, n, runs, values);
    }
    if (status == STATUS_OK) {
        status = run_labels(runs, n);
    }
    if (status == STATUS_OK) {
        status = print_all(runs, values, n);
    }
    for (size_t i = 0; runs != NULL && i < n; i++) {
        free(runs[i].config);
        free(runs[i].label);
    }
    free(runs);
    free(values);
    return status;
}
