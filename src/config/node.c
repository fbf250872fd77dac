#include "config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct config_node *node_new(struct config_arena *arena, enum node_kind kind,
                             const struct node_place *at)
{
    struct config_node *node = arena_alloc(arena, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
        node->at = *at;
        node->key_at = *at;
    }
    return node;
}

void node_append(struct config_node *parent, struct config_node *child)
{
    child->next = NULL;
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->count++;
}

struct config_node *node_find(const struct config_node *mapping, const char *key)
{
    if (mapping == NULL || mapping->kind != NODE_MAPPING) {
        return NULL;
    }
    for (struct config_node *child = mapping->first; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

struct config_node *node_take(struct config_node *mapping, const char *key)
{
    struct config_node *taken = node_find(mapping, key);
    if (taken == NULL) {
        return NULL;
    }
    struct config_node *before = NULL;
    for (struct config_node *child = mapping->first; child != taken; child = child->next) {
        before = child;
    }
    if (before == NULL) {
        mapping->first = taken->next;
    } else {
        before->next = taken->next;
    }
    if (mapping->last == taken) {
        mapping->last = before;
    }
    mapping->count--;
    taken->next = NULL;
    return taken;
}

bool node_is_empty(const struct config_node *node)
{
    static const char *const empty[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != NODE_SCALAR || node->quoted) {
        return false;
    }
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        if (strcmp(node->text, empty[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *node_describe(const struct config_node *node, char excerpt[TEXT_EXCERPT_SIZE])
{
    switch (node->kind) {
    case NODE_LIST:
        return "a list";
    case NODE_MAPPING:
        return "a mapping";
    case NODE_SCALAR:
        break;
    }
    return text_excerpt(node->text, excerpt);
}

void node_print_place(struct text *text, const struct node_place *place)
{
    text_append(text, place->file);
    if (place->line > 0) {
        text_append_format(text, ":%zu:%zu", place->line, place->column);
    }
}

enum status node_fail(const struct node_place *place, const char *format, ...)
{
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    struct text where = {0};
    node_print_place(&where, place);
    enum status status = fail(STATUS_USAGE, "%s: %s", text_string(&where), sentence);
    text_free(&where);
    return status;
}
