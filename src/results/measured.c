#include "results/measured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/schema.h"

/* Where the records of a host go. */
struct place {
    struct result *result;
    const struct measured_host *host;
    char section[RESULT_PATH_SIZE / 4];
    char group[RESULT_PATH_SIZE];
    char path[RESULT_PATH_SIZE];
};

static const char *path_of(struct place *place, const char *name)
{
    int length = snprintf(place->path, sizeof place->path, "%s/%s", place->group, name);
    if (length < 0 || (size_t)length >= sizeof place->path) {
        result_give_up(place->result, fail(STATUS_FAILED, "the path %s/%s is longer than %d bytes",
                                           place->group, name, RESULT_PATH_SIZE - 1));
    }
    return place->path;
}

static void set_group(struct place *place, const char *path)
{
    const bool own = place->host->name[0] != '\0';
    int length = snprintf(place->group, sizeof place->group, "/%s%s%s%s%s", place->section,
                          own ? "/" : "", place->host->name, *path != '\0' ? "/" : "", path);
    if (length < 0 || (size_t)length >= sizeof place->group) {
        result_give_up(place->result, fail(STATUS_FAILED, "the path %s is longer than %d bytes",
                                           place->group, RESULT_PATH_SIZE - 1));
    }
}

static void enter_group(struct place *place, const char *path, const char *title)
{
    set_group(place, path);
    if (place->host->name[0] != '\0' || *path != '\0') {
        result_put_group(place->result, place->group);
        result_put_attribute(place->result, place->group, "long_name", title);
    }
}

static void put_numbers(struct place *place, const struct table_record *record)
{
    const struct h5_label label = {path_of(place, record->label.name), record->label.unit,
                                   record->label.long_name};
    if (record->kind == TABLE_SCALE) {
        result_put_scale(place->result, &label, record->type, record->shape[0], record->values);
        return;
    }
    if (record->ndims == 0) {
        if (record->type == NUMBER_F64) {
            double value;
            memcpy(&value, record->values, sizeof value);
            result_put_real(place->result, &label, value);
        } else {
            uint64_t value;
            memcpy(&value, record->values, sizeof value);
            result_put_count(place->result, &label, value);
        }
        return;
    }
    struct h5_array array = {.label = label, .type = record->type, .ndims = record->ndims};
    for (unsigned i = 0; i < record->ndims; i++) {
        array.shape[i] = record->shape[i];
        array.scales[i] = record->scales[i];
    }
    result_put_array(place->result, &array, record->values);
}

static void put_record(struct place *place, const struct table_record *record)
{
    switch (record->kind) {
    case TABLE_SECTION:
        (void)snprintf(place->section, sizeof place->section, "%s", record->label.name);
        enter_group(place, "", record->text);
        if (place->host->reason[0] != '\0') {
            result_put_attribute(place->result, place->group, "failure", place->host->reason);
        }
        break;
    case TABLE_GROUP:
        enter_group(place, record->label.name, record->text);
        break;
    case TABLE_SCALE:
    case TABLE_ARRAY:
        put_numbers(place, record);
        break;
    case TABLE_TEXT:
        result_put_text(
            place->result,
            &(struct h5_label){path_of(place, record->label.name), "1", record->label.long_name},
            record->text);
        break;
    case TABLE_ATTRIBUTE:
        result_put_attribute(place->result, place->group, record->label.name, record->text);
        break;
    case TABLE_ABSENCE:
        result_put_absence(place->result, place->group, record->label.name, record->text);
        break;
    case TABLE_INVALID:
    case TABLE_REPORT:
    case TABLE_KINDS:
        break;
    }
}

/* The groups that hold the hosts' groups. */
static void put_sections(struct result *result, const struct measured_host *hosts, size_t nhosts)
{
    struct text seen = {0};
    for (size_t i = 0; i < nhosts; i++) {
        struct table_record record;
        for (size_t at = 0; tables_next(&hosts[i].tables, &at, &record);) {
            if (record.kind != TABLE_SECTION) {
                continue;
            }
            char path[RESULT_PATH_SIZE];
            (void)snprintf(path, sizeof path, "/%.*s", RESULT_PATH_SIZE / 4, record.label.name);
            char line[RESULT_PATH_SIZE + 1];
            (void)snprintf(line, sizeof line, "%s\n", path);
            if (strstr(text_string(&seen), line) == NULL) {
                text_append(&seen, line);
                result_put_group(result, path);
                result_put_attribute(result, path, "long_name", record.text);
            }
        }
    }
    if (seen.failed) {
        result_give_up(result, fail(STATUS_FAILED, "out of memory for the groups of a result"));
    }
    text_free(&seen);
}

void measured_put(struct result *result, const struct measured_host *hosts, size_t nhosts)
{
    put_sections(result, hosts, nhosts);
    for (size_t i = 0; i < nhosts; i++) {
        struct place place = {.result = result, .host = &hosts[i]};
        struct table_record record;
        for (size_t at = 0; tables_next(&hosts[i].tables, &at, &record);) {
            put_record(&place, &record);
        }
        if (hosts[i].tables.bytes.size == 0 && hosts[i].reason[0] != '\0') {
            result_put_absence(result, "/", hosts[i].name, hosts[i].reason);
        }
    }
}

size_t measured_invalid_reasons(const struct measured_host *hosts, size_t nhosts,
                                struct text *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < nhosts; i++) {
        const char *colon = hosts[i].name[0] != '\0' ? ": " : "";
        struct table_record record;
        for (size_t at = 0; tables_next(&hosts[i].tables, &at, &record);) {
            if (record.kind == TABLE_INVALID) {
                text_append_format(lines, "%s%s%s%s", count > 0 ? "\n" : "", hosts[i].name, colon,
                                   record.text);
                count++;
            }
        }
        if (hosts[i].reason[0] != '\0') {
            text_append_format(lines, "%s%s%s%s", count > 0 ? "\n" : "", hosts[i].name, colon,
                               hosts[i].reason);
            count++;
        }
    }
    return count;
}
