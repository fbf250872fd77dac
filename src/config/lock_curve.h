/* Contention curves of a cost profile: how much slower work under a lock is when several CPUs
 * contend for locks of its kind.
 *
 * A curve is a table of factors at 2, 4, 8, ... 64 CPUs; with one CPU the factor is 1. Between two
 * points it is a straight line, beyond the last it stays. Factors are integers, in thousandths.
 * docs/model.md, section 1, says what the model applies them to, and what a measured
 * curve is. */
#ifndef THRASH_CONFIG_LOCK_CURVE_H
#define THRASH_CONFIG_LOCK_CURVE_H

#include "base/types.h"
#include "config/option.h"

/* X(identifier, key, help) for every kind of lock that the model tells apart. */
#define LOCK_KIND_TABLE(X)                                                                     \
    X(CHAIN, "chain_lock",                                                                     \
      "bit lock of a page, over its pte chain: factor on the time of additions and removals")  \
    X(MM, "page_table_lock", "of an mm: factor on the cost of a lock that is taken when busy") \
    X(OBJECT, "object_lock",                                                                   \
      "of an object's vmas (i_shared_sem, i_mmap_lock, anon_vma): likewise")                   \
    X(LRU, "lru_lock", "of LRU lists (pagemap_lru_lock, a zone's lru_lock): likewise")

enum lock_kind {
#define X(identifier, key, help) LOCK_KIND_##identifier,
    LOCK_KIND_TABLE(X)
#undef X
        LOCK_KINDS
};

enum { LOCK_CURVE_POINTS = 6 }; /* 2^1 ... 2^6 CPUs */

#define FACTOR_ONE 1000U

/* A thousand times as slow: more is a mistake. */
#define FACTOR_LIMIT (1000ULL * FACTOR_ONE)

struct lock_curve {
    uint64_t factor[LOCK_CURVE_POINTS]; /* in thousandths, FACTOR_ONE or more */
    unsigned from;                      /* enum cost_origin */
    const char *source;
};

/* What is assumed of utilisation: it is never taken as more than this. */
struct utilisation_limit {
    share_ppb share;
    unsigned from; /* enum cost_origin */
    const char *source;
};

struct contention {
    struct lock_curve curve[LOCK_KINDS];
    struct utilisation_limit limit;
};

/* Section `contention` of a profile; what it leaves out is assumed. */
extern const struct option_table contention_options;

/* The factor where `cpus` contend; both in thousandths. */
uint64_t lock_curve_factor(const struct lock_curve *curve, uint64_t cpus);

#endif
