#include "commands/run_labels.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/arena.h"
#include "config/merge.h"
#include "config/yaml_reader.h"

#define KEYS_MOST 3 /* more differences than these are told by the names of the files */

#define PRESET "design.preset"

struct pair {
    const char *key; /* dotted; workloads go by their names */
    const char *value;
};

struct flat {
    struct pair *pair;
    size_t n;
};

struct keys {
    const char *key[KEYS_MOST];
    size_t n; /* may be more than are kept */
};

static size_t count_leaves(const struct config_node *node)
{
    size_t leaves = node->kind == NODE_SCALAR;
    const struct config_node *child = node->kind == NODE_SCALAR ? NULL : node->first;
    for (; child != NULL; child = child->next) {
        leaves += count_leaves(child);
    }
    return leaves;
}

/* Appends the leaves below `node`; STATUS_FAILED when out of memory. */
static enum status flatten(const struct config_node *node, const char *key,
                           struct config_arena *arena, struct flat *flat)
{
    if (node->kind == NODE_SCALAR) {
        flat->pair[flat->n++] = (struct pair){key, node->text};
        return STATUS_OK;
    }
    for (const struct config_node *child = node->first; child != NULL; child = child->next) {
        const char *name = node->kind == NODE_MAPPING ? child->key : workload_node_name(child);
        struct text path = {0};
        text_append_format(&path, "%s%s%s", key, *key == '\0' ? "" : ".",
                           name != NULL ? name : "?");
        const char *inner = arena_keep(arena, &path);
        enum status status = inner == NULL ? STATUS_FAILED : flatten(child, inner, arena, flat);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status read_config(const struct labelled_run *run, struct config_arena *arena,
                               struct flat *flat)
{
    struct config_node *root = NULL;
    enum status status = yaml_read_mapping(run->config, strlen(run->config), run->path, arena,
                                           &root);
    if (status != STATUS_OK) {
        return STATUS_FAILED;
    }
    flat->pair = arena_alloc(arena, (count_leaves(root) + 1) * sizeof *flat->pair);
    return flat->pair == NULL ? STATUS_FAILED : flatten(root, "", arena, flat);
}

/* The value of a key, NULL if there is none. Most configurations have it at the same place. */
static const char *find(const struct flat *flat, const char *key, size_t guess)
{
    for (size_t i = 0; i < flat->n; i++) {
        const struct pair *pair = &flat->pair[(guess + i) % flat->n];
        if (strcmp(pair->key, key) == 0) {
            return pair->value;
        }
    }
    return NULL;
}

static bool differs(const struct flat *flats, size_t n, const char *key, size_t guess)
{
    const char *first = find(&flats[0], key, guess);
    for (size_t i = 1; i < n; i++) {
        const char *other = find(&flats[i], key, guess);
        if ((first == NULL) != (other == NULL) || (first != NULL && strcmp(first, other) != 0)) {
            return true;
        }
    }
    return false;
}

/* Whether a key can say how two runs differ. Costs are told by the name of their profile. */
static bool tells_apart(const char *key, bool by_cost_name)
{
    return strcmp(key, "title") != 0 && strncmp(key, "output.", 7) != 0 &&
           !text_ends_with(key, ".source") && !text_ends_with(key, ".from") &&
           !text_ends_with(key, ".description") &&
           !(by_cost_name && strncmp(key, "costs.costs.", 12) == 0);
}

static struct keys differing_keys(const struct flat *flats, size_t n)
{
    struct keys keys = {{PRESET}, n == 1 || differs(flats, n, PRESET, 0)};
    bool by_cost_name = differs(flats, n, "costs.name", 0);
    for (size_t run = 0; run < n; run++) {
        for (size_t i = 0; i < flats[run].n; i++) {
            const char *key = flats[run].pair[i].key;
            bool seen = strcmp(key, PRESET) == 0;
            for (size_t before = 0; before < run && !seen; before++) {
                seen = find(&flats[before], key, i) != NULL;
            }
            if (!seen && tells_apart(key, by_cost_name) && differs(flats, n, key, i)) {
                if (keys.n < KEYS_MOST) {
                    keys.key[keys.n] = key;
                }
                keys.n++;
            }
        }
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

static void append_values(const struct flat *flat, const struct keys *keys, struct text *text)
{
    for (size_t i = 0; i < keys->n; i++) {
        const char *key = keys->key[i];
        const char *value = find(flat, key, 0);
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
                      const struct flat *flats, const struct keys *keys)
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

static enum status choose(struct labelled_run *runs, size_t nruns, const struct flat *flats)
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
    struct flat *flats = arena_alloc(arena, nruns * sizeof *flats);
    status = flats == NULL ? STATUS_FAILED : STATUS_OK;
    for (size_t i = 0; i < nruns && status == STATUS_OK; i++) {
        status = read_config(&runs[i], arena, &flats[i]);
    }
    if (status == STATUS_OK) {
        status = choose(runs, nruns, flats);
    }
    arena_close(arena);
    return status;
}
