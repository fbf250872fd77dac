#include "host/kernel/kernel.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "base/units.h"
#include "host/kernel/fault_counter.h"
#include "host/kernel/probes.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

const struct kernel_probe kernel_probes[] = {
    {"page_tables", "page tables of processes that map one segment", "byte", probe_page_tables},
    {"fork_exit", "fork and exit by pages mapped", "ns", probe_fork_exit},
    {"faults", "minor faults that first touches make", "1", probe_faults},
    {"fault_rate", "faults per second of processes at once", "s-1", probe_fault_rate},
    {"reclaim", "reclaim by processes that map each page", "ns", probe_reclaim},
    {0},
};

/* What is asked for when there is memory enough. */
static const struct kernel_plan full_plan = {
    .repetitions = 9,
    .segment = 1024 * MEBIBYTE,
    .sharers = {1, 2, 5, 10, 20},
    .nsharers = 5,
    .forked = {0, 1024, 4096, 16384, 65536, 262144},
    .nforked = 6,
    .touched = 65536,
    .mappers = {0, 1, 10, 100, 500},
    .nmappers = 5,
    .reclaimed = 2048,
    .probes = "all",
};

static const struct kernel_plan quick_plan = {
    .repetitions = 9,
    .segment = 1024 * MEBIBYTE,
    .sharers = {1, 2, 4},
    .nsharers = 3,
    .forked = {0, 4096, 65536},
    .nforked = 3,
    .touched = 16384,
    .mappers = {0, 1, 10, 100, 500},
    .nmappers = 5,
    .reclaimed = 256,
    .probes = "all",
};

void kernel_plan_make(bool quick, byte_count available, struct kernel_plan *plan_p)
{
    struct kernel_plan plan = quick ? quick_plan : full_plan;
    const byte_count most = available / 4;
    plan.memory = most;
    while (plan.segment > MEBIBYTE && plan.segment > most) {
        plan.segment /= 2;
    }
    while (plan.nforked > 1 && plan.forked[plan.nforked - 1] * PAGE_BYTES > most) {
        plan.nforked--;
    }
    while (plan.touched > 1 && plan.touched * PAGE_BYTES > most) {
        plan.touched /= 2;
    }
    *plan_p = plan;
}

enum { MOST_PROBES = 16 };

/* Whether `name` is one of the names in a list with commas. */
static bool is_listed(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; *at != '\0';) {
        const size_t part = strcspn(at, ",");
        if (part == length && strncmp(at, name, length) == 0) {
            return true;
        }
        at += part + (at[part] == ',');
    }
    return false;
}

static bool is_chosen(const char *probes, const struct kernel_probe *probe)
{
    return strcmp(probes, "all") == 0 || is_listed(probes, probe->name);
}

enum status kernel_check_probes(const char *probes)
{
    const char *names[MOST_PROBES];
    size_t nnames = 0;
    while (kernel_probes[nnames].name != NULL) {
        names[nnames] = kernel_probes[nnames].name;
        nnames++;
    }
    if (strcmp(probes, "all") == 0) {
        return STATUS_OK;
    }
    for (const char *at = probes;; at++) {
        const size_t part = strcspn(at, ",");
        char name[64], excerpt[TEXT_EXCERPT_SIZE];
        (void)snprintf(name, sizeof name, "%.*s", (int)(part < 60 ? part : 60), at);
        bool known = false;
        for (size_t i = 0; i < nnames; i++) {
            known = known || strcmp(name, names[i]) == 0;
        }
        if (!known) {
            const char *nearest = text_nearest(name, names, nnames);
            return nearest != NULL
                       ? fail(STATUS_USAGE, "probes: unknown probe %s, did you mean `%s`?",
                              text_excerpt(name, excerpt), nearest)
                       : fail(STATUS_USAGE,
                              "probes: unknown probe %s; expected all, or some of page_tables, "
                              "fork_exit, faults, fault_rate and reclaim with commas between them",
                              text_excerpt(name, excerpt));
        }
        at += part;
        if (*at == '\0') {
            return STATUS_OK;
        }
    }
}

/* What was asked for by name has to be there, before anything is measured. */
static enum status check_required(const struct host_measure *measure,
                                  const struct kernel_plan *plan)
{
    char how[400], why[400];
    struct segment segment;
    struct fault_counter counter;
    const long base = sysconf(_SC_PAGESIZE);
    if (base != (long)PAGE_BYTES) {
        return fail(STATUS_RESOURCE, "this host has base pages of %ld KiB, not of 4", base >> 10);
    }
    if (plan->page > PAGE_BYTES) {
        if (!segment_open(plan->page, max_u64(plan->segment, plan->page), &segment, how, why,
                          sizeof why)) {
            char text[UNITS_TEXT_SIZE];
            return fail(STATUS_RESOURCE, "no pages of %s: %s", units_print_size(plan->page, text),
                        why);
        }
        segment_close(&segment);
    }
    if (plan->needs_counter) {
        fault_counter_open(measure->system, &counter);
        fault_counter_close(&counter);
        if (!counter.usable) {
            return fail(STATUS_RESOURCE, "minor faults cannot be counted: %s", counter.why);
        }
    }
    return STATUS_OK;
}

bool kernel_may_repeat(const struct kernel_plan *plan, unsigned repetition)
{
    if (repetition == 0 || plan->until == 0 || team_clock() < plan->until) {
        return true;
    }
    *plan->left_out += plan->repetitions - repetition;
    return false;
}

/* Only of a plan with a budget: says how much of it was left out. */
static void put_left_out(const struct kernel_plan *plan, struct tables *tables)
{
    if (plan->budget == 0) {
        return;
    }
    tables_group(tables, "conditions", "what the time allowed");
    tables_count(tables,
                 &(struct table_label){"repetitions_left_out", "1",
                                       "for which there was no time, of all points together"},
                 *plan->left_out);
    if (*plan->left_out > 0) {
        tables_report(tables, "%" PRIu64 " repetitions were left out: there was no time for them\n",
                      *plan->left_out);
    }
}

enum status kernel_measure(const struct host_measure *measure, const struct kernel_plan *plan,
                           struct tables *tables)
{
    uint64_t total = 0, done = 0, left_out = 0;
    struct kernel_plan timed = *plan;
    timed.left_out = &left_out;
    for (const struct kernel_probe *probe = kernel_probes; probe->name != NULL; probe++) {
        total += is_chosen(plan->probes, probe);
    }
    enum status status = check_required(measure, plan);
    if (status != STATUS_OK) {
        return status;
    }
    host_measure_section(measure, "kernel", "what the kernel of the host does with shared pages",
                         tables);
    const size_t from = tables->bytes.size;
    const uint64_t started = team_clock();
    for (const struct kernel_probe *probe = kernel_probes;
         probe->name != NULL && status == STATUS_OK; probe++) {
        if (!is_chosen(plan->probes, probe)) {
            continue;
        }
        host_measure_progress(measure, done++, total, probe->title);
        tables_group(tables, probe->name, probe->title);
        tables_attribute(tables, "headline_unit", probe->unit);
        timed.until = plan->budget == 0 ? 0 : started + muldiv(plan->budget, done, total);
        status = probe->run(measure, &timed, tables);
    }
    put_left_out(&timed, tables);
    tables_report_absences(tables, from);
    host_measure_progress(measure, done, total, "done");
    return status;
}
