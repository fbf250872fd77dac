#include "host/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "host/cgroup.h"

#define KIB ((byte_count)1 << 10)

/* A cgroup of version 1 without a limit says LONG_MAX rounded down to a page, whose size varies. */
#define NO_LIMIT ((byte_count)1 << 62)

/* The entry to fill. When all are in use, one that is not known or the one with the most room gives
 * way: it cannot be the least. */
static struct host_memory_limit *add_limit(struct host_memory *memory)
{
    struct host_memory_limit *entry = &memory->limits[0];
    if (memory->nlimits < HOST_MEMORY_LIMITS) {
        entry = &memory->limits[memory->nlimits++];
    } else {
        for (size_t i = 1; i < memory->nlimits; i++) {
            struct host_memory_limit *other = &memory->limits[i];
            if (!other->known || (entry->known && other->available > entry->available)) {
                entry = other;
            }
        }
    }
    *entry = (struct host_memory_limit){.scope = HOST_MEMORY_SHARED};
    return entry;
}

static void set_limit(struct host_memory_limit *entry, byte_count limit, byte_count used)
{
    entry->known = true;
    entry->limit = limit;
    entry->available = limit > used ? limit - used : 0;
}

__attribute__((format(printf, 2, 3))) static void set_reason(struct host_memory_limit *entry,
                                                             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(entry->why, sizeof entry->why, format, arguments);
    va_end(arguments);
}

/* A field of /proc/meminfo or /proc/self/status: a number of KiB, written as kB. */
static bool field_kib(const char *text, const char *key, byte_count *bytes_p)
{
    char value[64];
    uint64_t kib;
    if (!text || !host_text_field(text, key, ':', value, sizeof value) ||
        !host_text_number(value, &kib)) {
        return false;
    }
    *bytes_p = kib * KIB;
    return true;
}

static void read_meminfo(const struct host_system *system, struct host_memory *memory)
{
    static const char *const keys[] = {"MemTotal", "MemAvailable"};
    char *text = host_file_load(system, "/proc/meminfo");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct host_memory_limit *entry = add_limit(memory);
        (void)snprintf(entry->source, sizeof entry->source, "%s of /proc/meminfo", keys[i]);
        byte_count bytes;
        if (field_kib(text, keys[i], &bytes)) {
            set_limit(entry, bytes, 0);
        } else {
            set_reason(entry, text ? "the kernel does not report it" : "/proc cannot be read");
        }
    }
    free(text);
}

/* Bytes charged to a cgroup that it cannot give back: its usage without the file cache. */
static byte_count cgroup_used(const struct host_system *system, const char *directory, int version)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", directory,
                   version == 1 ? "memory.usage_in_bytes" : "memory.current");
    uint64_t usage;
    if (!host_file_number(system, path, &usage)) {
        return 0;
    }
    (void)snprintf(path, sizeof path, "%s/memory.stat", directory);
    char *stat = host_file_load(system, path);
    if (!stat) {
        return usage;
    }
    /* Version 1 counts descendants in the fields called total_; version 2 always does. */
    static const char *const cache[][2] = {{"total_active_file", "total_inactive_file"},
                                           {"active_file", "inactive_file"}};
    for (int i = 0; i < 2; i++) {
        char value[64];
        uint64_t bytes;
        if (host_text_field(stat, cache[version - 1][i], ' ', value, sizeof value) &&
            host_text_number(value, &bytes)) {
            usage -= min_u64(usage, bytes);
        }
    }
    free(stat);
    return usage;
}

/* One limit of one cgroup. True if it is set. */
static bool read_cgroup_limit(const struct host_system *system, const struct host_cgroup *cgroup,
                              const char *name, struct host_memory *memory)
{
    char directory[3200];
    (void)snprintf(directory, sizeof directory, "%s%s", cgroup->mount, cgroup->path);
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    uint64_t limit;
    if (!host_file_number(system, path, &limit) || limit >= NO_LIMIT) {
        return false;
    }
    struct host_memory_limit *entry = add_limit(memory);
    (void)snprintf(entry->source, sizeof entry->source, "%s of cgroup %.100s", name,
                   cgroup->path[0] ? cgroup->path : "/");
    set_limit(entry, limit, cgroup_used(system, directory, cgroup->version));
    return true;
}

static void read_cgroups(const struct host_system *system, struct host_memory *memory)
{
    struct host_cgroup cgroup;
    host_cgroup_find(system, "memory", &cgroup);
    if (!cgroup.found) {
        struct host_memory_limit *entry = add_limit(memory);
        (void)snprintf(entry->source, sizeof entry->source, "cgroup");
        set_reason(entry, "%s", cgroup.why);
        return;
    }
    char start[100];
    (void)snprintf(start, sizeof start, "%.90s", cgroup.path[0] ? cgroup.path : "/");
    size_t levels = 0, limited = 0;
    do {
        levels++;
        bool set = false;
        if (cgroup.version == 1) {
            set = read_cgroup_limit(system, &cgroup, "memory.limit_in_bytes", memory);
        } else {
            set = read_cgroup_limit(system, &cgroup, "memory.max", memory);
            /* Above memory.high a cgroup is slowed down to a crawl long before it is killed. */
            set = read_cgroup_limit(system, &cgroup, "memory.high", memory) || set;
        }
        limited += set;
    } while (host_cgroup_parent(&cgroup));
    if (limited < levels) {
        struct host_memory_limit *entry = add_limit(memory);
        (void)snprintf(entry->source, sizeof entry->source, "cgroup %s (version %d)", start,
                       cgroup.version);
        set_reason(entry, "no limit on %zu of its %zu levels", levels - limited, levels);
    }
}

static void read_rlimits(const struct host_system *system, struct host_memory *memory)
{
    static const struct {
        __rlimit_resource_t resource;
        const char *name;
        const char *used; /* field of /proc/self/status that counts against it */
    } rlimits[] = {{RLIMIT_AS, "RLIMIT_AS", "VmSize"}, {RLIMIT_DATA, "RLIMIT_DATA", "VmData"}};
    char *status = host_file_load(system, "/proc/self/status");
    for (size_t i = 0; i < sizeof rlimits / sizeof rlimits[0]; i++) {
        struct host_memory_limit *entry = add_limit(memory);
        (void)snprintf(entry->source, sizeof entry->source, "%s", rlimits[i].name);
        entry->scope = HOST_MEMORY_PER_PROCESS;
        struct rlimit value;
        if (getrlimit(rlimits[i].resource, &value)) {
            set_reason(entry, "getrlimit: %s", strerror(errno));
        } else if (value.rlim_cur == RLIM_INFINITY) {
            set_reason(entry, "unlimited");
        } else {
            byte_count used = 0;
            (void)field_kib(status, rlimits[i].used, &used);
            set_limit(entry, value.rlim_cur, used);
        }
    }
    free(status);
}

/* CPUs granted on this node: SLURM_CPUS_ON_NODE, else the entry of SLURM_JOB_CPUS_PER_NODE, a list
 * such as `8(x3),4`, that belongs to this node. */
static bool slurm_cpus(const struct host_system *system, uint64_t *cpus_p)
{
    if (host_environment_number(system, "SLURM_CPUS_ON_NODE", cpus_p)) {
        return true;
    }
    const char *list = host_environment(system, "SLURM_JOB_CPUS_PER_NODE");
    uint64_t node = 0;
    (void)host_environment_number(system, "SLURM_NODEID", &node);
    while (list && *list) {
        uint64_t cpus, repeat = 1;
        if (!host_text_scan(&list, &cpus)) {
            return false;
        }
        if (!strncmp(list, "(x", 2)) {
            list += 2;
            if (!host_text_scan(&list, &repeat) || *list++ != ')') {
                return false;
            }
        }
        if (node < repeat) {
            *cpus_p = cpus;
            return true;
        }
        node -= repeat;
        list += *list == ',';
    }
    return false;
}

/* The value of a Slurm variable in MiB, where it is a limit; otherwise says in the entry why not.
 */
static bool slurm_mib(const struct host_system *system, const char *name,
                      struct host_memory_limit *entry, uint64_t *mib_p)
{
    const char *text = host_environment(system, name);
    if (!text) {
        set_reason(entry, "not set");
    } else if (!host_text_number(text, mib_p)) {
        set_reason(entry, "expected a number of MiB, found `%.40s`", text);
    } else if (!*mib_p) {
        set_reason(entry, "0, which grants all memory of the node");
    } else {
        return true;
    }
    return false;
}

static void read_slurm(const struct host_system *system, struct host_memory *memory)
{
    if (!host_environment(system, "SLURM_JOB_ID")) {
        return;
    }
    struct host_memory_limit *entry = add_limit(memory);
    (void)snprintf(entry->source, sizeof entry->source, "SLURM_MEM_PER_NODE");
    uint64_t mib, cpus;
    if (slurm_mib(system, "SLURM_MEM_PER_NODE", entry, &mib)) {
        set_limit(entry, mib * MEBIBYTE, 0);
    }

    entry = add_limit(memory);
    (void)snprintf(entry->source, sizeof entry->source, "SLURM_MEM_PER_CPU");
    if (!slurm_mib(system, "SLURM_MEM_PER_CPU", entry, &mib)) {
        return;
    }
    if (!slurm_cpus(system, &cpus)) {
        set_reason(entry, "%" PRIu64 " MiB, but the CPUs granted on this node are not known", mib);
        return;
    }
    (void)snprintf(entry->source, sizeof entry->source,
                   "SLURM_MEM_PER_CPU (%" PRIu64 " MiB) of %" PRIu64 " CPUs", mib, cpus);
    set_limit(entry, mib * MEBIBYTE * cpus, 0);
}

void host_memory_read(const struct host_system *system, struct host_memory *memory)
{
    memory->nlimits = 0;
    read_meminfo(system, memory);
    read_rlimits(system, memory);
    read_slurm(system, memory);
    read_cgroups(system, memory);
}

enum status host_memory_available(const struct host_memory *memory, uint64_t local_ranks,
                                  struct host_memory_available *available_p)
{
    struct host_memory_available available = {.per_rank = UINT64_MAX};
    for (size_t i = 0; i < memory->nlimits; i++) {
        const struct host_memory_limit *entry = &memory->limits[i];
        if (!entry->known) {
            continue;
        }
        byte_count share = entry->scope == HOST_MEMORY_SHARED ? entry->available / local_ranks
                                                              : entry->available;
        if (share < available.per_rank) {
            available = (struct host_memory_available){.per_rank = share, .least = entry};
        }
    }
    if (!available.least) {
        return fail(STATUS_FAILED, "cannot tell how much memory this host has: %s: %s",
                    memory->nlimits ? memory->limits[0].source : "no source",
                    memory->nlimits ? memory->limits[0].why : "was read");
    }
    *available_p = available;
    return STATUS_OK;
}
