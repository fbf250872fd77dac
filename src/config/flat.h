/* A configuration as a flat list: its dotted keys and their values, for comparing several. */
#ifndef THRASH_CONFIG_FLAT_H
#define THRASH_CONFIG_FLAT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "config/arena.h"

struct flat_entry {
    const char *key; /* "machine.memory"; workloads go by their names: "workloads.database.kind" */
    const char *value;
};

struct flat_config {
    struct flat_entry *entry; /* in the order of the text */
    size_t n;
};

/* Reads the YAML mapping `text`, which messages call `name`. Everything belongs to the arena.
 * STATUS_FAILED when it is no mapping, or out of memory. */
enum status flat_config_read(const char *text, const char *name, struct config_arena *arena,
                             struct flat_config *flat_p);

/* The value of a key, NULL if there is none. The search begins at entry `guess`: most
 * configurations have a key at the same place. */
const char *flat_config_find(const struct flat_config *flat, const char *key, size_t guess);

/* Whether not all of `n` > 0 configurations have the same value of the key, or have it at all. */
bool flat_configs_differ(const struct flat_config *flats, size_t n, const char *key, size_t guess);

/* Where a walk over the keys that differ has come to; begins as {0}. */
struct flat_cursor {
    size_t config, entry;
};

/* The next key that tells `n` > 0 configurations apart, NULL when there is none left. Titles, where
 * results go and where costs are from tell nothing; costs are told by the name of their profile
 * where that differs. */
const char *flat_configs_next(const struct flat_config *flats, size_t n,
                              struct flat_cursor *cursor);

#endif
