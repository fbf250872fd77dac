/* Claims that the kernel of a host is asked about. */
#include <string.h>

#include "claims/rows.h"

/* --- I7-host: page tables of a gigabyte ------------------------------------------------------- */

static const struct claim_run i7_host_runs[] = {
    {"i7-gigabyte.yaml",
     "machine.arch=x86_64 workloads.database.processes=1 workloads.database.segment.size=1GiB",
     {1, 1}},
};

/* Why `name` is absent from the tables; NULL if it is not. */
static const char *find_absence(const struct tables *tables, const char *name)
{
    struct table_record record;
    for (size_t at = 0; tables_next(tables, &at, &record);) {
        if (record.kind == TABLE_ABSENCE && strcmp(record.label.name, name) == 0) {
            return record.text;
        }
    }
    return NULL;
}

static void judge_i7_host(const struct tables *host, const struct outcome *const *runs,
                          struct judgement *judgement)
{
    /* VmPTE does not count the page of the top level. */
    const double simulated = outcome_total(runs[0], METRIC_PAGETABLE_BYTES) / 4096 - 1;
    struct table_record grown;
    if (!tables_find(host, "kernel", "page_tables/4KiB", "pagetable_bytes", &grown)) {
        const char *why = find_absence(host, "pagetable_bytes");
        judge_unavailable(judgement, "%s", why != NULL ? why : "nothing was measured");
        return;
    }
    const double *bytes = grown.values;
    for (uint64_t i = 0; i < grown.shape[1]; i++) {
        judge_between(judgement, simulated, simulated, bytes[i] / 4096, "page", "vmpte_growth_%u",
                      (unsigned)i);
    }
}

const struct claim claim_i7_host = {
    .id = "I7-host",
    .kind = CLAIM_MEASURED,
    .sentence = "1 GB in 4 KB pages takes 2 MB of page tables in every process",
    .source = IBM_ARTICLE,
    .compared = "growth of VmPTE of a process that maps 1 GiB, aligned, and reads all of it",
    .required = "that of the simulated x86_64, page for page, with the upper levels",
    CLAIM_RUNS(i7_host_runs),
    .host_probe = "page_tables",
    .judge_host = judge_i7_host,
};
