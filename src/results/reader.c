#include "results/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "results/digest.h"
#include "results/schema.h"
#include "results/seal.h"

static enum status check_schema(const struct h5_reader *reader)
{
    const char *path = h5_reader_path(reader);
    if (!h5_has_attribute(reader, "/", "schema") ||
        !h5_has_attribute(reader, "/", "schema_version")) {
        return fail(STATUS_FAILED, "%s is an HDF5 file but not a result of thrash", path);
    }
    char *schema = NULL;
    int32_t version = 0;
    enum status status = h5_read_attribute_text(reader, "/", "schema", &schema);
    if (status == STATUS_OK) {
        status = h5_read_attribute_int(reader, "/", "schema_version", &version);
    }
    if (status == STATUS_OK && strcmp(schema, RESULTS_SCHEMA) != 0) {
        status = fail(STATUS_FAILED, "%s has the schema \"%.80s\", expected \"%s\"", path, schema,
                      RESULTS_SCHEMA);
    } else if (status == STATUS_OK && version != RESULTS_SCHEMA_VERSION) {
        status = fail(STATUS_FAILED, "%s has schema version %d, this program reads version %d",
                      path, (int)version, RESULTS_SCHEMA_VERSION);
    }
    free(schema);
    return status;
}

/* A result whose seal does not fit its size, or cannot be found, says so itself. */
static enum status check_without_seal(const struct h5_reader *reader)
{
    static const char place[] = GROUP_PROVENANCE "/seal";
    char *text = NULL;
    if (!h5_exists(reader, place)) {
        return STATUS_OK;
    }
    enum status status = h5_read_text(reader, place, &text);
    if (status == STATUS_OK) {
        status = seal_judge(h5_reader_path(reader), text);
    }
    free(text);
    return status;
}

enum status results_check_seal(const char *path)
{
    struct h5_reader *reader = NULL;
    bool sealed = false;
    enum status status = seal_check(path, &sealed);
    if (status != STATUS_OK || sealed) {
        return status;
    }
    const int quiet = status_set_quiet(1);
    const bool opened = h5_open(path, &reader) == STATUS_OK;
    (void)status_set_quiet(quiet);
    status = opened ? check_without_seal(reader) : STATUS_OK;
    h5_reader_close(reader);
    return status;
}

enum status results_open(const char *path, struct h5_reader **reader_p)
{
    struct h5_reader *reader = NULL;
    bool sealed = false;
    enum status status = seal_check(path, &sealed);
    if (status == STATUS_OK) {
        status = h5_open(path, &reader);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = check_schema(reader);
    if (status == STATUS_OK && !sealed) {
        status = check_without_seal(reader);
    }
    if (status != STATUS_OK) {
        h5_reader_close(reader);
        return status;
    }
    *reader_p = reader;
    return STATUS_OK;
}

enum status results_read_summary(const struct h5_reader *reader, struct results_summary *summary_p)
{
    struct results_summary summary = {0};
    const struct {
        const char *name;
        char **text;
    } texts[] = {{"command", &summary.command},
                 {"invalid_reasons", &summary.invalid_reasons},
                 {"digest", &summary.digest},
                 {"config_hash", &summary.config_hash}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == STATUS_OK; i++) {
        status = h5_read_attribute_text(reader, "/", texts[i].name, texts[i].text);
    }
    int32_t valid = 0;
    int32_t partial = 0;
    if (status == STATUS_OK) {
        status = h5_read_attribute_int(reader, "/", "valid", &valid);
    }
    if (status == STATUS_OK) {
        status = h5_read_attribute_int(reader, "/", "partial", &partial);
    }
    if (status != STATUS_OK) {
        results_summary_free(&summary);
        return status;
    }
    summary.valid = valid != 0;
    summary.partial = partial != 0;
    *summary_p = summary;
    return STATUS_OK;
}

void results_summary_free(struct results_summary *summary)
{
    free(summary->command);
    free(summary->invalid_reasons);
    free(summary->digest);
    free(summary->config_hash);
    *summary = (struct results_summary){0};
}

static enum status read_scalar(const struct h5_reader *reader, const char *path, const char *name,
                               struct results_scalar *scalar)
{
    struct h5_numbers numbers;
    enum status status = h5_read_numbers(reader, path, &numbers);
    if (status != STATUS_OK) {
        return status;
    }
    scalar->type = numbers.info.type;
    scalar->count = numbers.info.type == NUMBER_U64 ? *(const uint64_t *)numbers.values : 0;
    scalar->real = h5_number_at(&numbers, 0);
    h5_numbers_free(&numbers);
    scalar->name = strdup(name);
    if (scalar->name == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for %s", h5_reader_path(reader), path);
    }
    status = h5_read_attribute_text(reader, path, "units", &scalar->unit);
    if (status == STATUS_OK) {
        status = h5_read_attribute_text(reader, path, "long_name", &scalar->long_name);
    }
    if (status == STATUS_OK && h5_has_attribute(reader, path, "better")) {
        status = h5_read_attribute_text(reader, path, "better", &scalar->better);
    }
    char *const shown[] = {scalar->name, scalar->unit, scalar->long_name};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (shown[i] != NULL) {
            text_make_printable(shown[i], false);
        }
    }
    return status;
}

/* Appends the dataset `name` of the group if it is a scalar number. */
static enum status append_scalar(const struct h5_reader *reader, const char *group,
                                 const char *name, struct results_scalars *scalars)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%s", group, name) < 0) {
        return fail(STATUS_FAILED, "%s: out of memory for %s", h5_reader_path(reader), group);
    }
    struct h5_info info;
    enum status status = h5_inspect(reader, path, &info);
    if (status == STATUS_OK && info.kind == H5_KIND_NUMBERS && info.ndims == 0) {
        struct results_scalar *scalar = &scalars->scalar[scalars->n];
        *scalar = (struct results_scalar){0};
        scalars->n++;
        status = read_scalar(reader, path, name, scalar);
    }
    free(path);
    return status;
}

enum status results_read_scalars(const struct h5_reader *reader, const char *group,
                                 struct results_scalars *scalars_p)
{
    struct results_scalars scalars = {0};
    if (!h5_exists(reader, group)) {
        *scalars_p = scalars;
        return STATUS_OK;
    }
    struct h5_names names = {0};
    enum status status = h5_list(reader, group, &names);
    if (status != STATUS_OK) {
        return status;
    }
    scalars.scalar = calloc(names.n + 1, sizeof *scalars.scalar);
    if (scalars.scalar == NULL) {
        h5_names_free(&names);
        return fail(STATUS_FAILED, "%s: out of memory for %s", h5_reader_path(reader), group);
    }
    for (size_t i = 0; i < names.n && status == STATUS_OK; i++) {
        status = append_scalar(reader, group, names.name[i], &scalars);
    }
    h5_names_free(&names);
    if (status == STATUS_OK) {
        *scalars_p = scalars;
    } else {
        results_scalars_free(&scalars);
    }
    return status;
}

void results_scalars_free(struct results_scalars *scalars)
{
    for (size_t i = 0; i < scalars->n; i++) {
        free(scalars->scalar[i].name);
        free(scalars->scalar[i].unit);
        free(scalars->scalar[i].long_name);
        free(scalars->scalar[i].better);
    }
    free(scalars->scalar);
    *scalars = (struct results_scalars){0};
}

const struct results_scalar *results_find_scalar(const struct results_scalars *scalars,
                                                 const char *name)
{
    for (size_t i = 0; i < scalars->n; i++) {
        if (strcmp(scalars->scalar[i].name, name) == 0) {
            return &scalars->scalar[i];
        }
    }
    return NULL;
}

enum status results_verify(const struct h5_reader *reader, char recomputed[DIGEST_TEXT_SIZE],
                           bool *match_p)
{
    char *stored = NULL;
    struct digest digest = {0, 0};
    enum status status = h5_read_attribute_text(reader, "/", "digest", &stored);
    if (status == STATUS_OK) {
        status = digest_of_file(reader, &digest);
    }
    if (status == STATUS_OK) {
        digest_to_text(digest, recomputed);
        *match_p = strcmp(recomputed, stored) == 0;
    }
    free(stored);
    return status;
}
