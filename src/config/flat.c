#include "config/flat.h"

#include <string.h>

#include "base/text.h"
#include "config/merge.h"
#include "config/node.h"
#include "config/yaml_reader.h"

static size_t count_leaves(const struct config_node *node)
{
    size_t leaves = node->kind == NODE_SCALAR;
    const struct config_node *child = node->kind == NODE_SCALAR ? NULL : node->first;
    for (; child != NULL; child = child->next) {
        leaves += count_leaves(child);
    }
    return leaves;
}

/* What tells runs apart is shown as it is; a file that is no work of ours may hold anything. */
static const char *plain(const char *text, struct config_arena *arena)
{
    if (text_is_printable(text)) {
        return text;
    }
    char *copy = arena_copy(arena, text, strlen(text));
    if (copy != NULL) {
        text_make_printable(copy, false);
    }
    return copy;
}

/* Appends the leaves below `node`. */
static enum status flatten(const struct config_node *node, const char *key,
                           struct config_arena *arena, struct flat_config *flat)
{
    if (node->kind == NODE_SCALAR) {
        const struct flat_entry entry = {plain(key, arena), plain(node->text, arena)};
        flat->entry[flat->n++] = entry;
        return entry.key == NULL || entry.value == NULL ? STATUS_FAILED : STATUS_OK;
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

enum status flat_config_read(const char *text, const char *name, struct config_arena *arena,
                             struct flat_config *flat_p)
{
    struct config_node *root = NULL;
    if (yaml_read_mapping(text, strlen(text), name, arena, &root) != STATUS_OK) {
        return STATUS_FAILED;
    }
    struct flat_config flat = {
        .entry = arena_alloc(arena, (count_leaves(root) + 1) * sizeof *flat.entry)};
    enum status status = flat.entry == NULL ? STATUS_FAILED : flatten(root, "", arena, &flat);
    if (status == STATUS_OK) {
        *flat_p = flat;
    }
    return status;
}

const char *flat_config_find(const struct flat_config *flat, const char *key, size_t guess)
{
    for (size_t i = 0; i < flat->n; i++) {
        const struct flat_entry *entry = &flat->entry[(guess + i) % flat->n];
        if (strcmp(entry->key, key) == 0) {
            return entry->value;
        }
    }
    return NULL;
}

bool flat_configs_differ(const struct flat_config *flats, size_t n, const char *key, size_t guess)
{
    const char *first = flat_config_find(&flats[0], key, guess);
    for (size_t i = 1; i < n; i++) {
        const char *other = flat_config_find(&flats[i], key, guess);
        if ((first == NULL) != (other == NULL) || (first != NULL && strcmp(first, other) != 0)) {
            return true;
        }
    }
    return false;
}

static bool tells_apart(const char *key, bool by_cost_name)
{
    return strcmp(key, "title") != 0 && strncmp(key, "output.", 7) != 0 &&
           !text_ends_with(key, ".source") && !text_ends_with(key, ".from") &&
           !text_ends_with(key, ".description") &&
           !(by_cost_name &&
             (strncmp(key, "costs.costs.", 12) == 0 || strncmp(key, "costs.contention.", 17) == 0));
}

/* Whether an earlier configuration has the key, so that it was looked at there. */
static bool was_seen(const struct flat_config *flats, size_t before, const char *key, size_t guess)
{
    bool seen = false;
    for (size_t i = 0; i < before && !seen; i++) {
        seen = flat_config_find(&flats[i], key, guess) != NULL;
    }
    return seen;
}

const char *flat_configs_next(const struct flat_config *flats, size_t n, struct flat_cursor *cursor)
{
    const bool by_cost_name = flat_configs_differ(flats, n, "costs.name", 0);
    for (; cursor->config < n; cursor->config++, cursor->entry = 0) {
        const struct flat_config *flat = &flats[cursor->config];
        while (cursor->entry < flat->n) {
            const size_t i = cursor->entry++;
            const char *key = flat->entry[i].key;
            if (tells_apart(key, by_cost_name) && !was_seen(flats, cursor->config, key, i) &&
                flat_configs_differ(flats, n, key, i)) {
                return key;
            }
        }
    }
    return NULL;
}
