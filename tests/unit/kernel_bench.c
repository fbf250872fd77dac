#include "kernel_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/thread_sanitizer.h"

#include <cmocka.h> /* last: its macro fail() hides the function */

#ifdef THREAD_SANITIZED
const bool counts_are_exact = false;
#else
const bool counts_are_exact = true;
#endif

static atomic_int never;

static void show_nothing(void *who, uint64_t done, uint64_t total, const char *label)
{
    (void)who;
    (void)done;
    (void)total;
    (void)label;
}

void bench_open(struct bench *bench, const char *probes)
{
    *bench = (struct bench){.system = host_system_here()};
    assert_int_equal(host_topology_open(&bench->topology), STATUS_OK);
    assert_int_equal(host_places_choose(&bench->topology, "cores", true, &bench->places),
                     STATUS_OK);
    bench->measure = (struct host_measure){
        .system = &bench->system,
        .topology = &bench->topology,
        .places = &bench->places,
        .stop = &never,
        .progress = show_nothing,
    };
    bench->plan = (struct kernel_plan){
        .repetitions = 3,
        .memory = 64 * 1024 * MIB,
        .segment = 64 * MIB,
        .sharers = {1, 3},
        .nsharers = 2,
        .forked = {0, 4096},
        .nforked = 2,
        .touched = 1024,
        .mappers = {0, 1, 3},
        .nmappers = 3,
        .reclaimed = 64,
        .probes = probes,
    };
}

void bench_release(struct bench *bench)
{
    tables_free(&bench->tables);
    host_places_free(&bench->places);
    host_topology_close(&bench->topology);
}

void bench_close(struct bench *bench)
{
    bench_release(bench);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

const double *find_values(const struct bench *bench, const char *group, const char *name)
{
    struct table_record record;
    if (!tables_find(&bench->tables, "kernel", group, name, &record)) {
        return NULL;
    }
    return record.values;
}

void find_absence(const struct bench *bench, const char *group, const char *name, char reason[400])
{
    struct table_record record;
    bool here = false;
    reason[0] = '\0';
    for (size_t at = 0; tables_next(&bench->tables, &at, &record);) {
        if (record.kind == TABLE_GROUP) {
            here = !strcmp(record.label.name, group);
        } else if (here && record.kind == TABLE_ABSENCE && !strcmp(record.label.name, name)) {
            (void)snprintf(reason, 400, "%s", record.text);
        }
    }
}

bool has_attribute(const struct bench *bench, const char *group, const char *name, const char *text)
{
    struct table_record record;
    bool here = false, found = false;
    for (size_t at = 0; tables_next(&bench->tables, &at, &record);) {
        if (record.kind == TABLE_GROUP) {
            here = !strcmp(record.label.name, group);
        } else if (here && record.kind == TABLE_ATTRIBUTE && !strcmp(record.label.name, name)) {
            found = found || !strcmp(record.text, text);
        }
    }
    return found;
}
