#include "host/contention/crew.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ck_pr.h>

struct crew_member {
    struct crew *crew;
    unsigned number;
    pthread_t thread;
    char unbound[160];
};

void crew_meet(struct crew_meeting *meeting)
{
    enum { SPINS = 2000 };
    const unsigned generation = atomic_load(&meeting->generation);
    if (atomic_fetch_add(&meeting->arrived, 1) + 1 == meeting->n) {
        atomic_store(&meeting->arrived, 0);
        atomic_fetch_add(&meeting->generation, 1);
        return;
    }
    for (unsigned spins = 0; atomic_load(&meeting->generation) == generation; spins++) {
        if (spins < SPINS) {
            ck_pr_stall();
        } else {
            sched_yield();
        }
    }
}

/* Sleeps until there is another task than that of `round`; false: there is none to come. */
static bool wait_for_task(struct crew *crew, unsigned round)
{
    (void)pthread_mutex_lock(&crew->mutex);
    while (crew->round == round && !crew->ends) {
        (void)pthread_cond_wait(&crew->begin, &crew->mutex);
    }
    const bool there = !crew->ends;
    (void)pthread_mutex_unlock(&crew->mutex);
    return there;
}

static void finish_task(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    if (--crew->busy == 0) {
        (void)pthread_cond_signal(&crew->end);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
}

static void *work(void *argument)
{
    struct crew_member *member = argument;
    struct crew *crew = member->crew;
    (void)host_place_enter(crew->measure->topology, crew->measure->places, member->number,
                           member->unbound, sizeof member->unbound);
    for (unsigned round = 0; wait_for_task(crew, round); round++) {
        crew_meet(&crew->meeting);
        crew->task(crew->who, member->number);
        finish_task(crew);
    }
    return NULL;
}

static void nothing(void *who, unsigned member)
{
    (void)who;
    (void)member;
}

/* Signals are for the thread that gives the tasks. */
static enum status start_threads(struct crew *crew)
{
    sigset_t all, before;
    enum status status = STATUS_OK;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < crew->n && status == STATUS_OK; i++) {
        struct crew_member *member = &crew->members[i];
        *member = (struct crew_member){.crew = crew, .number = i};
        int error = pthread_create(&member->thread, NULL, work, member);
        if (error != 0) {
            status = fail(STATUS_RESOURCE, "cannot start thread %u of %u: %s", i + 1, crew->n,
                          strerror(error));
        } else {
            crew->started++;
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

enum status crew_start(const struct host_measure *measure, unsigned n, struct crew *crew)
{
    memset(crew, 0, sizeof *crew);
    crew->measure = measure;
    crew->n = n;
    crew->meeting.n = n;
    crew->members = calloc(n, sizeof *crew->members);
    if (crew->members == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %u threads", n);
    }
    (void)pthread_mutex_init(&crew->mutex, NULL); /* these three cannot fail on Linux */
    (void)pthread_cond_init(&crew->begin, NULL);
    (void)pthread_cond_init(&crew->end, NULL);
    enum status status = start_threads(crew);
    if (status != STATUS_OK) {
        crew_dismiss(crew);
        return status;
    }
    crew_do(crew, nothing, NULL);
    for (unsigned i = 0; i < n && crew->unbound[0] == '\0'; i++) {
        (void)snprintf(crew->unbound, sizeof crew->unbound, "%s", crew->members[i].unbound);
    }
    return STATUS_OK;
}

void crew_do(struct crew *crew, void (*task)(void *who, unsigned member), void *who)
{
    (void)pthread_mutex_lock(&crew->mutex);
    crew->task = task;
    crew->who = who;
    crew->busy = crew->n;
    crew->round++;
    (void)pthread_cond_broadcast(&crew->begin);
    while (crew->busy > 0) {
        (void)pthread_cond_wait(&crew->end, &crew->mutex);
    }
    (void)pthread_mutex_unlock(&crew->mutex);
}

void crew_dismiss(struct crew *crew)
{
    (void)pthread_mutex_lock(&crew->mutex);
    crew->ends = true;
    (void)pthread_cond_broadcast(&crew->begin);
    (void)pthread_mutex_unlock(&crew->mutex);
    for (unsigned i = 0; i < crew->started; i++) {
        (void)pthread_join(crew->members[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&crew->begin);
    (void)pthread_cond_destroy(&crew->end);
    (void)pthread_mutex_destroy(&crew->mutex);
    free(crew->members);
    crew->members = NULL;
}
