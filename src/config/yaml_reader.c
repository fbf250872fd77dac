#include "config/yaml_reader.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <yaml.h>

/* A list or mapping that is being read. */
struct level {
    struct config_node *node;
    enum node_kind kind; /* of the node */
    const char *key;     /* of the value that comes next, in a mapping; NULL before the key */
    struct node_place key_at;
};

struct reader {
    struct config_arena *arena;
    const char *file;
    const char *text;
    size_t size;
    bool lines; /* places have lines */
    struct config_node *root;
    struct level levels[NODE_DEPTH_LIMIT];
    size_t depth;
    size_t documents;
    size_t nodes;
};

static struct node_place place_of(const struct reader *reader, const yaml_mark_t *mark)
{
    if (!reader->lines) {
        return (struct node_place){reader->file, 0, 0};
    }
    return (struct node_place){reader->file, mark->line + 1, mark->column + 1};
}

static struct node_place place_of_byte(const struct reader *reader, size_t offset)
{
    struct node_place place = {reader->file, 1, 1};
    if (!reader->lines) {
        return (struct node_place){reader->file, 0, 0};
    }
    for (size_t i = 0; i < offset; i++) {
        place.column++;
        if (reader->text[i] == '\n') {
            place.line++;
            place.column = 1;
        }
    }
    return place;
}

/* Before YAML sees it: what is no text at all deserves a plainer sentence than a parser's. */
static enum status check_encoding(const struct reader *reader)
{
    for (size_t i = 0; i < reader->size;) {
        uint32_t character = 0;
        size_t bytes = text_decode(reader->text + i, reader->size - i, &character);
        if (bytes == 0 || character == 0) {
            struct node_place place = place_of_byte(reader, i);
            return node_fail(&place, "expected UTF-8 text, found the byte 0x%02x",
                             (unsigned)(unsigned char)reader->text[i]);
        }
        i += bytes;
    }
    return STATUS_OK;
}

/* Whether the line with this number (from 0) is indented with a tab. */
static bool starts_with_tab(const struct reader *reader, size_t number)
{
    const char *line = reader->text;
    const char *end = reader->text + reader->size;
    for (size_t i = 0; i < number; i++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline == NULL) {
            return false;
        }
        line = newline + 1;
    }
    while (line < end && *line == ' ') {
        line++;
    }
    return line < end && *line == '\t';
}

static enum status fail_parser(const struct reader *reader, const yaml_parser_t *parser)
{
    if (parser->error == YAML_MEMORY_ERROR) {
        return fail(STATUS_FAILED, "%s: out of memory", reader->file);
    }
    const char *problem = parser->problem != NULL ? parser->problem : "unreadable";
    if (parser->error == YAML_READER_ERROR) {
        struct node_place place = place_of_byte(
            reader, parser->problem_offset < reader->size ? parser->problem_offset : reader->size);
        return node_fail(&place, "not valid YAML: %s", problem);
    }
    struct node_place place = place_of(reader, &parser->problem_mark);
    if (starts_with_tab(reader, parser->problem_mark.line)) {
        return node_fail(&place, "not valid YAML: lines are indented with spaces, found a tab");
    }
    return node_fail(&place, "not valid YAML: %s%s%s", problem, parser->context != NULL ? " " : "",
                     parser->context != NULL ? parser->context : "");
}

static struct level *innermost(struct reader *reader)
{
    return reader->depth == 0 ? NULL : &reader->levels[reader->depth - 1];
}

static bool expects_key(const struct level *level)
{
    return level != NULL && level->kind == NODE_MAPPING && level->key == NULL;
}

static enum status read_key(struct reader *reader, struct level *level, const yaml_event_t *event)
{
    struct node_place place = place_of(reader, &event->start_mark);
    const char *name = (const char *)event->data.scalar.value;
    char excerpt[TEXT_EXCERPT_SIZE];
    if (event->data.scalar.length == 0) {
        return node_fail(&place, "expected a key before the colon, found nothing");
    }
    if (event->data.scalar.length > NODE_KEY_LIMIT) {
        return node_fail(&place, "expected a key of at most %d bytes, found %s", NODE_KEY_LIMIT,
                         text_excerpt(name, excerpt));
    }
    const struct config_node *earlier = node_find(level->node, name);
    if (earlier != NULL && earlier->key_at.line > 0) {
        return node_fail(&place, "%s is given twice, first in line %zu",
                         text_excerpt(name, excerpt), earlier->key_at.line);
    }
    if (earlier != NULL) {
        return node_fail(&place, "%s is given twice", text_excerpt(name, excerpt));
    }
    level->key = arena_copy(reader->arena, name, event->data.scalar.length);
    level->key_at = place;
    return level->key == NULL ? STATUS_FAILED : STATUS_OK;
}

/* Puts a new node where the document has it: root, list entry, or value of the key before. */
static enum status add_node(struct reader *reader, enum node_kind kind, const yaml_event_t *event,
                            struct config_node **node_p)
{
    struct node_place place = place_of(reader, &event->start_mark);
    struct level *level = innermost(reader);
    if (level != NULL && level->node->count == NODE_ENTRIES_LIMIT) {
        return node_fail(&place, "expected at most %d entries in %s", NODE_ENTRIES_LIMIT,
                         level->kind == NODE_LIST ? "a list" : "a mapping");
    }
    if (reader->nodes++ == NODE_COUNT_LIMIT) {
        return node_fail(&place, "expected at most %d values in a document", NODE_COUNT_LIMIT);
    }
    struct config_node *node = node_new(reader->arena, kind, &place);
    if (node == NULL) {
        return STATUS_FAILED;
    }
    if (level == NULL) {
        reader->root = node;
    } else {
        if (level->kind == NODE_MAPPING) {
            node->key = level->key;
            node->key_at = level->key_at;
            level->key = NULL;
        }
        node_append(level->node, node);
    }
    *node_p = node;
    return STATUS_OK;
}

static enum status read_scalar(struct reader *reader, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(value, '\0', length) != NULL) {
        struct node_place place = place_of(reader, &event->start_mark);
        return node_fail(&place, "expected text, found a zero byte in it");
    }
    struct level *level = innermost(reader);
    if (expects_key(level)) {
        return read_key(reader, level, event);
    }
    struct config_node *node = NULL;
    enum status status = add_node(reader, NODE_SCALAR, event, &node);
    if (node == NULL) {
        return status;
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_copy(reader->arena, value, length);
    return node->text == NULL ? STATUS_FAILED : STATUS_OK;
}

static enum status open_level(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
    struct node_place place = place_of(reader, &event->start_mark);
    struct level *level = innermost(reader);
    if (expects_key(level)) {
        return node_fail(&place, "expected text as a key, found %s",
                         kind == NODE_LIST ? "a list" : "a mapping");
    }
    if (reader->depth == NODE_DEPTH_LIMIT) {
        return node_fail(&place, "expected at most %d levels of lists and mappings",
                         NODE_DEPTH_LIMIT);
    }
    struct config_node *node = NULL;
    enum status status = add_node(reader, kind, event, &node);
    if (node != NULL) {
        reader->levels[reader->depth++] = (struct level){.node = node, .kind = kind};
    }
    return status;
}

static enum status refuse_property(const struct reader *reader, const yaml_event_t *event,
                                   const char *what, const char *mark, const yaml_char_t *name)
{
    struct node_place place = place_of(reader, &event->start_mark);
    char excerpt[TEXT_EXCERPT_SIZE];
    struct text spelled = {0};
    text_append(&spelled, mark);
    text_append(&spelled, (const char *)name);
    enum status status = node_fail(&place, "%s is not understood here, found %s", what,
                                   text_excerpt(text_string(&spelled), excerpt));
    text_free(&spelled);
    return status;
}

static enum status check_properties(const struct reader *reader, const yaml_event_t *event,
                                    const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        return refuse_property(reader, event, "an anchor", "&", anchor);
    }
    if (tag != NULL) {
        return refuse_property(reader, event, "a tag", "", tag);
    }
    return STATUS_OK;
}

static enum status read_event(struct reader *reader, const yaml_event_t *event)
{
    enum status status = STATUS_OK;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return refuse_property(reader, event, "an alias", "*", event->data.alias.anchor);
    case YAML_SCALAR_EVENT:
        status = check_properties(reader, event, event->data.scalar.anchor, event->data.scalar.tag);
        return status != STATUS_OK ? status : read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        status = check_properties(reader, event, event->data.sequence_start.anchor,
                                  event->data.sequence_start.tag);
        return status != STATUS_OK ? status : open_level(reader, NODE_LIST, event);
    case YAML_MAPPING_START_EVENT:
        status = check_properties(reader, event, event->data.mapping_start.anchor,
                                  event->data.mapping_start.tag);
        return status != STATUS_OK ? status : open_level(reader, NODE_MAPPING, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        return STATUS_OK;
    case YAML_DOCUMENT_START_EVENT:
        if (++reader->documents > 1) {
            struct node_place place = place_of(reader, &event->start_mark);
            return node_fail(&place, "expected one YAML document, found a second one");
        }
        return STATUS_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
    return STATUS_OK;
}

static enum status read_events(struct reader *reader)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) {
        return fail(STATUS_FAILED, "%s: out of memory", reader->file);
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)reader->text, reader->size);
    enum status status = STATUS_OK;
    for (bool done = false; !done && status == STATUS_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = fail_parser(reader, &parser);
            break;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        status = read_event(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

static enum status read_document(struct reader *reader, struct config_node **root_p)
{
    if (reader->size > YAML_SIZE_LIMIT) {
        return fail(STATUS_USAGE, "%s: expected at most %zu bytes, found %zu", reader->file,
                    YAML_SIZE_LIMIT, reader->size);
    }
    if (reader->size >= 3 && memcmp(reader->text, "\xef\xbb\xbf", 3) == 0) {
        reader->text += 3; /* a byte order mark, which would count as a column */
        reader->size -= 3;
    }
    enum status status = check_encoding(reader);
    if (status == STATUS_OK) {
        status = read_events(reader);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (reader->root == NULL) {
        struct node_place place = place_of_byte(reader, 0);
        reader->root = node_new(reader->arena, NODE_SCALAR, &place);
        if (reader->root == NULL) {
            return STATUS_FAILED;
        }
        reader->root->text = "";
    }
    *root_p = reader->root;
    return STATUS_OK;
}

enum status yaml_read_text(const char *text, size_t size, const char *file,
                           struct config_arena *arena, struct config_node **root_p)
{
    struct reader reader = {
        .arena = arena, .file = file, .text = text, .size = size, .lines = true};
    return read_document(&reader, root_p);
}

enum status yaml_read_mapping(const char *text, size_t size, const char *file,
                              struct config_arena *arena, struct config_node **root_p)
{
    struct config_node *root = NULL;
    enum status status = yaml_read_text(text, size, file, arena, &root);
    if (root == NULL) {
        return status;
    }
    if (node_is_empty(root)) {
        return fail(STATUS_USAGE, "%s: is empty, expected a mapping of keys to values", file);
    }
    if (root->kind != NODE_MAPPING) {
        char excerpt[TEXT_EXCERPT_SIZE];
        return node_fail(&root->at, "expected a mapping of keys to values, found %s",
                         node_describe(root, excerpt));
    }
    *root_p = root;
    return STATUS_OK;
}

enum status yaml_read_value(const char *text, const char *origin, struct config_arena *arena,
                            struct config_node **root_p)
{
    struct reader reader = {.arena = arena, .file = origin, .text = text, .size = strlen(text)};
    return read_document(&reader, root_p);
}
