#include "host/translation/backing.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

static struct backing make(enum backing_kind kind, byte_count page)
{
    static const char *const ends[] = {"", "-thp", "-hugetlb"};
    struct backing backing = {.kind = kind, .page = page};
    char size[UNITS_TEXT_SIZE];
    (void)snprintf(backing.name, sizeof backing.name, "%.20s%s", units_print_size(page, size),
                   ends[kind]);
    return backing;
}

size_t backing_list(const struct host_pages *pages, struct backing backings[BACKINGS])
{
    size_t n = 0;
    backings[n++] = make(BACKING_BASE, pages->base);
    if (pages->thp_size > 0) {
        backings[n++] = make(BACKING_TRANSPARENT, pages->thp_size);
    }
    for (size_t i = 0; i < pages->nhugetlb; i++) {
        backings[n++] = make(BACKING_RESERVED, pages->hugetlb[i].size);
    }
    return n;
}
