#include "host/contention/contention.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/contention/passes.h"
#include "host/contention/statistics.h"
#include "host/contention/uncontended.h"
#include "host/memory.h"

const char *const sharing_names[] = {
    [SHARING_SHARED] = "shared",
    [SHARING_DISJOINT] = "disjoint",
    [SHARINGS] = NULL,
};

/* --- numbers of threads ---------------------------------------------------------------------- */

static unsigned cores_of(const struct host_places *places)
{
    unsigned cores = 0;
    for (unsigned i = 0; i < places->n; i++) {
        cores += places->place[i].sibling == 0;
    }
    return cores;
}

size_t contention_threads(const struct host_places *places, bool few,
                          unsigned threads[CONTENTION_THREADS_MAX])
{
    const unsigned n = places->n;
    const unsigned cores = cores_of(places);
    size_t count = 0;
    for (unsigned i = 1; i <= n && count < CONTENTION_THREADS_MAX; i++) {
        const bool power = (i & (i - 1)) == 0;
        const bool wanted = n <= 4 ? true
                            : few  ? i == 1 || i == 2 || i == (n + 1) / 2 || i == n
                                   : power || i == cores || i == n;
        if (wanted) {
            threads[count++] = i;
        }
    }
    return count;
}

/* --- what there is to measure ---------------------------------------------------------------- */

/* Whether a reverse map is measured under a lock. What has no lock is measured once. */
static bool fits(const struct reverse_map *rmap, enum lock_granularity granularity,
                 const struct lock_type *kind)
{
    if (!rmap->locks) {
        return granularity == LOCK_GLOBAL && kind == &lock_types[LOCK_PTHREAD_SPIN];
    }
    return kind->is_bit == (granularity == LOCK_PER_PAGE) && (!kind->is_bit || rmap->page_locks);
}

bool contention_is_few(enum sharing sharing, const struct reverse_map *rmap,
                       const struct lock_type *kind)
{
    const enum reverse_map_id id = (enum reverse_map_id)(rmap - reverse_maps);
    const enum lock_type_id lock = (enum lock_type_id)(kind - lock_types);
    if (!rmap->locks || id == RMAP_CHAIN_ARRAY) {
        return true;
    }
    return (sharing == SHARING_SHARED || id == RMAP_DIRECT_ONLY) &&
           (lock == LOCK_PTHREAD_MUTEX || lock == LOCK_TICKET || lock == LOCK_PAGE_BIT);
}

static bool is_wanted(const struct contention_plan *plan, enum sharing sharing,
                      const struct reverse_map *rmap, enum lock_granularity granularity,
                      const struct lock_type *kind)
{
    return (!plan->few || contention_is_few(sharing, rmap, kind)) &&
           plan->rmaps[rmap - reverse_maps] && fits(rmap, granularity, kind) &&
           (!rmap->locks || (plan->granularities[granularity] && plan->kinds[kind - lock_types]));
}

static struct world_plan world_of(const struct contention_plan *plan, const struct series *series,
                                  unsigned threads)
{
    const bool shared = series->sharing == SHARING_SHARED;
    const uint32_t most = plan->threads[plan->nthreads - 1];
    return (struct world_plan){
        .rmap = series->rmap,
        .kind = series->kind,
        .granularity = series->granularity,
        .threads = threads,
        .objects = shared ? 1 : threads,
        .pages = plan->pages,
        .mappers = shared && plan->mappers < most ? most : plan->mappers,
        .windows = plan->windows,
        .line = plan->line,
    };
}

/* Calls `what` for each series; NULL: only counts them. */
struct visitor {
    enum status (*what)(void *who, struct series *series);
    void *who;
    size_t count;
};

static enum status visit(const struct contention_plan *plan, struct visitor *visitor)
{
    for (enum sharing sharing = 0; sharing < SHARINGS; sharing++) {
        for (size_t i = 0; i < REVERSE_MAPS && plan->sharings[sharing]; i++) {
            for (enum lock_granularity g = 0; g < LOCK_GRANULARITIES; g++) {
                for (size_t k = 0; k < LOCK_TYPES; k++) {
                    struct series series = {sharing, &reverse_maps[i], &lock_types[k], g, NULL};
                    if (!is_wanted(plan, sharing, series.rmap, g, series.kind)) {
                        continue;
                    }
                    visitor->count++;
                    enum status status = visitor->what == NULL
                                             ? STATUS_OK
                                             : visitor->what(visitor->who, &series);
                    if (status != STATUS_OK) {
                        return status;
                    }
                }
            }
        }
    }
    return STATUS_OK;
}

/* --- before it begins ------------------------------------------------------------------------ */

struct needs {
    const struct contention_plan *plan;
    byte_count bytes;
};

static enum status add_need(void *who, struct series *series)
{
    struct needs *needs = who;
    const unsigned most = needs->plan->threads[needs->plan->nthreads - 1];
    const struct world_plan world = world_of(needs->plan, series, most);
    needs->bytes = max_u64(needs->bytes, world_bytes(&world));
    return STATUS_OK;
}

static enum status check_memory(const struct host_measure *measure,
                                const struct contention_plan *plan)
{
    struct needs needs = {plan, plan->beside.nothers > 0 ? beside_bytes(&plan->beside) : 0};
    struct visitor visitor = {add_need, &needs, 0};
    (void)visit(plan, &visitor);
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(measure->system, &memory);
    enum status status = host_memory_available(&memory, 1, &available);
    if (status == STATUS_OK && needs.bytes > available.per_rank) {
        return fail(STATUS_RESOURCE,
                    "the largest measurement needs %.0f MiB, but %s leaves %.0f MiB; ask for fewer "
                    "pages or mappers",
                    (double)needs.bytes / 1048576, available.least->source,
                    (double)available.per_rank / 1048576);
    }
    return status;
}

/* --- measuring ------------------------------------------------------------------------------- */

struct run {
    const struct host_measure *measure;
    const struct contention_plan *plan;
    struct tables *tables;
    struct point_plan point;
    size_t npoints;
    size_t done;
    struct baseline none;
    struct baseline direct[LOCK_GRANULARITIES][LOCK_TYPES];
    uint64_t started;     /* clock_now_ns() */
    double cpu_share;     /* sum of medians at one thread, */
    size_t nshares;       /* of so many points */
    uint64_t left_out;    /* repetitions for which there was no time */
    enum sharing sharing; /* of the series before; SHARINGS: there was none */
    const struct reverse_map *rmap;
    bool unbound;
};

static void forget_baselines(struct run *run)
{
    for (size_t o = 0; o < OPERATIONS; o++) {
        for (size_t t = 0; t < CONTENTION_THREADS_MAX; t++) {
            run->none.time[o][t] = NAN;
            for (size_t g = 0; g < LOCK_GRANULARITIES; g++) {
                for (size_t k = 0; k < LOCK_TYPES; k++) {
                    run->direct[g][k].time[o][t] = NAN;
                }
            }
        }
    }
}

/* Groups that hold those of the series. */
static void enter_groups(struct run *run, const struct series *series)
{
    char path[96];
    if (series->sharing != run->sharing) {
        run->sharing = series->sharing;
        run->rmap = NULL;
        forget_baselines(run);
        tables_group(run->tables, sharing_names[series->sharing],
                     series->sharing == SHARING_SHARED
                         ? "all threads work on the pages of one object"
                         : "each thread works on the pages of an object of its own");
        series_put_head(run->plan, series->sharing, run->tables);
    }
    if (series->rmap != run->rmap) {
        run->rmap = series->rmap;
        (void)snprintf(path, sizeof path, "%s/%s", sharing_names[series->sharing],
                       series->rmap->name);
        tables_group(run->tables, path, series->rmap->description);
        tables_attribute(run->tables, "source", series->rmap->source);
    }
}

static void note_share(struct run *run, struct sample_summary share)
{
    if (share.n > 0) {
        run->cpu_share += share.median;
        run->nshares++;
    }
}

static enum status measure_points(struct run *run, struct series *series)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < run->plan->nthreads && status == STATUS_OK; i++) {
        char label[96];
        run->point.world = world_of(run->plan, series, run->plan->threads[i]);
        (void)snprintf(label, sizeof label, "%s, %s %s, %u threads", series->rmap->name,
                       lock_granularity_names[series->granularity], series->kind->name,
                       run->plan->threads[i]);
        host_measure_progress(run->measure, run->done, run->npoints, label);
        run->point.until = run->plan->budget == 0
                               ? 0
                               : run->started +
                                     muldiv(run->plan->budget, run->done + 1, run->npoints);
        status = point_measure(run->measure, &run->point, &series->points[i]);
        run->left_out += series->points[i].left_out;
        if (run->plan->threads[i] == 1) {
            note_share(run, sample_summarize(series->points[i].cpu_share, run->plan->repetitions));
        }
        if (series->points[i].unbound[0] != '\0' && !run->unbound) {
            run->unbound = true;
            tables_invalid(run->tables, series->points[i].unbound);
        }
        run->done++;
    }
    return status;
}

/* With the same lock for what may have it; what only has a lock for each object is compared with
 * the page's bit. */
static const struct baseline *direct_for(const struct run *run, const struct series *series)
{
    return series->rmap->page_locks ? &run->direct[series->granularity][series->kind - lock_types]
                                    : &run->direct[LOCK_PER_PAGE][LOCK_PAGE_BIT];
}

static enum status measure_series(void *who, struct series *series)
{
    struct run *run = who;
    enum status status = STATUS_OK;
    const size_t n = run->plan->nthreads;
    enter_groups(run, series);
    series->points = calloc(n, sizeof *series->points);
    if (series->points == NULL) {
        return fail(STATUS_FAILED, "out of memory for samples");
    }
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        status = point_samples_open(run->plan->repetitions, &series->points[i]);
    }
    if (status == STATUS_OK) {
        status = measure_points(run, series);
        if (series->rmap == &reverse_maps[RMAP_NONE]) {
            series_medians(run->plan, series, &run->none);
        } else if (series->rmap == &reverse_maps[RMAP_DIRECT_ONLY]) {
            series_medians(run->plan, series,
                           &run->direct[series->granularity][series->kind - lock_types]);
        }
        series_put(run->plan, series, &run->none, direct_for(run, series), run->tables);
    }
    for (size_t i = 0; i < n; i++) {
        point_samples_close(&series->points[i]);
    }
    free(series->points);
    return status;
}

/* Says how busy the host was with other things: a thread that is alone and never sleeps should have
 * its processor all the time. */
static void put_busy(const struct run *run)
{
    const double share = run->nshares > 0 ? run->cpu_share / (double)run->nshares : NAN;
    if (run->nshares == 0) {
        tables_absence(run->tables, "cpu_share", "no point with one thread was measured");
        return;
    }
    tables_real(run->tables,
                &(struct table_label){"cpu_share", "1",
                                      "of its time that a single thread had its processor, mean of "
                                      "the medians of all points"},
                share);
    if (share < HOST_QUIET_SHARE) {
        tables_report(run->tables,
                      "\na single thread had its processor %.0f %% of its time: the host was busy "
                      "with other things, and times are too long\n",
                      100 * share);
    }
}

/* Under what conditions it was measured; says it where a busy host got fewer repetitions. */
static void put_conditions(const struct run *run)
{
    tables_group(run->tables, "conditions", "what the host allowed");
    tables_count(run->tables,
                 &(struct table_label){"repetitions_left_out", "1",
                                       "for which there was no time, of all points together"},
                 run->left_out);
    if (run->left_out > 0) {
        tables_report(run->tables,
                      "\n%" PRIu64
                      " of %zu repetitions were left out: there was no time for them\n",
                      run->left_out, run->npoints * run->plan->repetitions);
    }
    put_busy(run);
}

static void put_absences(struct tables *tables)
{
    tables_group(tables, "not_measured", "features that are not measured, and why");
    tables_absence(tables, "young_bits_set_by_hardware",
                   "ptes are made by the program: no processor sets their young bits");
    tables_absence(tables, "tlb_flushes", "no address space is loaded in a processor: see /kernel");
    tables_absence(tables, "highpte", "page tables of a 64-bit program are always mapped");
    tables_absence(tables, "blocks_of_4_byte_slots",
                   "pointers to ptes are 8 bytes on this host; the linked form uses numbers");
    tables_absence(tables, "per_page_locks_of_vma_lists",
                   "lists and trees of vmas belong to an object");
    tables_absence(tables, "pte_chain_memory_pressure",
                   "blocks come from a pool that is large enough");
}

static void put_plan(const struct contention_plan *plan, uint64_t duration, struct tables *tables)
{
    tables_count(tables, &(struct table_label){"pages", "page", "pages of an object"}, plan->pages);
    tables_count(tables,
                 &(struct table_label){"mappers", "1",
                                       "processes that map an object from the beginning on; shared "
                                       "objects have one for each thread at least"},
                 plan->mappers);
    tables_count(tables, &(struct table_label){"windows", "1", "vmas of a process"}, plan->windows);
    tables_count(tables, &(struct table_label){"block_bytes", "byte", "size of a block of ptes"},
                 plan->line);
    tables_real(tables, &(struct table_label){"duration", "s", "of each loop of a repetition"},
                (double)duration / 1e9);
}

/* How long a loop may take: four for each repetition and the warm-up. Half of the budget is for
 * what lies between them. */
static uint64_t duration_within(const struct contention_plan *plan, size_t npoints)
{
    enum { LOOPS = 4, LEAST = 200000 };
    if (plan->budget == 0 || npoints == 0) {
        return plan->duration;
    }
    const uint64_t cut = plan->budget / 2 / (npoints * LOOPS * ((uint64_t)plan->repetitions + 1));
    return min_u64(plan->duration, max_u64(cut, LEAST));
}

static enum status measure_all(struct run *run)
{
    const struct contention_plan *plan = run->plan;
    struct visitor series = {measure_series, run, 0};
    enum status status = plan->rounds == 0 ? STATUS_OK
                                           : uncontended_measure(run->measure, plan->repetitions,
                                                                 plan->rounds, run->tables);
    if (status == STATUS_OK && plan->passes) {
        const struct passes_plan passes = {plan->kinds, plan->threads, plan->nthreads,
                                           plan->repetitions, run->point.duration};
        host_measure_progress(run->measure, run->done, run->npoints, "passes through one lock");
        status = passes_measure(run->measure, &passes, run->tables);
    }
    if (status == STATUS_OK) {
        status = visit(plan, &series);
    }
    if (status == STATUS_OK && plan->beside.nothers > 0) {
        host_measure_progress(run->measure, run->done, run->npoints, "one page beside others");
        status = beside_measure(run->measure, &plan->beside, run->tables);
    }
    return status;
}

enum status contention_measure(const struct host_measure *measure,
                               const struct contention_plan *plan, struct tables *tables)
{
    struct tables marks = {0};
    enum status status = host_measure_check_threads(measure, plan->threads[plan->nthreads - 1],
                                                    &marks);
    if (status == STATUS_OK) {
        status = check_memory(measure, plan);
    }
    struct run *run = status == STATUS_OK ? calloc(1, sizeof *run) : NULL;
    if (status == STATUS_OK && run == NULL) {
        status = fail(STATUS_FAILED, "out of memory for a measurement");
    }
    if (run != NULL) {
        struct visitor count = {NULL, NULL, 0};
        (void)visit(plan, &count);
        *run = (struct run){.measure = measure,
                            .plan = plan,
                            .tables = tables,
                            .npoints = count.count * plan->nthreads,
                            .sharing = SHARINGS};
        run->point = (struct point_plan){.duration = duration_within(plan, run->npoints),
                                         .repetitions = plan->repetitions,
                                         .waits = plan->waits,
                                         .seed = plan->seed};
        memcpy(run->point.operations, plan->operations, sizeof run->point.operations);
        forget_baselines(run);
        host_measure_section(measure, plan->section != NULL ? plan->section : "locks",
                             "locks and reverse maps under real threads", tables);
        put_plan(plan, run->point.duration, tables);
        text_append_bytes(&tables->bytes, text_string(&marks.bytes), marks.bytes.size);
        run->started = clock_now_ns();
        status = measure_all(run);
        put_conditions(run);
        put_absences(tables);
        free(run);
    }
    tables_free(&marks);
    return status;
}
