/* The structures that the operations of `thrash locks` work on: pages, objects, address spaces with
 * page tables of real ptes, and what a reverse map keeps in and beside them.
 *
 * An object has `pages` pages. An address space (mm) maps one object whole, through `windows` vmas
 * that follow each other. Page tables are real ones: pages of 512 ptes of 8 bytes, each of which
 * knows the mm it belongs to, as struct page of a page-table page did. */
#ifndef THRASH_HOST_CONTENTION_WORLD_H
#define THRASH_HOST_CONTENTION_WORLD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <pthread.h>

#include "base/prio_tree.h"
#include "base/status.h"
#include "base/types.h"
#include "host/contention/block_pool.h"
#include "host/contention/lock_type.h"

/* A pte: 0 is absent; otherwise the page's number plus one above PTE_SHIFT. */
typedef _Atomic uint64_t pte_t;
#define PTE_PRESENT      1U
#define PTE_YOUNG        2U
#define PTE_SHIFT        2
#define PTES_PER_TABLE   512U
#define PAGE_FLAG_DIRECT 2U /* in flags, beside LOCK_BIT: `chain` is the one pte itself */

/* 32 bytes, as struct page was from 2.6.7 on. */
struct world_page {
    atomic_uint flags;
    atomic_int mapcount; /* for reverse maps that count */
    uint32_t object;
    uint32_t index;   /* in the object */
    uint64_t chain;   /* 0: not mapped; a pte, a block, or the number of a list's entry */
    atomic_int count; /* references: one for each pte, as get_page() and put_page() kept them */
    uint32_t unused;
};

struct world_vma {
    struct world_mm *mm;
    struct world_vma *next, *previous; /* in the list of its object; circular */
    uint32_t first, last;              /* pages of the object */
};

struct world_object {
    alignas(LOCK_ALIGNMENT) struct world_vma vmas; /* head of the list */
    struct prio_tree tree;                         /* the same vmas */
    struct contention_lock *lock;
    uint32_t first_page; /* its page 0 among all pages */
};

struct world_mm {
    alignas(LOCK_ALIGNMENT) pthread_spinlock_t lock; /* page_table_lock */
    struct world_object *object;
    pte_t *ptes; /* of the object's pages, in order */
    struct world_vma *vmas;
    uint32_t number;
    bool linked; /* its vmas are known to the object */
};

enum lock_granularity { LOCK_GLOBAL, LOCK_PER_OBJECT, LOCK_PER_PAGE, LOCK_GRANULARITIES };
extern const char *const lock_granularity_names[]; /* NULL-terminated */

struct reverse_map;

struct world_plan {
    const struct reverse_map *rmap;
    const struct lock_type *kind; /* is_bit exactly if the granularity is LOCK_PER_PAGE */
    enum lock_granularity granularity;
    unsigned threads;
    uint32_t objects;
    uint32_t pages;   /* of each object */
    uint32_t mappers; /* mms that map each object from the beginning on */
    uint32_t windows; /* vmas of each mm; divides pages */
    uint32_t line;    /* bytes of a block of ptes: 32, 64 or 128 */
};

/* A thread that works on the world. */
struct world_worker {
    alignas(LOCK_ALIGNMENT) struct lock_self self;
    struct block_cache cache;
    void *spare;          /* a block that was taken before the lock, as a fault did */
    int64_t nr_mapped;    /* pages that this thread mapped first less those it unmapped last */
    uint64_t failed;      /* trylocks of page tables that failed */
    bool stamps;          /* note for each lock whether it was held, and when it was got */
    uint64_t acquired_at; /* clock_now_ns() */
    uint64_t acquired;
    uint64_t contended; /* of them found held */
};

/* mms: first those that map objects from the beginning on, object after object; then a child and a
 * visitor for each thread, which begin empty. */
struct world {
    struct world_plan plan;
    struct world_page *pages;
    struct world_object *objects;
    struct world_mm *mms;
    struct world_vma *vmas;
    struct prio_node *nodes; /* of vma i: number i + 1 */
    pte_t *ptes;
    struct world_mm **table_owner; /* of each page table */
    size_t ptes_per_mm;            /* rounded up to whole page tables */
    uint32_t nmms;
    struct contention_lock *locks; /* the global one, or one for each object */
    size_t nlocks;                 /* that were made */
    struct block_pool pool;
    uint32_t slots; /* ptes in a block */
    struct world_worker *workers;
    size_t mapped_bytes; /* of page tables */
};

/* Bytes that a world of this plan takes. */
byte_count world_bytes(const struct world_plan *plan);

/* Lays it out; no page is mapped yet. STATUS_RESOURCE when there is no memory for it. */
enum status world_open(const struct world_plan *plan, struct world *world);
void world_close(struct world *world);

/* Object of a thread: the only one, or one each. */
static inline struct world_object *world_object_of(const struct world *world, unsigned thread)
{
    return &world->objects[world->plan.objects == 1 ? 0 : thread];
}

/* The mm that a thread forks, its child and its visitor. */
static inline struct world_mm *world_parent(const struct world *world, unsigned thread)
{
    const struct world_plan *plan = &world->plan;
    return &world->mms[plan->objects == 1 ? thread % plan->mappers : thread * plan->mappers];
}

static inline struct world_mm *world_child(const struct world *world, unsigned thread)
{
    return &world->mms[world->plan.objects * world->plan.mappers + thread];
}

static inline struct world_mm *world_visitor(const struct world *world, unsigned thread)
{
    return &world->mms[world->plan.objects * world->plan.mappers + world->plan.threads + thread];
}

static inline struct world_page *world_page_at(const struct world *world,
                                               const struct world_object *object, uint32_t index)
{
    return &world->pages[object->first_page + index];
}

static inline struct world_page *world_page_of_pte(const struct world *world, uint64_t pte)
{
    return &world->pages[(pte >> PTE_SHIFT) - 1];
}

static inline uint64_t world_pte_for(const struct world *world, const struct world_page *page)
{
    return ((uint64_t)(page - world->pages) + 1) << PTE_SHIFT | PTE_PRESENT;
}

static inline struct world_mm *world_mm_of_pte(const struct world *world, const pte_t *pte)
{
    return world->table_owner[(size_t)(pte - world->ptes) / PTES_PER_TABLE];
}

/* Plain loads and stores: the mm's lock orders them. */
static inline uint64_t pte_get(const pte_t *pte)
{
    return atomic_load_explicit(pte, memory_order_relaxed);
}

static inline void pte_set(pte_t *pte, uint64_t value)
{
    atomic_store_explicit(pte, value, memory_order_relaxed);
}

/* Takes and gives back the reverse map's lock for a page, or for an object where `page` is NULL. */
void world_lock(const struct world *world, struct world_worker *worker,
                const struct world_object *object, struct world_page *page);
void world_unlock(const struct world *world, struct world_worker *worker,
                  const struct world_object *object, struct world_page *page);

#endif
