/* One point of `thrash locks`: a reverse map under one lock, worked on by so many threads.
 *
 * The closed loop gives what operations take and how many are done: every thread repeats them for
 * `duration`, and goes on uncounted until all have their time. What a thread waits for locks comes
 * from an open loop: operations are due at random times, at half the rate of the closed loop, and a
 * wait lasts from when an operation was due until it got the lock, whether the thread was late or
 * not. So a long wait shows in all operations that were due meanwhile (no coordinated omission). */
#ifndef THRASH_HOST_CONTENTION_POINT_H
#define THRASH_HOST_CONTENTION_POINT_H

#include "host/contention/operation.h"
#include "host/measure.h"

enum wait_percentile { WAIT_P50, WAIT_P99, WAIT_P999, WAIT_MAX, WAIT_PERCENTILES };
extern const double wait_shares[WAIT_PERCENTILES]; /* 0.5, 0.99, 0.999, 1 */

struct point_plan {
    struct world_plan world;
    uint64_t duration; /* ns of each loop */
    unsigned repetitions;
    bool operations[OPERATIONS]; /* fork and exit, and fault and unmap, go together */
    bool waits;
    uint64_t
        until; /* clock_now_ns() from which on no repetition but the first is begun; 0: never */
    uint64_t seed;
};

/* Samples of one point, [repetition] fastest; NaN where there is none. */
struct point_samples {
    double *time[OPERATIONS];       /* ns of a thread for a page */
    double *rate[OPERATIONS];       /* pages per second, of all threads */
    double *wait[WAIT_PERCENTILES]; /* ns */
    double *contended;              /* share of the locks that were held when they were wanted */
    double *left;                   /* share of ptes that reclaim found and could not clear */
    uint64_t waits;                 /* samples behind the percentiles, over all repetitions */
    uint64_t left_out;              /* repetitions that were not begun for lack of time */
    char unbound[160];              /* why threads could not be bound; "" */
};

/* Room for `repetitions` samples of each kind, all NaN. STATUS_FAILED when out of memory. */
enum status point_samples_open(unsigned repetitions, struct point_samples *samples);
void point_samples_close(struct point_samples *samples);

/* Measures; a warm-up of the same length comes first. STATUS_INTERRUPTED with the samples of the
 * repetitions that were done; STATUS_RESOURCE when there are no threads or memory. The world is
 * checked at the end (operation_check). */
enum status point_measure(const struct host_measure *measure, const struct point_plan *plan,
                          struct point_samples *samples);

#endif
