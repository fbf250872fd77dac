#include "host/contention/lock_type.h"

#include <string.h>

#include "base/thread_sanitizer.h"

/* The thread sanitizer does not see through Concurrency Kit's assembler: it is told what is a lock,
 * and looks away inside. */
#ifdef THREAD_SANITIZED
#include <sanitizer/tsan_interface.h>
#define TELL_MADE(lock)      __tsan_mutex_create(lock, __tsan_mutex_not_static)
#define TELL_GONE(lock)      __tsan_mutex_destroy(lock, __tsan_mutex_not_static)
#define TELL_ACQUIRING(lock) __tsan_mutex_pre_lock(lock, 0)
#define TELL_ACQUIRED(lock)  __tsan_mutex_post_lock(lock, 0, 0)
#define TELL_RELEASING(lock) (void)__tsan_mutex_pre_unlock(lock, 0)
#define TELL_RELEASED(lock)  __tsan_mutex_post_unlock(lock, 0)
#else
#define TELL_MADE(lock)      ((void)(lock))
#define TELL_GONE(lock)      ((void)(lock))
#define TELL_ACQUIRING(lock) ((void)(lock))
#define TELL_ACQUIRED(lock)  ((void)(lock))
#define TELL_RELEASING(lock) ((void)(lock))
#define TELL_RELEASED(lock)  ((void)(lock))
#endif

void lock_self_init(struct lock_self *self)
{
    memset(self, 0, sizeof *self);
    self->clh = &self->clh_node;
}

/* --- pthread mutex --------------------------------------------------------------------------- */

static enum status mutex_init(struct contention_lock *lock)
{
    int error = pthread_mutex_init(&lock->as.mutex, NULL);
    return error == 0 ? STATUS_OK : fail(STATUS_FAILED, "cannot make a mutex: %s", strerror(error));
}

static void mutex_destroy(struct contention_lock *lock)
{
    (void)pthread_mutex_destroy(&lock->as.mutex);
}

static void mutex_acquire(void *lock, struct lock_self *self)
{
    (void)self;
    (void)pthread_mutex_lock(&((struct contention_lock *)lock)->as.mutex);
}

static void mutex_release(void *lock, struct lock_self *self)
{
    (void)self;
    (void)pthread_mutex_unlock(&((struct contention_lock *)lock)->as.mutex);
}

static bool mutex_is_held(void *lock)
{
    pthread_mutex_t *mutex = &((struct contention_lock *)lock)->as.mutex;
    if (pthread_mutex_trylock(mutex) != 0) {
        return true;
    }
    (void)pthread_mutex_unlock(mutex);
    return false;
}

/* --- pthread spin ---------------------------------------------------------------------------- */

static enum status spin_init(struct contention_lock *lock)
{
    int error = pthread_spin_init(&lock->as.spin, PTHREAD_PROCESS_PRIVATE);
    return error == 0 ? STATUS_OK
                      : fail(STATUS_FAILED, "cannot make a spinlock: %s", strerror(error));
}

static void spin_destroy(struct contention_lock *lock)
{
    (void)pthread_spin_destroy(&lock->as.spin);
}

static void spin_acquire(void *lock, struct lock_self *self)
{
    (void)self;
    (void)pthread_spin_lock(&((struct contention_lock *)lock)->as.spin);
}

static void spin_release(void *lock, struct lock_self *self)
{
    (void)self;
    (void)pthread_spin_unlock(&((struct contention_lock *)lock)->as.spin);
}

static bool spin_is_held(void *lock)
{
    pthread_spinlock_t *spin = &((struct contention_lock *)lock)->as.spin;
    if (pthread_spin_trylock(spin) != 0) {
        return true;
    }
    (void)pthread_spin_unlock(spin);
    return false;
}

/* --- Concurrency Kit ------------------------------------------------------------------------- */

static void kit_destroy(struct contention_lock *lock)
{
    TELL_GONE(lock);
}

static enum status ticket_init(struct contention_lock *lock)
{
    TELL_MADE(lock);
    ck_spinlock_ticket_init(&lock->as.ticket);
    return STATUS_OK;
}

static void ticket_acquire(void *lock, struct lock_self *self)
{
    (void)self;
    TELL_ACQUIRING(lock);
    ck_spinlock_ticket_lock(&((struct contention_lock *)lock)->as.ticket);
    TELL_ACQUIRED(lock);
}

static void ticket_release(void *lock, struct lock_self *self)
{
    (void)self;
    TELL_RELEASING(lock);
    ck_spinlock_ticket_unlock(&((struct contention_lock *)lock)->as.ticket);
    TELL_RELEASED(lock);
}

static bool ticket_is_held(void *lock)
{
    return ck_spinlock_ticket_locked(&((struct contention_lock *)lock)->as.ticket);
}

static enum status mcs_init(struct contention_lock *lock)
{
    TELL_MADE(lock);
    ck_spinlock_mcs_init(&lock->as.mcs);
    return STATUS_OK;
}

static void mcs_acquire(void *lock, struct lock_self *self)
{
    TELL_ACQUIRING(lock);
    ck_spinlock_mcs_lock(&((struct contention_lock *)lock)->as.mcs, &self->mcs);
    TELL_ACQUIRED(lock);
}

static void mcs_release(void *lock, struct lock_self *self)
{
    TELL_RELEASING(lock);
    ck_spinlock_mcs_unlock(&((struct contention_lock *)lock)->as.mcs, &self->mcs);
    TELL_RELEASED(lock);
}

static bool mcs_is_held(void *lock)
{
    return ck_spinlock_mcs_locked(&((struct contention_lock *)lock)->as.mcs);
}

static enum status clh_init(struct contention_lock *lock)
{
    TELL_MADE(lock);
    ck_spinlock_clh_init(&lock->as.clh, &lock->first);
    return STATUS_OK;
}

static void clh_acquire(void *lock, struct lock_self *self)
{
    TELL_ACQUIRING(lock);
    ck_spinlock_clh_lock(&((struct contention_lock *)lock)->as.clh, self->clh);
    TELL_ACQUIRED(lock);
}

static void clh_release(void *lock, struct lock_self *self)
{
    TELL_RELEASING(lock);
    ck_spinlock_clh_unlock(&self->clh);
    TELL_RELEASED(lock);
}

static bool clh_is_held(void *lock)
{
    return ck_spinlock_clh_locked(&((struct contention_lock *)lock)->as.clh);
}

/* --- a bit of the page's flags --------------------------------------------------------------- */

static void bit_destroy(struct contention_lock *lock)
{
    (void)lock;
}

static void bit_acquire(void *lock, struct lock_self *self)
{
    (void)self;
    atomic_uint *flags = lock;
    while ((atomic_fetch_or_explicit(flags, LOCK_BIT, memory_order_acquire) & LOCK_BIT) != 0) {
        while ((atomic_load_explicit(flags, memory_order_relaxed) & LOCK_BIT) != 0) {
            ck_pr_stall();
        }
    }
}

static void bit_release(void *lock, struct lock_self *self)
{
    (void)self;
    (void)atomic_fetch_and_explicit((atomic_uint *)lock, ~LOCK_BIT, memory_order_release);
}

static bool bit_is_held(void *lock)
{
    return (atomic_load_explicit((atomic_uint *)lock, memory_order_relaxed) & LOCK_BIT) != 0;
}

const struct lock_type lock_types[LOCK_TYPES] = {
    [LOCK_PTHREAD_MUTEX] = {"pthread_mutex", "pthread mutex: sleeps in the kernel when it waits",
                            false, mutex_init, mutex_destroy, mutex_acquire, mutex_release,
                            mutex_is_held},
    [LOCK_PTHREAD_SPIN] = {"pthread_spin", "pthread spinlock: test and set, unfair", false,
                           spin_init, spin_destroy, spin_acquire, spin_release, spin_is_held},
    [LOCK_TICKET] = {"ticket",
                     "Concurrency Kit ticket lock: first come, first served, all spin on "
                     "one line",
                     false, ticket_init, kit_destroy, ticket_acquire, ticket_release,
                     ticket_is_held},
    [LOCK_MCS] = {"mcs", "Concurrency Kit MCS queue lock: each waits on its own node", false,
                  mcs_init, kit_destroy, mcs_acquire, mcs_release, mcs_is_held},
    [LOCK_CLH] = {"clh", "Concurrency Kit CLH queue lock: each waits on its predecessor's node",
                  false, clh_init, kit_destroy, clh_acquire, clh_release, clh_is_held},
    [LOCK_PAGE_BIT] = {"page_bit", "a bit of the page's flags, test and set, as PG_chainlock", true,
                       NULL, bit_destroy, bit_acquire, bit_release, bit_is_held},
};
