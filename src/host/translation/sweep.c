#include "host/translation/sweep.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/units.h"
#include "host/memory.h"

/* Bytes of page tables for a byte of memory, at most, and something for everything else. */
#define TABLES_SHARE 512
#define HEADROOM     ((byte_count)64 << 20)

/* A repetition is no shorter than this, so that reading the clock is nothing beside it. */
#define ACCESSES_MIN 4096

size_t sweep_samples(const struct sweep_plan *plan)
{
    return ACCESS_PATTERNS * plan->nbackings * plan->nfootprints * plan->repetitions;
}

size_t sweep_index(const struct sweep_plan *plan, enum access_pattern pattern, size_t backing,
                   size_t footprint, size_t repetition)
{
    return (((size_t)pattern * plan->nbackings + backing) * plan->nfootprints + footprint) *
               plan->repetitions +
           repetition;
}

/* Time that this thread had a CPU: while others have it, nothing is measured. */
static uint64_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

/* Time on the wall. */
static uint64_t elapsed(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static uint64_t faults_so_far(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) ? 0 : (uint64_t)(usage.ru_minflt + usage.ru_majflt);
}

static bool stopped(const struct sweep_plan *plan)
{
    return plan->stop && *plan->stop;
}

/* Whether there is memory for a region; asked anew each time, as others use the host as well. */
static bool memory_suffices(const struct sweep_plan *plan, byte_count size, char why[REGION_WHY])
{
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(plan->system, &memory);
    const byte_count needed = size + size / TABLES_SHARE + HEADROOM;
    if (host_memory_available(&memory, 1, &available) || needed <= available.per_rank) {
        return true;
    }
    char a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE];
    (void)snprintf(why, REGION_WHY, "needs %s, %s leaves %s", units_print_size(needed, a),
                   available.least->source, units_print_size(available.per_rank, b));
    return false;
}

/* Brings caches, TLB and the accessed bits of all ptes into the state that lasts: on virtual
 * machines the first use of a pte whose accessed bit is clear costs half a microsecond. Returns how
 * many accesses fill the time of a repetition. */
static uint64_t warm_up(const struct sweep_plan *plan, struct stream *stream, byte_count page)
{
    const uint64_t pages = stream->size / page;
    stream_run(stream, (max_u64(pages, ACCESSES_MIN) + 7) / 8 * 8);
    uint64_t n = ACCESSES_MIN;
    uint64_t took = 0;
    while (took < plan->time / 4 && n < (uint64_t)1 << 40) {
        const uint64_t start = now();
        stream_run(stream, n);
        took = now() - start;
        if (took < plan->time / 4) {
            n *= 2;
        }
    }
    const double each = (double)max_u64(took, 1) / (double)n;
    n = (uint64_t)((double)plan->time / each);
    return max_u64(n, ACCESSES_MIN) / STREAM_GENERATORS * STREAM_GENERATORS;
}

static void time_stream(const struct sweep_plan *plan, struct stream *stream, uint64_t accesses,
                        double *samples)
{
    for (unsigned r = 0; r < plan->repetitions && !stopped(plan); r++) {
        const uint64_t start = now();
        stream_run(stream, accesses);
        samples[r] = (double)(now() - start) / (double)accesses;
    }
}

/* Each event by itself, in repetitions of its own: counting changes no time that is reported. */
static void count_stream(const struct sweep_plan *plan, struct stream *stream, uint64_t accesses,
                         const struct host_event *event, double *samples)
{
    struct host_counter counter;
    char why[HOST_COUNTER_WHY];
    if (!host_counter_open(event->name, &counter, why)) {
        return;
    }
    for (unsigned r = 0; r < plan->repetitions && !stopped(plan); r++) {
        uint64_t value;
        if (!host_counter_start(&counter)) {
            break;
        }
        stream_run(stream, accesses);
        if (host_counter_stop(&counter, &value)) {
            samples[r] = (double)value / (double)accesses;
        }
    }
    host_counter_close(&counter);
}

static void measure_region(const struct sweep_plan *plan, size_t backing, size_t footprint,
                           const struct region *region, struct sweep_point *point,
                           const struct sweep_samples *samples,
                           struct stream streams[ACCESS_PATTERNS])
{
    const byte_count size = plan->footprints[footprint];
    stream_link(region->memory, size, plan->pages->base, plan->seed);
    for (int p = 0; p < ACCESS_PATTERNS; p++) {
        const enum access_pattern pattern = (enum access_pattern)p;
        struct stream stream = stream_begin(pattern, region->memory, size, plan->seed);
        point->accesses[p] = warm_up(plan, &stream, plan->pages->base);
        streams[p] = stream;
        const size_t first = sweep_index(plan, pattern, backing, footprint, 0);
        const uint64_t faults = faults_so_far();
        time_stream(plan, &stream, point->accesses[p], &samples->time[first]);
        point->faults += faults_so_far() - faults;
        for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
            if (plan->events.event[e]) {
                count_stream(plan, &stream, point->accesses[p], plan->events.event[e],
                             &samples->counts[e][first]);
            }
        }
    }
}

/* Whether the pages are still those that were proved. */
static bool still_there(const struct sweep_plan *plan, const struct region *region,
                        struct sweep_point *point)
{
    struct page_proof proof;
    char text[PAGE_PROOF_TEXT];
    page_proof_read(plan->system, region->memory, region->size, &proof);
    if (page_proof_size(&proof, plan->pages->thp_size, text) == region->got) {
        return true;
    }
    (void)snprintf(point->why, sizeof point->why, "its pages changed meanwhile: now %s", text);
    return false;
}

static void forget(const struct sweep_plan *plan, size_t backing, size_t footprint,
                   const struct sweep_samples *samples)
{
    for (int p = 0; p < ACCESS_PATTERNS; p++) {
        const size_t first = sweep_index(plan, (enum access_pattern)p, backing, footprint, 0);
        for (unsigned r = 0; r < plan->repetitions; r++) {
            samples->time[first + r] = NAN;
            for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
                samples->counts[e][first + r] = NAN;
            }
        }
    }
}

static void run_point(const struct sweep_plan *plan, size_t backing, size_t footprint,
                      struct sweep_point *point, const struct sweep_samples *samples,
                      const struct sweep_observer *observer)
{
    const struct backing *asked = &plan->backings[backing];
    const byte_count size = plan->footprints[footprint];
    struct region region;
    if ((asked->kind != BACKING_RESERVED && !memory_suffices(plan, size, point->why)) ||
        !region_open(plan->system, plan->pages, asked, size, plan->stop, &region, point->why)) {
        return;
    }
    point->has_region = true;
    point->got = region.got;
    point->large = asked->kind == BACKING_RESERVED ? region.size : region.proof.large;
    memcpy(point->got_text, region.got_text, sizeof point->got_text);
    struct stream streams[ACCESS_PATTERNS];
    if (region.got != asked->page) {
        (void)snprintf(point->why, sizeof point->why, "asked for %s, got %s", asked->name,
                       region.got_text);
    } else {
        measure_region(plan, backing, footprint, &region, point, samples, streams);
        if (stopped(plan)) {
            (void)snprintf(point->why, sizeof point->why, "interrupted");
        }
        point->measured = still_there(plan, &region, point) && !stopped(plan);
        if (!point->measured) {
            forget(plan, backing, footprint, samples);
        }
    }
    if (observer) {
        observer->point(observer->context, backing, footprint, point,
                        point->measured ? streams : NULL);
    }
    region_close(&region);
}

bool sweep_run(const struct sweep_plan *plan, struct sweep_point *points,
               const struct sweep_samples *samples, const struct sweep_observer *observer)
{
    const uint64_t start = elapsed();
    for (size_t footprint = 0; footprint < plan->nfootprints; footprint++) {
        for (size_t backing = 0; backing < plan->nbackings; backing++) {
            struct sweep_point *point = &points[backing * plan->nfootprints + footprint];
            *point = (struct sweep_point){.measured = false};
            forget(plan, backing, footprint, samples);
            if (stopped(plan)) {
                (void)snprintf(point->why, sizeof point->why, "interrupted");
            } else if (plan->limit > 0 && elapsed() - start > plan->limit) {
                (void)snprintf(point->why, sizeof point->why,
                               "not reached in the %" PRIu64 " s that the short form may take",
                               plan->limit / 1000000000U);
            } else {
                run_point(plan, backing, footprint, point, samples, observer);
            }
        }
    }
    return !stopped(plan);
}

size_t sweep_footprints(byte_count least, byte_count most, double factor, byte_count page,
                        byte_count *footprints, size_t room)
{
    size_t n = 0;
    most = most / page * page;
    for (double size = (double)max_u64(least, page); n + 1 < room; size *= factor) {
        const byte_count rounded = (byte_count)(size / (double)page + 0.5) * page;
        if (rounded >= most) {
            break;
        }
        if (n == 0 || rounded > footprints[n - 1]) {
            footprints[n++] = rounded;
        }
    }
    if (most > 0 && n < room) {
        footprints[n++] = most;
    }
    return n;
}
