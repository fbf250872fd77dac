/* Swap slots: docs/model.md, section 5. */
#include "oracle/parts.h"

enum { CLUSTER = 256 };

static bool find_free(const struct device *device, uint64_t from, uint64_t *slot_p)
{
    for (uint64_t slot = from; slot < device->nslots; slot++) {
        if (device->slots[slot] == NULL) {
            *slot_p = slot;
            return true;
        }
    }
    return false;
}

static bool find_free_cluster(const struct device *device, uint64_t *slot_p)
{
    for (uint64_t first = 0; first + CLUSTER <= device->nslots; first += CLUSTER) {
        uint64_t used = 0;
        for (uint64_t i = 0; i < CLUSTER; i++) {
            used += device->slots[first + i] != NULL;
        }
        if (used == 0) {
            *slot_p = first;
            return true;
        }
    }
    return false;
}

static bool choose_slot(struct device *device, uint64_t *slot_p)
{
    if (device->cluster_left > 0 && find_free(device, device->cluster_next, slot_p)) {
        device->cluster_left--;
    } else if (find_free_cluster(device, slot_p) || find_free(device, 0, slot_p)) {
        device->cluster_left = CLUSTER - 1;
    } else {
        return false;
    }
    device->cluster_next = *slot_p + 1;
    return true;
}

bool o_swap_take_slot(struct machine *machine, struct page *page)
{
    REQUIRE(page->swap_device == NULL);
    for (uint32_t turn = 0; turn < machine->nswap_devices; turn++) {
        struct device *device = machine->next_swap_device;
        uint32_t next = (device->number + 1) % machine->nswap_devices;
        machine->next_swap_device = &machine->devices[next];
        if (choose_slot(device, &page->slot)) {
            page->swap_device = device;
            device->slots[page->slot] = page;
            device->used++;
            return true;
        }
    }
    return false;
}

void o_swap_free_slot(struct page *page)
{
    struct device *device = page->swap_device;
    REQUIRE(device->slots[page->slot] == page);
    device->slots[page->slot] = NULL;
    device->used--;
    page->swap_device = NULL;
}

uint64_t o_swap_used(const struct machine *machine)
{
    uint64_t used = 0;
    for (uint32_t d = 0; d < machine->nswap_devices; d++) {
        used += machine->devices[d].used;
    }
    return used;
}
