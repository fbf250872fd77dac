/* The locks that are compared, one row each: how they are made, taken and given back.
 *
 * A thread takes one of them at a time. What a kind needs for each thread (the nodes of queue
 * locks) is in struct lock_self, and travels between locks and threads: all locks and selves of a
 * measurement are made together and released together. */
#ifndef THRASH_HOST_CONTENTION_LOCK_TYPE_H
#define THRASH_HOST_CONTENTION_LOCK_TYPE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <ck_spinlock.h>

#include "base/status.h"

/* Neighbouring lines are fetched together: what must not share a line keeps twice its size. */
#define LOCK_ALIGNMENT 128

/* One lock of any kind but the one that is a bit. */
struct contention_lock {
    alignas(LOCK_ALIGNMENT) union {
        pthread_mutex_t mutex;
        pthread_spinlock_t spin;
        ck_spinlock_ticket_t ticket;
        struct ck_spinlock_mcs *mcs; /* the queue's tail */
        struct ck_spinlock_clh *clh; /* likewise */
    } as;
    struct ck_spinlock_clh first; /* that a CLH queue begins with */
};

/* What a thread brings along. */
struct lock_self {
    alignas(LOCK_ALIGNMENT) struct ck_spinlock_mcs mcs;
    struct ck_spinlock_clh *clh;     /* the node this thread has now */
    struct ck_spinlock_clh clh_node; /* the one it began with */
};

/* Bit 0 of a page's flags, as PG_chainlock was. */
#define LOCK_BIT 1U

/* `lock` is a struct contention_lock, or the atomic flags of a page for the kind that is a bit. */
struct lock_type {
    const char *name;
    const char *description;
    bool is_bit; /* one in the flags of each page; the others are structs of their own */
    enum status (*init)(struct contention_lock *lock); /* NULL for a bit, which begins clear */
    void (*destroy)(struct contention_lock *lock);
    void (*acquire)(void *lock, struct lock_self *self);
    void (*release)(void *lock, struct lock_self *self);
    bool (*is_held)(void *lock); /* by anybody, at this moment */
};

enum lock_type_id {
    LOCK_PTHREAD_MUTEX,
    LOCK_PTHREAD_SPIN,
    LOCK_TICKET,
    LOCK_MCS,
    LOCK_CLH,
    LOCK_PAGE_BIT,
    LOCK_TYPES
};

extern const struct lock_type lock_types[LOCK_TYPES];

void lock_self_init(struct lock_self *self);

#endif
