/* Block devices: swap areas and the disks of files.
 *
 * A device transfers its requests one after the other at its bandwidth; a request completes one
 * latency after its transfer ends, so that latencies of queued requests overlap. A full queue makes
 * submitters wait.
 *
 * A device belongs to the whole machine. Every cell keeps its queue, with the requests of other
 * cells as strangers in it. What cells hand in during an epoch is pending until its end, when all
 * cells queue all of it, in the order of time. For the coming epoch each cell is given its part of
 * what room there is. */
#ifndef THRASH_MACHINE_DEVICE_H
#define THRASH_MACHINE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"

enum request_kind { SWAP_READ, SWAP_WRITE, FILE_READ, FILE_WRITE };

struct device_request {
    sim_time completion;
    uint32_t kind;         /* enum request_kind */
    uint32_t first;        /* first swap slot, or first page of a file */
    uint32_t count;        /* slots or pages, consecutive; at most REQUEST_PAGES */
    uint32_t mask;         /* which of them it is for; the rest is passed over */
    uint32_t first_waiter; /* context that waits for one of its pages, linked */
    bool stranger;         /* of another cell: `kind` says whether it writes, the rest is unused */
};

struct device {
    sim_time ticks_per_page; /* transfer of 4 KiB */
    sim_time latency;
    sim_time transfer_end;  /* of the last request queued */
    uint32_t first_request; /* its ring begins here among cell.requests */
    uint32_t queue;         /* requests it can hold */
    uint32_t head;          /* of the ring, the next to complete */
    uint32_t queued;
    uint32_t npending;     /* handed in by this cell in this epoch, not yet queued */
    uint32_t quota;        /* and how many it still may; unused with one cell */
    uint32_t first_waiter; /* context that waits for room in the queue, linked */
    bool congested;        /* writes: nearly full, and not yet drained */
};

#define REQUEST_PAGES 32

struct cell;
struct message;

bool device_has_room(const struct cell *cell, uint32_t device);

/* Queues a request; the queue must have room. The pages must be marked by the caller. */
void device_submit(struct cell *cell, uint32_t device, enum request_kind kind, uint32_t first,
                   uint32_t count, uint32_t mask, sim_time now);

/* Requests in the order in which they are queued: of time, then of cells, then as handed in. */
struct request_key {
    sim_time at;
    size_t number; /* among the requests of all cells, in the order of (cell, sequence) */
};

/* With other cells: queues what all of them have handed in, in `order`, and begins an epoch.
 * `requests` are the messages of that kind of all cells, in the order of (cell, sequence); `own` of
 * them, from `first` on, are of this cell. */
void device_merge(struct cell *cell, const struct message *requests,
                  const struct request_key *order, size_t nrequests, size_t first, size_t own);

/* The request of `page` that is under way, or NULL. */
struct device_request *device_find(const struct cell *cell, page_id page);

/* Completes the oldest request of a device at `now`, and wakes who waited. */
void device_complete(struct cell *cell, uint32_t device, sim_time now);

#endif
