/* Threads on places of the host that do the same thing at the same time.
 *
 * Between tasks they sleep; they begin a task together. The calling thread only gives tasks. */
#ifndef THRASH_HOST_CONTENTION_CREW_H
#define THRASH_HOST_CONTENTION_CREW_H

#include <stdatomic.h>
#include <stdbool.h>

#include <pthread.h>

#include "base/status.h"
#include "host/measure.h"

/* Spins for a while, then yields: for threads that have a processor each, without harm where they
 * have not. Zero at first, `n` threads always. */
struct crew_meeting {
    atomic_uint arrived;
    atomic_uint generation;
    unsigned n;
};

void crew_meet(struct crew_meeting *meeting);

struct crew_member;

struct crew {
    const struct host_measure *measure;
    unsigned n;
    struct crew_member *members;
    pthread_mutex_t mutex; /* of the four below */
    pthread_cond_t begin, end;
    unsigned round; /* number of the task */
    unsigned busy;  /* members that have not done it yet */
    bool ends;
    struct crew_meeting meeting; /* for members, in the middle of a task */
    void (*task)(void *who, unsigned member);
    void *who;
    unsigned started;
    char unbound[160]; /* why a member could not be bound; "": all were */
};

/* Starts `n` threads and binds them. STATUS_RESOURCE when the host gives no more threads. */
enum status crew_start(const struct host_measure *measure, unsigned n, struct crew *crew);

/* Every member calls task(who, member); returns when all are done. */
void crew_do(struct crew *crew, void (*task)(void *who, unsigned member), void *who);

void crew_dismiss(struct crew *crew);

#endif
