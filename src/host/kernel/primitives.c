#include "host/kernel/primitives.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/kernel/samples.h"
#include "host/kernel/team.h"

#define SYSTEM_CALLS 100000U

/* Two areas of memory that are there. */
struct areas {
    unsigned char *from, *to;
    byte_count bytes;
};

static double zero_pages(const struct areas *areas)
{
    const uint64_t start = team_cpu_clock();
    for (byte_count at = 0; at < areas->bytes; at += PAGE_BYTES) {
        memset(areas->to + at, 0, PAGE_BYTES);
    }
    return (double)(team_cpu_clock() - start) / (double)(areas->bytes / PAGE_BYTES);
}

static double copy_pages(const struct areas *areas)
{
    const uint64_t start = team_cpu_clock();
    for (byte_count at = 0; at < areas->bytes; at += PAGE_BYTES) {
        memcpy(areas->to + at, areas->from + at, PAGE_BYTES);
    }
    return (double)(team_cpu_clock() - start) / (double)(areas->bytes / PAGE_BYTES);
}

static double call_system(const struct areas *areas)
{
    (void)areas;
    const uint64_t start = team_cpu_clock();
    for (unsigned i = 0; i < SYSTEM_CALLS; i++) {
        (void)syscall(SYS_getppid);
    }
    return (double)(team_cpu_clock() - start) / SYSTEM_CALLS;
}

static const struct primitive {
    const char *group;
    const char *title;
    double (*once)(const struct areas *areas);
} primitives[] = {
    {"page_zero", "clearing 4 KiB of memory that is in no cache", zero_pages},
    {"page_copy", "copying 4 KiB of memory that is in no cache", copy_pages},
    {"syscall", "getppid", call_system},
};

static bool measure_one(const struct host_measure *measure, const struct primitive *primitive,
                        unsigned repetitions, const struct areas *areas, struct tables *tables)
{
    const uint64_t one = 1;
    struct samples samples;
    if (!samples_make(1, repetitions, &samples)) {
        return false;
    }
    (void)primitive->once(areas); /* warm-up */
    for (unsigned i = 0; i < repetitions && !host_measure_stopped(measure); i++) {
        samples_set(&samples, 0, i, primitive->once(areas));
    }
    tables_group(tables, primitive->group, primitive->title);
    tables_scale(tables, &(struct table_label){"processes", "1", "processes that do it"},
                 NUMBER_U64, 1, &one);
    samples_put_scale(repetitions, tables);
    samples_put(&samples, &(struct table_label){"time", "ns", "CPU time of one"}, "processes",
                tables);
    samples_free(&samples);
    return true;
}

enum status primitives_measure(const struct host_measure *measure, unsigned repetitions,
                               byte_count bytes, struct tables *tables)
{
    tables_section(tables, "primitives", "what memory managers are made of");
    bytes = max_u64(bytes / PAGE_BYTES, 1) * PAGE_BYTES; /* whole pages are cleared and copied */
    unsigned char *memory = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return fail(STATUS_RESOURCE, "%" PRIbytes " MiB to clear and copy: %s", 2 * bytes >> 20,
                    strerror(errno));
    }
    memset(memory, 1, 2 * bytes);
    const struct areas areas = {memory, memory + bytes, bytes};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof primitives / sizeof primitives[0] && status == STATUS_OK; i++) {
        if (!measure_one(measure, &primitives[i], repetitions, &areas, tables)) {
            status = fail(STATUS_FAILED, "out of memory for samples");
        }
    }
    (void)munmap(memory, 2 * bytes);
    return status == STATUS_OK && host_measure_stopped(measure) ? STATUS_INTERRUPTED : status;
}
