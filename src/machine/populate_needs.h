/* What populate will need, known before there is a cell. */
#ifndef THRASH_MACHINE_POPULATE_NEEDS_H
#define THRASH_MACHINE_POPULATE_NEEDS_H

#include "machine/cell.h"

struct populate_needs {
    page_count frames; /* that are taken when the clock starts, but for ballast */
    page_count kept;   /* that must be free beside them: populate does not reclaim, and the last
                          frames above nothing but a watermark are not to be had */
    page_count apart;  /* that may be left over in cells, a few in each: too few for what the last
                          process needs at a time */
};

/* Frames of populated pages, page tables and directories, chains of ptes, mem_map and the kernel's
 * own memory, pool of large pages. Where the kernel reaches a part of memory only, what it may run
 * out of is low memory, which is a verdict of a run: then neither chains nor `kept` nor `apart` are
 * counted, and the sum is the least that is needed. STATUS_RESOURCE when this host is out of
 * memory. */
enum status populate_needs(const struct scenario *scenario, const struct plan *plan,
                           const struct design *design, struct populate_needs *needs_p);

/* Kernel text, static tables and boot allocations of a machine of so much memory. */
byte_count populate_image_bytes(byte_count memory);

#endif
