#include "machine/swap.h"

#include <assert.h>

#include "machine/cell.h"

static uint64_t total_slots(const struct cell *cell)
{
    return (uint64_t)cell->nswap_devices * cell->core->swap.slots_per_device;
}

static uint32_t nclusters(const struct cell *cell)
{
    return (cell->core->swap.slots_per_device + SWAP_CLUSTER_SLOTS - 1) / SWAP_CLUSTER_SLOTS;
}

static bool slot_is_free(const struct cell *cell, uint32_t device, uint32_t slot)
{
    return cell->swap_map[(uint64_t)device * cell->core->swap.slots_per_device + slot] == 0;
}

/* The first slot of a cluster without a slot in use, at or after the lowest free slot; UINT32_MAX
 * if there is none. The last, incomplete cluster of a device does not count. */
static uint32_t find_free_cluster(const struct cell *cell, uint32_t device)
{
    const struct swap_area *area = &cell->core->swap.area[device];
    uint32_t complete = cell->core->swap.slots_per_device / SWAP_CLUSTER_SLOTS;
    const uint16_t *used = cell->swap_cluster_used + (uint64_t)device * nclusters(cell);
    for (uint32_t cluster = area->lowest / SWAP_CLUSTER_SLOTS; cluster < complete; cluster++) {
        if (used[cluster] == 0) {
            return cluster * SWAP_CLUSTER_SLOTS;
        }
    }
    return UINT32_MAX;
}

static uint32_t find_slot(struct cell *cell, uint32_t device)
{
    struct swap_area *area = &cell->core->swap.area[device];
    uint32_t slots = cell->core->swap.slots_per_device;
    if (area->cluster_left > 0) {
        for (uint32_t slot = area->cluster_next; slot < slots; slot++) {
            if (slot_is_free(cell, device, slot)) {
                area->cluster_next = slot + 1;
                area->cluster_left--;
                return slot;
            }
        }
    }
    area->cluster_left = SWAP_CLUSTER_SLOTS;
    uint32_t cluster = find_free_cluster(cell, device);
    uint32_t slot = cluster == UINT32_MAX ? area->lowest : cluster;
    while (slot < slots && !slot_is_free(cell, device, slot)) {
        slot++;
    }
    if (slot >= slots) {
        return UINT32_MAX;
    }
    area->cluster_next = slot + 1;
    area->cluster_left--;
    return slot;
}

uint32_t swap_take_slot(struct cell *cell, page_id page)
{
    struct swap_state *swap = &cell->core->swap;
    if (swap->used == total_slots(cell)) {
        return UINT32_MAX;
    }
    for (uint32_t tried = 0; tried < cell->nswap_devices; tried++) {
        uint32_t device = swap->next_device;
        swap->next_device = (device + 1) % cell->nswap_devices;
        uint32_t slot = find_slot(cell, device);
        if (slot == UINT32_MAX) {
            continue;
        }
        struct swap_area *area = &swap->area[device];
        if (slot == area->lowest) {
            area->lowest = slot + 1;
        }
        cell->swap_map[(uint64_t)device * swap->slots_per_device + slot] = page + 1;
        cell->swap_cluster_used[(uint64_t)device * nclusters(cell) + slot / SWAP_CLUSTER_SLOTS]++;
        swap->used++;
        return device * swap->slots_per_device + slot;
    }
    return UINT32_MAX;
}

void swap_free_slot(struct cell *cell, uint32_t index)
{
    struct swap_state *swap = &cell->core->swap;
    uint32_t device = index / swap->slots_per_device;
    uint32_t slot = index % swap->slots_per_device;
    assert(cell->swap_map[index] != 0);
    cell->swap_map[index] = 0;
    cell->swap_cluster_used[(uint64_t)device * nclusters(cell) + slot / SWAP_CLUSTER_SLOTS]--;
    swap->used--;
    if (slot < swap->area[device].lowest) {
        swap->area[device].lowest = slot;
    }
}

bool swap_is_half_full(const struct cell *cell)
{
    return 2 * cell->core->swap.used > total_slots(cell);
}

bool swap_is_full(const struct cell *cell)
{
    return cell->core->swap.used == total_slots(cell);
}
