#include <string.h>

#include "config/document.h"
#include "config/merge.h"
#include "config/yaml_reader.h"

/* "--set machine.memory=1TiB" as places and messages name it. */
static const char *origin_of(const char *setting, struct config_arena *arena)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    (void)text_excerpt(setting, excerpt);
    size_t quoted = strlen(excerpt);
    if (excerpt[0] == '`') { /* without the quotes of an excerpt */
        memmove(excerpt, excerpt + 1, quoted);
        excerpt[quoted - 2] = '\0';
    }
    struct text origin = {0};
    text_append_format(&origin, "--set %s", excerpt);
    return arena_keep(arena, &origin);
}

static enum status check_workload(const struct document *document, const char *name,
                                  const struct node_place *place)
{
    const struct config_node *workloads = node_find(document->root, "workloads");
    if (workload_node_find(workloads, name) != NULL) {
        return STATUS_OK;
    }
    const char *names[NODE_ENTRIES_LIMIT];
    size_t count = 0;
    if (workloads != NULL && workloads->kind == NODE_LIST) {
        for (struct config_node *entry = workloads->first;
             entry != NULL && count < NODE_ENTRIES_LIMIT; entry = entry->next) {
            const char *entry_name = workload_node_name(entry);
            if (entry_name != NULL) {
                names[count++] = entry_name;
            }
        }
    }
    char excerpt[TEXT_EXCERPT_SIZE];
    char nearest_excerpt[TEXT_EXCERPT_SIZE];
    const char *nearest = text_nearest(name, names, count);
    if (nearest == NULL) {
        return node_fail(place, "workloads: expected the name of a workload, found %s",
                         text_excerpt(name, excerpt));
    }
    return node_fail(place,
                     "workloads: expected the name of a workload, found %s, did you mean %s?",
                     text_excerpt(name, excerpt), text_excerpt(nearest, nearest_excerpt));
}

/* Makes `value` the value of `key` in a mapping of its own. */
static struct config_node *wrap(struct config_node *value, const char *key,
                                struct config_arena *arena)
{
    struct config_node *mapping = node_new(arena, NODE_MAPPING, &value->at);
    if (mapping != NULL) {
        value->key = key;
        node_append(mapping, value);
    }
    return mapping;
}

/* Makes `options` the workload of this name in a list of its own. */
static struct config_node *wrap_workload(struct config_node *options, const char *name,
                                         struct config_arena *arena)
{
    struct config_node *list = node_new(arena, NODE_LIST, &options->at);
    struct config_node *text = node_new(arena, NODE_SCALAR, &options->at);
    if (list == NULL || text == NULL) {
        return NULL;
    }
    text->key = "name";
    text->text = name;
    text->quoted = true;
    options->key = NULL;
    node_append(options, text);
    node_append(list, options);
    return list;
}

/* Splits "a.b.c" in place into at most NODE_DEPTH_LIMIT - 1 names; 0 when that cannot be done. */
static size_t split_key(char *dotted, const char *names[NODE_DEPTH_LIMIT])
{
    size_t count = 0;
    for (char *name = dotted; name != NULL;) {
        char *dot = strchr(name, '.');
        if (dot != NULL) {
            *dot = '\0';
        }
        if (*name == '\0' || count == NODE_DEPTH_LIMIT - 1) {
            return 0;
        }
        names[count++] = name;
        name = dot == NULL ? NULL : dot + 1;
    }
    return count;
}

static enum status wrap_keys(const struct document *document, struct config_node *value,
                             const char *const *names, size_t count, struct config_arena *arena,
                             struct config_node **over_p)
{
    struct config_node *over = value;
    bool workload = count > 1 && strcmp(names[0], "workloads") == 0;
    for (size_t i = count; i-- > 0;) {
        if (workload && i == 1) {
            enum status status = check_workload(document, names[1], &value->at);
            if (status != STATUS_OK) {
                return status;
            }
            if (over->kind != NODE_MAPPING) {
                char excerpt[TEXT_EXCERPT_SIZE];
                return node_fail(&value->at,
                                 "workloads.%s: expected a mapping of keys to values, found %s",
                                 names[1], node_describe(over, excerpt));
            }
            if (node_find(over, "name") != NULL) {
                return node_fail(
                    &value->at, "workloads.%s.name: belongs in a file, it cannot be set", names[1]);
            }
            over = wrap_workload(over, names[1], arena);
        } else {
            over = wrap(over, names[i], arena);
        }
        if (over == NULL) {
            return STATUS_FAILED;
        }
    }
    *over_p = over;
    return STATUS_OK;
}

enum status document_set(struct document *document, const char *setting, struct config_arena *arena)
{
    const char *origin = origin_of(setting, arena);
    if (origin == NULL) {
        return STATUS_FAILED;
    }
    struct node_place place = {origin, 0, 0};
    const char *equals = strchr(setting, '=');
    if (equals == NULL) {
        return node_fail(&place, "expected KEY=VALUE, such as machine.memory=1TiB");
    }
    char *dotted = arena_copy(arena, setting, (size_t)(equals - setting));
    if (dotted == NULL) {
        return STATUS_FAILED;
    }
    const char *names[NODE_DEPTH_LIMIT];
    size_t count = split_key(dotted, names);
    if (count == 0) {
        return node_fail(&place, "expected a dotted key before `=`, such as machine.memory");
    }
    if (strcmp(names[0], "include") == 0) {
        return node_fail(&place, "include: belongs in a file, it cannot be set");
    }
    struct config_node *over = NULL;
    enum status status = yaml_read_value(equals + 1, origin, arena, &over);
    if (status == STATUS_OK) {
        status = wrap_keys(document, over, names, count, arena, &over);
    }
    if (status == STATUS_OK) {
        status = workload_nodes_check(over);
    }
    if (status == STATUS_OK) {
        merge_documents(document->root, over);
    }
    return status;
}
