#include "claims/measurement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "results/reader.h"

/* Every host that was measured says which hardware threads it was allowed. */
#define HOST_MARK "/allowed"

/* The name between "/<section>/" and HOST_MARK, NULL if the path is not such a one. To be freed. */
static char *host_of(const char *path, const char *section)
{
    const size_t skip = strlen(section) + 2;
    const size_t size = strlen(path), end = strlen(HOST_MARK);
    if (size <= skip + end || strcmp(path + size - end, HOST_MARK) != 0) {
        return NULL;
    }
    const char *name = path + skip;
    const size_t length = size - end - skip;
    return memchr(name, '/', length) != NULL ? NULL : strndup(name, length);
}

static enum status list_hosts(struct measurement *measurement)
{
    char group[24];
    struct h5_names names;
    (void)snprintf(group, sizeof group, "/%s", measurement->section);
    if (!h5_exists(measurement->reader, group)) {
        return fail(STATUS_FAILED, "%s: there is no %s: it is not a result of `thrash %s`",
                    measurement->path, group, measurement->section);
    }
    const enum status status = h5_list_below(measurement->reader, group, &names);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < names.n && measurement->nhosts < MEASUREMENT_HOSTS; i++) {
        char *host = host_of(names.name[i], measurement->section);
        if (host != NULL) {
            measurement->host[measurement->nhosts++] = host;
        }
    }
    h5_names_free(&names);
    return measurement->nhosts > 0
               ? STATUS_OK
               : fail(STATUS_FAILED, "%s: %s has no host", measurement->path, group);
}

enum status measurement_open(const char *path, const char *section,
                             struct measurement *measurement_p)
{
    struct measurement measurement = {.path = path};
    struct results_summary summary;
    (void)snprintf(measurement.section, sizeof measurement.section, "%s", section);
    enum status status = results_open(path, &measurement.reader);
    if (status != STATUS_OK) {
        return status;
    }
    status = results_read_summary(measurement.reader, &summary);
    if (status == STATUS_OK) {
        measurement.sound = summary.valid && !summary.partial;
        (void)snprintf(measurement.why, sizeof measurement.why, "%s",
                       summary.partial ? "the result is partial" : summary.invalid_reasons);
        results_summary_free(&summary);
        status = list_hosts(&measurement);
    }
    if (status != STATUS_OK) {
        measurement_close(&measurement);
        return status;
    }
    *measurement_p = measurement;
    return STATUS_OK;
}

void measurement_close(struct measurement *measurement)
{
    for (size_t i = 0; i < measurement->nhosts; i++) {
        free(measurement->host[i]);
    }
    h5_reader_close(measurement->reader);
    measurement->nhosts = 0;
}

enum status measurement_section(const char *path, char *section)
{
    struct h5_reader *reader;
    struct results_summary summary;
    enum status status = results_open(path, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    status = results_read_summary(reader, &summary);
    if (status == STATUS_OK) {
        (void)snprintf(section, 16, "%s", summary.command);
        results_summary_free(&summary);
    }
    h5_reader_close(reader);
    return status;
}

bool measurement_numbers(const struct measurement *measurement, size_t host, const char *name,
                         struct h5_numbers *numbers_p)
{
    struct text path = {0};
    text_append_format(&path, "/%s/%s/%s", measurement->section, measurement->host[host], name);
    const bool there = h5_exists(measurement->reader, text_string(&path)) &&
                       h5_read_numbers(measurement->reader, text_string(&path), numbers_p) ==
                           STATUS_OK;
    text_free(&path);
    return there;
}

size_t measurement_line(const struct measurement *measurement, size_t host, const char *name,
                        const char *word)
{
    char *lines = NULL;
    size_t found = SIZE_MAX;
    struct text path = {0};
    text_append_format(&path, "/%s/%s/%s", measurement->section, measurement->host[host], name);
    if (h5_exists(measurement->reader, text_string(&path)) &&
        h5_read_text(measurement->reader, text_string(&path), &lines) == STATUS_OK) {
        const size_t size = strlen(word);
        size_t number = 0;
        for (const char *line = lines; found == SIZE_MAX && *line != '\0'; number++) {
            const size_t length = strcspn(line, "\n");
            if (length >= size && strncmp(line, word, size) == 0 &&
                (length == size || line[size] == ':')) {
                found = number;
            }
            line += length + (line[length] == '\n');
        }
    }
    free(lines);
    text_free(&path);
    return found;
}

char *measurement_absence(const struct measurement *measurement, size_t host, const char *name)
{
    char *lines = NULL, *reason = NULL;
    struct text group = {0};
    text_append_format(&group, "/%s/%s", measurement->section, measurement->host[host]);
    if (h5_has_attribute(measurement->reader, text_string(&group), "unavailable") &&
        h5_read_attribute_text(measurement->reader, text_string(&group), "unavailable", &lines) ==
            STATUS_OK) {
        const size_t size = strlen(name);
        for (const char *line = lines; reason == NULL && *line != '\0';) {
            const size_t length = strcspn(line, "\n");
            if (strncmp(line, name, size) == 0 && line[size] == ':') {
                const size_t skip = size + 1 + strspn(line + size + 1, " ");
                reason = strndup(line + skip, length - skip);
            }
            line += length + (line[length] == '\n');
        }
    }
    free(lines);
    text_free(&group);
    return reason;
}
