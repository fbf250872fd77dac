#include <stdlib.h>
#include <string.h>

#include "results/result_internal.h"
#include "results/schema.h"

/* Whether a put has anything to do here. */
static bool is_active(const struct result *result)
{
    return result->comm.rank == 0 && h5_status(result->writer) == STATUS_OK;
}

/* The records that a dataset enters. */
static struct digest_parts *parts_of(struct result *result, const char *path)
{
    return digest_covers(path) ? &result->parts : &result->others;
}

static void take(struct result *result, enum status status)
{
    if (status != STATUS_OK) {
        h5_give_up(result->writer, status);
    }
}

void result_put_group(struct result *result, const char *path)
{
    if (is_active(result)) {
        (void)h5_write_group(result->writer, path);
    }
}

void result_put_attribute(struct result *result, const char *path, const char *name,
                          const char *text)
{
    if (is_active(result)) {
        (void)h5_write_attribute_text(result->writer, path, name, text);
    }
}

void result_put_text(struct result *result, const struct h5_label *label, const char *text)
{
    if (!is_active(result)) {
        return;
    }
    take(result, digest_add_text(parts_of(result, label->path), label->path, text));
    (void)h5_write_text(result->writer, label, text);
}

static void put_scalar(struct result *result, const struct h5_label *label, enum number_type type,
                       const void *value)
{
    if (!is_active(result)) {
        return;
    }
    take(result, digest_add_numbers(parts_of(result, label->path), label->path, type, 0, 1, value));
    (void)h5_write_scalar(result->writer, label, type, value);
}

void result_put_count(struct result *result, const struct h5_label *label, uint64_t value)
{
    put_scalar(result, label, NUMBER_U64, &value);
}

void result_put_real(struct result *result, const struct h5_label *label, double value)
{
    put_scalar(result, label, NUMBER_F64, &value);
}

void result_put_scale(struct result *result, const struct h5_label *label, enum number_type type,
                      uint64_t n, const void *values)
{
    if (!is_active(result)) {
        return;
    }
    take(result,
         digest_add_numbers(parts_of(result, label->path), label->path, type, 1, n, values));
    (void)h5_write_scale(result->writer, label, type, n, values);
}

/* Takes a table that rank 0 holds whole into the digest. */
static enum status digest_table(struct result *result, const struct h5_array *array,
                                const void *values)
{
    uint64_t ncolumns = array->shape[1];
    struct digest *column = calloc(ncolumns + 1, sizeof *column);
    if (column == NULL) {
        return fail(STATUS_FAILED, "out of memory for the digest of %s", array->label.path);
    }
    enum status status = STATUS_OK;
    size_t size = number_size(array->type);
    for (uint64_t i = 0; i < ncolumns && status == STATUS_OK; i++) {
        status = digest_of_column(array->type, (const char *)values + i * size, ncolumns,
                                  array->shape[0], &column[i]);
    }
    if (status == STATUS_OK) {
        status = digest_add_columns(&result->parts, array->label.path, array->type, array->shape[0],
                                    ncolumns, column);
    }
    free(column);
    return status;
}

void result_put_array(struct result *result, const struct h5_array *array, const void *values)
{
    if (!is_active(result)) {
        return;
    }
    const char *path = array->label.path;
    uint64_t nvalues = 1;
    for (unsigned i = 0; i < array->ndims; i++) {
        nvalues *= array->shape[i];
    }
    if (digest_covers(path) && array->ndims > 1) {
        take(result, digest_table(result, array, values));
    } else {
        take(result,
             digest_add_numbers(parts_of(result, path), path, array->type, 1, nvalues, values));
    }
    (void)h5_write_array(result->writer, array, values);
}

static struct group_absences *absences_of(struct result *result, const char *group)
{
    for (size_t i = 0; i < result->nabsences; i++) {
        if (strcmp(result->absence[i].group, group) == 0) {
            return &result->absence[i];
        }
    }
    struct group_absences *grown = realloc(result->absence,
                                           (result->nabsences + 1) * sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    result->absence = grown;
    struct group_absences *absences = &grown[result->nabsences];
    *absences = (struct group_absences){.group = strdup(group)};
    if (absences->group == NULL) {
        return NULL;
    }
    result->nabsences++;
    return absences;
}

void result_put_absence(struct result *result, const char *group, const char *name,
                        const char *reason)
{
    if (!is_active(result)) {
        return;
    }
    struct group_absences *absences = absences_of(result, group);
    if (absences != NULL) {
        struct text *lines = &absences->lines;
        text_append_format(lines, "%s%s: %s", lines->size > 0 ? "\n" : "", name, reason);
    }
    if (absences == NULL || absences->lines.failed) {
        take(result, fail(STATUS_FAILED, "out of memory for what %s lacks", group));
    }
}

void result_write_absences(struct result *result)
{
    for (size_t i = 0; i < result->nabsences; i++) {
        result_put_attribute(result, result->absence[i].group, "unavailable",
                             text_string(&result->absence[i].lines));
    }
}
