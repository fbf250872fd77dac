#include "commands/validation_host.h"

#include <string.h>
#include <sys/utsname.h>

#include "host/kernel/kernel.h"
#include "host/memory.h"

#define GIB ((byte_count)1 << 30)

static void show_nothing(void *who, uint64_t done, uint64_t total, const char *label)
{
    (void)who;
    (void)done;
    (void)total;
    (void)label;
}

/* Page tables of one process that maps a gigabyte. */
static enum status measure_gigabyte(const struct host_measure *measure, struct tables *tables)
{
    struct utsname name;
    if (!uname(&name) && strcmp(name.machine, "x86_64") != 0) {
        return fail(STATUS_RESOURCE, "this host is not x86_64 but %s", name.machine);
    }
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(measure->system, &memory);
    enum status status = host_memory_available(&memory, 1, &available);
    if (status == STATUS_OK && available.per_rank < GIB + GIB / 4) {
        return fail(STATUS_RESOURCE, "%s leaves %" PRIbytes " MiB, less than a segment of 1 GiB",
                    available.least->source, available.per_rank >> 20);
    }
    const struct kernel_plan plan = {
        .repetitions = 3,
        .segment = GIB,
        .sharers = {1},
        .nsharers = 1,
        .page = PAGE_BYTES,
        .probes = "page_tables",
    };
    return status == STATUS_OK ? kernel_measure(measure, &plan, tables) : status;
}

static const struct {
    const char *name;
    enum status (*measure)(const struct host_measure *measure, struct tables *tables);
} probes[] = {
    {"page_tables", measure_gigabyte},
};

static enum status measure_by_name(const char *probe, const struct host_measure *measure,
                                   struct tables *tables)
{
    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        if (strcmp(probes[i].name, probe) == 0) {
            return probes[i].measure(measure, tables);
        }
    }
    return fail(STATUS_RESOURCE, "there is no host measurement `%s`", probe);
}

enum status validation_host_measure(const char *probe, struct tables *tables)
{
    static const atomic_int never = 0;
    const struct host_system system = host_system_here();
    struct host_topology topology;
    struct host_places places;
    enum status status = host_topology_open(&topology);
    if (status != STATUS_OK) {
        return status;
    }
    status = host_places_choose(&topology, "cores", true, &places);
    if (status == STATUS_OK) {
        const struct host_measure measure = {
            .system = &system,
            .topology = &topology,
            .places = &places,
            .stop = &never,
            .progress = show_nothing,
        };
        status = measure_by_name(probe, &measure, tables);
        host_places_free(&places);
    }
    host_topology_close(&topology);
    return status;
}
