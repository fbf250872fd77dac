#include "host/contention/point.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ck_pr.h>

#include "base/random.h"
#include "host/contention/crew.h"
#include "host/contention/statistics.h"

const double wait_shares[WAIT_PERCENTILES] = {0.5, 0.99, 0.999, 1};

/* More waits than this in one repetition are not kept. */
#define WAITS_MAX 262144U

/* What one thread has done in one loop. */
struct tally {
    _Alignas(LOCK_ALIGNMENT) uint64_t ns[OPERATIONS];
    uint64_t pages[OPERATIONS];
    uint64_t left;
    uint64_t found; /* ptes that reclaim met */
    double *wait;
    size_t nwaits;
};

struct loop {
    const struct point_plan *plan;
    struct world world;
    struct crew crew;
    struct tally *tallies;
    atomic_uint working; /* threads that still count */
    atomic_bool over;    /* of a task in rounds */
    uint64_t gap;        /* ns between two operations of a thread in the open loop, on average */
    uint64_t repetition;
    const struct host_measure *measure;
};

/* --- the closed loop ------------------------------------------------------------------------- */

struct deadline {
    struct loop *loop;
    uint64_t at; /* 0: when nobody counts any more */
};

static bool is_over(void *who)
{
    const struct deadline *deadline = who;
    if (host_measure_stopped(deadline->loop->measure)) {
        return true;
    }
    return deadline->at == 0 ? atomic_load(&deadline->loop->working) == 0
                             : clock_now_ns() >= deadline->at;
}

/* Counts until its time is over, then goes on until all are done. */
static void keep_on(struct loop *loop, unsigned member,
                    void (*once)(struct loop *loop, unsigned member, struct tally *tally,
                                 const struct operation_limit *limit))
{
    struct deadline deadline = {loop, clock_now_ns() + loop->plan->duration};
    const struct operation_limit limit = {is_over, &deadline};
    struct tally uncounted;
    memset(&uncounted, 0, sizeof uncounted);
    do {
        once(loop, member, &loop->tallies[member], &limit);
    } while (!is_over(&deadline));
    atomic_fetch_sub(&loop->working, 1);
    deadline.at = 0;
    while (!is_over(&deadline)) {
        once(loop, member, &uncounted, &limit);
    }
}

static void take(struct tally *tally, enum operation operation, uint64_t ns, uint64_t pages)
{
    tally->ns[operation] += ns;
    tally->pages[operation] += pages;
}

static void fork_and_exit(struct loop *loop, unsigned member, struct tally *tally,
                          const struct operation_limit *limit)
{
    struct world *world = &loop->world;
    struct world_worker *worker = &world->workers[member];
    const uint64_t begin = clock_now_ns();
    const uint32_t pages = operation_fork(world, worker, world_parent(world, member),
                                          world_child(world, member), limit);
    const uint64_t middle = clock_now_ns();
    (void)operation_exit(world, worker, world_child(world, member));
    take(tally, OPERATION_FORK, middle - begin, pages);
    take(tally, OPERATION_EXIT, clock_now_ns() - middle, pages);
}

static void do_fork_and_exit(void *who, unsigned member)
{
    keep_on(who, member, fork_and_exit);
}

/* The k-th page of a thread: threads begin at different places. */
static uint32_t page_of(const struct loop *loop, unsigned member, uint32_t k)
{
    const struct world_plan *plan = &loop->plan->world;
    const uint64_t first = (uint64_t)member * plan->pages / plan->threads;
    return (uint32_t)((first + k) % plan->pages);
}

static void fault_and_unmap(struct loop *loop, unsigned member, struct tally *tally,
                            const struct operation_limit *limit)
{
    struct world *world = &loop->world;
    struct world_worker *worker = &world->workers[member];
    struct world_mm *visitor = world_visitor(world, member);
    const uint32_t pages = loop->plan->world.pages;
    uint32_t n = 0;
    const uint64_t begin = clock_now_ns();
    while (n < pages && (n % 32 != 31 || !limit->over(limit->who))) {
        (void)operation_fault(world, worker, visitor, page_of(loop, member, n++), true);
    }
    const uint64_t middle = clock_now_ns();
    for (uint32_t i = 0; i < n; i++) {
        (void)operation_unmap(world, worker, visitor, page_of(loop, member, i));
    }
    take(tally, OPERATION_FAULT, middle - begin, n);
    take(tally, OPERATION_UNMAP, clock_now_ns() - middle, n);
}

static void do_fault_and_unmap(void *who, unsigned member)
{
    struct loop *loop = who;
    struct world_worker *worker = &loop->world.workers[member];
    operation_link(&loop->world, worker, world_visitor(&loop->world, member));
    keep_on(loop, member, fault_and_unmap);
    operation_unlink(&loop->world, worker, world_visitor(&loop->world, member));
}

/* --- reclaim: in rounds, since pages have to be mapped again --------------------------------- */

static void populate(struct loop *loop, unsigned member)
{
    struct world *world = &loop->world;
    if (world->plan.objects > 1) {
        operation_populate(world, &world->workers[member], world_object_of(world, member));
    } else if (member == 0) {
        operation_populate(world, &world->workers[0], &world->objects[0]);
    }
}

static void do_populate(void *who, unsigned member)
{
    populate(who, member);
}

/* Reclaims its share of the pages, all threads at once, until their time is over. */
static void do_reclaim(void *who, unsigned member)
{
    struct loop *loop = who;
    struct world *world = &loop->world;
    const struct world_plan *plan = &loop->plan->world;
    struct tally *tally = &loop->tallies[member];
    struct world_object *object = world_object_of(world, member);
    const bool shared = plan->objects == 1;
    const uint32_t first = shared ? (uint32_t)((uint64_t)member * plan->pages / plan->threads) : 0;
    const uint32_t end = shared ? (uint32_t)((uint64_t)(member + 1) * plan->pages / plan->threads)
                                : plan->pages;
    const uint64_t until = clock_now_ns() + loop->plan->duration;
    do {
        crew_meet(&loop->crew.meeting);
        const uint64_t begin = clock_now_ns();
        const uint64_t left = operation_reclaim(world, &world->workers[member], object, first,
                                                end - first);
        take(tally, OPERATION_RECLAIM, clock_now_ns() - begin, end - first);
        tally->left += left;
        tally->found += (uint64_t)(end - first) * plan->mappers;
        crew_meet(&loop->crew.meeting);
        populate(loop, member);
        if (member == 0) {
            atomic_store(&loop->over,
                         clock_now_ns() >= until || host_measure_stopped(loop->measure));
        }
        crew_meet(&loop->crew.meeting);
    } while (!atomic_load(&loop->over));
}

/* --- the open loop --------------------------------------------------------------------------- */

/* Time to the next operation: exponentially distributed, so that threads do not fall into step. */
static uint64_t next_gap(const struct loop *loop, unsigned member, uint64_t count)
{
    const struct random_block draw = random_draw(loop->plan->seed, RANDOM_ARRIVAL, member,
                                                 (cell_id)loop->repetition, count);
    return random_exponential(draw.word[0], loop->gap) + 1;
}

static void wait_until(uint64_t at)
{
    while (clock_now_ns() < at) {
        ck_pr_stall();
    }
}

/* One operation that takes the lock: of a page where pages are chained, of an object's vmas
 * elsewhere. */
static void take_lock_once(struct loop *loop, unsigned member, uint64_t count)
{
    struct world *world = &loop->world;
    struct world_worker *worker = &world->workers[member];
    struct world_mm *visitor = world_visitor(world, member);
    if (world->plan.rmap->page_locks) {
        const uint32_t index = page_of(loop, member, (uint32_t)(count / 2 % world->plan.pages));
        if (count % 2 == 0) {
            (void)operation_fault(world, worker, visitor, index, true);
        } else {
            (void)operation_unmap(world, worker, visitor, index);
        }
    } else if (count % 2 == 0) {
        operation_link(world, worker, visitor);
    } else {
        operation_unlink(world, worker, visitor);
    }
}

static void do_open_loop(void *who, unsigned member)
{
    struct loop *loop = who;
    struct tally *tally = &loop->tallies[member];
    struct world_worker *worker = &loop->world.workers[member];
    const uint64_t end = clock_now_ns() + loop->plan->duration;
    uint64_t due = clock_now_ns();
    uint64_t count = 0;
    worker->stamps = true;
    worker->acquired = worker->contended = 0;
    for (;;) {
        due += next_gap(loop, member, count);
        if (due >= end || host_measure_stopped(loop->measure) || tally->nwaits == WAITS_MAX) {
            break;
        }
        wait_until(due);
        take_lock_once(loop, member, count++);
        tally->wait[tally->nwaits++] = (double)(worker->acquired_at - due);
    }
    worker->stamps = false;
    if (count % 2 == 1) { /* the visitor leaves as it came */
        take_lock_once(loop, member, count);
    }
}

/* --- samples --------------------------------------------------------------------------------- */

static double *missing(unsigned n)
{
    double *samples = malloc(n * sizeof *samples);
    for (unsigned i = 0; samples != NULL && i < n; i++) {
        samples[i] = NAN;
    }
    return samples;
}

enum status point_samples_open(unsigned repetitions, struct point_samples *samples)
{
    memset(samples, 0, sizeof *samples);
    bool there = true;
    for (size_t i = 0; i < OPERATIONS; i++) {
        samples->time[i] = missing(repetitions);
        samples->rate[i] = missing(repetitions);
        there = there && samples->time[i] != NULL && samples->rate[i] != NULL;
    }
    for (size_t i = 0; i < WAIT_PERCENTILES; i++) {
        samples->wait[i] = missing(repetitions);
        there = there && samples->wait[i] != NULL;
    }
    samples->contended = missing(repetitions);
    samples->left = missing(repetitions);
    if (!there || samples->contended == NULL || samples->left == NULL) {
        point_samples_close(samples);
        return fail(STATUS_FAILED, "out of memory for samples");
    }
    return STATUS_OK;
}

void point_samples_close(struct point_samples *samples)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        free(samples->time[i]);
        free(samples->rate[i]);
    }
    for (size_t i = 0; i < WAIT_PERCENTILES; i++) {
        free(samples->wait[i]);
    }
    free(samples->contended);
    free(samples->left);
    memset(samples, 0, sizeof *samples);
}

static void clear_tallies(struct loop *loop)
{
    for (unsigned i = 0; i < loop->plan->world.threads; i++) {
        double *wait = loop->tallies[i].wait;
        memset(&loop->tallies[i], 0, sizeof loop->tallies[i]);
        loop->tallies[i].wait = wait;
    }
}

/* Of an operation in the loop just done: ns of a thread for a page, and pages per second. */
static void sum_up(const struct loop *loop, enum operation operation, double *time, double *rate)
{
    double ns = 0;
    double pages = 0;
    double per_second = 0;
    for (unsigned i = 0; i < loop->plan->world.threads; i++) {
        const struct tally *tally = &loop->tallies[i];
        ns += (double)tally->ns[operation];
        pages += (double)tally->pages[operation];
        if (tally->ns[operation] > 0) {
            per_second += (double)tally->pages[operation] / (double)tally->ns[operation] * 1e9;
        }
    }
    if (pages > 0) {
        *time = ns / pages;
        *rate = per_second;
    }
}

static void sum_up_reclaim(const struct loop *loop, double *left_p)
{
    uint64_t left = 0;
    uint64_t found = 0;
    for (unsigned i = 0; i < loop->plan->world.threads; i++) {
        left += loop->tallies[i].left;
        found += loop->tallies[i].found;
    }
    if (found > 0) {
        *left_p = (double)left / (double)found;
    }
}

static void sum_up_waits(const struct loop *loop, unsigned k, struct point_samples *samples)
{
    size_t n = 0;
    uint64_t acquired = 0;
    uint64_t contended = 0;
    for (unsigned i = 0; i < loop->plan->world.threads; i++) {
        n += loop->tallies[i].nwaits;
        acquired += loop->world.workers[i].acquired;
        contended += loop->world.workers[i].contended;
    }
    double *all = malloc((n + 1) * sizeof *all);
    if (all == NULL || n == 0) {
        free(all);
        return;
    }
    size_t at = 0;
    for (unsigned i = 0; i < loop->plan->world.threads; i++) {
        memcpy(all + at, loop->tallies[i].wait, loop->tallies[i].nwaits * sizeof *all);
        at += loop->tallies[i].nwaits;
    }
    (void)sample_sort(all, n);
    for (size_t i = 0; i < WAIT_PERCENTILES; i++) {
        samples->wait[i][k] = sample_percentile(all, n, wait_shares[i]);
    }
    samples->contended[k] = (double)contended / (double)acquired;
    samples->waits += n;
    free(all);
}

/* --- a point --------------------------------------------------------------------------------- */

static bool begin_loop(struct loop *loop)
{
    clear_tallies(loop);
    atomic_store(&loop->working, loop->plan->world.threads);
    return !host_measure_stopped(loop->measure);
}

/* One repetition; `k` is the sample it becomes, or nothing for the warm-up, whose samples are
 * overwritten by those of repetition 0. */
static void repeat(struct loop *loop, unsigned k, struct point_samples *samples)
{
    static const struct {
        enum operation first, last;
        void (*task)(void *who, unsigned member);
    } loops[] = {
        {OPERATION_FORK, OPERATION_EXIT, do_fork_and_exit},
        {OPERATION_FAULT, OPERATION_UNMAP, do_fault_and_unmap},
        {OPERATION_RECLAIM, OPERATION_RECLAIM, do_reclaim},
    };
    const struct point_plan *plan = loop->plan;
    double closed = NAN; /* ns of a thread for an operation that takes the lock */
    for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
        const bool finds = loops[i].first != OPERATION_RECLAIM ||
                           plan->world.rmap->no_reclaim == NULL;
        if (!plan->operations[loops[i].first] || !finds || !begin_loop(loop)) {
            continue;
        }
        crew_do(&loop->crew, loops[i].task, loop);
        if (host_measure_stopped(loop->measure)) {
            return; /* a loop that was cut short is no sample */
        }
        for (enum operation o = loops[i].first; o <= loops[i].last; o++) {
            sum_up(loop, o, &samples->time[o][k], &samples->rate[o][k]);
        }
        if (loops[i].first == OPERATION_FAULT) {
            closed = (samples->time[OPERATION_FAULT][k] + samples->time[OPERATION_UNMAP][k]) / 2;
        } else if (loops[i].first == OPERATION_RECLAIM) {
            sum_up_reclaim(loop, &samples->left[k]);
        }
    }
    if (plan->waits && plan->world.rmap->locks && begin_loop(loop)) {
        enum { LEAST_GAP = 400, USUAL_GAP = 2000 }; /* ns; the first is what the clock allows */
        loop->gap = isnan(closed) || closed * 2 < LEAST_GAP ? LEAST_GAP : (uint64_t)(closed * 2);
        if (!plan->world.rmap->page_locks) { /* there is no closed loop of links */
            loop->gap = USUAL_GAP;
        }
        loop->repetition = k;
        crew_do(&loop->crew, do_open_loop, loop);
        if (!host_measure_stopped(loop->measure)) {
            sum_up_waits(loop, k, samples);
        }
    }
}

static void forget(unsigned k, struct point_samples *samples)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        samples->time[i][k] = samples->rate[i][k] = NAN;
    }
    for (size_t i = 0; i < WAIT_PERCENTILES; i++) {
        samples->wait[i][k] = NAN;
    }
    samples->contended[k] = samples->left[k] = NAN;
    samples->waits = 0;
}

static void run(struct loop *loop, struct point_samples *samples)
{
    crew_do(&loop->crew, do_populate, loop);
    repeat(loop, 0, samples);
    forget(0, samples);
    for (unsigned k = 0; k < loop->plan->repetitions && !host_measure_stopped(loop->measure); k++) {
        if (k > 0 && loop->plan->until != 0 && clock_now_ns() >= loop->plan->until) {
            samples->left_out = loop->plan->repetitions - k;
            return;
        }
        repeat(loop, k, samples);
    }
}

static enum status open_tallies(struct loop *loop)
{
    const unsigned threads = loop->plan->world.threads;
    loop->tallies = aligned_alloc(LOCK_ALIGNMENT, threads * sizeof *loop->tallies);
    if (loop->tallies == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %u threads", threads);
    }
    memset(loop->tallies, 0, threads * sizeof *loop->tallies);
    for (unsigned i = 0; i < threads && loop->plan->waits; i++) {
        loop->tallies[i].wait = malloc(WAITS_MAX * sizeof(double));
        if (loop->tallies[i].wait == NULL) {
            return fail(STATUS_RESOURCE, "out of memory for waits of %u threads", threads);
        }
    }
    return STATUS_OK;
}

static void close_tallies(struct loop *loop)
{
    for (unsigned i = 0; loop->tallies != NULL && i < loop->plan->world.threads; i++) {
        free(loop->tallies[i].wait);
    }
    free(loop->tallies);
}

enum status point_measure(const struct host_measure *measure, const struct point_plan *plan,
                          struct point_samples *samples)
{
    struct loop loop;
    memset(&loop, 0, sizeof loop);
    loop.plan = plan;
    loop.measure = measure;
    enum status status = world_open(&plan->world, &loop.world);
    if (status != STATUS_OK) {
        return status;
    }
    status = open_tallies(&loop);
    if (status == STATUS_OK) {
        status = crew_start(measure, plan->world.threads, &loop.crew);
    }
    if (status == STATUS_OK) {
        run(&loop, samples);
        (void)snprintf(samples->unbound, sizeof samples->unbound, "%s", loop.crew.unbound);
        crew_dismiss(&loop.crew);
        status = operation_check(&loop.world);
    }
    close_tallies(&loop);
    world_close(&loop.world);
    return status == STATUS_OK && host_measure_stopped(measure) ? STATUS_INTERRUPTED : status;
}
