#include "commands/launch_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>

#include "host/cpu.h"
#include "host/pages.h"
#include "host/system.h"
#include "host/topology.h"
#include "io/comm.h"
#include "io/silence.h"

void launch_host_line(const struct launch_host *host, struct text *lines)
{
    text_append_format(lines, "host %s: ranks %" PRIu32 ", allowed PUs %" PRIu32 " (%s), ",
                       host->name, host->ranks, host->allowed_pus, host->allowed);
    if (host->bound_pus) {
        text_append_format(lines, "bound to %" PRIu32 " (%s)", host->bound_pus, host->bound);
    } else {
        text_append(lines, "binding not known");
    }
    text_append_format(lines, ", governor %s, transparent large pages %s\n",
                       host->governor[0] ? host->governor : "not set by the kernel",
                       host->thp[0] ? host->thp : "not known");
}

void launch_host_warnings(const struct launch_host *host, struct text *lines)
{
    if (host->ranks > host->allowed_pus) {
        text_append_format(
            lines, "host %s is oversubscribed: %" PRIu32 " ranks on %" PRIu32 " allowed PUs\n",
            host->name, host->ranks, host->allowed_pus);
    } else if (host->bound_pus && host->ranks > host->bound_pus) {
        text_append_format(
            lines,
            "host %s has %" PRIu32 " ranks bound to %" PRIu32 " of %" PRIu32 " allowed PUs (%s)\n",
            host->name, host->ranks, host->bound_pus, host->allowed_pus, host->bound);
    }
    if (host->governor[0] && strcmp(host->governor, "performance") != 0) {
        text_append_format(lines, "host %s has the frequency governor %s: wall times may drift\n",
                           host->name, host->governor);
    }
    if (!strcmp(host->thp, "never")) {
        text_append_format(lines, "host %s has transparent large pages switched off\n", host->name);
    }
}

/* Joins what the ranks of one host are bound to. Every rank calls it, whatever it knows. */
static void join_bindings(const struct host_topology *topology, MPI_Comm local,
                          struct launch_host *host)
{
    unsigned long mine[128] = {0}, joined[128]; /* 8192 PUs */
    const int words = (int)(sizeof mine / sizeof mine[0]);
    int known = topology->bound_known && hwloc_bitmap_last(topology->bound_set) < words * 64 &&
                !hwloc_bitmap_to_ulongs(topology->bound_set, (unsigned)words, mine);
    int all_known;
    MPI_Allreduce(&known, &all_known, 1, MPI_INT, MPI_MIN, local);
    MPI_Allreduce(mine, joined, words, MPI_UNSIGNED_LONG, MPI_BOR, local);
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    if (all_known && set && !hwloc_bitmap_from_ulongs(set, (unsigned)words, joined)) {
        host->bound_pus = (uint32_t)hwloc_bitmap_weight(set);
        (void)hwloc_bitmap_list_snprintf(host->bound, sizeof host->bound, set);
    }
    hwloc_bitmap_free(set);
}

static void read_settings(const struct host_system *system, struct launch_host *host)
{
    struct host_cpu cpu;
    host_cpu_read(system, &cpu);
    (void)snprintf(host->governor, sizeof host->governor, "%.60s", cpu.governor.text);
    struct host_pages pages;
    host_pages_read(system, &pages);
    (void)snprintf(host->thp, sizeof host->thp, "%.30s", pages.thp_enabled.value);
}

/* What this rank's host looks like; complete on every rank. */
static void describe_host(const struct host_topology *topology, const struct launcher *launcher,
                          MPI_Comm local, struct launch_host *host)
{
    *host = (struct launch_host){.ranks = (uint32_t)launcher->local_size};
    if (gethostname(host->name, sizeof host->name - 1)) {
        (void)snprintf(host->name, sizeof host->name, "unknown");
    }
    host->allowed_pus = topology->allowed_pus;
    (void)snprintf(host->allowed, sizeof host->allowed, "%.60s", topology->allowed);
    const struct host_system system = host_system_here();
    read_settings(&system, host);
    join_bindings(topology, local, host);
}

static void report(const struct launcher *launcher, const struct launch_host *hosts, int nhosts,
                   struct text *facts)
{
    struct text warnings = {0};
    text_append_format(facts, "launcher: %s, ranks %d, hosts %d\n", launcher->how, launcher->size,
                       nhosts);
    for (int i = 0; i < nhosts; i++) {
        launch_host_line(&hosts[i], facts);
        launch_host_warnings(&hosts[i], &warnings);
    }
    for (const char *line = text_string(&warnings); *line;) {
        int length = (int)strcspn(line, "\n");
        warn("%.*s", length, line);
        line += length + 1;
    }
    text_free(&warnings);
}

enum status launch_facts(const struct launcher *launcher, struct text *facts)
{
    struct host_topology topology;
    const enum status opened = host_topology_open(&topology);
    enum status status = launcher_agree(opened);
    if (status) {
        if (!opened) {
            host_topology_close(&topology);
        }
        return status;
    }
    MPI_Comm local, leaders;
    silence_enter_call();
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, launcher->rank, MPI_INFO_NULL,
                        &local);
    MPI_Comm_split(MPI_COMM_WORLD, launcher->local_rank ? MPI_UNDEFINED : 0, launcher->rank,
                   &leaders);
    struct launch_host host;
    describe_host(&topology, launcher, local, &host);
    host_topology_close(&topology);
    MPI_Comm_free(&local);
    silence_leave_call();

    int nhosts = 0;
    struct launch_host *hosts = NULL;
    if (leaders != MPI_COMM_NULL) {
        MPI_Comm_size(leaders, &nhosts);
    }
    if (!launcher->rank) {
        hosts = calloc((size_t)(nhosts > 0 ? nhosts : 1), sizeof *hosts);
        if (!hosts) {
            status = fail(STATUS_RESOURCE, "out of memory for the facts of %d hosts", nhosts);
        }
    }
    status = launcher_agree(status);
    if (!status && leaders != MPI_COMM_NULL) {
        const struct io_comm among = io_comm_of(leaders);
        io_gather(&among, &host, (int)sizeof host, MPI_BYTE, hosts);
    }
    if (!status && !launcher->rank) {
        report(launcher, hosts, nhosts, facts);
    }
    free(hosts);
    if (leaders != MPI_COMM_NULL) {
        MPI_Comm_free(&leaders);
    }
    return status;
}
