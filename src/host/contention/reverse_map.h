/* The ways to find the ptes of a page that are compared, one row each.
 *
 * What a row does not have it does not do. Callers hold the lock of the mm whose pte is meant, as
 * the kernel did; the reverse map takes its own lock inside. */
#ifndef THRASH_HOST_CONTENTION_REVERSE_MAP_H
#define THRASH_HOST_CONTENTION_REVERSE_MAP_H

#include "host/contention/world.h"

enum chain_form { CHAIN_NONE, CHAIN_LINKED, CHAIN_ARRAY };

struct reverse_map {
    const char *name;
    const char *description;
    const char *source;
    enum chain_form chains;
    bool page_direct;        /* a page mapped once has no block */
    bool page_locks;         /* all it protects is in the page: the lock may be a bit of it */
    bool locks;              /* there is anything to protect */
    bool stops_early;        /* a search ends when all mappings that the page counts are found */
    bool assumes_referenced; /* of a pte whose mm is locked when references are looked for */
    const char *no_reclaim;  /* why it cannot find all ptes of a page; NULL: it can */

    /* The vmas of an mm become known to their object, or unknown. */
    void (*link)(struct world *world, struct world_worker *worker, struct world_mm *mm);
    void (*unlink)(struct world *world, struct world_worker *worker, struct world_mm *mm);

    /* A pte of a page was set, or cleared. */
    void (*add)(struct world *world, struct world_worker *worker, struct world_page *page,
                pte_t *pte);
    void (*remove)(struct world *world, struct world_worker *worker, struct world_page *page,
                   pte_t *pte);

    /* What reclaim does to a page: looks for references and, unless there are any, clears its ptes.
     * Returns how many ptes it found but could not clear, because their mm was locked. */
    unsigned (*reclaim)(struct world *world, struct world_worker *worker, struct world_page *page);

    /* The first half of it alone: tests and clears the young bits. Returns how many were set. */
    unsigned (*referenced)(struct world *world, struct world_worker *worker,
                           struct world_page *page);
};

enum reverse_map_id {
    RMAP_NONE,
    RMAP_DIRECT_ONLY,
    RMAP_CHAIN_LINKED,
    RMAP_CHAIN_ARRAY,
    RMAP_CHAIN_ARRAY_NO_DIRECT,
    RMAP_OBJECT_LIST,
    RMAP_PRIO_TREE,
    RMAP_ANONMM,
    RMAP_ANON_VMA,
    REVERSE_MAPS
};

extern const struct reverse_map reverse_maps[REVERSE_MAPS];

/* Whether `chain` of a page is the one pte itself. The page is locked, or nobody else is at work.
 */
static inline bool reverse_map_is_direct(const struct world_page *page)
{
    return (atomic_load_explicit(&page->flags, memory_order_relaxed) & PAGE_FLAG_DIRECT) != 0;
}

static inline void reverse_map_mark_direct(struct world_page *page)
{
    (void)atomic_fetch_or_explicit(&page->flags, PAGE_FLAG_DIRECT, memory_order_relaxed);
}

static inline void reverse_map_unmark_direct(struct world_page *page)
{
    (void)atomic_fetch_and_explicit(&page->flags, ~PAGE_FLAG_DIRECT, memory_order_relaxed);
}

static inline struct world_object *reverse_map_object(const struct world *world,
                                                      const struct world_page *page)
{
    return &world->objects[page->object];
}

/* Clears a pte for reclaim, if its mm is not locked: false, and counts it, if it is. */
bool reverse_map_clear(struct world *world, struct world_worker *worker, pte_t *pte);

/* Tries the lock of an mm, and counts failures. */
bool reverse_map_trylock(struct world_worker *worker, struct world_mm *mm);

/* Tests and clears the young bit. */
bool reverse_map_clear_young(pte_t *pte);

/* rmap_chain.c */
void chain_add(struct world *world, struct world_worker *worker, struct world_page *page,
               pte_t *pte);
void chain_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                  pte_t *pte);
unsigned chain_reclaim(struct world *world, struct world_worker *worker, struct world_page *page);
unsigned chain_referenced(struct world *world, struct world_worker *worker,
                          struct world_page *page);

/* Calls `visit` for every pte in the chain of a page; returns the number of its blocks. For checks,
 * while nobody else is at work. */
size_t chain_visit(const struct world *world, const struct world_page *page,
                   void (*visit)(void *who, pte_t *pte), void *who);

/* rmap_list.c: the same operations on the entries of a list */
void list_add(struct world *world, struct world_worker *worker, struct world_page *page,
              pte_t *pte);
void list_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                 pte_t *pte);
unsigned list_reclaim(struct world *world, struct world_worker *worker, struct world_page *page);
unsigned list_referenced(struct world *world, struct world_worker *worker, struct world_page *page);
size_t list_visit(const struct world *world, const struct world_page *page,
                  void (*visit)(void *who, pte_t *pte), void *who);

/* rmap_object.c */
void object_link(struct world *world, struct world_worker *worker, struct world_mm *mm);
void object_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm);
void object_add(struct world *world, struct world_worker *worker, struct world_page *page,
                pte_t *pte);
void object_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                   pte_t *pte);
unsigned object_list_reclaim(struct world *world, struct world_worker *worker,
                             struct world_page *page);
unsigned object_tree_reclaim(struct world *world, struct world_worker *worker,
                             struct world_page *page);
void object_tree_link(struct world *world, struct world_worker *worker, struct world_mm *mm);
void object_tree_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm);
void anonmm_link(struct world *world, struct world_worker *worker, struct world_mm *mm);
void anonmm_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm);
unsigned anonmm_reclaim(struct world *world, struct world_worker *worker, struct world_page *page);

#endif
