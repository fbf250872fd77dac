/* Minor faults: how many first touches of pages make, and what each takes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "host/kernel/fault_counter.h"
#include "host/kernel/probes.h"
#include "host/kernel/samples.h"
#include "host/kernel/segment.h"
#include "host/kernel/team.h"

/* Kinds of first touches. */
struct touch {
    const char *group;
    const char *title;
    bool is_shared;
    bool is_there; /* the pages of shared memory are there, so that only ptes are made */
    bool is_write;
    bool is_exact; /* as many faults as pages; else neighbours may be mapped with a page */
};

static const struct touch touches[] = {
    {"faults/private_write", "writes to new private memory in base pages", false, false, true,
     true},
    {"faults/private_read",
     "reads of new private memory in base pages, which map the page of "
     "zeros",
     false, false, false, false},
    {"faults/shared_create", "writes to a new shared segment, which make its pages", true, false,
     true, true},
    {"faults/shared_write", "writes to a shared segment whose pages are there", true, true, true,
     true},
    {"faults/shared_read", "reads of a shared segment whose pages are there", true, true, false,
     false},
};

static void touch_pages(const struct touch *touch, volatile char *memory, page_count pages)
{
    if (touch->is_write) {
        for (page_count i = 0; i < pages; i++) {
            memory[i * PAGE_BYTES] = 1;
        }
    } else {
        for (page_count i = 0; i < pages; i++) {
            (void)memory[i * PAGE_BYTES];
        }
    }
}

/* Memory none of whose pages this process has mapped; NULL with errno set. */
static void *map_new(const struct touch *touch, const struct segment *segment, page_count pages)
{
    const byte_count size = pages * PAGE_BYTES;
    if (!touch->is_shared) {
        void *memory = map_apart(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        if (memory) {
            (void)madvise(memory, size, MADV_NOHUGEPAGE);
        }
        return memory;
    }
    if (!touch->is_there &&
        fallocate(segment->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size)) {
        return NULL;
    }
    return segment_map(segment);
}

static uint64_t faults_of_thread(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)usage.ru_minflt;
}

struct touch_samples {
    struct samples counted;
    struct samples accounted;
    struct samples time;
};

static bool touch_once(const struct touch *touch, const struct segment *segment, page_count pages,
                       struct fault_counter *counter, int repetition, struct touch_samples *samples)
{
    void *memory = map_new(touch, segment, pages);
    if (!memory) {
        return false;
    }
    uint64_t counted = 0;
    const bool counts = fault_counter_start(counter);
    const uint64_t before = faults_of_thread();
    const uint64_t start = team_cpu_clock();
    touch_pages(touch, memory, pages);
    const uint64_t time = team_cpu_clock() - start;
    const uint64_t accounted = faults_of_thread() - before;
    const bool was_counted = counts && fault_counter_stop(counter, &counted);
    (void)munmap(memory, pages * PAGE_BYTES);
    if (repetition < 0) {
        return true;
    }
    const unsigned i = (unsigned)repetition;
    if (was_counted) {
        samples_set(&samples->counted, 0, i, (double)counted);
    }
    samples_set(&samples->accounted, 0, i, (double)accounted);
    if (accounted > 0) {
        samples_set(&samples->time, 0, i, (double)time / (double)accounted);
    }
    return true;
}

static void put_around(const struct host_measure *measure, page_count pages, double faults,
                       struct tables *tables)
{
    uint64_t bytes;
    if (host_file_number(measure->system, "/sys/kernel/debug/fault_around_bytes", &bytes)) {
        tables_count(tables,
                     &(struct table_label){"fault_around_bytes", "byte",
                                           "what the kernel maps around a fault at most"},
                     bytes);
    } else {
        char why[200];
        (void)snprintf(why, sizeof why, "/sys/kernel/debug/fault_around_bytes: %s",
                       errno == ENOENT ? "debugfs is not mounted" : strerror(errno));
        tables_absence(tables, "fault_around_bytes", why);
    }
    if (faults > 0) {
        tables_real(tables,
                    &(struct table_label){"bytes_per_fault", "byte",
                                          "what a fault mapped, the bytes touched over the faults"},
                    (double)(pages * PAGE_BYTES) / faults);
    }
}

static void put_touches(const struct host_measure *measure, const struct kernel_plan *plan,
                        const struct touch *touch, const struct fault_counter *counter,
                        const struct touch_samples *samples, struct tables *tables)
{
    const uint64_t pages = plan->touched;
    tables_scale(tables, &(struct table_label){"pages", "page", "pages touched"}, NUMBER_U64, 1,
                 &pages);
    samples_put_scale(plan->repetitions, tables);
    if (counter->usable) {
        samples_put(&samples->counted,
                    &(struct table_label){"minor_faults", "1", "counted by " FAULT_EVENT}, "pages",
                    tables);
    } else {
        tables_absence(tables, "minor_faults", counter->why);
    }
    samples_put(&samples->accounted,
                &(struct table_label){"minor_faults_accounted", "1", "counted by getrusage"},
                "pages", tables);
    samples_put(&samples->time,
                &(struct table_label){"fault_time", "ns", "CPU time of touching, per fault"},
                "pages", tables);
    const struct samples *best = counter->usable ? &samples->counted : &samples->accounted;
    const double faults = samples_median(best, 0);
    if (touch->is_exact) {
        const bool equal = samples_all_equal(best, 0, (double)pages);
        tables_attribute(tables, "one_fault_per_page", equal ? "yes" : "no");
    } else if (touch->is_shared) {
        put_around(measure, pages, faults, tables);
    }
    tables_report(tables, "%-34s %9.0f faults of %" PRIpages " pages, %.0f ns each\n", touch->group,
                  faults, plan->touched, samples_median(&samples->time, 0));
}

static enum status probe_touch(const struct host_measure *measure, const struct kernel_plan *plan,
                               const struct touch *touch, struct fault_counter *counter,
                               struct tables *tables)
{
    struct segment segment = {.fd = -1};
    struct touch_samples samples = {0};
    char how[400], why[400] = "";
    tables_group(tables, touch->group, touch->title);
    if (touch->is_shared &&
        !segment_open(PAGE_BYTES, plan->touched * PAGE_BYTES, &segment, how, why, sizeof why)) {
        tables_absence(tables, "minor_faults", why);
        return STATUS_OK;
    }
    enum status status = STATUS_OK;
    if (!samples_make(1, plan->repetitions, &samples.counted) ||
        !samples_make(1, plan->repetitions, &samples.accounted) ||
        !samples_make(1, plan->repetitions, &samples.time)) {
        status = fail(STATUS_FAILED, "out of memory for samples");
        goto done;
    }
    /* The first time is not counted. */
    for (int i = -1; i < (int)plan->repetitions && !host_measure_stopped(measure) &&
                     kernel_may_repeat(plan, i > 0 ? (unsigned)i : 0);
         i++) {
        if (!touch_once(touch, &segment, plan->touched, counter, i, &samples)) {
            (void)snprintf(why, sizeof why, "%" PRIpages " pages: %s", plan->touched,
                           strerror(errno));
            tables_absence(tables, "minor_faults", why);
            goto done;
        }
    }
    put_touches(measure, plan, touch, counter, &samples, tables);
done:
    samples_free(&samples.counted);
    samples_free(&samples.accounted);
    samples_free(&samples.time);
    if (touch->is_shared) {
        segment_close(&segment);
    }
    return status;
}

enum status probe_faults(const struct host_measure *measure, const struct kernel_plan *plan,
                         struct tables *tables)
{
    struct fault_counter counter;
    fault_counter_open(measure->system, &counter);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof touches / sizeof touches[0] && status == STATUS_OK; i++) {
        status = probe_touch(measure, plan, &touches[i], &counter, tables);
        if (status == STATUS_OK && host_measure_stopped(measure)) {
            status = STATUS_INTERRUPTED;
        }
    }
    fault_counter_close(&counter);
    return status;
}
