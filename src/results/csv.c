#include "results/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "results/reader.h"
#include "results/schema.h"

static void print_field(FILE *stream, const char *text)
{
    if (text[strcspn(text, ",\"\n\r")] == '\0') {
        (void)fputs(text, stream);
        return;
    }
    (void)fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            (void)fputc('"', stream);
        }
        (void)fputc(*text, stream);
    }
    (void)fputc('"', stream);
}

static void print_real(FILE *stream, double value)
{
    if (value != value) {
        (void)fputs("nan", stream); /* never "-nan", which some readers refuse */
        return;
    }
    char text[32];
    for (int digits = 15; digits <= 17; digits++) { /* the fewest that read back the same */
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    (void)fputs(text, stream);
}

static void print_number(FILE *stream, const struct h5_numbers *numbers, size_t i)
{
    switch (numbers->info.type) {
    case NUMBER_U64:
        (void)fprintf(stream, "%" PRIu64, ((const uint64_t *)numbers->values)[i]);
        break;
    case NUMBER_I64:
        (void)fprintf(stream, "%" PRId64, ((const int64_t *)numbers->values)[i]);
        break;
    default:
        print_real(stream, h5_number_at(numbers, i));
        break;
    }
}

static enum status print_scalars(const struct h5_reader *reader, const char *group,
                                 const char *prefix, FILE *stream)
{
    struct results_scalars scalars;
    enum status status = results_read_scalars(reader, group, &scalars);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < scalars.n; i++) {
        const struct results_scalar *scalar = &scalars.scalar[i];
        (void)fputs(prefix, stream);
        print_field(stream, scalar->name);
        (void)fputc(',', stream);
        if (scalar->type == NUMBER_U64) {
            (void)fprintf(stream, "%" PRIu64, scalar->count);
        } else {
            print_real(stream, scalar->real);
        }
        (void)fputc(',', stream);
        print_field(stream, scalar->unit);
        (void)fputc(',', stream);
        print_field(stream, scalar->long_name);
        (void)fputc('\n', stream);
    }
    results_scalars_free(&scalars);
    return STATUS_OK;
}

static void print_scalar_header(FILE *stream)
{
    (void)fputs("name,value,unit,description\n", stream);
}

static enum status print_totals(const struct h5_reader *reader, FILE *stream)
{
    print_scalar_header(stream);
    return print_scalars(reader, GROUP_TOTALS, "", stream);
}

static enum status print_performance(const struct h5_reader *reader, FILE *stream)
{
    print_scalar_header(stream);
    enum status status = print_scalars(reader, GROUP_PERFORMANCE, "", stream);
    if (status == STATUS_OK) {
        status = print_scalars(reader, GROUP_MEMORY, "memory/", stream);
    }
    return status;
}

static enum status read_member(const struct h5_reader *reader, const char *group, const char *name,
                               struct h5_numbers *numbers_p)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", group, name) < 0) {
        return fail(STATUS_FAILED, "%s: out of memory for %s", h5_reader_path(reader), group);
    }
    enum status status = h5_read_numbers(reader, path, numbers_p);
    free(path);
    return status;
}

/* The columns of the series, time among them, all of one length. */
static enum status read_columns(const struct h5_reader *reader, const struct h5_names *names,
                                struct h5_numbers *columns)
{
    for (size_t i = 0; i < names->n; i++) {
        enum status status = read_member(reader, GROUP_SERIES, names->name[i], &columns[i]);
        if (status != STATUS_OK) {
            return status;
        }
        if (columns[i].info.ndims != 1 || columns[i].info.nvalues != columns[0].info.nvalues) {
            return fail(STATUS_FAILED, "%s is damaged: the series differ in length",
                        h5_reader_path(reader));
        }
    }
    return STATUS_OK;
}

/* The names, which are looked up no more, are made fit to be shown. */
static void print_columns(struct h5_names *names, const struct h5_numbers *columns, FILE *stream)
{
    for (size_t i = 0; i < names->n; i++) {
        text_make_printable(names->name[i], false);
        (void)fputs(i > 0 ? "," : "", stream);
        print_field(stream, names->name[i]);
    }
    (void)fputc('\n', stream);
    for (size_t row = 0; names->n > 0 && row < columns[0].info.nvalues; row++) {
        for (size_t i = 0; i < names->n; i++) {
            if (i > 0) {
                (void)fputc(',', stream);
            }
            print_number(stream, &columns[i], row);
        }
        (void)fputc('\n', stream);
    }
}

static enum status print_series(const struct h5_reader *reader, FILE *stream)
{
    struct h5_names names;
    enum status status = h5_list(reader, GROUP_SERIES, &names);
    if (status != STATUS_OK) {
        return status;
    }
    struct h5_numbers *columns = calloc(names.n + 1, sizeof *columns);
    if (columns == NULL) {
        h5_names_free(&names);
        return fail(STATUS_FAILED, "%s: out of memory for the series", h5_reader_path(reader));
    }
    status = read_columns(reader, &names, columns);
    if (status == STATUS_OK) {
        print_columns(&names, columns, stream);
    }
    for (size_t i = 0; i < names.n; i++) {
        h5_numbers_free(&columns[i]);
    }
    free(columns);
    h5_names_free(&names);
    return status;
}

static void print_cells(const struct h5_numbers *time, const struct h5_numbers *cells, FILE *stream)
{
    uint64_t ncells = cells->info.shape[1];
    (void)fputs("time", stream);
    for (uint64_t cell = 0; cell < ncells; cell++) {
        (void)fprintf(stream, ",cell_%" PRIu64, cell);
    }
    (void)fputc('\n', stream);
    for (uint64_t row = 0; row < cells->info.shape[0]; row++) {
        print_number(stream, time, row);
        for (uint64_t cell = 0; cell < ncells; cell++) {
            (void)fputc(',', stream);
            print_number(stream, cells, row * ncells + cell);
        }
        (void)fputc('\n', stream);
    }
}

static enum status refuse_metric(const struct h5_reader *reader, const char *metric)
{
    struct h5_names names;
    enum status status = h5_list(reader, GROUP_PER_CELL, &names);
    if (status != STATUS_OK) {
        return status;
    }
    const char *nearest = text_nearest(metric, (const char *const *)names.name, names.n);
    char excerpt[TEXT_EXCERPT_SIZE];
    if (nearest != NULL) {
        status = fail(STATUS_USAGE, "%s has no per-cell metric %s; did you mean %s?",
                      h5_reader_path(reader), text_excerpt(metric, excerpt), nearest);
    } else {
        status = fail(STATUS_USAGE, "%s has no per-cell metric %s; expected one like touches",
                      h5_reader_path(reader), text_excerpt(metric, excerpt));
    }
    h5_names_free(&names);
    return status;
}

static enum status print_per_cell(const struct h5_reader *reader, const char *metric, FILE *stream)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", GROUP_PER_CELL, metric) < 0) {
        return fail(STATUS_FAILED, "%s: out of memory for %s", h5_reader_path(reader), metric);
    }
    bool exists = metric[0] != '\0' && strchr(metric, '/') == NULL && h5_exists(reader, path);
    free(path);
    if (!exists || strcmp(metric, "time") == 0 || strcmp(metric, "cell") == 0) {
        return refuse_metric(reader, metric);
    }
    struct h5_numbers time = {0};
    struct h5_numbers cells = {0};
    enum status status = read_member(reader, GROUP_PER_CELL, "time", &time);
    if (status == STATUS_OK) {
        status = read_member(reader, GROUP_PER_CELL, metric, &cells);
    }
    if (status == STATUS_OK &&
        (cells.info.ndims != 2 || time.info.nvalues != cells.info.shape[0])) {
        status = fail(STATUS_FAILED, "%s is damaged: per-cell %s and its time differ in length",
                      h5_reader_path(reader), metric);
    }
    if (status == STATUS_OK) {
        print_cells(&time, &cells, stream);
    }
    h5_numbers_free(&time);
    h5_numbers_free(&cells);
    return status;
}

static enum status require_group(const struct h5_reader *reader, const char *group,
                                 const char *table)
{
    if (h5_exists(reader, group)) {
        return STATUS_OK;
    }
    return fail(STATUS_USAGE, "%s has no table %s: it has no group %s", h5_reader_path(reader),
                table, group);
}

static enum status print_table(const struct h5_reader *reader, const char *table, FILE *stream)
{
    static const struct {
        const char *name;
        const char *group;
        enum status (*print)(const struct h5_reader *reader, FILE *stream);
    } tables[] = {{"series", GROUP_SERIES, print_series},
                  {"totals", GROUP_TOTALS, print_totals},
                  {"performance", GROUP_PERFORMANCE, print_performance}};
    static const char per_cell[] = "per_cell:";
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(table, tables[i].name) == 0) {
            enum status status = require_group(reader, tables[i].group, table);
            return status == STATUS_OK ? tables[i].print(reader, stream) : status;
        }
    }
    if (strncmp(table, per_cell, sizeof per_cell - 1) == 0) {
        enum status status = require_group(reader, GROUP_PER_CELL, table);
        return status == STATUS_OK ? print_per_cell(reader, table + sizeof per_cell - 1, stream)
                                   : status;
    }
    char excerpt[TEXT_EXCERPT_SIZE];
    return fail(STATUS_USAGE,
                "unknown table %s, expected series, totals, performance or per_cell:<metric>",
                text_excerpt(table, excerpt));
}

enum status csv_print(const struct h5_reader *reader, const char *table, FILE *stream)
{
    enum status status = print_table(reader, table, stream);
    errno = 0;
    if (status == STATUS_OK && (fflush(stream) != 0 || ferror(stream))) {
        status = fail(STATUS_FAILED, "cannot write the table %s: %s", table,
                      errno != 0 ? strerror(errno) : "the output takes no more");
    }
    return status;
}
