#include "config/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* One allocation each, so that a sanitizer sees the bounds of every object. */
struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
};

struct config_arena {
    struct block *blocks;
};

enum status arena_open(struct config_arena **arena_p)
{
    struct config_arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        return fail(STATUS_FAILED, "out of memory for the configuration");
    }
    *arena_p = arena;
    return STATUS_OK;
}

void *arena_alloc(struct config_arena *arena, size_t size)
{
    struct block *block = size > SIZE_MAX / 2 ? NULL : calloc(1, sizeof *block + size);
    if (block == NULL) {
        (void)fail(STATUS_FAILED, "out of memory for the configuration");
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

char *arena_copy(struct config_arena *arena, const char *bytes, size_t size)
{
    char *copy = arena_alloc(arena, size + 1);
    if (copy != NULL) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

char *arena_keep(struct config_arena *arena, struct text *text)
{
    char *copy = NULL;
    if (text->failed) {
        (void)fail(STATUS_FAILED, "out of memory for the configuration");
    } else {
        copy = arena_copy(arena, text_string(text), text->size);
    }
    text_free(text);
    return copy;
}

void arena_close(struct config_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    while (arena->blocks != NULL) {
        struct block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    free(arena);
}
