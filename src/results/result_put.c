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

/* Takes an array that rank 0 holds whole into the digest. */
static enum status digest_whole(struct result *result, const struct h5_array *array,
                                uint64_t nvalues, const void *values)
{
    struct digest_array *whole = NULL;
    enum status status = digest_array_begin(array->type, array->ndims, array->shape, &whole);
    if (status != STATUS_OK) {
        return status;
    }
    digest_array_add(whole, values, nvalues);
    return digest_array_finish(whole, &result->parts, array->label.path);
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
        take(result, digest_whole(result, array, nvalues, values));
    } else {
        take(result,
             digest_add_numbers(parts_of(result, path), path, array->type, 1, nvalues, values));
    }
    (void)h5_write_array(result->writer, array, values);
}

/* --- texts ----------------------------------------------------------------------------------- */

void result_put_text_scale(struct result *result, const struct h5_label *label, uint64_t n,
                           const char *const *texts)
{
    if (is_active(result)) {
        take(result, digest_add_texts(parts_of(result, label->path), label->path, 1, &n, texts));
        (void)h5_write_text_scale(result->writer, label, n, texts);
    }
}

void result_put_texts(struct result *result, const struct h5_array *array, const char *const *texts)
{
    if (is_active(result)) {
        const char *path = array->label.path;
        take(result,
             digest_add_texts(parts_of(result, path), path, array->ndims, array->shape, texts));
        (void)h5_write_texts(result->writer, array, texts);
    }
}

void result_put_numbers_attribute(struct result *result, const char *path, const char *name,
                                  enum number_type type, uint64_t n, const void *values)
{
    if (is_active(result)) {
        (void)h5_write_attribute_numbers(result->writer, path, name, type, n, values);
    }
}

/* --- row by row ------------------------------------------------------------------------------ */

struct result_rows {
    struct result *result;
    const struct h5_array *array;
    struct digest_array *digest;
    uint64_t next;
};

struct result_rows *result_begin_rows(struct result *result, const struct h5_array *array)
{
    if (!is_active(result)) {
        return NULL;
    }
    struct result_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        take(result, fail(STATUS_FAILED, "out of memory for %s", array->label.path));
        return NULL;
    }
    *rows = (struct result_rows){.result = result, .array = array};
    take(result, digest_array_begin(array->type, array->ndims, array->shape, &rows->digest));
    (void)h5_write_array(result->writer, array, NULL);
    if (rows->digest == NULL) {
        free(rows);
        return NULL;
    }
    return rows;
}

bool result_put_row(struct result_rows *rows, const void *values)
{
    if (rows != NULL && is_active(rows->result)) {
        digest_array_add(rows->digest, values, rows->array->shape[rows->array->ndims - 1]);
        (void)h5_write_row(rows->result->writer, rows->array, rows->next++, values);
    }
    return rows != NULL && is_active(rows->result);
}

void result_end_rows(struct result_rows *rows)
{
    if (rows != NULL) {
        struct result *result = rows->result;
        struct digest_parts *parts = is_active(result) ? &result->parts : NULL;
        take(result, digest_array_finish(rows->digest, parts, rows->array->label.path));
        free(rows);
    }
}

/* --- what is not there ----------------------------------------------------------------------- */

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
