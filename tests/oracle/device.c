/* Devices, reading and writing: docs/model.md, section 5. */
#include <stdlib.h>

#include "oracle/parts.h"

enum { FAULT_WINDOW = 8, READ_WINDOW = 32 };

bool o_device_has_room(const struct device *device)
{
    return device->nrequests < device->queue;
}

struct device *o_page_device(const struct page *page)
{
    return page->swap_device != NULL ? page->swap_device : page->object->disk;
}

static uint64_t congestion_limit(const struct device *device)
{
    return device->queue - device->queue / 8;
}

void o_device_submit(struct device *device, sim_time now, bool write, struct page *const *pages,
                     unsigned npages, uint64_t span)
{
    REQUIRE(o_device_has_room(device) && npages <= REQUEST_PAGES_MAX);
    struct request *request = calloc(1, sizeof *request);
    REQUIRE(request != NULL);
    const sim_time begin = max_u64(now, device->transfer_end);
    const sim_time each = (sim_time)((uint128)PAGE_BYTES * SECOND / device->bandwidth);
    device->transfer_end = begin + span * each;
    request->done_at = device->transfer_end + device->latency;
    request->write = write;
    request->npages = npages;
    for (unsigned i = 0; i < npages; i++) {
        request->pages[i] = pages[i];
    }
    if (device->first == NULL) {
        device->first = request;
    } else {
        device->last->next = request;
    }
    device->last = request;
    device->nrequests++;
    if (device->nrequests > congestion_limit(device)) {
        device->congested = true;
    }
}

static void finish_read(struct machine *machine, struct page *page)
{
    REQUIRE(page->locked && page->reading);
    page->locked = false;
    page->reading = false;
    page->content = page->stored;
    if (machine->design.is_2_4) {
        o_buffers_add(machine, page);
    }
}

static void finish_write(struct machine *machine, struct page *page, sim_time now)
{
    REQUIRE(page->writeback);
    page->writeback = false;
    machine->nr_writeback--;
    if (page->swap_device != NULL) {
        page->swapped_out_at = now;
    }
    if (machine->design.is_2_4) {
        page->locked = false;
        o_buffers_add(machine, page);
    } else if (page->reclaim && !page->dirty && !page->active && page->list != NULL) {
        o_lru_remove(page);
        o_lru_add_old(machine, page, false);
    }
    page->reclaim = false;
}

void o_device_complete(struct machine *machine, struct device *device)
{
    struct request *request = device->first;
    const sim_time now = request->done_at;
    device->first = request->next;
    device->nrequests--;
    for (unsigned i = 0; i < request->npages; i++) {
        if (request->write) {
            finish_write(machine, request->pages[i], now);
        } else {
            finish_read(machine, request->pages[i]);
        }
        o_wake_page(machine, request->pages[i], now);
    }
    o_wake_room(machine, device, now);
    if (request->write && device->nrequests < congestion_limit(device)) {
        device->congested = false;
        o_wake_congestion(machine, now);
    }
    free(request);
}

static bool is_absent(const struct page *page)
{
    return page != NULL && !page->resident;
}

/* The page takes a frame and is locked until it has been read. */
static bool begin_read(struct machine *machine, struct actor *actor, struct page *page,
                       enum zone_number *class_p)
{
    struct zone *zone = o_page_take(machine, actor, page, class_p);
    if (zone == NULL) {
        return false;
    }
    o_page_enter(machine, page, zone, page->object->kind == OBJECT_ANON && !machine->design.is_2_4);
    page->locked = true;
    page->reading = true;
    return true;
}

/* A place on a device: the number of the slot, or of the page in its file. */
static uint64_t place_of(const struct page *page)
{
    return page->swap_device != NULL ? page->slot : page->offset;
}

static struct page *page_at(const struct page *near, uint64_t place)
{
    if (near->swap_device != NULL) {
        return place < near->swap_device->nslots ? near->swap_device->slots[place] : NULL;
    }
    return place < near->object->npages ? &near->object->pages[place] : NULL;
}

/* Starts reading `page`, if it is given, and then what else is absent of a window around `near`. */
static bool read_window(struct machine *machine, struct actor *actor, struct page *page,
                        const struct page *near, unsigned size, enum zone_number *class_p)
{
    struct page *pages[REQUEST_PAGES_MAX];
    unsigned npages = 0;
    struct device *device = o_page_device(near);
    const bool from_swap = near->swap_device != NULL;
    if (page != NULL) {
        if (!begin_read(machine, actor, page, class_p)) {
            return false;
        }
        pages[npages++] = page;
    }
    const uint64_t window = place_of(near) / size * size;
    for (uint64_t place = window; place < window + size; place++) {
        struct page *other = page_at(near, place);
        if (is_absent(other)) {
            enum zone_number class;
            if (!begin_read(machine, actor, other, &class)) {
                break;
            }
            pages[npages++] = other;
        }
    }
    if (npages == 0) {
        return false;
    }
    uint64_t first = UINT64_MAX;
    uint64_t last = 0;
    for (unsigned i = 0; i < npages; i++) {
        first = min_u64(first, place_of(pages[i]));
        last = max_u64(last, place_of(pages[i]));
    }
    charge(machine, actor, COST_IO_SUBMIT);
    o_device_submit(device, actor->now, false, pages, npages, last - first + 1);
    if (from_swap) {
        machine->count.swap_in_bytes += npages * PAGE_BYTES;
    } else {
        machine->count.file_read_bytes += npages * PAGE_BYTES;
    }
    return true;
}

bool o_read_page(struct machine *machine, struct actor *actor, struct page *page, bool by_read,
                 enum zone_number *class_p)
{
    return read_window(machine, actor, page, page, by_read ? READ_WINDOW : FAULT_WINDOW, class_p);
}

void o_read_ahead(struct machine *machine, struct actor *actor, struct object *file,
                  page_offset offset)
{
    if (offset < file->npages && o_device_has_room(file->disk)) {
        enum zone_number class;
        read_window(machine, actor, NULL, &file->pages[offset], READ_WINDOW, &class);
    }
}

void o_write_page(struct machine *machine, struct actor *actor, struct page *page)
{
    REQUIRE(page->dirty && page->mapcount == 0 && !page->locked && !page->writeback);
    struct device *device = o_page_device(page);
    charge(machine, actor, COST_IO_SUBMIT);
    page->dirty = false;
    page->writeback = true;
    page->locked = machine->design.is_2_4 && !page->object->written;
    machine->nr_dirty -= page->object->written;
    machine->nr_writeback++;
    page->stored = page->content;
    o_device_submit(device, actor->now, true, &page, 1, 1);
    if (page->swap_device != NULL) {
        machine->count.swap_out_bytes += PAGE_BYTES;
        machine->count.shm_swap_out_bytes += page->object->kind == OBJECT_SHM ? PAGE_BYTES : 0;
    } else {
        machine->count.writeback_bytes += PAGE_BYTES;
    }
}
