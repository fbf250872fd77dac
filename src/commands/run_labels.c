#include "commands/run_labels.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/flat.h"

#define KEYS_MOST 3 /* more differences than these are told by the names of the files */

#define PRESET "design.preset"

struct keys {
    const char *key[KEYS_MOST];
    size_t n; /* may be more than are kept */
};

static struct keys differing_keys(const struct flat_config *flats, size_t n)
{
    struct keys keys = {{PRESET}, n == 1 || flat_configs_differ(flats, n, PRESET, 0)};
    struct flat_cursor cursor = {0};
    for (const char *key; (key = flat_configs_next(flats, n, &cursor)) != NULL;) {
        if (strcmp(key, PRESET) == 0) {
            continue;
        }
        if (keys.n < KEYS_MOST) {
            keys.key[keys.n] = key;
        }
        keys.n++;
    }
    return keys;
}

/* "processes" of "workloads.database.processes", "pte_visit" of "costs.costs.pte_visit.time". */
static void append_last_name(const char *key, struct text *text)
{
    size_t length = strlen(key);
    if (text_ends_with(key, ".time")) {
        length -= strlen(".time");
    }
    size_t start = length;
    while (start > 0 && key[start - 1] != '.') {
        start--;
    }
    text_append_bytes(text, key + start, length - start);
}

static void append_values(const struct flat_config *flat, const struct keys *keys,
                          struct text *text)
{
    for (size_t i = 0; i < keys->n; i++) {
        const char *key = keys->key[i];
        const char *value = flat_config_find(flat, key, 0);
        if (value == NULL) {
            continue;
        }
        text_append(text, text->size > 0 ? ", " : "");
        if (strncmp(key, "design.", 7) != 0 && strcmp(key, "costs.name") != 0) {
            append_last_name(key, text);
            text_append(text, " ");
        }
        text_append(text, value);
    }
}

static void append_stem(const char *path, struct text *text)
{
    static const char *const endings[] = {".partial", ".h5", ".hdf5"};
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i]);
        if (length >= ending && strncmp(name + length - ending, endings[i], ending) == 0) {
            length -= ending;
        }
    }
    text_append_bytes(text, name, length);
}

enum manner { BY_VALUES, BY_STEM, BY_PATH, BY_NUMBER };

static char *label_of(const struct labelled_run *runs, size_t index, enum manner manner,
                      const struct flat_config *flats, const struct keys *keys)
{
    struct text text = {0};
    switch (manner) {
    case BY_VALUES:
        append_values(&flats[index], keys, &text);
        break;
    case BY_STEM:
        append_stem(runs[index].path, &text);
        break;
    case BY_PATH:
        text_append(&text, runs[index].path);
        break;
    default:
        text_append_format(&text, "%zu: %s", index + 1, runs[index].path);
        break;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (iscntrl((unsigned char)text.chars[i])) {
            text.chars[i] = ' ';
        }
    }
    text_append(&text, "");
    if (text.failed) {
        text_free(&text);
    }
    return text.chars;
}

static void drop_labels(struct labelled_run *runs, size_t nruns)
{
    for (size_t i = 0; i < nruns; i++) {
        free(runs[i].label);
        runs[i].label = NULL;
    }
}

static bool labels_differ(const struct labelled_run *runs, size_t nruns)
{
    for (size_t i = 0; i < nruns; i++) {
        if (runs[i].label[0] == '\0') {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(runs[i].label, runs[j].label) == 0) {
                return false;
            }
        }
    }
    return true;
}

static enum status choose(struct labelled_run *runs, size_t nruns, const struct flat_config *flats)
{
    struct keys keys = differing_keys(flats, nruns);
    for (enum manner manner = keys.n <= KEYS_MOST ? BY_VALUES : BY_STEM;; manner++) {
        for (size_t i = 0; i < nruns; i++) {
            runs[i].label = label_of(runs, i, manner, flats, &keys);
            if (runs[i].label == NULL) {
                drop_labels(runs, nruns);
                return fail(STATUS_FAILED, "out of memory for the names of the runs");
            }
        }
        if (manner == BY_NUMBER || labels_differ(runs, nruns)) {
            return STATUS_OK;
        }
        drop_labels(runs, nruns);
    }
}

enum status run_labels(struct labelled_run *runs, size_t nruns)
{
    struct config_arena *arena = NULL;
    enum status status = arena_open(&arena);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < nruns; i++) {
        runs[i].label = NULL;
    }
    struct flat_config *flats = arena_alloc(arena, nruns * sizeof *flats);
    status = flats == NULL ? STATUS_FAILED : STATUS_OK;
    for (size_t i = 0; i < nruns && status == STATUS_OK; i++) {
        status = flat_config_read(runs[i].config, runs[i].path, arena, &flats[i]);
    }
    if (status == STATUS_OK) {
        status = choose(runs, nruns, flats);
    }
    arena_close(arena);
    return status;
}
