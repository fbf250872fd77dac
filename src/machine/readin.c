#include "machine/readin.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/residence.h"

/* Gives a frame to a page whose contents are on their way. */
static void enter_reading(struct cell *cell, page_id page, enum zone_index zone)
{
    bool anon = page_is_anon(cell, page);
    residence_enter(cell, page, zone, anon && cell->design->reclaim->rules.anon_readahead_active);
    page_set(cell->words, page, PLANE_LOCKED);
    page_set(cell->words, page, PLANE_READING);
}

/* One request for the pages of a mask; the pages have their frames. */
static void submit(struct cell *cell, struct actor *actor, uint32_t device, enum request_kind kind,
                   uint32_t window, uint32_t mask)
{
    uint32_t skip = (uint32_t)__builtin_ctz(mask);
    uint32_t count_pages = 32 - (uint32_t)__builtin_clz(mask) - skip;
    charge(cell, actor, COST_IO_SUBMIT, 1);
    device_submit(cell, device, kind, window + skip, count_pages, mask >> skip, actor->now);
    count(cell, kind == SWAP_READ ? METRIC_SWAP_IN_BYTES : METRIC_FILE_READ_BYTES,
          (uint64_t)__builtin_popcount(mask) * PAGE_BYTES);
}

/* The page that number `i` of a window stands for, if it can be read in: PAGE_NONE otherwise. */
static page_id readable(const struct cell *cell, enum request_kind kind, uint32_t number)
{
    page_id page = number;
    if (kind == SWAP_READ) {
        if (cell->swap_map[number] == 0) {
            return PAGE_NONE;
        }
        page = cell->swap_map[number] - 1;
    }
    return page_is(cell->words, page, PLANE_RESIDENT) ? PAGE_NONE : page;
}

/* Enters the readable pages of [window, end) as far as frames are at hand. */
static uint32_t enter_window(struct cell *cell, struct actor *actor, enum request_kind kind,
                             uint32_t window, uint32_t end)
{
    uint32_t mask = 0;
    for (uint32_t number = window; number < end; number++) {
        page_id page = readable(cell, kind, number);
        enum zone_index zone;
        enum zone_index class;
        if (page == PAGE_NONE) {
            continue;
        }
        /* Neighbours are read only into frames that can be had without reclaim. */
        if (residence_take_page(cell, actor, page, &zone, &class) != FRAME_OK) {
            break;
        }
        enter_reading(cell, page, zone);
        mask |= 1U << (number - window);
    }
    return mask;
}

enum frame_result readin_start(struct cell *cell, struct actor *actor, page_id page,
                               enum access access, enum zone_index *class_p)
{
    const struct object *object = page_object(cell, page);
    bool swap = cell->slot[page] != 0;
    uint32_t number = swap ? cell->slot[page] - 1 : page;
    uint32_t window;
    uint32_t end;
    if (swap) {
        uint32_t slots = cell->core->swap.slots_per_device;
        uint32_t device_first = number / slots * slots;
        window = device_first + (number - device_first) / SWAP_READAHEAD * SWAP_READAHEAD;
        end = (uint32_t)min_u64(window + MUTANT(READ_AHEAD, SWAP_READAHEAD, 0),
                                device_first + slots);
    } else {
        uint32_t ahead = access == ACCESS_FILE_READ ? FILE_READAHEAD : FAULT_READAHEAD;
        window = page / ahead * ahead;
        end = (uint32_t)min_u64(window + ahead, object->first + object->npages);
    }
    enum zone_index zone;
    enum frame_result result = residence_take_page(cell, actor, page, &zone, class_p);
    if (result != FRAME_OK) {
        return result;
    }
    enter_reading(cell, page, zone);
    enum request_kind kind = swap ? SWAP_READ : FILE_READ;
    uint32_t mask = enter_window(cell, actor, kind, window, end) | 1U << (number - window);
    submit(cell, actor, residence_device(cell, page), kind, window, mask);
    return FRAME_OK;
}

void readin_ahead(struct cell *cell, struct actor *actor, page_id page)
{
    const struct object *object = page_object(cell, page);
    uint32_t next = page + FILE_READAHEAD;
    page_id object_end = object->first + object->npages;
    /* What follows in the file after the end of a unit is in another cell. */
    bool follows = cell->ncells == 1 || (next - object->first) % cell->arch->pt_entries != 0;
    if (page % FILE_READAHEAD != 0 || next >= object_end || !follows ||
        !device_has_room(cell, object->device)) {
        return;
    }
    uint32_t end = (uint32_t)min_u64(next + FILE_READAHEAD, object_end);
    uint32_t mask = enter_window(cell, actor, FILE_READ, next, end);
    if (mask != 0) {
        submit(cell, actor, object->device, FILE_READ, next, mask);
    }
}
