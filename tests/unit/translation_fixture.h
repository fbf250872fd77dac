/* The pages of this host, and how memory can be had in them, for tests of host/translation/. */
#ifndef TRANSLATION_FIXTURE_H
#define TRANSLATION_FIXTURE_H

#include "host/translation/region.h"

#define KIB ((byte_count)1 << 10)
#define MIB ((byte_count)1 << 20)

struct this_host {
    struct host_system system;
    struct host_pages pages;
    struct backing backings[BACKINGS];
    size_t nbackings;
};

extern struct this_host this_host;

/* Reads all of that. */
void this_host_read(void);

/* NULL where the host has none of this kind. */
const struct backing *find_backing(enum backing_kind kind);

#endif
