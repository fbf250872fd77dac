/* Measurements of hosts in a result file: /locks, /tlb, /kernel with a group for each host. */
#ifndef THRASH_RESULTS_MEASURED_H
#define THRASH_RESULTS_MEASURED_H

#include <stddef.h>

#include "base/status.h"
#include "io/tables.h"
#include "results/result_file.h"

/* What one host gave. */
struct measured_host {
    const char *name;   /* "": of all hosts together; its groups lie in the sections themselves */
    enum status status; /* of measuring */
    const char *reason; /* why it failed; "" if it did not */
    struct tables tables;
};

/* On rank 0, after result_begin(): puts the tables of all hosts. A host that failed is named with
 * its reason in the attribute `unavailable` of "/" if it has no tables, and in the attribute
 * `failure` of its groups if it has some. */
void measured_put(struct result *result, const struct measured_host *hosts, size_t nhosts);

/* Appends "host: reason" lines for everything that makes the hosts' numbers invalid, in order;
 * returns how many. */
size_t measured_invalid_reasons(const struct measured_host *hosts, size_t nhosts,
                                struct text *lines);

#endif
