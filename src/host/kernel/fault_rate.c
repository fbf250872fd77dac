/* Faults per second of processes that fault at once, each on a hardware thread of its own. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host/kernel/probes.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

enum { START, END, FAULTS, RESULTS };

#define LEAST_PAGES 64U /* fewer would measure the start */

struct rate_task {
    const struct host_measure *measure; /* at the same address in the forked processes */
    bool is_shared;
    page_count pages;
    struct segment segment; /* all of them map it, where it is shared */
};

static int fault_together(const struct team_turn *turn)
{
    const struct rate_task *task = turn->argument;
    const byte_count size = task->pages * PAGE_BYTES;
    char why[160];
    (void)host_place_enter(task->measure->topology, task->measure->places, turn->member, why,
                           sizeof why);
    volatile char *memory = task->is_shared ? segment_map(&task->segment)
                                            : map_apart(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (!memory) {
        return errno;
    }
    if (!task->is_shared) {
        (void)madvise((void *)memory, size, MADV_NOHUGEPAGE);
    }
    struct rusage before, after;
    (void)getrusage(RUSAGE_THREAD, &before);
    team_line_up(turn);
    turn->results[START] = team_clock();
    for (byte_count at = 0; at < size; at += PAGE_BYTES) {
        memory[at] = 1;
    }
    turn->results[END] = team_clock();
    (void)getrusage(RUSAGE_THREAD, &after);
    turn->results[FAULTS] = (uint64_t)(after.ru_minflt - before.ru_minflt);
    (void)munmap((void *)memory, size);
    return 0;
}

/* All faults over the time from the first start to the last end. */
static double rate_of(const struct team *team, unsigned members)
{
    uint64_t start = UINT64_MAX, end = 0, faults = 0;
    for (unsigned i = 0; i < members; i++) {
        start = min_u64(start, team_result(team, i, START));
        end = max_u64(end, team_result(team, i, END));
        faults += team_result(team, i, FAULTS);
    }
    return (double)faults * 1e9 / (double)(end - start);
}

/* 1, 2, 4, ... and all. */
static unsigned count_points(unsigned places, uint64_t members[KERNEL_POINTS])
{
    unsigned n = 0;
    for (unsigned i = 1; i < places && n < KERNEL_POINTS - 1; i *= 2) {
        members[n++] = i;
    }
    members[n++] = places;
    return n;
}

static bool measure_points(const struct host_measure *measure, const struct kernel_plan *plan,
                           const struct rate_task *task, const uint64_t *members,
                           struct samples *samples, char *why, size_t why_size)
{
    struct team *team;
    const unsigned most = (unsigned)members[samples->points - 1];
    if (!team_start(most, RESULTS, measure->stop, &team, why, why_size)) {
        return false;
    }
    bool done = true;
    for (unsigned point = 0; point < samples->points && done; point++) {
        const unsigned n = (unsigned)members[point];
        /* The first time is not counted. */
        for (unsigned i = 0;
             i <= plan->repetitions && done && kernel_may_repeat(plan, i > 0 ? i - 1 : 0); i++) {
            done = team_run(team, n, fault_together, task, sizeof *task);
            if (done && i > 0) {
                samples_set(samples, point, i - 1, rate_of(team, n));
            }
        }
    }
    if (!done) {
        (void)snprintf(why, why_size, "%s", team_why(team));
    }
    team_end(team);
    return done;
}

static enum status probe_kind(const struct host_measure *measure, const struct kernel_plan *plan,
                              bool is_shared, struct tables *tables)
{
    const char *group = is_shared ? "fault_rate/shared" : "fault_rate/private";
    tables_group(tables, group,
                 is_shared ? "writes to one shared segment, which all processes map"
                           : "writes to private memory, each process its own");
    uint64_t members[KERNEL_POINTS];
    const unsigned points = count_points(measure->places->n, members);
    struct rate_task task = {.measure = measure, .is_shared = is_shared};
    /* As many for any number of processes. */
    task.pages = min_u64(plan->touched, plan->memory / measure->places->n / PAGE_BYTES);
    if (task.pages < LEAST_PAGES) {
        tables_absence(tables, "faults_per_second", "there is too little memory for each process");
        return STATUS_OK;
    }
    char how[400], why[400] = "";
    if (is_shared &&
        !segment_open(PAGE_BYTES, task.pages * PAGE_BYTES, &task.segment, how, why, sizeof why)) {
        tables_absence(tables, "faults_per_second", why);
        return STATUS_OK;
    }
    struct samples samples;
    enum status status = STATUS_OK;
    if (!samples_make(points, plan->repetitions, &samples)) {
        status = fail(STATUS_FAILED, "out of memory for samples");
    } else {
        if (!measure_points(measure, plan, &task, members, &samples, why, sizeof why)) {
            tables_absence(tables, "faults_per_second of more processes", why);
        }
        tables_scale(tables,
                     &(struct table_label){"processes", "1", "processes that fault at once"},
                     NUMBER_U64, points, members);
        samples_put_scale(plan->repetitions, tables);
        tables_count(tables, &(struct table_label){"pages", "page", "pages of each process"},
                     task.pages);
        samples_put(&samples,
                    &(struct table_label){"faults_per_second", "s-1", "faults of all processes"},
                    "processes", tables);
        if (!isnan(samples_median(&samples, 0))) {
            tables_report(tables, "%-34s %9.0f faults/s of 1 process, %.0f of %u\n", group,
                          samples_median(&samples, 0), samples_median(&samples, points - 1),
                          (unsigned)members[points - 1]);
        }
        samples_free(&samples);
    }
    if (is_shared) {
        segment_close(&task.segment);
    }
    return status;
}

enum status probe_fault_rate(const struct host_measure *measure, const struct kernel_plan *plan,
                             struct tables *tables)
{
    enum status status = STATUS_OK;
    for (int is_shared = 0; is_shared < 2 && status == STATUS_OK; is_shared++) {
        status = probe_kind(measure, plan, is_shared != 0, tables);
        if (status == STATUS_OK && host_measure_stopped(measure)) {
            status = STATUS_INTERRUPTED;
        }
    }
    return status;
}
