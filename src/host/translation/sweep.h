/* Time per access, and what the processor counts meanwhile, over kinds of pages, footprints and
 * patterns of access. */
#ifndef THRASH_HOST_TRANSLATION_SWEEP_H
#define THRASH_HOST_TRANSLATION_SWEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/types.h"
#include "host/counter.h"
#include "host/counters.h"
#include "host/translation/backing.h"
#include "host/translation/region.h"
#include "host/translation/stream.h"

#define SWEEP_REPETITIONS_MAX 1000

/* What is counted on this host, one event after the other. */
struct sweep_events {
    const struct host_event *event[HOST_TRANSLATION_COUNT]; /* those that count; NULL: absent */
};

struct sweep_plan {
    const struct host_system *system;
    const struct host_pages *pages;
    const struct backing *backings;
    size_t nbackings;
    const byte_count *footprints; /* ascending, multiples of the base page */
    size_t nfootprints;
    unsigned repetitions; /* timed ones; each event is counted over as many more */
    uint64_t time;        /* ns that a repetition takes about */
    uint64_t seed;
    struct sweep_events events;
    const atomic_int *stop; /* nonzero: end soon; may be NULL */
    uint64_t limit;         /* ns from the beginning after which no point is begun; 0: none */
};

/* One kind of pages at one footprint. */
struct sweep_point {
    bool measured;
    char why[REGION_WHY]; /* when it was not */
    bool has_region;      /* there was memory: the next three are set */
    byte_count got;       /* size of its pages, 0: mixed */
    byte_count large;     /* of its bytes, those in pages that an upper level maps */
    char got_text[PAGE_PROOF_TEXT];
    uint64_t accesses[ACCESS_PATTERNS]; /* of a repetition */
    uint64_t faults;                    /* page faults during all timed repetitions */
};

/* Samples of all points, in C order [pattern][backing][footprint][repetition]; NaN: absent. The
 * caller's, all of sweep_samples() entries. */
struct sweep_samples {
    double *time;                           /* ns of CPU time per access */
    double *counts[HOST_TRANSLATION_COUNT]; /* events per access */
};

/* Told of a point while its memory is there, with the streams as they were after the warm-up: for a
 * prediction, and for progress. */
struct sweep_observer {
    void (*point)(void *context, size_t backing, size_t footprint, const struct sweep_point *point,
                  const struct stream streams[ACCESS_PATTERNS]);
    void *context;
};

size_t sweep_samples(const struct sweep_plan *plan);
size_t sweep_index(const struct sweep_plan *plan, enum access_pattern pattern, size_t backing,
                   size_t footprint, size_t repetition);

/* Measures every point of [backing][footprint] that can be had; the others say why not. Footprints
 * are gone through from small to large, all kinds of pages of one after the other. Returns false if
 * it was stopped: points that were not reached say so. */
bool sweep_run(const struct sweep_plan *plan, struct sweep_point *points,
               const struct sweep_samples *samples, const struct sweep_observer *observer);

/* Footprints from `least` to `most` in steps of `factor` > 1, and `most`; multiples of `page`.
 * Returns how many, at most `room`. */
size_t sweep_footprints(byte_count least, byte_count most, double factor, byte_count page,
                        byte_count *footprints, size_t room);

#endif
