/* Control groups: where the cgroup of this process is mounted, for version 1 and version 2. */
#ifndef THRASH_HOST_CGROUP_H
#define THRASH_HOST_CGROUP_H

#include <stdbool.h>

#include "host/system.h"

struct host_cgroup {
    bool found;
    int version;      /* 1 or 2 */
    char mount[1024]; /* where the hierarchy is mounted: /sys/fs/cgroup/memory */
    char path[2048];  /* of this process below it: /slurm/uid_0/job_7, or "" for the root of it */
    char why[160];    /* when none was found */
};

/* The cgroup that limits `controller` ("memory") for this process. A hierarchy of version 1 that
 * holds the controller comes first, as it does in the kernel; then the one of version 2. Inside a
 * container the path is the part of it that the mount shows. */
void host_cgroup_find(const struct host_system *system, const char *controller,
                      struct host_cgroup *cgroup);

/* Takes the last component off the path. False if it was the root of the hierarchy already. */
bool host_cgroup_parent(struct host_cgroup *cgroup);

#endif
