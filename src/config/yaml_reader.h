/* Reads one YAML document into a tree.
 *
 * Accepted is the part of YAML that a configuration needs: block and flow mappings and lists,
 * plain and quoted scalars, comments. Refused, each with its place: anchors, aliases, tags,
 * duplicate keys, keys that are not text, a second document, zero bytes and anything that is not
 * UTF-8, more than YAML_SIZE_LIMIT bytes, more depth, entries or keys than node.h allows. */
#ifndef THRASH_CONFIG_YAML_READER_H
#define THRASH_CONFIG_YAML_READER_H

#include <stddef.h>

#include "base/status.h"
#include "config/arena.h"
#include "config/node.h"

#define YAML_SIZE_LIMIT ((size_t)1 << 20)

/* Any document. `file` names it in messages and must live as long as the arena; it is copied by
 * nobody. An empty document gives an empty scalar. */
enum status yaml_read_text(const char *text, size_t size, const char *file,
                           struct config_arena *arena, struct config_node **root_p);

/* A document whose root is a mapping, as all files of thrash are; an empty one is refused. */
enum status yaml_read_mapping(const char *text, size_t size, const char *file,
                              struct config_arena *arena, struct config_node **root_p);

/* One value in a single string, such as the right-hand side of --set: any document, but places have
 * no line, since `origin` ("--set KEY=VALUE") says all there is to say. */
enum status yaml_read_value(const char *text, const char *origin, struct config_arena *arena,
                            struct config_node **root_p);

#endif
