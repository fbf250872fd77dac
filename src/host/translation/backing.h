/* Kinds of pages that memory can be asked for: base pages, transparent large pages, and each pool
 * of reserved ones. */
#ifndef THRASH_HOST_TRANSLATION_BACKING_H
#define THRASH_HOST_TRANSLATION_BACKING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"
#include "host/pages.h"

enum backing_kind {
    BACKING_BASE,        /* MADV_NOHUGEPAGE */
    BACKING_TRANSPARENT, /* MADV_HUGEPAGE, aligned */
    BACKING_RESERVED,    /* MAP_HUGETLB with the size as a flag */
};

struct backing {
    enum backing_kind kind;
    byte_count page; /* size that is asked for */
    char name[32];   /* "4KiB", "2MiB-thp", "1GiB-hugetlb" */
};

#define BACKINGS (HOST_PAGE_SIZES + 2)

/* All that this kernel offers, base pages first, whether or not any are to be had now. Returns how
 * many. */
size_t backing_list(const struct host_pages *pages, struct backing backings[BACKINGS]);

#endif
