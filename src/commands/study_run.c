#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "commands/amount.h"
#include "commands/stop_signals.h"
#include "commands/study.h"
#include "commands/study_child.h"
#include "commands/study_directory.h"
#include "commands/study_queue.h"
#include "host/memory.h"
#include "host/system.h"

struct running {
    pid_t child; /* 0: this place is free */
    const struct planned_point *point;
};

struct runner {
    const struct study_arguments *arguments;
    const struct study_plan *plan;
    struct running *running;
    size_t places;
    size_t nrunning;
    uint64_t cores, cores_used; /* by ranks */
    byte_count memory, memory_used;
    size_t nstarted, nopen; /* of the runs that were not done when we began */
    size_t count[POINT_STATES];
    const atomic_int *stop;
    bool stopping;
};

/* --- what is to be done --------------------------------------------------------------------- */

static bool wants_run(const struct runner *runner, enum point_state state)
{
    return point_is_open(state) || (runner->arguments->manner.force && state == POINT_FOREIGN);
}

static byte_count bytes_of(const struct planned_point *point)
{
    byte_count all;
    return __builtin_mul_overflow(point->bytes, point->ranks, &all) ? UINT64_MAX : all;
}

/* A point that cannot fit is refused before anything runs. */
static enum status check_fit(const struct runner *runner, const struct point_status *found)
{
    for (size_t i = 0; i < runner->plan->study.npoints; i++) {
        const struct planned_point *point = &runner->plan->point[i];
        if (wants_run(runner, found[i].state) && bytes_of(point) > runner->memory) {
            char needs[UNITS_TEXT_SIZE];
            char has[UNITS_TEXT_SIZE];
            return fail(STATUS_RESOURCE, "the point %s needs %s, this host has %s; nothing was run",
                        point->point->name, amount_size(bytes_of(point), needs),
                        amount_size(runner->memory, has));
        }
    }
    return STATUS_OK;
}

static void measure_host(struct runner *runner)
{
    const struct host_system system = host_system_here();
    struct host_memory memory;
    struct host_memory_available available;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    runner->cores = cores > 0 ? (uint64_t)cores : 1;
    host_memory_read(&system, &memory);
    runner->memory = host_memory_available(&memory, 1, &available) == STATUS_OK ? available.per_rank
                                                                                : UINT64_MAX;
}

/* --- one run -------------------------------------------------------------------------------- */

static void say_finished(struct runner *runner, const struct planned_point *point,
                         const struct point_status *found)
{
    runner->count[found->state]++;
    fprintf(stderr, "thrash: %zu of %zu: %s %s%s%s\n", runner->nstarted - runner->nrunning,
            runner->nopen, point_state_name[found->state], point->point->name,
            found->why[0] == '\0' ? "" : ": ", found->why);
}

static bool fits_beside(const struct runner *runner, const struct planned_point *point)
{
    if (runner->nrunning == 0) {
        return true;
    }
    const bool by_number = runner->arguments->at_once > 0;
    const bool has_cores = by_number || runner->cores_used + point->ranks <= runner->cores;
    return runner->nrunning < runner->places && has_cores &&
           bytes_of(point) <= runner->memory - runner->memory_used;
}

static enum status start(struct runner *runner, const struct planned_point *point, bool force)
{
    struct study_manner manner = runner->arguments->manner;
    manner.force = manner.force || force;
    struct running *place = runner->running;
    while (place->child != 0) {
        place++;
    }
    enum status status = study_child_start(runner->arguments->directory, &runner->plan->study,
                                           point, &manner, &place->child);
    if (status != STATUS_OK) {
        place->child = 0;
        return status;
    }
    place->point = point;
    runner->nstarted++;
    runner->nrunning++;
    runner->cores_used += point->ranks;
    runner->memory_used += bytes_of(point);
    return STATUS_OK;
}

static enum status finish(struct runner *runner, struct running *place)
{
    const struct planned_point *point = place->point;
    struct point_status found;
    place->child = 0;
    runner->nrunning--;
    runner->cores_used -= point->ranks;
    runner->memory_used -= bytes_of(point);
    enum status status = point_look(runner->arguments->directory, point, true, &found);
    if (status == STATUS_OK && runner->stopping && found.state == POINT_FAILED) {
        found.state = POINT_INTERRUPTED; /* before it could leave anything */
    }
    if (status == STATUS_OK) {
        say_finished(runner, point, &found);
    }
    return status;
}

/* A run that was told to stop writes its checkpoint first. */
static void pass_on_stop(struct runner *runner)
{
    runner->stopping = true;
    for (size_t i = 0; i < runner->places; i++) {
        if (runner->running[i].child != 0) {
            (void)kill(runner->running[i].child, SIGUSR1);
        }
    }
}

/* Waits until a run ends or a signal comes. */
static enum status wait_for_one(struct runner *runner)
{
    const struct timespec pause = {0, 20000000};
    enum status status = STATUS_OK;
    for (bool ended = false; !ended && runner->nrunning > 0;) {
        for (size_t i = 0; i < runner->places; i++) {
            struct running *place = &runner->running[i];
            int how;
            if (place->child != 0 && waitpid(place->child, &how, WNOHANG) == place->child) {
                enum status finished = finish(runner, place);
                status = status == STATUS_OK ? finished : status;
                ended = true;
            }
        }
        if (!runner->stopping && *runner->stop != 0) {
            pass_on_stop(runner);
        }
        if (!ended) {
            (void)nanosleep(&pause, NULL);
        }
    }
    return status;
}

/* --- all runs ------------------------------------------------------------------------------- */

static enum status run_all(struct runner *runner, const struct point_status *found)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < runner->plan->study.npoints && !runner->stopping; i++) {
        const struct planned_point *point = &runner->plan->point[i];
        if (!wants_run(runner, found[i].state)) {
            runner->count[found[i].state]++;
            continue;
        }
        while (!runner->stopping && !fits_beside(runner, point) && status == STATUS_OK) {
            status = wait_for_one(runner);
        }
        runner->stopping = runner->stopping || *runner->stop != 0;
        if (runner->stopping || status != STATUS_OK) {
            break;
        }
        status = start(runner, point, found[i].replaces);
        if (status != STATUS_OK) {
            break;
        }
    }
    if (runner->stopping) {
        pass_on_stop(runner);
    }
    while (runner->nrunning > 0) {
        enum status waited = wait_for_one(runner);
        status = status == STATUS_OK ? waited : status;
    }
    return status;
}

static enum status conclude(const struct runner *runner)
{
    const char *directory = runner->arguments->directory;
    const size_t npoints = runner->plan->study.npoints;
    const size_t *count = runner->count;
    const size_t done = count[POINT_DONE] + count[POINT_INVALID];
    printf("%zu of %zu runs are done, %zu of them now, in %s\n", done, npoints, runner->nstarted,
           directory);
    if (runner->stopping) {
        return fail(STATUS_INTERRUPTED, "%s: interrupted; the same command goes on", directory);
    }
    if (count[POINT_RUNNING] + count[POINT_QUEUED] > 0) {
        return fail(STATUS_FAILED, "%s: %zu runs are going on or queued elsewhere", directory,
                    count[POINT_RUNNING] + count[POINT_QUEUED]);
    }
    const size_t failed = npoints - done - count[POINT_FOREIGN];
    if (failed > 0) {
        return fail(STATUS_FAILED, "%s: %zu of %zu runs failed; `thrash study status` says why",
                    directory, failed, npoints);
    }
    if (count[POINT_FOREIGN] > 0) {
        return study_refuse_foreign(directory, &runner->plan->study, count[POINT_FOREIGN]);
    }
    if (count[POINT_INVALID] > 0) {
        return fail(STATUS_INVALID, "%s: %zu of %zu results are marked invalid", directory,
                    count[POINT_INVALID], npoints);
    }
    return STATUS_OK;
}

static enum status prepare(struct runner *runner, struct point_status **found_p)
{
    const struct study_arguments *arguments = runner->arguments;
    struct study_queue queue = {0};
    enum status status = study_directory_make(arguments->directory, &runner->plan->study,
                                              arguments->manner.force);
    if (status == STATUS_OK) {
        status = study_directory_lock(arguments->directory);
    }
    if (status == STATUS_OK) {
        status = study_look_everywhere(arguments->directory, runner->plan, &queue, found_p);
    }
    study_queue_free(&queue);
    if (status == STATUS_OK) {
        measure_host(runner);
        status = check_fit(runner, *found_p);
    }
    return status;
}

enum status study_run(const struct study_arguments *arguments, const struct study_plan *plan)
{
    struct runner runner = {.arguments = arguments, .plan = plan};
    struct point_status *found = NULL;
    enum status status = prepare(&runner, &found);
    for (size_t i = 0; status == STATUS_OK && i < plan->study.npoints; i++) {
        runner.nopen += wants_run(&runner, found[i].state);
    }
    runner.places = arguments->at_once > 0 ? arguments->at_once : runner.cores;
    runner.running = calloc(runner.places + 1, sizeof *runner.running);
    if (status == STATUS_OK && runner.running == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for its runs", arguments->directory);
    }
    if (status == STATUS_OK) {
        runner.stop = stop_signals_catch();
        status = run_all(&runner, found);
    }
    if (status == STATUS_OK) {
        status = conclude(&runner);
    }
    free(runner.running);
    free(found);
    return status;
}
