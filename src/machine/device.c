#include "machine/device.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/residence.h"

static struct device_request *ring(const struct cell *cell, uint32_t device)
{
    return cell->requests + cell->devices[device].first_request;
}

bool device_has_room(const struct cell *cell, uint32_t device)
{
    return cell->devices[device].queued < cell->devices[device].queue;
}

void device_submit(struct cell *cell, uint32_t index, enum request_kind kind, uint32_t first,
                   uint32_t count, uint32_t mask, sim_time now)
{
    struct device *device = &cell->devices[index];
    assert(device->queued < device->queue && count > 0 && count <= REQUEST_PAGES);
    sim_time begin = max_u64(now, device->transfer_end);
    device->transfer_end = begin + count * device->ticks_per_page;
    struct device_request *requests = ring(cell, index);
    requests[(device->head + device->queued) % device->queue] = (struct device_request){
        .completion = device->transfer_end + device->latency,
        .kind = kind,
        .first = first,
        .count = count,
        .mask = mask,
        .first_waiter = CONTEXT_NONE,
    };
    device->queued++;
    /* Seven eighths full is congested, as the block layer of 2.6.0 counts. */
    if (device->queued > device->queue - MUTANT(CONGESTION, device->queue / 8, 0)) {
        device->congested = true;
    }
    event_set(cell, cell->ncontexts + index, requests[device->head].completion);
}

/* A page that is being read waits for a read, any other busy page for a write. */
static bool request_covers(const struct cell *cell, const struct device_request *request,
                           page_id page)
{
    bool swap = cell->slot[page] != 0;
    bool reading = page_is(cell->words, page, PLANE_READING);
    enum request_kind kind = swap ? (reading ? SWAP_READ : SWAP_WRITE)
                                  : (reading ? FILE_READ : FILE_WRITE);
    uint32_t number = swap ? cell->slot[page] - 1 : page;
    return request->kind == (uint32_t)kind && number >= request->first &&
           number - request->first < request->count &&
           (request->mask >> (number - request->first) & 1) != 0;
}

struct device_request *device_find(const struct cell *cell, page_id page)
{
    uint32_t index = residence_device(cell, page);
    const struct device *device = &cell->devices[index];
    struct device_request *requests = ring(cell, index);
    for (uint32_t k = 0; k < device->queued; k++) {
        struct device_request *request = &requests[(device->head + k) % device->queue];
        if (request_covers(cell, request, page)) {
            return request;
        }
    }
    return NULL;
}

static page_id request_page(const struct cell *cell, const struct device_request *request,
                            uint32_t i)
{
    if (request->kind == SWAP_READ || request->kind == SWAP_WRITE) {
        return cell->swap_map[request->first + i] - 1;
    }
    return request->first + i;
}

void device_complete(struct cell *cell, uint32_t index, sim_time now)
{
    struct device *device = &cell->devices[index];
    struct device_request *requests = ring(cell, index);
    struct device_request done = requests[device->head];
    device->head = (device->head + 1) % device->queue;
    device->queued--;
    for (uint32_t i = 0; i < done.count; i++) {
        if ((done.mask >> i & 1) == 0) {
            continue;
        }
        page_id page = request_page(cell, &done, i);
        if (done.kind == SWAP_READ || done.kind == FILE_READ) {
            residence_read_done(cell, page);
        } else {
            residence_write_done(cell, page);
        }
    }
    if (device->queued > 0) {
        event_set(cell, cell->ncontexts + index, requests[device->head].completion);
    }
    context_wake_list(cell, &done.first_waiter, now);
    context_wake_list(cell, &device->first_waiter, now);
    bool wrote = done.kind == SWAP_WRITE || done.kind == FILE_WRITE;
    if (wrote && device->queued < device->queue - device->queue / 8) {
        device->congested = false;
        context_wake_list(cell, &cell->core->congestion_waiters, now);
    }
}
