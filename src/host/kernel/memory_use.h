/* What the kernel accounts to this process: page-table bytes, and the size of the pages that a
 * mapping really has. Nothing here allocates, so that processes made by fork can use it. */
#ifndef THRASH_HOST_KERNEL_MEMORY_USE_H
#define THRASH_HOST_KERNEL_MEMORY_USE_H

#include <stdbool.h>

#include "base/types.h"

/* VmPTE of /proc/self/status: pages of ptes and of the directories above them, without the page of
 * the top level. False when it is not there. */
bool memory_use_page_tables(byte_count *bytes_p);

/* Of the mapping that begins at `address` (/proc/self/smaps), in bytes. */
struct memory_use {
    byte_count size;
    byte_count resident;    /* hugetlb pages included */
    byte_count large;       /* mapped by entries of a page directory: transparent and hugetlb */
    byte_count kernel_page; /* KernelPageSize */
};

bool memory_use_mapping(const void *address, struct memory_use *use_p);

#endif
