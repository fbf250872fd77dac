#include "machine/device.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/cell.h"
#include "machine/residence.h"

static struct device_request *ring(const struct cell *cell, uint32_t device)
{
    return cell->requests + cell->devices[device].first_request;
}

bool device_has_room(const struct cell *cell, uint32_t index)
{
    const struct device *device = &cell->devices[index];
    return cell->ncells == 1 ? device->queued < device->queue : device->quota > 0;
}

/* Seven eighths full is congested, as the block layer of 2.6.0 counts. */
static uint32_t congestion_mark(const struct device *device)
{
    return device->queue - MUTANT(CONGESTION, device->queue / 8, 0);
}

static bool writes(enum request_kind kind)
{
    return kind == SWAP_WRITE || kind == FILE_WRITE;
}

/* Gives a request, which is complete but for its time, its place in the queue. */
static void enqueue(struct cell *cell, uint32_t index, const struct device_request *request,
                    uint32_t npages, sim_time at)
{
    struct device *device = &cell->devices[index];
    sim_time begin = max_u64(at, device->transfer_end);
    device->transfer_end = begin + npages * device->ticks_per_page;
    struct device_request *requests = ring(cell, index);
    struct device_request *queued = &requests[(device->head + device->queued) % device->queue];
    *queued = *request;
    queued->completion = max_u64(device->transfer_end + device->latency, cell->core->epoch_start);
    device->queued++;
    event_set(cell, cell->ncontexts + index, requests[device->head].completion);
}

void device_submit(struct cell *cell, uint32_t index, enum request_kind kind, uint32_t first,
                   uint32_t count, uint32_t mask, sim_time now)
{
    struct device *device = &cell->devices[index];
    assert(device_has_room(cell, index) && count > 0 && count <= REQUEST_PAGES);
    struct device_request request = {
        .kind = kind,
        .first = first,
        .count = count,
        .mask = mask,
        .first_waiter = CONTEXT_NONE,
    };
    if (cell->ncells == 1) {
        enqueue(cell, index, &request, count, now);
    } else {
        cell->pending[device->first_request + device->npending++] = request;
        device->quota--;
        outbox_post(&cell->outbox, MESSAGE_REQUEST, index, now, (uint64_t)kind << 32 | count);
    }
    if (device->queued + device->npending > congestion_mark(device)) {
        device->congested = true;
    }
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
        if (!request->stranger && request_covers(cell, request, page)) {
            return request;
        }
    }
    for (uint32_t k = 0; k < device->npending; k++) {
        struct device_request *request = &cell->pending[device->first_request + k];
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
    device->quota += !done.stranger && cell->ncells > 1;
    for (uint32_t i = 0; i < done.count && !done.stranger; i++) {
        if ((done.mask >> i & 1) == 0) {
            continue;
        }
        page_id page = request_page(cell, &done, i);
        if (done.kind == SWAP_READ || done.kind == FILE_READ) {
            residence_read_done(cell, page);
        } else {
            residence_write_done(cell, page, now);
        }
    }
    if (device->queued > 0) {
        event_set(cell, cell->ncontexts + index, requests[device->head].completion);
    }
    context_wake_list(cell, &done.first_waiter, now);
    context_wake_list(cell, &device->first_waiter, now);
    if (writes((enum request_kind)done.kind) &&
        device->queued + device->npending < congestion_mark(device)) {
        device->congested = false;
        context_wake_list(cell, &cell->core->congestion_waiters, now);
    }
}

void device_merge(struct cell *cell, const struct message *requests,
                  const struct request_key *order, size_t nrequests, size_t first, size_t own)
{
    for (size_t i = 0; i < nrequests; i++) {
        size_t number = order[i].number;
        const struct message *message = &requests[number];
        uint32_t index = message->subject;
        struct device_request request = {
            .kind = (uint32_t)(message->second >> 32),
            .first_waiter = CONTEXT_NONE,
            .stranger = true,
        };
        if (number >= first && number - first < own) {
            /* The pending requests of a device are in the order in which they were handed in. */
            uint32_t before = 0;
            for (size_t k = first; k < number; k++) {
                before += requests[k].subject == index;
            }
            request = cell->pending[cell->devices[index].first_request + before];
        }
        enqueue(cell, index, &request, (uint32_t)message->second, message->value);
    }
    uint64_t turn = (cell->id + cell->core->epochs) % cell->ncells;
    for (uint32_t i = 0; i < cell->ndevices; i++) {
        struct device *device = &cell->devices[i];
        device->npending = 0;
        device->quota = (uint32_t)even_part(device->queue - device->queued, turn, cell->ncells);
        device->congested = device->congested || device->queued > congestion_mark(device);
        if (device->quota > 0) {
            context_wake_list(cell, &device->first_waiter, cell->core->epoch_start);
        }
    }
}
