#include "host/contention/uncontended.h"

#include <math.h>
#include <stdlib.h>

#include "host/contention/statistics.h"

enum { SUBJECTS = LOCK_TYPES + 1, PLAIN = 0 };

/* What every loop does once per round. */
static void count_up(volatile uint64_t *counter)
{
    *counter = *counter + 1;
}

double uncontended_once(const struct lock_type *kind, uint64_t rounds)
{
    struct contention_lock lock;
    struct lock_self self;
    atomic_uint flags = 0;
    volatile uint64_t counter = 0;
    void *what = kind != NULL && kind->is_bit ? (void *)&flags : (void *)&lock;
    lock_self_init(&self);
    if (kind != NULL && kind->init != NULL && kind->init(&lock) != STATUS_OK) {
        return NAN;
    }
    const uint64_t start = clock_now_ns();
    if (kind == NULL) {
        for (uint64_t i = 0; i < rounds; i++) {
            count_up(&counter);
        }
    } else {
        for (uint64_t i = 0; i < rounds; i++) {
            kind->acquire(what, &self);
            count_up(&counter);
            kind->release(what, &self);
        }
    }
    const uint64_t end = clock_now_ns();
    if (kind != NULL) {
        kind->destroy(&lock);
    }
    return (double)(end - start) / (double)rounds;
}

static const struct lock_type *subject(size_t i)
{
    return i == PLAIN ? NULL : &lock_types[i - 1];
}

static const char *subject_name(size_t i)
{
    return i == PLAIN ? "plain loop" : lock_types[i - 1].name;
}

static void put(const double *samples, unsigned repetitions, struct tables *tables)
{
    uint64_t *numbers = calloc((size_t)repetitions + SUBJECTS, sizeof *numbers);
    double medians[SUBJECTS];
    struct text names = {0};
    if (numbers == NULL) {
        tables->bytes.failed = true;
        return;
    }
    for (size_t i = 0; i < (size_t)repetitions + SUBJECTS; i++) {
        numbers[i] = i;
    }
    tables_group(tables, "uncontended", "locks that nobody else wants");
    tables_report(tables, "locks that nobody else wants, ns to take and give back\n");
    for (size_t i = 0; i < SUBJECTS; i++) {
        const struct sample_summary summary = sample_summarize(samples + i * repetitions,
                                                               repetitions);
        medians[i] = summary.median;
        text_append_format(&names, "%s%s", i > 0 ? "\n" : "", subject_name(i));
        tables_report(tables, "  %-14s %8.2f  (quartiles %.2f to %.2f)\n", subject_name(i),
                      summary.median, summary.low, summary.high);
    }
    tables_text(tables, "kinds", "name of each kind, one a line", text_string(&names));
    tables_scale(tables, &(struct table_label){"kind", "1", "line of kinds"}, NUMBER_U64, SUBJECTS,
                 numbers);
    tables_scale(tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64,
                 repetitions, numbers);
    const struct table_axis axes[] = {{"kind", SUBJECTS}, {"repetition", repetitions}};
    tables_array(tables,
                 &(struct table_label){"time", "ns", "to take the lock, count up, give it back"},
                 NUMBER_F64, 2, axes, samples);
    tables_array(tables, &(struct table_label){"time_median", "ns", "median of repetitions"},
                 NUMBER_F64, 1, axes, medians);
    text_free(&names);
    free(numbers);
}

enum status uncontended_measure(const struct host_measure *measure, unsigned repetitions,
                                uint64_t rounds, struct tables *tables)
{
    double *samples = malloc(SUBJECTS * (size_t)repetitions * sizeof *samples);
    if (samples == NULL) {
        return fail(STATUS_FAILED, "out of memory for the samples of locks");
    }
    for (size_t i = 0; i < SUBJECTS * (size_t)repetitions; i++) {
        samples[i] = NAN;
    }
    for (size_t i = 0; i < SUBJECTS && !host_measure_stopped(measure); i++) {
        (void)uncontended_once(subject(i), rounds); /* warm-up */
        for (unsigned k = 0; k < repetitions && !host_measure_stopped(measure); k++) {
            samples[i * repetitions + k] = uncontended_once(subject(i), rounds);
        }
    }
    put(samples, repetitions, tables);
    free(samples);
    return host_measure_stopped(measure) ? STATUS_INTERRUPTED : STATUS_OK;
}
