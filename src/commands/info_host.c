#include "commands/info_host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "host/counters.h"
#include "host/cpu.h"
#include "host/memory.h"
#include "host/pages.h"
#include "host/topology.h"

void info_heading(const char *format, ...)
{
    (void)putchar('\n');
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
}

void info_field(const char *name, const char *format, ...)
{
    enum { COLUMN = 28 };
    const char *separator = strlen(name) > COLUMN ? "\n  " : "";
    (void)printf("  %-*s%s%*s", *separator ? 0 : COLUMN, name, separator,
                 *separator ? COLUMN + 1 : 1, "");
    va_list arguments;
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
}

#define SIZE_TEXT 80

/* `23.54 GiB (24684084KiB)`: to read, and exactly; only the latter where it is short. */
static const char *size_text(byte_count size, char text[SIZE_TEXT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char exact[UNITS_TEXT_SIZE];
    units_print_size(size, exact);
    double scaled = (double)size;
    size_t unit = 0;
    while (scaled >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        scaled /= 1024;
        unit++;
    }
    if (strlen(exact) <= 7) {
        (void)snprintf(text, SIZE_TEXT, "%s", exact);
    } else {
        (void)snprintf(text, SIZE_TEXT, "%.2f %s (%s)", scaled, units[unit], exact);
    }
    return text;
}

static void print_fact(const char *name, const struct host_fact *fact, const char *lacks,
                       struct text *missing)
{
    if (fact->known) {
        info_field(name, "%s", fact->text);
    } else {
        info_field(name, "unavailable: %s", fact->why);
        if (lacks) {
            text_append_format(missing, "%s: %s\n", lacks, fact->why);
        }
    }
}

void info_processor(const struct host_system *system, struct text *missing)
{
    struct host_cpu cpu;
    host_cpu_read(system, &cpu);
    info_heading("Processor");
    print_fact("name", &cpu.name, NULL, missing);
    print_fact("vendor", &cpu.vendor, NULL, missing);
    print_fact("family", &cpu.family, NULL, missing);
    print_fact("model", &cpu.model, NULL, missing);
    print_fact("frequency governor", &cpu.governor, "frequency governor", missing);
    print_fact("SMT", &cpu.smt, "state of SMT", missing);
    print_fact("turbo", &cpu.turbo, "state of turbo", missing);
    info_field("virtual machine", "%s",
               cpu.hypervisor ? "yes (hypervisor flag in /proc/cpuinfo)" : "no hypervisor flag");
    print_fact("machine", &cpu.machine, NULL, missing);
}

static const char *cache_kind(char type)
{
    return type == 'd' ? "data cache" : type == 'i' ? "instruction cache" : "cache";
}

static void print_caches(const struct host_topology *topology)
{
    for (size_t i = 0; i < topology->ncaches; i++) {
        const struct host_cache *cache = &topology->caches[i];
        char name[32], size[SIZE_TEXT];
        (void)snprintf(name, sizeof name, "L%u %s", cache->level, cache_kind(cache->type));
        if (cache->size) {
            info_field(name, "%u of %s, lines of %u bytes", cache->count,
                       size_text(cache->size, size), cache->line);
        } else {
            info_field(name, "%u of a size that hwloc does not know", cache->count);
        }
    }
}

void info_topology(struct text *missing)
{
    const unsigned api = hwloc_get_api_version();
    info_heading("Topology (hwloc, API %u.%u)", api >> 16, api >> 8 & 0xff);
    struct host_topology topology;
    if (host_topology_open(&topology)) {
        info_field("topology", "unavailable: %s", status_last_message());
        text_append_format(missing, "topology: %s\n", status_last_message());
        return;
    }
    char size[SIZE_TEXT];
    info_field("packages", "%u", topology.packages);
    info_field("cores", "%u", topology.cores);
    info_field("PUs", "%u", topology.pus);
    info_field("NUMA nodes", "%u", topology.numa_nodes);
    info_field("allowed by cgroups", "%u of %u PUs (%s) on %u of %u cores", topology.allowed_pus,
               topology.pus, topology.allowed, topology.allowed_cores, topology.cores);
    if (topology.bound_known) {
        info_field("this process", "%s %u of %u allowed PUs (%s)",
                   topology.bound_pus < topology.allowed_pus ? "bound to" : "may run on",
                   topology.bound_pus, topology.allowed_pus, topology.bound);
    } else {
        info_field("this process", "binding unavailable: %s", topology.bound_why);
        text_append_format(missing, "binding of this process: %s\n", topology.bound_why);
    }
    print_caches(&topology);
    info_field("memory, as hwloc has it", "%s", size_text(topology.memory, size));
    host_topology_close(&topology);
}

void info_memory(const struct host_system *system, struct text *missing)
{
    struct host_memory memory;
    host_memory_read(system, &memory);
    info_heading("Memory");
    for (size_t i = 0; i < memory.nlimits; i++) {
        const struct host_memory_limit *limit = &memory.limits[i];
        char set[SIZE_TEXT], left[SIZE_TEXT];
        if (!limit->known) {
            info_field(limit->source, "%s", limit->why);
        } else if (limit->available == limit->limit) {
            info_field(limit->source, "%s", size_text(limit->limit, set));
        } else {
            info_field(limit->source, "%s, of which %s are left", size_text(limit->limit, set),
                       size_text(limit->available, left));
        }
    }
    struct host_memory_available available;
    char size[SIZE_TEXT];
    if (host_memory_available(&memory, 1, &available)) {
        info_field("least", "unavailable: %s", status_last_message());
        text_append_format(missing, "available memory: %s\n", status_last_message());
    } else {
        info_field("least", "%s, set by %s%s", size_text(available.per_rank, size),
                   available.least->source,
                   available.least->scope == HOST_MEMORY_SHARED ? "; the ranks of a host share it"
                                                                : " for each process");
    }
}

static void print_setting(const char *name, const struct host_setting *setting,
                          struct text *missing)
{
    if (setting->known) {
        info_field(name, "%s (%s)", setting->value, setting->choices);
    } else {
        info_field(name, "unavailable: %s", setting->why);
        text_append_format(missing, "%s: %s\n", name, setting->why);
    }
}

static void print_thp(const struct host_pages *pages, struct text *missing)
{
    char size[SIZE_TEXT];
    if (pages->thp_size) {
        info_field("THP size", "%s", size_text(pages->thp_size, size));
    }
    print_setting("THP enabled", &pages->thp_enabled, missing);
    print_setting("THP defrag", &pages->thp_defrag, missing);
    print_setting("THP of shared memory", &pages->thp_shmem_enabled, missing);
    for (size_t i = 0; i < pages->nthp_sizes; i++) {
        const struct host_thp_size *thp = &pages->thp_sizes[i];
        char name[SIZE_TEXT + 16];
        (void)snprintf(name, sizeof name, "THP of %s", size_text(thp->size, size));
        info_field(name, "private memory %s, shared memory %s",
                   thp->enabled.known ? thp->enabled.value : "not offered",
                   thp->shmem_enabled.known ? thp->shmem_enabled.value : "not offered");
    }
    if (pages->thp_enabled.known && !strcmp(pages->thp_enabled.value, "never")) {
        text_append(missing, "transparent large pages: switched off "
                             "(/sys/kernel/mm/transparent_hugepage/enabled is never)\n");
    }
}

static void print_hugetlb(const struct host_hugetlb *pool, struct text *missing)
{
    char size[SIZE_TEXT], name[SIZE_TEXT + 16];
    (void)snprintf(name, sizeof name, "hugetlb of %s", size_text(pool->size, size));
    if (!pool->known) {
        info_field(name, "unavailable: its counters cannot be read");
        text_append_format(missing, "reserved pages of %s: counters cannot be read\n", size);
        return;
    }
    info_field(name,
               "%" PRIu64 " in the pool, %" PRIu64 " free, %" PRIu64 " promised, %" PRIu64
               " surplus (up to %" PRIu64 ")",
               pool->total, pool->free, pool->reserved, pool->surplus, pool->overcommit_limit);
    if (!host_hugetlb_usable(pool) && pool->surplus >= pool->overcommit_limit) {
        text_append_format(missing,
                           "reserved pages of %s: %s (root sets /sys/kernel/mm/hugepages/"
                           "hugepages-%" PRIu64 "kB/nr_hugepages)\n",
                           size, pool->total ? "all are in use" : "the pool is empty",
                           pool->size >> 10);
    }
}

void info_pages(const struct host_system *system, struct text *missing)
{
    struct host_pages pages;
    host_pages_read(system, &pages);
    info_heading("Pages");
    char size[SIZE_TEXT];
    info_field("base page", "%s", size_text(pages.base, size));
    print_thp(&pages, missing);
    for (size_t i = 0; i < pages.nhugetlb; i++) {
        print_hugetlb(&pages.hugetlb[i], missing);
    }
    if (!pages.nhugetlb) {
        info_field("hugetlb", "unavailable: no /sys/kernel/mm/hugepages");
        text_append(missing, "reserved large pages: no /sys/kernel/mm/hugepages\n");
    }
}

static void print_events(const struct host_counters *counters, struct text *missing)
{
    char hint[512];
    host_counters_hint(counters, hint, sizeof hint);
    for (size_t i = 0; i < counters->nevents; i++) {
        const struct host_event *event = &counters->events[i];
        if (event->counts) {
            info_field(event->meaning, "counts: %s gave %" PRIu64 " for %s", event->name,
                       event->value, event->check);
            continue;
        }
        const bool hinted = event->hardware && hint[0];
        info_field(event->meaning, "unavailable: %s%s%s%s", event->why, hinted ? " [" : "",
                   hinted ? hint : "", hinted ? "]" : "");
        text_append_format(missing, "counting %s: %s\n", event->meaning,
                           hinted && !counters->hardware_source ? hint : event->why);
    }
}

void info_counters(const struct host_system *system, struct text *missing)
{
    struct host_counters counters;
    host_counters_read(system, &counters);
    if (!counters.usable) {
        info_heading("Counters");
        info_field("PAPI", "unavailable: %s", counters.why);
        text_append_format(missing, "all counters: %s\n", counters.why);
        return;
    }
    info_heading("Counters (PAPI %s)", counters.version);
    if (counters.paranoid_known) {
        info_field("perf_event_paranoid", "%d", counters.paranoid);
    }
    info_field("kernel event sources", "%s", counters.sources[0] ? counters.sources : "none");
    for (size_t i = 0; i < counters.ncomponents; i++) {
        const struct host_component *component = &counters.components[i];
        char name[80];
        (void)snprintf(name, sizeof name, "component %s", component->name);
        info_field(name, "%s%s%s", component->state, component->pmus[0] ? "; PMUs " : "",
                   component->pmus);
    }
    print_events(&counters, missing);
}
