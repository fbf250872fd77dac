/* Memory that this process may use on this host: every limit with the name of what sets it, and the
 * least of them. Bytes throughout. */
#ifndef THRASH_HOST_MEMORY_H
#define THRASH_HOST_MEMORY_H

#include <stdbool.h>

#include "base/status.h"
#include "base/types.h"
#include "host/system.h"

/* Whom a limit is for. What the ranks of a host share is divided by their number. */
enum host_memory_scope { HOST_MEMORY_SHARED, HOST_MEMORY_PER_PROCESS };

struct host_memory_limit {
    char source[160]; /* "MemAvailable of /proc/meminfo", "memory.max of cgroup /slurm/job_7" */
    enum host_memory_scope scope;
    bool known;           /* false: no such limit is set, or it cannot be read; `why` says which */
    byte_count limit;     /* as set */
    byte_count available; /* what is left of it: less what is in use and cannot be reclaimed */
    char why[160];
};

#define HOST_MEMORY_LIMITS 32

struct host_memory {
    struct host_memory_limit limits[HOST_MEMORY_LIMITS];
    size_t nlimits;
};

/* Reads MemTotal and MemAvailable; the limits of the cgroup of this process and of each of its
 * ancestors (memory.max and memory.high, or memory.limit_in_bytes); RLIMIT_AS and RLIMIT_DATA; and
 * what Slurm granted (SLURM_MEM_PER_NODE, SLURM_MEM_PER_CPU times the CPUs of this node, in MiB).
 * Cgroups without a limit are one entry together. The file cache counts as available, as it does in
 * MemAvailable. */
void host_memory_read(const struct host_system *system, struct host_memory *memory);

struct host_memory_available {
    byte_count per_rank;
    const struct host_memory_limit *least; /* what sets it; points into the struct host_memory */
};

/* The least that the limits leave to one of `local_ranks` (> 0) equal ranks on this host.
 * STATUS_FAILED if no limit at all is known. */
enum status host_memory_available(const struct host_memory *memory, uint64_t local_ranks,
                                  struct host_memory_available *available_p);

#endif
