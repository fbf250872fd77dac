/* Page tables of N processes that map one segment: the growth of VmPTE of each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/units.h"
#include "host/kernel/memory_use.h"
#include "host/kernel/probes.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

enum { GROWTH, LEFT, TIME, RESULTS };

/* VmPTE before and after mapping the segment and reading all of it, and after unmapping it. */
static int measure_growth(const struct segment *segment, uint64_t *results)
{
    byte_count before, mapped, after;
    if (!memory_use_page_tables(&before)) {
        return ENOSYS;
    }
    const uint64_t start = team_clock();
    void *memory = segment_map(segment);
    if (!memory) {
        return errno;
    }
    segment_read(segment, memory);
    results[TIME] = team_clock() - start;
    const bool known = memory_use_page_tables(&mapped);
    (void)munmap(memory, segment->size);
    if (!known || !memory_use_page_tables(&after)) {
        return ENOSYS;
    }
    results[GROWTH] = mapped - before;
    results[LEFT] = after - before;
    return 0;
}

static int map_and_read(const struct team_turn *turn)
{
    const struct segment *segment = turn->argument;
    /* First a page of it, so that code and stack are there and what they need is not counted. */
    struct segment page = *segment;
    page.size = page.page;
    const int error = measure_growth(&page, turn->results);
    return error ? error : measure_growth(segment, turn->results);
}

struct growth {
    struct samples bytes;
    struct samples least;
    struct samples most;
    struct samples left;
    struct samples time;
};

static bool make_growth(unsigned points, unsigned repetitions, struct growth *growth)
{
    return samples_make(points, repetitions, &growth->bytes) &&
           samples_make(points, repetitions, &growth->least) &&
           samples_make(points, repetitions, &growth->most) &&
           samples_make(points, repetitions, &growth->left) &&
           samples_make(points, repetitions, &growth->time);
}

static void free_growth(struct growth *growth)
{
    samples_free(&growth->bytes);
    samples_free(&growth->least);
    samples_free(&growth->most);
    samples_free(&growth->left);
    samples_free(&growth->time);
}

static void take_samples(const struct team *team, unsigned sharers, unsigned point,
                         unsigned repetition, struct growth *growth)
{
    uint64_t sum = 0, left = 0, time = 0, least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < sharers; i++) {
        const uint64_t bytes = team_result(team, i, GROWTH);
        sum += bytes;
        least = min_u64(least, bytes);
        most = max_u64(most, bytes);
        left += team_result(team, i, LEFT);
        time += team_result(team, i, TIME);
    }
    samples_set(&growth->bytes, point, repetition, (double)sum);
    samples_set(&growth->least, point, repetition, (double)least);
    samples_set(&growth->most, point, repetition, (double)most);
    samples_set(&growth->left, point, repetition, (double)left);
    samples_set(&growth->time, point, repetition, (double)time / sharers);
}

static void put_growth(const struct kernel_plan *plan, const struct growth *growth,
                       struct tables *tables)
{
    uint64_t sharers[KERNEL_POINTS];
    for (unsigned i = 0; i < plan->nsharers; i++) {
        sharers[i] = plan->sharers[i];
    }
    tables_scale(tables, &(struct table_label){"processes", "1", "processes that map the segment"},
                 NUMBER_U64, plan->nsharers, sharers);
    samples_put_scale(plan->repetitions, tables);
    samples_put(&growth->bytes,
                &(struct table_label){"pagetable_bytes", "byte",
                                      "growth of VmPTE by mapping and reading, all processes"},
                "processes", tables);
    samples_put(&growth->least,
                &(struct table_label){"pagetable_bytes_least", "byte",
                                      "growth of the process that grew least"},
                "processes", tables);
    samples_put(&growth->most,
                &(struct table_label){"pagetable_bytes_most", "byte",
                                      "growth of the process that grew most"},
                "processes", tables);
    samples_put(&growth->left,
                &(struct table_label){"pagetable_bytes_left", "byte",
                                      "of it, what unmapping does not give back"},
                "processes", tables);
    samples_put(&growth->time,
                &(struct table_label){"map_time", "ns", "mapping and reading, mean of processes"},
                "processes", tables);
}

/* All points of one page size. False when they end early; `why` is then empty if it was stopped. */
static bool measure_size(const struct host_measure *measure, const struct kernel_plan *plan,
                         const struct segment *segment, struct growth *growth, char *why,
                         size_t why_size)
{
    why[0] = '\0';
    for (unsigned point = 0; point < plan->nsharers; point++) {
        const unsigned sharers = plan->sharers[point];
        struct team *team;
        if (!team_start(sharers, RESULTS, measure->stop, &team, why, why_size)) {
            return false;
        }
        bool done = true;
        for (unsigned i = 0; i < plan->repetitions && done && kernel_may_repeat(plan, i); i++) {
            done = team_run(team, sharers, map_and_read, segment, sizeof *segment);
            if (done) {
                take_samples(team, sharers, point, i, growth);
            } else {
                (void)snprintf(why, why_size, "%s", team_why(team));
            }
        }
        team_end(team);
        if (!done) {
            return false;
        }
    }
    return true;
}

static enum status probe_size(const struct host_measure *measure, const struct kernel_plan *plan,
                              byte_count page, const char *group, struct tables *tables)
{
    char how[400], why[400];
    struct segment segment;
    const byte_count size = max_u64(plan->segment, page);
    tables_group(tables, group, "one segment of pages of this size");
    if (!segment_open(page, size, &segment, how, why, sizeof why)) {
        tables_absence(tables, "pagetable_bytes", why);
        char text[UNITS_TEXT_SIZE];
        return plan->page == 0
                   ? STATUS_OK
                   : fail(STATUS_RESOURCE, "no pages of %s: %s", units_print_size(page, text), why);
    }
    tables_attribute(tables, "pages_from", how);
    tables_count(tables, &(struct table_label){"segment_bytes", "byte", "size of the segment"},
                 size);
    tables_count(tables,
                 &(struct table_label){"page_bytes", "byte",
                                       "size of its pages, as /proc/self/smaps proves"},
                 page);
    struct growth growth = {0};
    enum status status = STATUS_OK;
    if (!make_growth(plan->nsharers, plan->repetitions, &growth)) {
        status = fail(STATUS_FAILED, "out of memory for samples");
    } else {
        const bool done = measure_size(measure, plan, &segment, &growth, why, sizeof why);
        put_growth(plan, &growth, tables);
        if (!done) {
            tables_absence(tables, "pagetable_bytes of more processes", why);
        }
    }
    free_growth(&growth);
    segment_close(&segment);
    return status;
}

enum status probe_page_tables(const struct host_measure *measure, const struct kernel_plan *plan,
                              struct tables *tables)
{
    static const struct {
        byte_count page;
        const char *group;
    } sizes[] = {
        {PAGE_BYTES, "page_tables/4KiB"},
        {(byte_count)1 << 21, "page_tables/2MiB"},
        {(byte_count)1 << 30, "page_tables/1GiB"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && status == STATUS_OK; i++) {
        if (plan->page != 0 && plan->page != sizes[i].page) {
            continue;
        }
        status = probe_size(measure, plan, sizes[i].page, sizes[i].group, tables);
        if (status == STATUS_OK && host_measure_stopped(measure)) {
            status = STATUS_INTERRUPTED;
        }
    }
    return status;
}
