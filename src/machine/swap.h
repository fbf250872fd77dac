/* Swap slots: which page is kept where on the swap devices.
 *
 * Allocation follows 2.4 and 2.6.0 alike (mm/swapfile.c of both): devices of equal priority take
 * turns slot by slot, and each fills clusters of 256 free slots from the start before it takes
 * single ones. */
#ifndef THRASH_MACHINE_SWAP_H
#define THRASH_MACHINE_SWAP_H

#include <stdbool.h>

#include "base/types.h"

#define SWAP_CLUSTER_SLOTS 256 /* SWAPFILE_CLUSTER */
#define SWAP_READAHEAD     8   /* 1 << page_cluster, aligned */
#define SWAP_DEVICES_MAX   64

struct swap_area {
    uint32_t cluster_next; /* slot to try next in the cluster being filled */
    uint32_t cluster_left; /* slots of that cluster not yet given out */
    uint32_t lowest;       /* no slot below it is free */
};

struct swap_state {
    uint32_t next_device;      /* whose turn it is */
    uint32_t slots_per_device; /* in this cell */
    uint64_t used;             /* slots */
    struct swap_area area[SWAP_DEVICES_MAX];
};

struct cell;

/* Takes a free slot for `page` and returns it, or UINT32_MAX when swap is full. Slots are numbered
 * device * slots_per_device + slot. */
uint32_t swap_take_slot(struct cell *cell, page_id page);
void swap_free_slot(struct cell *cell, uint32_t slot);

/* More than half of swap is in use (vm_swap_full). */
bool swap_is_half_full(const struct cell *cell);
bool swap_is_full(const struct cell *cell);

#endif
