/* The event queue: a binary heap over (time, number), with the position of every event so that it
 * can be moved or removed. */
#include <assert.h>

#include "machine/cell.h"

static const uint32_t not_queued = UINT32_MAX;

static bool earlier(struct event a, struct event b)
{
    return a.at < b.at || (a.at == b.at && a.id < b.id);
}

static void place(struct cell *cell, uint32_t position, struct event event)
{
    cell->heap[position] = event;
    cell->heap_position[event.id] = position + 1;
}

static uint32_t position_of(const struct cell *cell, uint32_t id)
{
    return cell->heap_position[id] == 0 ? not_queued : cell->heap_position[id] - 1;
}

static void sift_up(struct cell *cell, uint32_t position, struct event event)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / 2;
        if (!earlier(event, cell->heap[parent])) {
            break;
        }
        place(cell, position, cell->heap[parent]);
        position = parent;
    }
    place(cell, position, event);
}

static void sift_down(struct cell *cell, uint32_t position, struct event event)
{
    uint32_t n = cell->core->nevents;
    for (uint32_t child = 2 * position + 1; child < n; child = 2 * position + 1) {
        if (child + 1 < n && earlier(cell->heap[child + 1], cell->heap[child])) {
            child++;
        }
        if (!earlier(cell->heap[child], event)) {
            break;
        }
        place(cell, position, cell->heap[child]);
        position = child;
    }
    place(cell, position, event);
}

void event_set(struct cell *cell, uint32_t id, sim_time at)
{
    struct event event = {at, id};
    uint32_t position = position_of(cell, id);
    if (position == not_queued) {
        sift_up(cell, cell->core->nevents++, event);
    } else if (earlier(event, cell->heap[position])) {
        sift_up(cell, position, event);
    } else {
        sift_down(cell, position, event);
    }
}

void event_remove(struct cell *cell, uint32_t id)
{
    uint32_t position = position_of(cell, id);
    if (position == not_queued) {
        return;
    }
    cell->heap_position[id] = 0;
    struct event last = cell->heap[--cell->core->nevents];
    if (last.id == id) {
        return;
    }
    if (position > 0 && earlier(last, cell->heap[(position - 1) / 2])) {
        sift_up(cell, position, last);
    } else {
        sift_down(cell, position, last);
    }
}

struct event event_next(const struct cell *cell)
{
    if (cell->core->nevents == 0) {
        return (struct event){TIME_NEVER, UINT32_MAX};
    }
    return cell->heap[0];
}
