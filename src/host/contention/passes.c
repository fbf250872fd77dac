#include "host/contention/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host/contention/crew.h"
#include "host/contention/statistics.h"

/* Passes between two looks at the clock. */
enum { PASSES = 16 };

struct passer {
    struct lock_self self;
    uint64_t passes;
    uint64_t wall; /* ns */
};

struct passage {
    struct contention_lock lock;
    atomic_uint flags; /* with the bit, for the type that is one */
    atomic_bool over;
    const struct lock_type *type;
    const struct host_measure *measure;
    uint64_t duration;
    struct passer *passers;
};

/* All begin together and end when the first has its time, so that the lock is always wanted by
 * all. */
static void pass(void *who, unsigned member)
{
    struct passage *passage = who;
    struct passer *passer = &passage->passers[member];
    const struct lock_type *type = passage->type;
    void *lock = type->is_bit ? (void *)&passage->flags : (void *)&passage->lock;
    const uint64_t begin = clock_now_ns();
    uint64_t now = begin, passes = 0;
    while (!atomic_load_explicit(&passage->over, memory_order_relaxed)) {
        for (int i = 0; i < PASSES && !atomic_load_explicit(&passage->over, memory_order_relaxed);
             i++) {
            type->acquire(lock, &passer->self);
            type->release(lock, &passer->self);
            passes++;
        }
        now = clock_now_ns();
        if (now - begin >= passage->duration || host_measure_stopped(passage->measure)) {
            atomic_store(&passage->over, true);
        }
    }
    passer->passes = passes;
    passer->wall = now - begin;
}

/* Passes of all threads per second. */
static double pass_once(struct passage *passage, struct crew *crew)
{
    double rate = 0;
    atomic_store(&passage->over, false);
    crew_do(crew, pass, passage);
    for (unsigned i = 0; i < crew->n; i++) {
        const struct passer *passer = &passage->passers[i];
        rate += passer->wall > 0 ? (double)passer->passes / (double)passer->wall * 1e9 : 0;
    }
    return rate > 0 ? rate : NAN;
}

/* One type at one number of threads. */
static enum status pass_type(struct passage *passage, struct crew *crew, unsigned repetitions,
                             double *rates)
{
    const struct lock_type *type = passage->type;
    atomic_store(&passage->flags, 0);
    for (unsigned i = 0; i < crew->n; i++) {
        lock_self_init(&passage->passers[i].self);
    }
    if (type->init != NULL && type->init(&passage->lock) != STATUS_OK) {
        return STATUS_RESOURCE;
    }
    (void)pass_once(passage, crew); /* warm-up */
    for (unsigned k = 0; k < repetitions && !host_measure_stopped(passage->measure); k++) {
        rates[k] = pass_once(passage, crew);
    }
    type->destroy(&passage->lock);
    return host_measure_stopped(passage->measure) ? STATUS_INTERRUPTED : STATUS_OK;
}

/* All types at one number of threads, number `at` of the plan. */
static enum status pass_threads(const struct host_measure *measure, const struct passes_plan *plan,
                                size_t at, double *rates)
{
    const unsigned n = plan->threads[at];
    struct crew crew;
    struct passage passage = {.measure = measure, .duration = plan->duration};
    passage.passers = aligned_alloc(LOCK_ALIGNMENT, n * sizeof *passage.passers);
    if (passage.passers == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %u threads", n);
    }
    memset(passage.passers, 0, n * sizeof *passage.passers);
    enum status status = crew_start(measure, n, &crew);
    if (status == STATUS_OK) {
        size_t row = 0;
        for (size_t i = 0; i < LOCK_TYPES && status == STATUS_OK; i++) {
            if (plan->types[i]) {
                passage.type = &lock_types[i];
                status = pass_type(&passage, &crew, plan->repetitions,
                                   rates + (row * plan->nthreads + at) * plan->repetitions);
                row++;
            }
        }
        crew_dismiss(&crew);
    }
    free(passage.passers);
    return status;
}

static void put_axes(const struct passes_plan *plan, size_t ntypes, struct tables *tables)
{
    struct text names = {0};
    const size_t n = plan->repetitions + ntypes;
    uint64_t *numbers = calloc(n + plan->nthreads, sizeof *numbers);
    if (numbers == NULL) {
        tables->bytes.failed = true;
        return;
    }
    uint64_t *threads = numbers + n;
    for (size_t i = 0; i < n; i++) {
        numbers[i] = i;
    }
    for (size_t i = 0; i < plan->nthreads; i++) {
        threads[i] = plan->threads[i];
    }
    for (size_t i = 0; i < LOCK_TYPES; i++) {
        if (plan->types[i]) {
            text_append_format(&names, "%s%s", names.size > 0 ? "\n" : "", lock_types[i].name);
        }
    }
    tables_text(tables, "types", "name of each type of lock, one a line", text_string(&names));
    tables_scale(tables, &(struct table_label){"type", "1", "line of types"}, NUMBER_U64, ntypes,
                 numbers);
    tables_scale(tables, &(struct table_label){"threads", "1", "threads"}, NUMBER_U64,
                 plan->nthreads, threads);
    tables_scale(tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64,
                 plan->repetitions, numbers);
    free(numbers);
    text_free(&names);
}

static void report(const struct passes_plan *plan, const double *times, struct tables *tables)
{
    tables_report(tables, "\none lock that all threads want, ns of a thread for a pass\n  %-14s",
                  "threads");
    for (size_t t = 0; t < plan->nthreads; t++) {
        tables_report(tables, " %9u", plan->threads[t]);
    }
    tables_report(tables, "\n");
    for (size_t i = 0, row = 0; i < LOCK_TYPES; i++) {
        if (plan->types[i]) {
            tables_report(tables, "  %-14s", lock_types[i].name);
            for (size_t t = 0; t < plan->nthreads; t++) {
                tables_report(tables, " %9.1f", times[row * plan->nthreads + t]);
            }
            tables_report(tables, "\n");
            row++;
        }
    }
}

/* `rates` has room for the medians behind the samples. */
static void put(const struct passes_plan *plan, size_t ntypes, double *rates, struct tables *tables)
{
    const size_t points = ntypes * plan->nthreads;
    double *medians = rates + points * plan->repetitions;
    double *times = medians + points;
    for (size_t i = 0; i < points; i++) {
        medians[i] = sample_summarize(rates + i * plan->repetitions, plan->repetitions).median;
        times[i] = plan->threads[i % plan->nthreads] / medians[i] * 1e9;
    }
    tables_group(tables, "passes", "one lock that all threads want, and nothing else");
    put_axes(plan, ntypes, tables);
    const struct table_axis axes[] = {
        {"type", ntypes}, {"threads", plan->nthreads}, {"repetition", plan->repetitions}};
    tables_array(tables, &(struct table_label){"rate", "1/s", "passes in a second, by all threads"},
                 NUMBER_F64, 3, axes, rates);
    tables_array(tables,
                 &(struct table_label){"rate_median", "1/s", "median of repetitions of rate"},
                 NUMBER_F64, 2, axes, medians);
    tables_array(tables,
                 &(struct table_label){"time_median", "ns",
                                       "of a thread for a pass: threads by rate_median"},
                 NUMBER_F64, 2, axes, times);
    report(plan, times, tables);
}

enum status passes_measure(const struct host_measure *measure, const struct passes_plan *plan,
                           struct tables *tables)
{
    size_t ntypes = 0;
    for (size_t i = 0; i < LOCK_TYPES; i++) {
        ntypes += plan->types[i];
    }
    const size_t n = ntypes * plan->nthreads * ((size_t)plan->repetitions + 2);
    if (n == 0) {
        return STATUS_OK;
    }
    double *rates = malloc(n * sizeof *rates);
    if (rates == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the samples of locks");
    }
    for (size_t i = 0; i < n; i++) {
        rates[i] = NAN;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < plan->nthreads && status == STATUS_OK; i++) {
        status = pass_threads(measure, plan, i, rates);
    }
    put(plan, ntypes, rates, tables);
    free(rates);
    return status;
}
