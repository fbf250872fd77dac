/* Topology of the host as hwloc sees it, and which part of it this process may use. */
#ifndef THRASH_HOST_TOPOLOGY_H
#define THRASH_HOST_TOPOLOGY_H

#include <stdbool.h>

#include <hwloc.h>

#include "base/status.h"
#include "base/types.h"

#define HOST_CACHES 16

struct host_cache {
    unsigned level;  /* 1, 2, 3, ... */
    char type;       /* 'd' data, 'i' instruction, 'u' unified */
    byte_count size; /* of one, bytes; 0 if unknown */
    unsigned line;   /* bytes; 0 if unknown */
    unsigned count;  /* how many of them */
};

/* PUs are hardware threads. `allowed` is what the cgroup of this process leaves to it, `bound`
 * where the kernel may run it now: a launcher binds by the latter. Lists are ranges of
 * operating-system numbers, `0-3,8`. */
struct host_topology {
    hwloc_topology_t handle; /* of the whole host, disallowed parts included */
    unsigned packages;
    unsigned cores;
    unsigned pus;
    unsigned numa_nodes;
    struct host_cache caches[HOST_CACHES];
    size_t ncaches;
    unsigned allowed_cores;
    unsigned allowed_pus;
    char allowed[256];
    bool bound_known;
    hwloc_bitmap_t bound_set; /* operating-system numbers; NULL when the binding is not known */
    unsigned bound_pus;
    char bound[256];
    char bound_why[128]; /* when the binding is not known */
    byte_count memory;   /* of all NUMA nodes, as hwloc has it: not always what the kernel says */
    bool this_system;    /* false: hwloc was told to describe another one (HWLOC_XMLFILE, ...) */
};

/* Released by host_topology_close(). STATUS_FAILED when hwloc cannot load a topology. */
enum status host_topology_open(struct host_topology *topology_p);
void host_topology_close(struct host_topology *topology);

/* The topology as hwloc's XML, to be freed with free(). STATUS_FAILED when hwloc cannot write it.
 */
enum status host_topology_xml(const struct host_topology *topology, char **xml_p);

#endif
