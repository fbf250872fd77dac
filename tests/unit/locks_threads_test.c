/* `thrash locks` under real threads: nothing is lost under any lock, threads are in each other's
 * way where they share and nowhere else, and what is measured is what it is called. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>

#include "host/contention/contention.h"
#include "host/contention/scaling.h"
#include "host/contention/statistics.h"
#include "host/contention/uncontended.h"

#include <cmocka.h>

struct bench {
    struct host_system system;
    struct host_topology topology;
    struct host_places places;
    atomic_int stop;
    struct host_measure measure;
};

static void no_progress(void *who, uint64_t done, uint64_t total, const char *label)
{
    (void)who;
    (void)done;
    (void)total;
    (void)label;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->system = host_system_here();
    assert_int_equal(host_topology_open(&bench->topology), STATUS_OK);
    assert_int_equal(host_places_choose(&bench->topology, "cores", false, &bench->places),
                     STATUS_OK);
    bench->measure = (struct host_measure){.system = &bench->system,
                                           .topology = &bench->topology,
                                           .places = &bench->places,
                                           .stop = &bench->stop,
                                           .progress = no_progress};
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    host_places_free(&bench->places);
    host_topology_close(&bench->topology);
    free(bench);
    return 0;
}

static struct point_plan plan_of(enum reverse_map_id rmap, enum lock_type_id kind,
                                 enum lock_granularity granularity, unsigned threads, bool shared)
{
    struct point_plan plan = {
        .world = {.rmap = &reverse_maps[rmap],
                  .kind = &lock_types[kind],
                  .granularity = granularity,
                  .threads = threads,
                  .objects = shared ? 1 : threads,
                  .pages = 48,
                  .mappers = 6,
                  .windows = 2,
                  .line = 64},
        .duration = 300000,
        .repetitions = 1,
        .waits = true,
        .seed = 3,
    };
    memset(plan.operations, true, sizeof plan.operations);
    return plan;
}

/* All operations, by threads that share: afterwards every structure agrees with its page tables
 * (operation_check, in point_measure). Locks that are passed on in turn take very long with more
 * threads than cores, so only the mutex has them. */
static void lose_nothing(struct bench *bench, enum reverse_map_id rmap, enum lock_type_id kind,
                         enum lock_granularity granularity, bool shared)
{
    const struct point_plan plan = plan_of(rmap, kind, granularity,
                                           kind == LOCK_PTHREAD_MUTEX ? 3 : 2, shared);
    struct point_samples samples;
    assert_int_equal(point_samples_open(1, &samples), STATUS_OK);
    assert_int_equal(point_measure(&bench->measure, &plan, &samples), STATUS_OK);
    for (size_t o = 0; o < OPERATIONS; o++) {
        const bool there = o != OPERATION_RECLAIM || reverse_maps[rmap].no_reclaim == NULL;
        assert_int_equal(samples.time[o][0] > 0, there);
        assert_int_equal(samples.rate[o][0] > 0, there);
    }
    point_samples_close(&samples);
}

static void test_nothing_is_lost(void **state)
{
    for (size_t rmap = 0; rmap < REVERSE_MAPS; rmap++) {
        const bool page = reverse_maps[rmap].page_locks;
        lose_nothing(*state, (enum reverse_map_id)rmap, page ? LOCK_PAGE_BIT : LOCK_PTHREAD_MUTEX,
                     page ? LOCK_PER_PAGE : LOCK_PER_OBJECT, true);
    }
    for (size_t kind = 0; kind < LOCK_TYPES; kind++) {
        if (!lock_types[kind].is_bit) {
            lose_nothing(*state, RMAP_CHAIN_ARRAY, (enum lock_type_id)kind, LOCK_GLOBAL, true);
        }
    }
    lose_nothing(*state, RMAP_CHAIN_LINKED, LOCK_PTHREAD_MUTEX, LOCK_PER_OBJECT, false);
    lose_nothing(*state, RMAP_PRIO_TREE, LOCK_PTHREAD_MUTEX, LOCK_GLOBAL, false);
}

/* Whether threads meet at locks: the largest share of many repetitions. */
static double contended(struct bench *bench, enum lock_type_id kind,
                        enum lock_granularity granularity, bool shared)
{
    struct point_plan plan = plan_of(RMAP_CHAIN_ARRAY, kind, granularity, 2, shared);
    plan.repetitions = 3;
    plan.duration = 3000000;
    plan.operations[OPERATION_FORK] = plan.operations[OPERATION_RECLAIM] = false;
    struct point_samples samples;
    assert_int_equal(point_samples_open(plan.repetitions, &samples), STATUS_OK);
    assert_int_equal(point_measure(&bench->measure, &plan, &samples), STATUS_OK);
    const double most = sample_summarize(samples.contended, plan.repetitions).most;
    point_samples_close(&samples);
    return most;
}

static void test_contention(void **state)
{
    struct bench *bench = *state;
    if (bench->places.n < 2) {
        skip();
    }
    for (size_t kind = 0; kind < LOCK_TYPES; kind++) {
        if (lock_types[kind].is_bit) {
            continue;
        }
        /* Where it must be: one lock for all, or one object for both. */
        double global = 0;
        double object = 0;
        for (int tries = 0; tries < 10 && (global <= 0 || object <= 0); tries++) {
            global = fmax(global, contended(bench, (enum lock_type_id)kind, LOCK_GLOBAL, false));
            object = fmax(object, contended(bench, (enum lock_type_id)kind, LOCK_PER_OBJECT, true));
        }
        assert_true(global > 0);
        assert_true(object > 0);
        /* And where it must not: each thread has its own object, each with its own lock. */
        assert_true(contended(bench, (enum lock_type_id)kind, LOCK_PER_OBJECT, false) == 0);
    }
    assert_true(contended(bench, LOCK_PAGE_BIT, LOCK_PER_PAGE, false) == 0);
}

/* Of all repetitions under a lock for each object, the largest share of locks that were held. */
static double most_contended(const struct tables *tables, const char *sharing)
{
    char group[96];
    struct table_record contended;
    (void)snprintf(group, sizeof group, "%s/pte_chain_array/object_ticket", sharing);
    assert_true(tables_find(tables, "locks", group, "contended", &contended));
    assert_int_equal(contended.shape[0] * contended.shape[1], 3);
    return sample_summarize(contended.values, 3).most;
}

/* The whole measurement: what it calls shared is shared between threads, what it calls disjoint is
 * not. */
static void test_sharing(void **state)
{
    struct bench *bench = *state;
    if (bench->places.n < 2) {
        skip();
    }
    struct contention_plan plan = {
        .sharings = {true, true},
        .operations = {[OPERATION_FAULT] = true, [OPERATION_UNMAP] = true},
        .waits = true,
        .threads = {2},
        .nthreads = 1,
        .pages = 48,
        .mappers = 6,
        .windows = 1,
        .line = 64,
        .repetitions = 3,
        .duration = 3000000,
        .seed = 3,
    };
    plan.rmaps[RMAP_CHAIN_ARRAY] = plan.kinds[LOCK_TICKET] = true;
    plan.granularities[LOCK_PER_OBJECT] = true;
    double shared = 0;
    for (int tries = 0; tries < 10 && shared <= 0; tries++) {
        struct tables tables = {0};
        assert_int_equal(contention_measure(&bench->measure, &plan, &tables), STATUS_OK);
        shared = most_contended(&tables, "shared");
        assert_true(most_contended(&tables, "disjoint") == 0);
        tables_free(&tables);
    }
    assert_true(shared > 0);
}

#ifndef THRASH_CHECKS

/* Pages a second: the median of short repetitions in which all threads had their processors all the
 * time. NaN when others leave too few of them. */
static double undisturbed_rate(struct bench *bench, enum lock_granularity granularity,
                               unsigned threads, bool shared)
{
    enum { TRIES = 12, REPETITIONS = 25, ENOUGH = 15 };
    double rates[TRIES * REPETITIONS];
    size_t n = 0;
    struct point_plan plan = plan_of(RMAP_CHAIN_ARRAY, LOCK_TICKET, granularity, threads, shared);
    plan.repetitions = REPETITIONS;
    plan.duration = 500000;
    plan.waits = false;
    plan.operations[OPERATION_FORK] = plan.operations[OPERATION_RECLAIM] = false;
    for (int tries = 0; tries < TRIES && n < ENOUGH; tries++) {
        struct point_samples samples;
        assert_int_equal(point_samples_open(plan.repetitions, &samples), STATUS_OK);
        assert_int_equal(point_measure(&bench->measure, &plan, &samples), STATUS_OK);
        for (unsigned k = 0; k < plan.repetitions; k++) {
            if (samples.cpu_share[k] > 0.97) {
                rates[n++] = samples.rate[OPERATION_FAULT][k];
            }
        }
        point_samples_close(&samples);
    }
    return n < ENOUGH ? NAN : sample_summarize(rates, n).median;
}

/* Two threads under one lock do less than twice as much as one, and less than two that have a lock
 * each. */
static void test_throughput(void **state)
{
    struct bench *bench = *state;
    if (bench->places.n < 2) {
        skip();
    }
    const double one = undisturbed_rate(bench, LOCK_GLOBAL, 1, true);
    const double together = undisturbed_rate(bench, LOCK_GLOBAL, 2, true);
    const double apart = undisturbed_rate(bench, LOCK_PER_OBJECT, 2, false);
    print_message("pages a second: one thread %.3g, two under one lock %.3g, two apart %.3g\n", one,
                  together, apart);
    if (isnan(one) || isnan(together) || isnan(apart)) {
        print_message("not judged: the host is busy with other things\n");
        skip();
    }
    assert_true(together < 1.6 * one);
    assert_true(together < 0.85 * apart);
}

/* A mutex and a spinlock, uncontended, through the table and as a plain loop over pthread's own. */
static void test_uncontended(void **state)
{
    (void)state;
    enum { ROUNDS = 50000 };
    double least[4] = {INFINITY, INFINITY, INFINITY, INFINITY};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_spinlock_t spin;
    assert_int_equal(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE), 0);
    for (int tries = 0; tries < 40; tries++) {
        least[0] = fmin(least[0], uncontended_once(&lock_types[LOCK_PTHREAD_MUTEX], ROUNDS));
        least[1] = fmin(least[1], uncontended_once(&lock_types[LOCK_PTHREAD_SPIN], ROUNDS));
        volatile uint64_t counter = 0;
        uint64_t begin = clock_now_ns();
        for (int i = 0; i < ROUNDS; i++) {
            pthread_mutex_lock(&mutex);
            counter = counter + 1;
            pthread_mutex_unlock(&mutex);
        }
        least[2] = fmin(least[2], (double)(clock_now_ns() - begin) / ROUNDS);
        begin = clock_now_ns();
        for (int i = 0; i < ROUNDS; i++) {
            pthread_spin_lock(&spin);
            counter = counter + 1;
            pthread_spin_unlock(&spin);
        }
        least[3] = fmin(least[3], (double)(clock_now_ns() - begin) / ROUNDS);
        assert_int_equal(counter, 2 * ROUNDS);
    }
    print_message("ns: mutex %.2f by table, %.2f plain; spin %.2f and %.2f\n", least[0], least[2],
                  least[1], least[3]);
    /* Two calls through pointers apart. */
    for (int i = 0; i < 2; i++) {
        assert_true(least[i] > 0.5 * least[i + 2]);
        assert_true(least[i] < 2 * least[i + 2] + 5);
    }
    assert_true(uncontended_once(NULL, ROUNDS) < least[2]);
    pthread_spin_destroy(&spin);
}

#endif

struct neighbour {
    struct bench *bench;
    atomic_bool begun, ends;
};

static void *spin(void *argument)
{
    struct neighbour *neighbour = argument;
    char why[160];
    (void)host_place_enter(&neighbour->bench->topology, &neighbour->bench->places, 0, why,
                           sizeof why);
    atomic_store(&neighbour->begun, true);
    while (!atomic_load(&neighbour->ends)) {
    }
    return NULL;
}

/* A thread that has to share its processor takes the lock late, and that is a wait of every
 * operation that was due meanwhile, not only of the one that was under way. */
static void test_waits_since_due(void **state)
{
    struct bench *bench = *state;
    struct neighbour neighbour = {.bench = bench};
    pthread_t thread;
    struct point_plan plan = plan_of(RMAP_CHAIN_ARRAY, LOCK_TICKET, LOCK_GLOBAL, 1, true);
    struct point_samples samples;
    plan.duration = 60000000;
    memset(plan.operations, false, sizeof plan.operations);
    assert_int_equal(point_samples_open(1, &samples), STATUS_OK);
    assert_int_equal(pthread_create(&thread, NULL, spin, &neighbour), 0);
    while (!atomic_load(&neighbour.begun)) {
    }
    assert_int_equal(point_measure(&bench->measure, &plan, &samples), STATUS_OK);
    atomic_store(&neighbour.ends, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(samples.wait[1][0] > 500000); /* p99, ns: a processor is lent for longer */
    point_samples_close(&samples);
}

static void test_stop(void **state)
{
    struct bench *bench = *state;
    struct point_plan plan = plan_of(RMAP_CHAIN_ARRAY, LOCK_TICKET, LOCK_GLOBAL, 2, true);
    struct point_samples samples;
    plan.duration = 60000000000U; /* a minute, if nobody stopped it */
    bench->stop = 1;
    assert_int_equal(point_samples_open(1, &samples), STATUS_OK);
    assert_int_equal(point_measure(&bench->measure, &plan, &samples), STATUS_INTERRUPTED);
    assert_true(isnan(samples.time[OPERATION_FORK][0]));
    point_samples_close(&samples);
    bench->stop = 0;
}

static void test_too_many_threads(void **state)
{
    struct bench *bench = *state;
    struct tables tables = {0};
    status_set_quiet(1);
    assert_int_equal(host_measure_check_threads(&bench->measure, bench->places.n + 1, &tables),
                     STATUS_RESOURCE);
    assert_non_null(strstr(status_last_message(), "--oversubscribe"));
    status_set_quiet(0);
    assert_int_equal(tables.bytes.size, 0);
    bench->measure.oversubscribe = true;
    assert_int_equal(host_measure_check_threads(&bench->measure, bench->places.n + 1, &tables),
                     STATUS_OK);
    struct table_record record;
    size_t at = 0;
    assert_true(tables_next(&tables, &at, &record));
    assert_int_equal(record.kind, TABLE_INVALID);
    bench->measure.oversubscribe = false;
    tables_free(&tables);
}

/* Rates that follow the law give its parameters back; noise shows in the residual. */
static void test_scaling(void **state)
{
    (void)state;
    static const struct scaling_fit laws[] = {
        {.lambda = 1e6, .sigma = 0.05, .kappa = 0.001},
        {.lambda = 3, .sigma = 0.9, .kappa = 0.05},
        {.lambda = 2e9, .sigma = 0.2, .kappa = 0},
        {.lambda = 1e7, .sigma = 0, .kappa = 0},
    };
    static const double threads[] = {1, 2, 4, 8, 16, 32};
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        double rates[6];
        struct scaling_fit fit;
        for (size_t k = 0; k < 6; k++) {
            rates[k] = scaling_rate(&laws[i], threads[k]);
        }
        assert_null(scaling_fit(threads, rates, 6, &fit));
        assert_true(fabs(fit.lambda / laws[i].lambda - 1) < 1e-3);
        assert_true(fabs(fit.sigma - laws[i].sigma) < 1e-3);
        assert_true(fabs(fit.kappa - laws[i].kappa) < 1e-4);
        assert_true(fit.residual < 1e-3);
        rates[2] *= 1.3;
        rates[4] *= 0.8;
        assert_null(scaling_fit(threads, rates, 6, &fit));
        assert_true(fit.residual > 0.02 && fit.residual < 0.3);
        rates[1] = rates[3] = NAN;
        assert_null(scaling_fit(threads, rates, 6, &fit));
        rates[0] = NAN;
        assert_non_null(scaling_fit(threads, rates, 6, &fit));
    }
}

static void test_statistics(void **state)
{
    (void)state;
    double samples[] = {5, NAN, 1, 4, 2, 3, NAN};
    const struct sample_summary summary = sample_summarize(samples, 7);
    assert_int_equal(summary.n, 5);
    assert_true(summary.median == 3 && summary.low == 2 && summary.high == 4);
    assert_true(summary.least == 1 && summary.most == 5);
    assert_true(isnan(sample_summarize(samples, 0).median));
    assert_int_equal(sample_sort(samples, 7), 5);
    assert_true(sample_percentile(samples, 5, 0.5) == 3);
    assert_true(sample_percentile(samples, 5, 0.99) == 5);
    assert_true(sample_percentile(samples, 5, 0) == 1);
    assert_true(sample_percentile(samples, 5, 1) == 5);
    assert_true(sample_percentile(samples, 1, 0.999) == 1);
}

#ifndef THRASH_CHECKS

/* Unmapping a page through chains does not depend on who does not map it; a scan does. */
static void test_beside(void **state)
{
    (void)state;
    static const uint32_t others[] = {0, 3000};
    double none[2];
    double chains[2];
    for (int tries = 0; tries < 5; tries++) {
        for (size_t i = 0; i < 2; i++) {
            double samples[9];
            const struct beside_plan plan = {.mappers = 20,
                                             .others = others,
                                             .nothers = 2,
                                             .repetitions = 9,
                                             .rounds = 20,
                                             .line = 64};
            assert_int_equal(beside_sample(&plan, &reverse_maps[RMAP_NONE], others[i], samples),
                             STATUS_OK);
            none[i] = sample_summarize(samples, 9).least;
            assert_int_equal(
                beside_sample(&plan, &reverse_maps[RMAP_CHAIN_ARRAY], others[i], samples),
                STATUS_OK);
            chains[i] = sample_summarize(samples, 9).least;
        }
        if (chains[1] < 3 * chains[0] && none[1] > 10 * none[0]) {
            break;
        }
    }
    assert_true(chains[1] < 3 * chains[0]);
    assert_true(none[1] > 10 * none[0]);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_contention),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_waits_since_due),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_too_many_threads),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_statistics),
#ifndef THRASH_CHECKS /* sanitizers and checks change what costs how much */
        cmocka_unit_test(test_throughput),
        cmocka_unit_test(test_uncontended),
        cmocka_unit_test(test_beside),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
