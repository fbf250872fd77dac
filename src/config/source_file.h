/* Configuration files as bytes: only regular files of at most YAML_SIZE_LIMIT bytes. */
#ifndef THRASH_CONFIG_SOURCE_FILE_H
#define THRASH_CONFIG_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/status.h"
#include "config/arena.h"
#include "config/node.h"

struct source_file {
    const char *path;
    const char *text; /* zero-terminated, may hold zero bytes too */
    size_t size;
    dev_t device; /* device and inode tell whether two paths name one file */
    ino_t inode;
};

/* `from` is the place that asked for the file, NULL when a command line did. `path` is copied. */
enum status source_file_read(const char *path, const struct node_place *from,
                             struct config_arena *arena, struct source_file *file_p);

/* Whether a document may name such a file: messages show paths as they are, so control characters
 * are refused, and lengths that would leave no room for the rest of the sentence. */
#define SOURCE_PATH_RULE "a path of at most 512 bytes without control characters"
bool source_path_is_good(const char *path);

bool source_file_exists(const char *path);

/* `name` in the directory of `file` ("configs/a.yaml", "b.yaml": "configs/b.yaml"); `name` alone
 * when it is absolute or `file` names no directory. NULL after fail() when out of memory. */
char *source_file_beside(const char *file, const char *name, struct config_arena *arena);

#endif
