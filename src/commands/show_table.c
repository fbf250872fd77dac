#include "commands/show_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/config_text.h"
#include "results/guard.h"
#include "results/reader.h"
#include "results/schema.h"

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

/* A number in so many significant digits; what is not available is a dash, never 0. */
static void print_number(int width, const char *format, double value)
{
    char text[32] = "-";
    if (isfinite(value)) {
        snprintf(text, sizeof text, format, value);
    }
    printf(" %*s", width, text);
}

static enum status print_values(const struct h5_reader *reader, const char *label,
                                const char *verdict)
{
    struct results_scalars totals = {0, NULL};
    struct results_scalars at_pressure = {0, NULL};
    enum status status = results_read_scalars(reader, GROUP_SIMULATION "/totals", &totals);
    if (status == STATUS_OK) {
        status = results_read_scalars(reader, GROUP_SIMULATION "/at_pressure", &at_pressure);
    }
    if (status == STATUS_OK) {
        double freed = since_pressure(&totals, &at_pressure, "pages_freed");
        double visits = since_pressure(&totals, &at_pressure, "ptes_visited") +
                        since_pressure(&totals, &at_pressure, "rmap_visits");
        double faults = since_pressure(&totals, &at_pressure, "minor_faults");
        double touches = since_pressure(&totals, &at_pressure, "touches");
        double seconds = since_pressure(&totals, &at_pressure, "elapsed_seconds");
        printf("%-20s %-17s", label, verdict);
        print_number(11, "%.0f", freed);
        print_number(12, "%.0f", freed > 0 ? visits / freed : NAN);
        print_number(13, "%.3g", freed > 0 ? faults / freed : NAN);
        print_number(10, "%.0f", seconds > 0 ? touches / seconds : NAN);
        print_number(11, "%.2f", scalar(&totals, "time_to_first_free"));
        print_number(10, "%.2f", seconds);
        printf("\n");
    }
    results_scalars_free(&totals);
    results_scalars_free(&at_pressure);
    return status;
}

/* The design of a run, or what there is to tell it by. */
static void choose_label(const char *config, const char *path, char *label, size_t size)
{
    if (config_text_find(config, "design", "preset", label, size) && strcmp(label, "auto") != 0) {
        return;
    }
    const char *slash = strrchr(path, '/');
    snprintf(label, size, "%s", slash == NULL ? path : slash + 1);
}

static enum status print_row(void *argument)
{
    const char *path = argument;
    struct h5_reader *reader = NULL;
    enum status status = results_open(path, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    char *config = NULL;
    char *verdict = NULL;
    if (!h5_exists(reader, GROUP_SIMULATION "/totals")) {
        status = fail(STATUS_FAILED, "%s: holds no simulation", path);
    }
    if (status == STATUS_OK) {
        status = h5_read_text(reader, GROUP_CONFIG "/resolved", &config);
    }
    if (status == STATUS_OK) {
        status = h5_read_text(reader, GROUP_SIMULATION "/verdict", &verdict);
    }
    if (status == STATUS_OK) {
        char label[64];
        choose_label(config, path, label, sizeof label);
        status = print_values(reader, label, verdict);
    }
    free(config);
    free(verdict);
    h5_reader_close(reader);
    return status;
}

enum status show_table(char **paths, int npaths)
{
    printf("%-20s %-17s %11s %12s %13s %10s %11s %10s\n", "design", "verdict", "pages freed",
           "visits/freed", "minor f./freed", "touches/s", "1st free, s", "under, s");
    fflush(stdout);
    for (int i = 0; i < npaths; i++) {
        enum status status = results_guarded(paths[i], print_row, paths[i]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}
