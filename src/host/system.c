#include "host/system.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct host_system host_system_here(void)
{
    return (struct host_system){.root = "", .environment = environ};
}

const char *host_environment(const struct host_system *system, const char *name)
{
    size_t length = strlen(name);
    for (char *const *entry = system->environment; *entry; entry++) {
        if (!strncmp(*entry, name, length) && (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return NULL;
}

bool host_text_scan(const char **text_p, uint64_t *value_p)
{
    if (!isdigit((unsigned char)**text_p)) {
        return false;
    }
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(*text_p, &end, 10);
    if (errno) {
        return false;
    }
    *text_p = end;
    *value_p = value;
    return true;
}

bool host_text_number(const char *text, uint64_t *value_p)
{
    uint64_t value;
    if (!host_text_scan(&text, &value) || (*text && !isspace((unsigned char)*text))) {
        return false;
    }
    *value_p = value;
    return true;
}

bool host_environment_number(const struct host_system *system, const char *name, uint64_t *value_p)
{
    const char *text = host_environment(system, name);
    return text && host_text_number(text, value_p);
}

static FILE *open_below(const struct host_system *system, const char *path)
{
    char full[4096];
    int length = snprintf(full, sizeof full, "%s%s", system->root, path);
    if (length < 0 || (size_t)length >= sizeof full) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    return fopen(full, "re");
}

char *host_file_load(const struct host_system *system, const char *path)
{
    FILE *file = open_below(system, path);
    if (!file) {
        return NULL;
    }
    char *text = NULL;
    size_t used = 0, capacity = 0;
    for (;;) {
        if (capacity - used < 2) {
            capacity = capacity ? 2 * capacity : 4096;
            char *larger = realloc(text, capacity);
            if (!larger) {
                break;
            }
            text = larger;
        }
        size_t got = fread(text + used, 1, capacity - used - 1, file);
        used += got;
        if (!got) {
            if (ferror(file)) {
                break;
            }
            (void)fclose(file);
            text[used] = '\0';
            return text;
        }
    }
    int error = errno;
    (void)fclose(file);
    free(text);
    errno = error;
    return NULL;
}

bool host_file_line(const struct host_system *system, const char *path, char *line, size_t size)
{
    char *text = host_file_load(system, path);
    if (!text) {
        return false;
    }
    text[strcspn(text, "\n")] = '\0';
    (void)snprintf(line, size, "%s", text);
    free(text);
    return true;
}

bool host_file_number(const struct host_system *system, const char *path, uint64_t *value_p)
{
    char line[64];
    if (!host_file_line(system, path, line, sizeof line)) {
        return false;
    }
    if (!host_text_number(line, value_p)) {
        errno = EINVAL;
        return false;
    }
    return true;
}

/* Where the value starts in a line whose key ends at `at`; NULL if the separator is not there. */
static const char *after_separator(const char *at, char separator)
{
    const char *next = at + strspn(at, " \t");
    if (separator == ' ') {
        return next > at ? next : NULL;
    }
    return *next == separator ? next + 1 + strspn(next + 1, " \t") : NULL;
}

bool host_text_field(const char *text, const char *key, char separator, char *value, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; *line;) {
        const char *end = line + strcspn(line, "\n");
        if (!strncmp(line, key, length)) {
            const char *start = after_separator(line + length, separator);
            if (start) {
                while (end > start && isspace((unsigned char)end[-1])) {
                    end--;
                }
                (void)snprintf(value, size, "%.*s", (int)(end - start), start);
                return true;
            }
        }
        line = *end ? end + 1 : end;
    }
    return false;
}

void host_setting_read(const struct host_system *system, const char *path,
                       struct host_setting *setting)
{
    *setting = (struct host_setting){.known = false};
    if (!host_file_line(system, path, setting->choices, sizeof setting->choices)) {
        (void)snprintf(setting->why, sizeof setting->why, "%s: %s", path, strerror(errno));
        return;
    }
    setting->known = true;
    const char *open = strchr(setting->choices, '[');
    const char *close = open ? strchr(open, ']') : NULL;
    if (close) {
        (void)snprintf(setting->value, sizeof setting->value, "%.*s", (int)(close - open - 1),
                       open + 1);
    } else {
        (void)snprintf(setting->value, sizeof setting->value, "%.*s",
                       (int)sizeof setting->value - 1, setting->choices);
    }
}
