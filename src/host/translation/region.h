/* Memory with pages of one size, all of them there, the size proved. */
#ifndef THRASH_HOST_TRANSLATION_REGION_H
#define THRASH_HOST_TRANSLATION_REGION_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/types.h"
#include "host/system.h"
#include "host/translation/backing.h"
#include "host/translation/proof.h"

struct region {
    struct backing asked;
    char *memory;            /* aligned to the page that was asked for */
    byte_count size;         /* whole pages */
    struct page_proof proof; /* as it was after all pages had been written */
    byte_count got;          /* size of its pages; 0: of several sizes */
    char got_text[PAGE_PROOF_TEXT];
    void *mapping; /* what is to be unmapped: there is nothing next to the memory */
    byte_count mapping_size;
};

#define REGION_WHY 320

/* Maps at least `size` bytes (> 0), writes to every page, and proves their size; region->got may be
 * another one than was asked for. False with the reason in `why` when the memory cannot be had, or
 * `*stop` (if not NULL) became nonzero; then there is nothing to close. */
bool region_open(const struct host_system *system, const struct host_pages *pages,
                 const struct backing *asked, byte_count size, const atomic_int *stop,
                 struct region *region_p, char why[REGION_WHY]);

void region_close(struct region *region);

#endif
