/* Walks over the ptes of a page. */
#include "base/mutant.h"
#include "base/random.h"
#include "machine/map.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/version.h"

bool map_trylock_mm(struct cell *cell, struct mm *mm, uint32_t context, sim_time now)
{
    bool free = mm->lock.busy_until <= now &&
                (mm->lock.holder == CONTEXT_NONE || mm->lock.holder == context);
    if (free && mm->lock_share > 0) {
        struct random_block bits = random_draw(cell->scenario->seed, RANDOM_TRYLOCK, mm->process,
                                               cell->id, mm->trylocks++);
        free = bits.word[0] >= mm->lock_share;
    }
    free = MUTANT(TRYLOCK, free, true);
    if (!free) {
        count(cell, METRIC_TRYLOCK_FAILURES, 1);
    }
    return free;
}

/* How far ahead of a walk rows are fetched: enough to cover a memory latency, little enough to stay
 * in the first-level cache. */
enum { PREFETCH_ROWS = 24 };

/* No mm of the cell is locked by anybody: trylocks cannot fail and need not be tried. */
static bool all_mms_unlocked(const struct cell *cell, sim_time now)
{
    return cell->core->nlock_shares == 0 && cell->core->nlocks_held == 0 &&
           cell->core->mm_locks_busy_until <= now;
}

/* Objects of so few vmas are looked through as quickly as asked for those over a page. */
enum { FEW_VMAS = 8 };

/* No mm's number. */
#define MM_NONE UINT32_MAX

/* A walk over the ptes of a page, vma by vma: by their ranks, or in an order that is worked out
 * first, or by the tree as it is. */
struct walker {
    struct cell *cell;
    const struct actor *actor;
    const struct object *object;
    page_id page;
    page_id base; /* by which vmas are over it */
    uint32_t mapped;
    enum map_locks locks;
    bool may_fail;  /* a trylock may */
    bool tries_all; /* mms that do not map the page are tried as well */
    bool by_rank;
    bool all_cover;  /* by rank: every vma is over the page */
    uint32_t n;      /* ranks, or vmas worked out */
    uint32_t next;   /* of them */
    uint32_t *refs;  /* by rank */
    vma_id vma;      /* of the pte last found, once one is; by rank: its rank */
    uint32_t *ref;   /* and its reference */
    uint32_t but_mm; /* left out; MM_NONE: none is */
    uint32_t tried;  /* the mm tried last; but for searches, vmas of one mm follow each other */
    bool tried_well; /* and whether it could be locked */
    struct map_walk found;
    struct prio_query query;
};

/* Walks of 2.6.7: every mm with ptes is tried, but only until all ptes of the page are found. */
static inline bool is_search(enum map_locks locks)
{
    return locks == LOCK_BY_TREE || locks == LOCK_IN_ORDER;
}

/* The references of the chunk of a page, by rank. */
static uint32_t *chunk_refs(const struct cell *cell, const struct object *object, page_id page)
{
    uint64_t chunk = (page - object->first) / PAGES_PER_CHUNK;
    return &cell->row_refs[object->first_ref + chunk * object->max_vmas];
}

/* Versions of anonymous pages are searched for in the family of those that have them: leaves no
 * other vmas among the `n` over a page. */
static uint32_t keep_family(const struct cell *cell, page_id page, page_id base, uint32_t n)
{
    uint32_t family = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct vma *vma = &cell->vmas[cell->coverers[i].vma];
        if (version_of(cell, vma, base) == page) {
            family = cell->mms[vma->mm].family;
            break;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (cell->mms[cell->vmas[cell->coverers[i].vma].mm].family == family) {
            cell->coverers[kept++] = cell->coverers[i];
        }
    }
    return kept;
}

static void walk_begin(struct cell *cell, const struct actor *actor, page_id page,
                       enum map_locks locks, struct walker *walker)
{
    const struct object *object = page_object(cell, page);
    const bool plain = vma_list_is_plain(object) &&
                       (locks != LOCK_BY_TREE || object->nonlinear == 0);
    const bool few = object->max_vmas <= FEW_VMAS && object->nvmas == object->max_vmas &&
                     !object->ranks_shuffled;
    walker->cell = cell;
    walker->actor = actor;
    walker->object = object;
    walker->page = page;
    walker->base = version_base(object, page);
    walker->mapped = cell->mapcount[page];
    walker->locks = locks;
    walker->may_fail = locks != LOCK_NO_MM && !all_mms_unlocked(cell, actor->now);
    walker->tries_all = is_search(locks) || (locks == LOCK_COVERERS && walker->may_fail);
    const bool by_family = locks == LOCK_IN_ORDER && object->layers > 0;
    walker->by_rank = !by_family && (plain || (few && locks != LOCK_BY_TREE));
    walker->all_cover = plain;
    walker->n = object->max_vmas;
    walker->next = 0;
    walker->but_mm = MM_NONE;
    walker->tried = MM_NONE;
    walker->found = (struct map_walk){0};
    if (walker->by_rank) {
        walker->refs = chunk_refs(cell, object, page);
    } else if (locks == LOCK_BY_TREE) {
        page_offset offset = object_offset(cell, cell->chunk_object[page / PAGES_PER_CHUNK], page);
        prio_query_begin(&walker->query, &object->tree, cell->vma_nodes, offset);
    } else {
        page_offset offset = object_offset(cell, cell->chunk_object[page / PAGES_PER_CHUNK], page);
        walker->n = vma_list_covering(cell, object, offset);
        walker->n = by_family ? keep_family(cell, page, walker->base, walker->n) : walker->n;
    }
    count(cell, METRIC_RMAP_WALKS, 1);
}

static const struct vma *walk_vma(const struct walker *walker)
{
    const struct cell *cell = walker->cell;
    const uint32_t first = walker->object->first_vma_slot;
    return &cell->vmas[walker->by_rank ? cell->object_vmas[first + walker->vma] : walker->vma];
}

static bool is_over(const struct vma *vma, page_id page)
{
    return page - vma->first < vma->npages;
}

/* The next vma that may be over the page, and where its ptes are. */
static inline bool next_vma(struct walker *walker)
{
    struct cell *cell = walker->cell;
    if (walker->by_rank) {
        if (walker->next == walker->n) {
            return false;
        }
        walker->vma = walker->next++;
        walker->ref = &walker->refs[walker->vma];
        if (walker->vma + PREFETCH_ROWS < walker->n) {
            __builtin_prefetch(
                pte_storage(cell, walker->refs[walker->vma + PREFETCH_ROWS], walker->page), 1);
        }
        return true;
    }
    if (walker->locks == LOCK_BY_TREE) {
        const uint32_t id = prio_query_next(&walker->query);
        if (id == 0) {
            return false;
        }
        walker->vma = id - 1;
    } else {
        if (walker->next == walker->n) {
            return false;
        }
        walker->vma = cell->coverers[walker->next++].vma;
    }
    walker->ref = pte_ref(cell, &cell->vmas[walker->vma], walker->page);
    return true;
}

/* True when the mm can be locked; nothing is to be locked when its vma is not over the page. */
static bool lock_mm(struct walker *walker)
{
    struct cell *cell = walker->cell;
    const struct vma *vma = walk_vma(walker);
    if (walker->by_rank && !walker->all_cover && !is_over(vma, walker->base)) {
        return true;
    }
    if (walker->tried != vma->mm || is_search(walker->locks)) {
        walker->tried = vma->mm;
        walker->tried_well = map_trylock_mm(cell, &cell->mms[vma->mm], walker->actor->context,
                                            walker->actor->now);
    }
    return walker->tried_well;
}

/* The walk can end: what it looks for is found. */
static inline bool found_all(const struct walker *walker)
{
    if (is_search(walker->locks)) {
        return MUTANT(EARLY_EXIT, walker->found.present == walker->mapped, false);
    }
    return !walker->tries_all && walker->found.present + walker->found.failed == walker->mapped;
}

/* The next present pte whose mm can be locked: its word is read, and it counts as found. */
static inline bool walk_next(struct walker *walker, struct pte_pair *pair_p)
{
    const uint64_t bit = page_bit(walker->page);
    while (!found_all(walker) && next_vma(walker)) {
        const struct pte_pair pair = pte_read(walker->cell, *walker->ref, walker->page);
        const bool present = (pair.present & bit) != 0;
        if (walker->by_rank && !walker->all_cover && is_search(walker->locks) &&
            !is_over(walk_vma(walker), walker->base)) {
            continue;
        }
        walker->found.covering++;
        if (!present && !walker->tries_all) {
            continue;
        }
        if (walker->but_mm != MM_NONE && walk_vma(walker)->mm == walker->but_mm) {
            walker->mapped -= present;
            continue;
        }
        if (is_search(walker->locks)) {
            if (!present && walker->cell->mms[walk_vma(walker)->mm].rss == 0) {
                continue;
            }
            walker->found.walked++;
        }
        if (walker->may_fail && !lock_mm(walker)) {
            walker->found.failed++;
            continue;
        }
        if (present) {
            walker->found.present++;
            walker->found.young += (pair.young & bit) != 0;
            *pair_p = pair;
            return true;
        }
    }
    return false;
}

/* vmas over the page, all of them but those of the mm that is left out. */
static uint32_t all_covering(const struct walker *walker)
{
    const struct cell *cell = walker->cell;
    const bool all_cover = !walker->by_rank || walker->all_cover;
    if (all_cover && walker->but_mm == MM_NONE) {
        return walker->n;
    }
    uint32_t covering = 0;
    for (uint32_t i = 0; i < walker->n; i++) {
        const vma_id id = walker->by_rank ? cell->object_vmas[walker->object->first_vma_slot + i]
                                          : cell->coverers[i].vma;
        const struct vma *vma = &cell->vmas[id];
        covering += (all_cover || is_over(vma, walker->base)) && vma->mm != walker->but_mm;
    }
    return covering;
}

/* What the walk came to, for who pays for it. */
static struct map_walk walk_end(struct walker *walker)
{
    struct map_walk *found = &walker->found;
    count(walker->cell, METRIC_RMAP_PTES, found->present);
    switch (walker->locks) {
    case LOCK_NO_MM:
    case LOCK_MAPPERS:
        break;
    case LOCK_COVERERS:
        found->covering = all_covering(walker);
        found->walked = found->covering;
        break;
    case LOCK_IN_ORDER:
        found->entries = found->covering;
        break;
    case LOCK_BY_TREE:
        /* All alike: one node, and what hangs off it. */
        found->entries = walker->by_rank ? found->covering : walker->query.visits;
        found->useless = walker->by_rank ? 0 : walker->query.useless;
        break;
    }
    return *found;
}

struct map_walk map_clear_young(struct cell *cell, const struct actor *actor, page_id page,
                                enum map_locks locks)
{
    struct walker walker;
    walk_begin(cell, actor, page, locks, &walker);
    uint64_t bit = page_bit(page);
    for (struct pte_pair pair; walk_next(&walker, &pair);) {
        if ((pair.young & bit) != 0) {
            pte_write(cell, walker.ref, page)->young &= ~bit;
        }
    }
    return walk_end(&walker);
}

static struct map_walk clear(struct walker *walker, bool up_to_young)
{
    struct cell *cell = walker->cell;
    const page_id page = walker->page;
    const uint64_t bit = page_bit(page);
    unsigned cleared = 0;
    for (struct pte_pair pair; walk_next(walker, &pair);) {
        if (MUTANT(UNMAP_YOUNG_PTE, up_to_young, false) && (pair.young & bit) != 0) {
            pte_write(cell, walker->ref, page)->young &= ~bit;
            break;
        }
        *pte_write(cell, walker->ref, page) = (struct pte_pair){pair.present & ~bit,
                                                                pair.young & ~bit};
        pte_compact_word(cell, walker->ref, page);
        cell->mms[walk_vma(walker)->mm].rss--;
        cleared++;
    }
    if (cleared > 0) {
        map_forget(cell, page, cleared);
        count(cell, METRIC_PTES_UNMAPPED, cleared);
    }
    return walk_end(walker);
}

struct map_walk map_clear_all(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks)
{
    struct walker walker;
    walk_begin(cell, actor, page, locks, &walker);
    return clear(&walker, false);
}

struct map_walk map_clear_old(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks)
{
    struct walker walker;
    walk_begin(cell, actor, page, locks, &walker);
    return clear(&walker, true);
}

/* The only mm that is locked is one that the walk leaves out. */
static bool others_unlocked(const struct cell *cell, const struct actor *actor, uint32_t mm)
{
    return cell->core->nlock_shares == 0 && cell->core->nlocks_held == 1 &&
           cell->mms[mm].lock.holder == actor->context &&
           cell->core->mm_locks_busy_until <= actor->now;
}

struct map_walk map_clear_others(struct cell *cell, const struct actor *actor, page_id page,
                                 uint32_t mm)
{
    struct walker walker;
    walk_begin(cell, actor, page, LOCK_COVERERS, &walker);
    walker.but_mm = mm;
    if (others_unlocked(cell, actor, mm)) {
        walker.may_fail = false;
        walker.tries_all = false;
    }
    return clear(&walker, false);
}

/* --- nonlinear mappings ------------------------------------------------------------------- */

/* Ptes that the search looks at in one go (CLUSTER_SIZE of mm/rmap.c). */
enum { CLUSTER_PAGES = 32 };

/* try_to_unmap_cluster(): the ptes of a vma from its cursor on; returns how many it cleared. */
static unsigned unmap_cluster(struct cell *cell, struct vma *vma, struct map_scan *scan)
{
    const page_count end = min_u64(vma->cursor + CLUSTER_PAGES, vma->npages);
    unsigned cleared = 0;
    for (page_count slot = vma->cursor; slot < end; slot++) {
        const page_id page = vma_nonlinear_page(cell, vma, slot);
        const uint64_t bit = page_bit(page);
        uint32_t *ref = pte_ref(cell, vma, page);
        const struct pte_pair pair = pte_read(cell, *ref, page);
        if ((pair.present & bit) == 0) {
            scan->absent++;
            continue;
        }
        scan->present++;
        if (MUTANT(CLUSTER_YOUNG, (pair.young & bit) != 0, false)) {
            pte_write(cell, ref, page)->young &= ~bit;
            continue;
        }
        *pte_write(cell, ref, page) = (struct pte_pair){pair.present & ~bit, pair.young & ~bit};
        pte_compact_word(cell, ref, page);
        map_dropped(cell, &cell->mms[vma->mm], page);
        cleared++;
    }
    scan->clusters++;
    scan->cleared += cleared;
    return cleared;
}

/* One vma as far as the others have come. False: as many ptes are cleared as were to be. */
static bool scan_nonlinear(struct cell *cell, const struct actor *actor, struct vma *vma,
                           page_count upto, int64_t *wanted, struct map_scan *scan)
{
    struct mm *mm = &cell->mms[vma->mm];
    while (mm->rss > 0 && vma->cursor < upto && vma->cursor < vma->npages) {
        if (!map_trylock_mm(cell, mm, actor->context, actor->now)) {
            return true;
        }
        *wanted -= unmap_cluster(cell, vma, scan);
        vma->cursor += CLUSTER_PAGES;
        if (*wanted <= 0) {
            return false;
        }
    }
    vma->cursor = upto;
    return true;
}

struct map_scan map_scan_nonlinear(struct cell *cell, const struct actor *actor, page_id page)
{
    const struct object *object = page_object(cell, page);
    struct map_scan scan = {0};
    page_count upto = 0;
    page_count most = 0;
    int64_t wanted = cell->mapcount[page];
    for (uint32_t id = object->nonlinear; id != 0; id = cell->vmas[id - 1].next_nonlinear) {
        upto = max_u64(upto, cell->vmas[id - 1].cursor);
        most = max_u64(most, cell->vmas[id - 1].npages);
    }
    most = (most + CLUSTER_PAGES - 1) / CLUSTER_PAGES * CLUSTER_PAGES;
    upto = max_u64(upto, CLUSTER_PAGES);
    do {
        for (uint32_t id = object->nonlinear; id != 0; id = cell->vmas[id - 1].next_nonlinear) {
            if (!scan_nonlinear(cell, actor, &cell->vmas[id - 1], upto, &wanted, &scan)) {
                return scan;
            }
        }
        upto += CLUSTER_PAGES;
    } while (upto <= most);
    for (uint32_t id = object->nonlinear; id != 0; id = cell->vmas[id - 1].next_nonlinear) {
        cell->vmas[id - 1].cursor = 0;
    }
    return scan;
}
