/* The tree a YAML document is read into: mappings, lists and scalars, each with where it stands.
 *
 * Nodes and their text live in a config_arena. A tree is at most NODE_DEPTH_LIMIT deep and no list
 * or mapping has more than NODE_ENTRIES_LIMIT entries, so that recursion and linear search are
 * fine. A document has at most NODE_COUNT_LIMIT of them, with keys of at most NODE_KEY_LIMIT bytes,
 * so that there is memory for the dotted keys of all. Keys of a mapping are unique. */
#ifndef THRASH_CONFIG_NODE_H
#define THRASH_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/text.h"
#include "config/arena.h"

#define NODE_DEPTH_LIMIT   32
#define NODE_ENTRIES_LIMIT 1024
#define NODE_COUNT_LIMIT   65536
#define NODE_KEY_LIMIT     128

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct node_place {
    const char *file; /* or "--set KEY=VALUE" */
    size_t line;      /* from 1; 0: no line, the place is the whole of `file` */
    size_t column;    /* from 1 */
};

struct config_node {
    enum node_kind kind;
    bool quoted;                      /* a scalar in quotes is text even where it is empty */
    const char *text;                 /* of a scalar, never NULL there; no type is implied */
    const char *key;                  /* in a mapping; NULL for the root and in a list */
    struct node_place key_at;         /* of the key; of the value where there is no key */
    struct node_place at;             /* of the value */
    struct config_node *first, *last; /* entries of a list or mapping */
    struct config_node *next;         /* after this one, in the same list or mapping */
    size_t count;
};

/* NULL after fail() when out of memory. */
struct config_node *node_new(struct config_arena *arena, enum node_kind kind,
                             const struct node_place *at);

void node_append(struct config_node *parent, struct config_node *child);

/* The entry of `mapping` with this key, NULL if there is none (or `mapping` is no mapping). */
struct config_node *node_find(const struct config_node *mapping, const char *key);

/* Takes the entry with this key out of `mapping` and returns it, NULL if there is none. */
struct config_node *node_take(struct config_node *mapping, const char *key);

/* A plain scalar that holds nothing: `key:`, `~` or `null`. */
bool node_is_empty(const struct config_node *node);

/* "a mapping", "a list", or the excerpt of a scalar, for "found ...". */
const char *node_describe(const struct config_node *node, char excerpt[TEXT_EXCERPT_SIZE]);

/* Appends "file:line:column", or "file" where there is no line. */
void node_print_place(struct text *text, const struct node_place *place);

/* fail(STATUS_USAGE) with the place and one sentence: "file:line:column: <sentence>". */
enum status node_fail(const struct node_place *place, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
