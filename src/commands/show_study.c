#include "commands/show_study.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands/show_lines.h"
#include "results/reader.h"
#include "results/schema.h"

enum { MISSING_SHOWN = 20 };

bool show_is_study(const struct h5_reader *reader)
{
    return h5_exists(reader, GROUP_STUDY "/name");
}

static enum status print_count(const struct h5_reader *reader)
{
    struct results_scalars scalars;
    enum status status = results_read_scalars(reader, GROUP_STUDY, &scalars);
    if (status != STATUS_OK) {
        return status;
    }
    const struct results_scalar *points = results_find_scalar(&scalars, "points");
    const struct results_scalar *collected = results_find_scalar(&scalars, "collected");
    if (points != NULL && collected != NULL) {
        char line[80];
        (void)snprintf(line, sizeof line, "%" PRIu64 " of %" PRIu64 " have values",
                       collected->count, points->count);
        show_line("points", line);
    }
    results_scalars_free(&scalars);
    return STATUS_OK;
}

/* The first lines of what may be thousands. */
static enum status print_missing(const struct h5_reader *reader)
{
    char *text = NULL;
    enum status status = h5_read_text(reader, GROUP_STUDY "/missing", &text);
    if (status != STATUS_OK || text[0] == '\0') {
        free(text);
        return status;
    }
    char *end = text;
    for (int i = 0; i < MISSING_SHOWN && *end != '\0'; i++) {
        end += strcspn(end, "\n");
        end += *end == '\n';
    }
    struct text shown = {0};
    text_append_bytes(&shown, text, (size_t)(end - text));
    if (*end != '\0') {
        text_append(&shown, "... and more: " GROUP_STUDY "/missing");
    }
    show_line("missing", text_string(&shown));
    text_free(&shown);
    free(text);
    return STATUS_OK;
}

enum status show_study(const struct h5_reader *reader)
{
    static const struct {
        const char *name, *path;
    } texts[] = {{"study", GROUP_STUDY "/name"},
                 {"title", GROUP_STUDY "/title"},
                 {"directory", GROUP_STUDY "/directory"},
                 {"axes", GROUP_STUDY "/axes"}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && status == STATUS_OK; i++) {
        status = show_text(reader, texts[i].name, texts[i].path);
    }
    if (status == STATUS_OK) {
        status = print_count(reader);
    }
    return status == STATUS_OK ? print_missing(reader) : status;
}
