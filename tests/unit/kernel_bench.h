/* A measurement of the kernel of this host with a small plan, and what it gave. */
#ifndef THRASH_TESTS_KERNEL_BENCH_H
#define THRASH_TESTS_KERNEL_BENCH_H

#include <stdbool.h>

#include "host/kernel/kernel.h"

#define MIB ((byte_count)1 << 20)

struct bench {
    struct host_system system;
    struct host_topology topology;
    struct host_places places;
    struct host_measure measure;
    struct kernel_plan plan;
    struct tables tables;
};

/* False under the thread sanitizer, whose shadow memory has faults and page tables of its own. */
extern const bool counts_are_exact;

/* `probes` as in the plan. */
void bench_open(struct bench *bench, const char *probes);

/* Also asserts that no process is left. */
void bench_close(struct bench *bench);

/* The values of an array; NULL if there is none. */
const double *find_values(const struct bench *bench, const char *group, const char *name);

/* The reason for which `name` is absent from the last group of that path, "" if it is not. */
void find_absence(const struct bench *bench, const char *group, const char *name, char reason[400]);

bool has_attribute(const struct bench *bench, const char *group, const char *name,
                   const char *text);

#endif
