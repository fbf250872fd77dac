/* Which pages a range of this process has, from the kernel's own accounting: never from what was
 * asked for. */
#ifndef THRASH_HOST_TRANSLATION_PROOF_H
#define THRASH_HOST_TRANSLATION_PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"
#include "host/system.h"

/* Sums over the mappings of the range in /proc/self/smaps. */
struct page_proof {
    bool known;
    char why[160];       /* when it is not */
    byte_count mapped;   /* of the range */
    byte_count kernel;   /* KernelPageSize; the least of several mappings */
    byte_count resident; /* Rss, reserved pages included, which Rss leaves out */
    byte_count large;    /* AnonHugePages: by entries of the level above the last */
    byte_count swapped;
};

void page_proof_read(const struct host_system *system, const void *start, byte_count size,
                     struct page_proof *proof);

/* The size of all pages of the range; 0 when they are of several sizes, or not all there. `large`
 * is the size of a transparent page. `got`, if not NULL, gets it in words: "2MiB pages", "1.2GiB of
 * 4GiB in 2MiB pages, the rest in 4KiB pages". */
#define PAGE_PROOF_TEXT 200
byte_count page_proof_size(const struct page_proof *proof, byte_count large,
                           char got[PAGE_PROOF_TEXT]);

#endif
