#include "engine/state_types.h"

#include <string.h>

#include "thrash_state_types.h"

static const struct {
    const char *name;
    const char *digest;
} types[] = {THRASH_STATE_TYPES};

void state_types_write(struct text *text)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        text_append_format(text, "%s=%s\n", types[i].name, types[i].digest);
    }
}

/* The digest in the line of a type; NULL: there is none. */
static const char *find_line(const char *lines, const char *name)
{
    const size_t length = strlen(name);
    for (const char *line = lines; line != NULL && line[0] != '\0';) {
        if (strncmp(line, name, length) == 0 && line[length] == '=') {
            return line + length + 1;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    return NULL;
}

enum status state_types_compare(const char *saved, struct text *difference)
{
    size_t length = 0;
    for (size_t i = 0; i < sizeof types / sizeof types[0] && difference->size == 0; i++) {
        const char *digest = find_line(saved, types[i].name);
        const size_t size = strlen(types[i].digest);
        if (digest == NULL) {
            text_append_format(difference, "it has no %s", types[i].name);
        } else if (strncmp(digest, types[i].digest, size) != 0 || digest[size] != '\n') {
            text_append_format(difference, "the definition of %s differs", types[i].name);
        }
        length += strlen(types[i].name) + size + strlen("=\n");
    }
    if (difference->size == 0 && strlen(saved) != length) {
        text_append(difference, "it has types that this one has not");
    }
    return difference->failed ? fail(STATUS_RESOURCE, "out of memory for comparing states")
                              : STATUS_OK;
}
