/* What taking and giving back a lock costs that nobody else wants, beside a loop that does the same
 * without a lock. */
#ifndef THRASH_HOST_CONTENTION_UNCONTENDED_H
#define THRASH_HOST_CONTENTION_UNCONTENDED_H

#include "host/contention/lock_type.h"
#include "host/measure.h"

/* Nanoseconds for one round of the loop: `kind` NULL is the plain loop. `rounds` > 0. */
double uncontended_once(const struct lock_type *kind, uint64_t rounds);

/* Appends the group "uncontended": ns(kind, repetition) with the plain loop as first kind, whose
 * names are in `kinds`, and their medians; and says so. STATUS_INTERRUPTED with what there is when
 * it was stopped. */
enum status uncontended_measure(const struct host_measure *measure, unsigned repetitions,
                                uint64_t rounds, struct tables *tables);

#endif
