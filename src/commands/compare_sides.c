#include "commands/compare_sides.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "commands/run_labels.h"

/* --- files ---------------------------------------------------------------------------------- */

struct file_list {
    char **path;
    size_t *argument; /* which argument named it */
    size_t n;
};

static enum status out_of_memory(void)
{
    return fail(STATUS_FAILED, "compare: out of memory for the runs");
}

static enum status add_file(struct file_list *files, const char *directory, const char *name,
                            size_t argument)
{
    char **path = realloc(files->path, (files->n + 1) * sizeof *path);
    files->path = path != NULL ? path : files->path;
    size_t *number = realloc(files->argument, (files->n + 1) * sizeof *number);
    files->argument = number != NULL ? number : files->argument;
    char *joined = NULL;
    if (path == NULL || number == NULL ||
        asprintf(&joined, "%s%s%s", directory, *directory == '\0' ? "" : "/", name) < 0) {
        return out_of_memory();
    }
    files->path[files->n] = joined;
    files->argument[files->n++] = argument;
    return STATUS_OK;
}

static int is_result(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".h5");
}

static enum status add_directory(struct file_list *files, const char *directory, size_t argument)
{
    struct dirent **entries = NULL;
    const int n = scandir(directory, &entries, is_result, alphasort);
    if (n < 0) {
        return fail(STATUS_USAGE, "%s: %s", directory, strerror(errno));
    }
    enum status status = n > 0 ? STATUS_OK
                               : fail(STATUS_USAGE, "%s: holds no result (NAME.h5)", directory);
    for (int i = 0; i < n; i++) {
        if (status == STATUS_OK) {
            status = add_file(files, directory, entries[i]->d_name, argument);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

static enum status list_files(char *const *arguments, size_t n, struct file_list *files)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        struct stat found;
        if (stat(arguments[i], &found) == 0 && S_ISDIR(found.st_mode)) {
            status = add_directory(files, arguments[i], i);
        } else {
            status = add_file(files, "", arguments[i], i);
        }
    }
    return status;
}

/* --- sides ---------------------------------------------------------------------------------- */

static bool differ_in_seed_alone(const struct flat_config *a, const struct flat_config *b)
{
    const struct flat_config both[2] = {*a, *b};
    struct flat_cursor cursor = {0};
    for (const char *key; (key = flat_configs_next(both, 2, &cursor)) != NULL;) {
        if (strcmp(key, "seed") != 0) {
            return false;
        }
    }
    return true;
}

static void name_side(size_t number, char letter[4])
{
    char *next = letter;
    if (number >= 26) {
        *next++ = (char)('A' + (number / 26 - 1) % 26);
    }
    *next++ = (char)('A' + number % 26);
    *next = '\0';
}

/* The side that a run belongs to; `nsides` if it begins a new one. */
static size_t side_of(const struct compare_sides *sides, const size_t *argument, size_t run,
                      bool by_seed)
{
    size_t side = 0;
    for (; side < sides->nsides; side++) {
        const size_t first = sides->side[side].run[0];
        if (by_seed ? differ_in_seed_alone(&sides->flats[first], &sides->flats[run])
                    : argument[first] == argument[run]) {
            break;
        }
    }
    return side;
}

static enum status sort_runs(struct compare_sides *sides, const size_t *argument, bool by_seed)
{
    sides->side = calloc(sides->nruns, sizeof *sides->side);
    if (sides->side == NULL) {
        return out_of_memory();
    }
    for (size_t run = 0; run < sides->nruns; run++) {
        const size_t number = side_of(sides, argument, run, by_seed);
        struct compare_side *side = &sides->side[number];
        if (number == sides->nsides) {
            side->run = calloc(sides->nruns, sizeof *side->run);
            if (side->run == NULL) {
                return out_of_memory();
            }
            name_side(number, side->letter);
            sides->nsides++;
        }
        side->run[side->nruns++] = run;
    }
    if (sides->nsides < 2) {
        return fail(STATUS_USAGE,
                    by_seed ? "compare: %zu results that differ in nothing but the seed: there is "
                              "nothing to compare them with"
                    : sides->nruns > 1
                        ? "compare: the %zu results of a directory are repetitions, one side: "
                          "expected two or more sides; --by-seed makes them of its files"
                        : "compare: expected two or more results, found %zu",
                    sides->nruns);
    }
    return STATUS_OK;
}

/* A side is called what its first run would be called among the first runs of all. */
static enum status label_sides(struct compare_sides *sides)
{
    struct labelled_run *runs = calloc(sides->nsides, sizeof *runs);
    if (runs == NULL) {
        return out_of_memory();
    }
    for (size_t i = 0; i < sides->nsides; i++) {
        const struct run_values *first = &sides->runs[sides->side[i].run[0]];
        runs[i] = (struct labelled_run){.path = first->path, .config = first->config};
    }
    enum status status = run_labels(runs, sides->nsides);
    for (size_t i = 0; i < sides->nsides && status == STATUS_OK; i++) {
        sides->side[i].label = runs[i].label;
    }
    free(runs);
    return status;
}

static enum status read_configs(struct compare_sides *sides)
{
    enum status status = arena_open(&sides->arena);
    if (status != STATUS_OK) {
        return status;
    }
    sides->flats = arena_alloc(sides->arena, sides->nruns * sizeof *sides->flats);
    status = sides->flats == NULL ? STATUS_FAILED : STATUS_OK;
    for (size_t i = 0; i < sides->nruns && status == STATUS_OK; i++) {
        status = flat_config_read(sides->runs[i].config, sides->runs[i].path, sides->arena,
                                  &sides->flats[i]);
    }
    return status;
}

bool compare_side_agrees(const struct compare_sides *sides, size_t side, const char *key)
{
    const struct compare_side *runs = &sides->side[side];
    bool alike = true;
    for (size_t k = 1; k < runs->nruns && alike; k++) {
        const struct flat_config both[2] = {sides->flats[runs->run[0]], sides->flats[runs->run[k]]};
        alike = !flat_configs_differ(both, 2, key, 0);
    }
    return alike;
}

enum status compare_sides_read(char *const *arguments, size_t n, bool by_seed,
                               struct compare_sides *sides_p)
{
    struct file_list files = {0};
    struct compare_sides sides = {0};
    enum status status = list_files(arguments, n, &files);
    sides.paths = files.path;
    if (status == STATUS_OK) {
        status = run_values_read(files.path, files.n, &sides.runs);
    }
    sides.nruns = files.n;
    if (status == STATUS_OK) {
        status = read_configs(&sides);
    }
    if (status == STATUS_OK) {
        status = sort_runs(&sides, files.argument, by_seed);
    }
    if (status == STATUS_OK) {
        status = label_sides(&sides);
    }
    free(files.argument);
    if (status == STATUS_OK) {
        *sides_p = sides;
    } else {
        compare_sides_free(&sides);
    }
    return status;
}

void compare_sides_free(struct compare_sides *sides)
{
    for (size_t i = 0; i < sides->nsides; i++) {
        free(sides->side[i].label);
        free(sides->side[i].run);
    }
    free(sides->side);
    run_values_free(sides->runs, sides->nruns);
    for (size_t i = 0; i < sides->nruns; i++) {
        free(sides->paths[i]);
    }
    free(sides->paths);
    arena_close(sides->arena);
    *sides = (struct compare_sides){0};
}

/* --- figures -------------------------------------------------------------------------------- */

static void gather(const struct compare_sides *sides, const struct compare_side *side,
                   const char *metric, double *values)
{
    for (size_t i = 0; i < side->nruns; i++) {
        values[i] = run_metric_value(&sides->runs[side->run[i]].facts, metric);
    }
}

static void fill_row(const struct compare_sides *sides, struct compare_row *row, double *first,
                     double *values)
{
    const char *name = row->metric->name;
    gather(sides, &sides->side[0], name, first);
    for (size_t i = 0; i < sides->nsides; i++) {
        struct compare_figure *figure = &row->figure[i];
        gather(sides, &sides->side[i], name, values);
        figure->summary = sample_summarise(values, sides->side[i].nruns);
        figure->ratio = NAN;
        figure->p = NAN;
        const struct sample_summary *base = &row->figure[0].summary;
        if (i == 0) {
            (void)sample_summarise(first, sides->side[0].nruns); /* sorts */
        } else {
            figure->ratio = base->median != 0 ? figure->summary.median / base->median : NAN;
            figure->p = sample_rank_test(first, base->n, values, figure->summary.n);
        }
    }
}

static const struct compare_row *find_row(const struct compare_row *rows, size_t nrows,
                                          const char *name)
{
    for (size_t i = 0; i < nrows; i++) {
        if (strcmp(rows[i].metric->name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

enum status compare_rows(const struct compare_sides *sides, struct compare_row **rows_p,
                         size_t *nrows_p)
{
    size_t most = 0;
    for (size_t run = 0; run < sides->nruns; run++) {
        most += sides->runs[run].facts.nmetrics;
    }
    struct compare_row *rows = calloc(most + 1, sizeof *rows);
    double *values = calloc(2 * sides->nruns, sizeof *values);
    size_t nrows = 0;
    enum status status = rows == NULL || values == NULL ? out_of_memory() : STATUS_OK;
    for (size_t run = 0; run < sides->nruns && status == STATUS_OK; run++) {
        const struct run_facts *facts = &sides->runs[run].facts;
        for (size_t i = 0; i < facts->nmetrics && status == STATUS_OK; i++) {
            if (find_row(rows, nrows, facts->metric[i].name) != NULL) {
                continue;
            }
            struct compare_row *row = &rows[nrows++];
            row->metric = &facts->metric[i];
            row->figure = calloc(sides->nsides, sizeof *row->figure);
            if (row->figure == NULL) {
                status = out_of_memory();
            } else {
                fill_row(sides, row, values, values + sides->nruns);
            }
        }
    }
    free(values);
    if (status == STATUS_OK) {
        *rows_p = rows;
        *nrows_p = nrows;
    } else {
        compare_rows_free(rows, nrows);
    }
    return status;
}

void compare_rows_free(struct compare_row *rows, size_t nrows)
{
    for (size_t i = 0; rows != NULL && i < nrows; i++) {
        free(rows[i].figure);
    }
    free(rows);
}
