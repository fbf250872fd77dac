/* Where threads of a measurement run: hardware threads of this host, in the order in which they are
 * taken, one for each thread. */
#ifndef THRASH_HOST_PLACES_H
#define THRASH_HOST_PLACES_H

#include <stdbool.h>

#include "base/status.h"
#include "host/topology.h"

struct host_place {
    unsigned pu;      /* hardware thread, as the operating system numbers it */
    unsigned core;    /* logical number, counted over all cores of the host */
    unsigned package; /* likewise */
    unsigned sibling; /* 0: the first hardware thread of its core, 1: the second, ... */
};

struct host_places {
    struct host_place *place;
    unsigned n;
    bool widened; /* the launcher's binding was narrower than what the cgroup allows */
};

/* The orders that have a name:
 *
 *   cores     a thread on each core of the first package, then on their further hardware threads,
 *             then the same on the next package
 *   spread    a thread on each core, packages in turn; further hardware threads after all cores
 *   siblings  all hardware threads of a core, then those of the next
 *
 * NULL-terminated. Any other `bind` is a list of hardware threads such as `0-3,8`, in that order.
 */
extern const char *const host_bind_names[];

/* Chooses from what the cgroup allows (HWLOC's allowed set), or, unless `widen` is set, from that
 * part of it to which this process is bound. Launchers bind ranks: who was started by one widens.
 * STATUS_USAGE when `bind` is neither a name nor a list, or lists a hardware thread that may not be
 * used. Released with host_places_free(). */
enum status host_places_choose(const struct host_topology *topology, const char *bind, bool widen,
                               struct host_places *places_p);
void host_places_free(struct host_places *places);

/* Binds the calling thread to a place; false with a clause in `why` when that cannot be done.
 * Threads beyond the last place begin again with the first. */
bool host_place_enter(const struct host_topology *topology, const struct host_places *places,
                      unsigned thread, char *why, size_t size);

/* Lets the calling thread run on all places again. */
void host_place_leave(const struct host_topology *topology, const struct host_places *places);

#endif
