/* The files of a scenario put together: the file itself, what it includes, and --set.
 *
 * `include:` names one file or a list of them, absolute or relative to the including file; what is
 * no regular file is refused. Later files win over earlier ones, the including file's own keys over
 * all of them (merge.h). At most INCLUDE_LIMIT files are read. */
#ifndef THRASH_CONFIG_DOCUMENT_H
#define THRASH_CONFIG_DOCUMENT_H

#include <stddef.h>

#include "base/status.h"
#include "config/arena.h"
#include "config/node.h"

#define INCLUDE_LIMIT 64

struct document {
    struct config_node *root; /* a mapping without `include` */
    const char *path;         /* of the outermost file, as given */
    const char *text;         /* of that file, as it was read */
};

enum status document_load_file(const char *path, struct config_arena *arena,
                               struct document *document_p);

/* The same with the outermost file's bytes given; it need not exist. */
enum status document_load_text(const char *text, size_t size, const char *path,
                               struct config_arena *arena, struct document *document_p);

/* Merges one "dotted.key=value" of a command line on top. The value is a YAML scalar or flow
 * collection; workloads are addressed by name (`workloads.database.processes=100`) and must exist.
 * Whether the key exists is for the reader of the options to say, which knows them. */
enum status document_set(struct document *document, const char *setting,
                         struct config_arena *arena);

#endif
