#include "config/option_read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/option_value.h"

#define KEYS_LIMIT 128 /* more keys than any table has; later ones are not suggested */

void option_print_path(const struct option_frame *frame, struct text *text)
{
    if (frame->outer != NULL) {
        option_print_path(frame->outer, text);
    }
    if (frame->key != NULL) {
        text_append(text, text->size > 0 ? "." : "");
        text_append(text, frame->key);
    }
}

static enum status fail_at(const struct node_place *place, const struct option_frame *frame,
                           const char *clause)
{
    struct text path = {0};
    option_print_path(frame, &path);
    enum status status = node_fail(place, "%s%s%s", text_string(&path), path.size > 0 ? ": " : "",
                                   clause);
    text_free(&path);
    return status;
}

enum status option_fail(const struct option_frame *frame, const char *format, ...)
{
    char clause[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(clause, sizeof clause, format, arguments);
    va_end(arguments);
    const struct option_frame *given = frame;
    while (given->node == NULL) {
        given = given->outer;
    }
    return fail_at(&given->node->at, frame, clause);
}

/* The keys a mapping may have; for the search of the nearest. */
static size_t collect_keys(const struct option_table *table, const char *const *others,
                           const char *keys[KEYS_LIMIT])
{
    size_t count = 0;
    for (size_t i = 0; i < table->nrows && count < KEYS_LIMIT; i++) {
        keys[count++] = table->rows[i].key;
    }
    for (size_t i = 0; others != NULL && others[i] != NULL && count < KEYS_LIMIT; i++) {
        keys[count++] = others[i];
    }
    return count;
}

/* The section of `table` that has this key, NULL if none has. */
static const struct option_row *section_with(const struct option_table *table, const char *key)
{
    for (size_t i = 0; i < table->nrows; i++) {
        const struct option_row *row = &table->rows[i];
        for (size_t j = 0; row->type == OPTION_SECTION && j < row->section->nrows; j++) {
            if (strcmp(row->section->rows[j].key, key) == 0) {
                return row;
            }
        }
    }
    return NULL;
}

enum status option_fail_unknown(const struct option_frame *frame, const struct option_table *table,
                                const char *const *others)
{
    const char *keys[KEYS_LIMIT];
    const char *nearest = text_nearest(frame->key, keys, collect_keys(table, others, keys));
    const struct option_row *section = nearest == NULL ? section_with(table, frame->key) : NULL;
    struct text clause = {0};
    text_append(&clause, "unknown key");
    if (nearest != NULL) {
        text_append_format(&clause, ", did you mean `%s`?", nearest);
    } else if (section != NULL) {
        struct option_frame there = {frame->outer, section->key, NULL};
        struct text path = {0};
        option_print_path(&there, &path);
        text_append_format(&clause, ", did you mean `%s.%s`?", text_string(&path), frame->key);
        text_free(&path);
    } else {
        text_append_format(&clause, ", %s has the known ones",
                           table->known != NULL ? table->known : "`thrash list options`");
    }
    char excerpt[TEXT_EXCERPT_SIZE];
    struct option_frame shown = *frame; /* the key is the user's: it may hold anything */
    bool fit = strlen(frame->key) <= 40 && text_is_printable(frame->key);
    shown.key = fit ? frame->key : text_excerpt(frame->key, excerpt);
    enum status status = fail_at(&frame->node->key_at, &shown, text_string(&clause));
    text_free(&clause);
    return status;
}

static bool is_listed(const char *key, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (strcmp(key, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_row(const struct option_table *table, const char *key)
{
    for (size_t i = 0; i < table->nrows; i++) {
        if (strcmp(key, table->rows[i].key) == 0) {
            return true;
        }
    }
    return false;
}

static enum status check_keys(const struct option_table *table, const struct option_frame *frame,
                              const char *const *others)
{
    for (const struct config_node *child = frame->node->first; child != NULL; child = child->next) {
        if (!has_row(table, child->key) && !is_listed(child->key, others)) {
            struct option_frame inner = {frame, child->key, child};
            return option_fail_unknown(&inner, table, others);
        }
    }
    return STATUS_OK;
}

static enum status fail_reason(const struct option_frame *frame, struct text *reason)
{
    enum status status = option_fail(frame, "%s", text_string(reason));
    text_free(reason);
    return status;
}

static enum status read_default(const struct option_row *row, const struct option_frame *frame,
                                const struct catalogue *catalogue, void *object)
{
    if (row->fallback == NULL) {
        return option_fail(frame, "must be given: %s", row->help);
    }
    struct text reason = {0};
    if (option_parse(row, catalogue, row->fallback, object, &reason) != STATUS_OK) {
        return fail_reason(frame, &reason);
    }
    return STATUS_OK;
}

static enum status read_value(const struct option_row *row, const struct option_frame *frame,
                              const struct catalogue *catalogue, void *object)
{
    const struct config_node *node = frame->node;
    struct text reason = {0};
    char excerpt[TEXT_EXCERPT_SIZE];
    if (node->kind != NODE_SCALAR) {
        text_append_format(&reason, "expected a single value (%s), found %s", option_type_name(row),
                           node_describe(node, excerpt));
        return fail_reason(frame, &reason);
    }
    if (node_is_empty(node)) {
        text_append_format(&reason, "expected a value (%s), found %s", option_type_name(row),
                           text_excerpt(node->text, excerpt));
        return fail_reason(frame, &reason);
    }
    if (option_parse(row, catalogue, node->text, object, &reason) != STATUS_OK) {
        return fail_reason(frame, &reason);
    }
    return STATUS_OK;
}

enum status option_read(const struct option_table *table, const struct option_frame *frame,
                        const struct catalogue *catalogue, const char *const *others, void *object)
{
    const struct config_node *mapping = frame->node;
    if (mapping != NULL && node_is_empty(mapping)) {
        mapping = NULL;
    }
    if (mapping != NULL && mapping->kind != NODE_MAPPING) {
        char excerpt[TEXT_EXCERPT_SIZE];
        return option_fail(frame, "expected a mapping of keys to values, found %s",
                           node_describe(mapping, excerpt));
    }
    enum status status = mapping == NULL ? STATUS_OK : check_keys(table, frame, others);
    for (size_t i = 0; i < table->nrows && status == STATUS_OK; i++) {
        const struct option_row *row = &table->rows[i];
        struct option_frame inner = {frame, row->key, node_find(mapping, row->key)};
        if (row->type == OPTION_SECTION) {
            status = option_read(row->section, &inner, catalogue, NULL,
                                 (char *)object + row->offset);
        } else if (inner.node == NULL) {
            status = read_default(row, &inner, catalogue, object);
        } else {
            status = read_value(row, &inner, catalogue, object);
        }
    }
    return status;
}
