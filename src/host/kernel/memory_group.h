/* A memory cgroup of our own, below that of this process, whose pages can be reclaimed on demand.
 *
 * Nothing but the new directory and its own files is written to. A process of its own removes it
 * when this one ends, however that happens. */
#ifndef THRASH_HOST_KERNEL_MEMORY_GROUP_H
#define THRASH_HOST_KERNEL_MEMORY_GROUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/types.h"
#include "host/system.h"

struct memory_group {
    int version;          /* of the hierarchy */
    char directory[4096]; /* of the group */
    int guard_end;        /* of the pipe whose end tells the guardian */
    pid_t guardian;
};

/* False, with a clause in `why`, when this process may not have one. */
bool memory_group_open(const struct host_system *system, struct memory_group *group_p, char *why,
                       size_t why_size);

/* "memory.force_empty" or "memory.reclaim". */
const char *memory_group_interface(const struct memory_group *group);

/* Moves the calling process into the group, to which what it allocates from now on is charged. */
bool memory_group_enter(const struct memory_group *group);

/* Reclaims what the group is charged for: all of it, or as version 2 wants to know, `bytes`.
 * Returns when the kernel has done what it could; false with errno set when it did not accept the
 * order. */
bool memory_group_reclaim(const struct memory_group *group, byte_count bytes);

/* Removes the group; every process in it must have ended. False when it is still there. */
bool memory_group_close(struct memory_group *group);

#endif
