#include <string.h>

#include "config/arena.h"
#include "config/merge.h"
#include "config/scenario_parts.h"

/* The entry of `node` that the first `length` bytes of `name` name. */
static const struct config_node *step_into(const struct config_node *node, const char *name,
                                           size_t length)
{
    const struct config_node *child = node->kind == NODE_SCALAR ? NULL : node->first;
    for (; child != NULL; child = child->next) {
        const char *key = node->kind == NODE_MAPPING ? child->key : workload_node_name(child);
        if (key != NULL && strlen(key) == length && strncmp(key, name, length) == 0) {
            return child;
        }
    }
    return NULL;
}

const struct config_node *scenario_given(const struct scenario *scenario, const char *key)
{
    const struct config_node *node = scenario->given;
    while (node != NULL && *key != '\0') {
        size_t length = strcspn(key, ".");
        node = step_into(node, key, length);
        key += length;
        key += *key == '.';
    }
    return node;
}

const char *scenario_where(const struct scenario *scenario, const char *key)
{
    const struct config_node *node = scenario_given(scenario, key);
    if (node == NULL) {
        return scenario->source_path;
    }
    if (node->key_at.line == 0) {
        return node->key_at.file;
    }
    struct text place = {0};
    text_append_format(&place, "%s:%zu", node->key_at.file, node->key_at.line);
    const char *copy = arena_keep(scenario->arena, &place);
    return copy != NULL ? copy : scenario->source_path;
}
