#include "host/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned count_objects(hwloc_topology_t handle, hwloc_obj_type_t type)
{
    int count = hwloc_get_nbobjs_by_type(handle, type);
    return count > 0 ? (unsigned)count : 0;
}

static unsigned count_inside(hwloc_topology_t handle, hwloc_const_bitmap_t set,
                             hwloc_obj_type_t type)
{
    unsigned count = 0;
    for (hwloc_obj_t object = NULL; (object = hwloc_get_next_obj_by_type(handle, type, object));) {
        count += hwloc_bitmap_intersects(object->cpuset, set) != 0;
    }
    return count;
}

static char cache_type(hwloc_obj_cache_type_t type)
{
    switch (type) {
    case HWLOC_OBJ_CACHE_DATA:
        return 'd';
    case HWLOC_OBJ_CACHE_INSTRUCTION:
        return 'i';
    case HWLOC_OBJ_CACHE_UNIFIED:
        break;
    }
    return 'u';
}

static void read_caches(struct host_topology *topology)
{
    static const hwloc_obj_type_t types[] = {
        HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L1ICACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L2ICACHE,
        HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L3ICACHE, HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L5CACHE,
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        hwloc_obj_t first = hwloc_get_obj_by_type(topology->handle, types[i], 0);
        if (!first) {
            continue;
        }
        const struct hwloc_cache_attr_s *cache = &first->attr->cache;
        topology->caches[topology->ncaches++] = (struct host_cache){
            .level = cache->depth,
            .type = cache_type(cache->type),
            .size = cache->size,
            .line = cache->linesize,
            .count = count_objects(topology->handle, types[i]),
        };
    }
}

static void read_binding(struct host_topology *topology)
{
    hwloc_bitmap_t bound = hwloc_bitmap_alloc();
    if (!bound) {
        (void)snprintf(topology->bound_why, sizeof topology->bound_why, "out of memory");
    } else if (!topology->this_system) {
        (void)snprintf(topology->bound_why, sizeof topology->bound_why,
                       "the topology is not the one of this host");
    } else if (hwloc_get_cpubind(topology->handle, bound, HWLOC_CPUBIND_PROCESS)) {
        (void)snprintf(topology->bound_why, sizeof topology->bound_why, "hwloc_get_cpubind: %s",
                       strerror(errno));
    } else {
        topology->bound_known = true;
        (void)hwloc_bitmap_and(bound, bound, hwloc_topology_get_allowed_cpuset(topology->handle));
        topology->bound_pus = count_inside(topology->handle, bound, HWLOC_OBJ_PU);
        (void)hwloc_bitmap_list_snprintf(topology->bound, sizeof topology->bound, bound);
        topology->bound_set = bound;
        return;
    }
    hwloc_bitmap_free(bound);
}

enum status host_topology_open(struct host_topology *topology_p)
{
    struct host_topology topology = {.packages = 0};
    if (hwloc_topology_init(&topology.handle)) {
        return fail(STATUS_FAILED, "hwloc cannot make a topology: %s", strerror(errno));
    }
    if (hwloc_topology_set_flags(topology.handle, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) ||
        hwloc_topology_load(topology.handle)) {
        int error = errno;
        hwloc_topology_destroy(topology.handle);
        return fail(STATUS_FAILED, "hwloc cannot load the topology of this host: %s",
                    strerror(error));
    }
    hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(topology.handle);
    topology.this_system = hwloc_topology_is_thissystem(topology.handle) != 0;
    topology.packages = count_objects(topology.handle, HWLOC_OBJ_PACKAGE);
    topology.cores = count_objects(topology.handle, HWLOC_OBJ_CORE);
    topology.pus = count_objects(topology.handle, HWLOC_OBJ_PU);
    topology.numa_nodes = count_objects(topology.handle, HWLOC_OBJ_NUMANODE);
    topology.allowed_cores = count_inside(topology.handle, allowed, HWLOC_OBJ_CORE);
    topology.allowed_pus = count_inside(topology.handle, allowed, HWLOC_OBJ_PU);
    (void)hwloc_bitmap_list_snprintf(topology.allowed, sizeof topology.allowed, allowed);
    topology.memory = hwloc_get_root_obj(topology.handle)->total_memory;
    read_caches(&topology);
    read_binding(&topology);
    *topology_p = topology;
    return STATUS_OK;
}

void host_topology_close(struct host_topology *topology)
{
    hwloc_bitmap_free(topology->bound_set);
    hwloc_topology_destroy(topology->handle);
    *topology = (struct host_topology){.handle = NULL};
}

enum status host_topology_xml(const struct host_topology *topology, char **xml_p)
{
    char *buffer = NULL;
    int length = 0;
    if (hwloc_topology_export_xmlbuffer(topology->handle, &buffer, &length, 0)) {
        return fail(STATUS_FAILED, "hwloc cannot write the topology as XML: %s", strerror(errno));
    }
    /* hwloc's own buffer has to be given back to hwloc, and its length includes the final zero. */
    char *xml = strndup(buffer, (size_t)length);
    hwloc_free_xmlbuffer(topology->handle, buffer);
    if (!xml) {
        return fail(STATUS_FAILED, "out of memory for the topology as XML");
    }
    *xml_p = xml;
    return STATUS_OK;
}
