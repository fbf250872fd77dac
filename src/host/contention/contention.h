/* What `thrash locks` measures: every reverse map under every lock, at several numbers of threads,
 * on pages that all threads share and on pages that each has for itself. */
#ifndef THRASH_HOST_CONTENTION_CONTENTION_H
#define THRASH_HOST_CONTENTION_CONTENTION_H

#include "host/contention/beside.h"
#include "host/contention/point.h"

enum sharing { SHARING_SHARED, SHARING_DISJOINT, SHARINGS };
extern const char *const sharing_names[]; /* NULL-terminated */

#define CONTENTION_THREADS_MAX 64 /* numbers of threads, not threads */

struct contention_plan {
    const char *section; /* of the tables; NULL: "locks" */
    bool rmaps[REVERSE_MAPS];
    bool kinds[LOCK_TYPES];
    bool granularities[LOCK_GRANULARITIES];
    bool sharings[SHARINGS];
    bool operations[OPERATIONS];
    bool waits;
    bool few; /* leave out most of what differs little: contention_is_few() */
    unsigned threads[CONTENTION_THREADS_MAX]; /* ascending */
    size_t nthreads;
    uint32_t pages;   /* of an object */
    uint32_t mappers; /* of an object from the beginning on; shared objects have one for each thread
                         at least */
    uint32_t windows;
    uint32_t line;
    unsigned repetitions;
    uint64_t duration;         /* ns of a loop */
    uint64_t budget;           /* ns of all loops together, to which `duration` is cut; 0: none */
    uint64_t rounds;           /* of the loops over locks that nobody else wants */
    bool passes;               /* measure passes through one lock as well */
    struct beside_plan beside; /* none where nothers is 0 */
    uint64_t seed;
};

/* Numbers of threads to measure on a host with so many hardware threads: all up to 4, otherwise
 * powers of two, the number of cores and the number of hardware threads; `few`: 4 of them. */
size_t contention_threads(const struct host_places *places, bool few,
                          unsigned threads[CONTENTION_THREADS_MAX]);

/* Whether a series is part of a plan of few: pte_chain_array under all locks, others under a mutex,
 * ticket locks and the page's bit; without sharing the three that chains are compared with. */
bool contention_is_few(enum sharing sharing, const struct reverse_map *rmap,
                       const struct lock_type *kind);

/* Measures and fills the section "locks". STATUS_RESOURCE when the host has too few hardware
 * threads or too little memory, before anything is measured. */
enum status contention_measure(const struct host_measure *measure,
                               const struct contention_plan *plan, struct tables *tables);

/* contention_write.c: one reverse map under one lock. */
struct series {
    enum sharing sharing;
    const struct reverse_map *rmap;
    const struct lock_type *kind;
    enum lock_granularity granularity;
    struct point_samples *points; /* one for each number of threads */
};

/* Medians [operation][number of threads] of another series, NaN where there is none. */
struct baseline {
    double time[OPERATIONS][CONTENTION_THREADS_MAX];
};

void series_medians(const struct contention_plan *plan, const struct series *series,
                    struct baseline *medians);

/* Appends the group of a series and the lines of its report. */
void series_put(const struct contention_plan *plan, const struct series *series,
                const struct baseline *none, const struct baseline *direct, struct tables *tables);

/* The head of the report's columns. */
void series_put_head(const struct contention_plan *plan, enum sharing sharing,
                     struct tables *tables);

#endif
