/* The memory of one configuration: every node, text and struct read from it, freed at once. */
#ifndef THRASH_CONFIG_ARENA_H
#define THRASH_CONFIG_ARENA_H

#include <stddef.h>

#include "base/status.h"
#include "base/text.h"

struct config_arena;

/* STATUS_FAILED when out of memory. */
enum status arena_open(struct config_arena **arena_p);

/* `size` zeroed bytes, aligned for any type; NULL after fail() when out of memory: the caller
 * returns STATUS_FAILED. */
void *arena_alloc(struct config_arena *arena, size_t size);

/* A zero-terminated copy of `size` bytes; NULL like arena_alloc(). */
char *arena_copy(struct config_arena *arena, const char *bytes, size_t size);

/* What was written into `text`, as a copy that belongs to the arena; empties `text`. NULL after
 * fail() when either of them ran out of memory. */
char *arena_keep(struct config_arena *arena, struct text *text);

void arena_close(struct config_arena *arena); /* NULL is allowed */

#endif
