#include "config/scenario_difference.h"

#include <string.h>

#include "base/text.h"
#include "config/merge.h"
#include "config/node.h"
#include "config/yaml_reader.h"

/* What changes no result. */
static const char *const passed_over[] = {"title", "output.file", "output.mpi_hints", "costs.name",
                                          "costs.description"};

struct comparison {
    const char *name_a, *name_b;
    struct text *difference;
};

static bool counts(const char *path)
{
    for (size_t i = 0; i < sizeof passed_over / sizeof passed_over[0]; i++) {
        if (strcmp(path, passed_over[i]) == 0) {
            return false;
        }
    }
    size_t length = strlen(path);
    bool of_cost = strncmp(path, "costs.costs.", 12) == 0;
    if (strncmp(path, "costs.contention.", 17) == 0 &&
        (text_ends_with(path, ".from") || text_ends_with(path, ".source"))) {
        return false;
    }
    return !of_cost || strcmp(path + length - 5, ".time") == 0 || strchr(path + 12, '.') == NULL;
}

static void describe(const struct config_node *node, struct text *text)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    text_append(text, node == NULL ? "missing" : node_describe(node, excerpt));
}

static bool differs(const struct comparison *comparison, const char *path,
                    const struct config_node *a, const struct config_node *b);

/* Entries of a list of workloads go by their names, those of other lists by their number. */
static const struct config_node *counterpart(const struct config_node *entry,
                                             const struct config_node *parent, size_t number)
{
    if (parent->kind == NODE_MAPPING) {
        return node_find(parent, entry->key);
    }
    const char *name = workload_node_name(entry);
    if (name != NULL) {
        return workload_node_find(parent, name);
    }
    const struct config_node *node = parent->first;
    for (; node != NULL && number > 0; number--) {
        node = node->next;
    }
    return node;
}

static void extend_path(struct text *path, const char *outer, const struct config_node *entry,
                        size_t number)
{
    const char *name = entry->key != NULL ? entry->key : workload_node_name(entry);
    text_append_format(path, "%s%s", outer, *outer == '\0' ? "" : ".");
    if (name != NULL) {
        text_append(path, name);
    } else {
        text_append_format(path, "%zu", number);
    }
}

/* Entries of `a` against `b`; with `missing_only`, only those that the other has not. */
static bool entries_differ(const struct comparison *comparison, const char *outer,
                           const struct config_node *a, const struct config_node *b, bool swapped)
{
    size_t number = 0;
    for (const struct config_node *entry = a->first; entry != NULL; entry = entry->next) {
        const struct config_node *other = counterpart(entry, b, number);
        struct text path = {0};
        extend_path(&path, outer, entry, number++);
        bool found = false;
        if (counts(text_string(&path)) && (!swapped || other == NULL)) {
            found = swapped ? differs(comparison, text_string(&path), NULL, entry)
                            : differs(comparison, text_string(&path), entry, other);
        }
        text_free(&path);
        if (found) {
            return true;
        }
    }
    return false;
}

static bool differs(const struct comparison *comparison, const char *path,
                    const struct config_node *a, const struct config_node *b)
{
    if (a != NULL && b != NULL && a->kind == b->kind) {
        if (a->kind != NODE_SCALAR) {
            return entries_differ(comparison, path, a, b, false) ||
                   entries_differ(comparison, path, b, a, true);
        }
        if (strcmp(a->text, b->text) == 0) {
            return false;
        }
    }
    struct text *text = comparison->difference;
    char excerpt[TEXT_EXCERPT_SIZE]; /* keys of a damaged file may be anything */
    const bool plain = strlen(path) < 256 && text_is_printable(path);
    text_append_format(text, "%s is ", plain ? path : text_excerpt(path, excerpt));
    describe(a, text);
    text_append_format(text, " in %s and ", comparison->name_a);
    describe(b, text);
    text_append_format(text, " in %s", comparison->name_b);
    return true;
}

enum status scenario_difference(const char *a, const char *name_a, const char *b,
                                const char *name_b, struct text *difference)
{
    struct config_arena *arena = NULL;
    enum status status = arena_open(&arena);
    if (status != STATUS_OK) {
        return status;
    }
    struct config_node *root_a = NULL;
    struct config_node *root_b = NULL;
    status = yaml_read_mapping(a, strlen(a), name_a, arena, &root_a);
    if (status == STATUS_OK) {
        status = yaml_read_mapping(b, strlen(b), name_b, arena, &root_b);
    }
    if (status == STATUS_OK) {
        const struct comparison comparison = {name_a, name_b, difference};
        (void)differs(&comparison, "", root_a, root_b);
        if (difference->failed) {
            status = fail(STATUS_RESOURCE, "out of memory for comparing scenarios");
        }
    }
    arena_close(arena);
    return status;
}
