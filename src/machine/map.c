#include "machine/map.h"

#include <assert.h>

#include "base/mutant.h"
#include "base/random.h"
#include "machine/pte.h"
#include "machine/residence.h"

void map_set(struct cell *cell, const struct vma *vma, page_id page, bool write)
{
    struct pte_pair *pair = pte_write(cell, pte_ref(cell, vma, page), page);
    assert((pair->present & page_bit(page)) == 0);
    pair->present |= page_bit(page);
    pair->young |= page_bit(page);
    if (write) {
        page_set(cell->words, page, PLANE_PTE_DIRTY);
    }
    if (cell->mapcount[page]++ == 0) {
        cell->core->nr_mapped++;
    }
    cell->core->ptes_present++;
    cell->mms[vma->mm].rss++;
}

/* What a page and the cell keep of `n` ptes that are gone. */
static void forget_mappings(struct cell *cell, page_id page, uint32_t n)
{
    if (page_test_and_clear(cell->words, page, PLANE_PTE_DIRTY)) {
        residence_set_dirty(cell, page);
    }
    assert(cell->mapcount[page] >= n);
    cell->mapcount[page] = (uint16_t)(cell->mapcount[page] - n);
    if (cell->mapcount[page] == 0) {
        cell->core->nr_mapped--;
    }
    cell->core->ptes_present -= n;
    count(cell, METRIC_PTES_UNMAPPED, n);
}

void map_dropped(struct cell *cell, struct mm *mm, page_id page)
{
    forget_mappings(cell, page, 1);
    mm->rss--;
}

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

static uint32_t *chunk_refs(const struct cell *cell, const struct object *object, page_id page)
{
    uint64_t chunk = (page - object->first) / PAGES_PER_CHUNK;
    return &cell->row_refs[object->first_ref + chunk * object->max_vmas];
}

/* No mm of the cell is locked by anybody: trylocks cannot fail and need not be tried. */
static bool all_mms_unlocked(const struct cell *cell, sim_time now)
{
    return cell->core->nlock_shares == 0 && cell->core->nlocks_held == 0 &&
           cell->core->mm_locks_busy_until <= now;
}

static const struct vma *vma_of_rank(const struct cell *cell, const struct object *object,
                                     uint32_t rank)
{
    return &cell->vmas[cell->object_vmas[object->first_vma_slot + rank]];
}

/* A walk over the ptes of a page, by the ranks of the vmas of its object. */
struct walker {
    struct cell *cell;
    const struct actor *actor;
    const struct object *object;
    uint32_t *refs;
    page_id page;
    uint32_t rank; /* of the pte last found, once one is */
    uint32_t mapped;
    uint32_t but_mm; /* its vmas are left out */
    bool may_fail;   /* a trylock may */
    bool all_vmas;   /* mms that do not map the page are tried as well, to the end of the list */
    struct map_walk found;
};

static struct walker walk_begin(struct cell *cell, const struct actor *actor, page_id page,
                                enum map_locks locks)
{
    const struct object *object = page_object(cell, page);
    bool may_fail = locks != LOCK_NO_MM && !all_mms_unlocked(cell, actor->now);
    return (struct walker){
        .cell = cell,
        .actor = actor,
        .object = object,
        .refs = chunk_refs(cell, object, page),
        .page = page,
        .rank = UINT32_MAX,
        .mapped = cell->mapcount[page],
        .but_mm = UINT32_MAX,
        .may_fail = may_fail,
        .all_vmas = may_fail && locks == LOCK_COVERERS,
    };
}

/* True when the mm can be locked, or its vma is not over the page: then there is nothing to lock.
 */
static bool lock_of_rank(const struct walker *walker, uint32_t rank)
{
    struct cell *cell = walker->cell;
    const struct vma *vma = vma_of_rank(cell, walker->object, rank);
    return walker->page - vma->first >= vma->npages ||
           map_trylock_mm(cell, &cell->mms[vma->mm], walker->actor->context, walker->actor->now);
}

/* The next present pte whose mm can be locked: its word is read, and it counts as found. */
static inline bool walk_next(struct walker *walker, struct pte_pair *pair_p)
{
    uint32_t nranks = walker->object->max_vmas;
    uint64_t bit = page_bit(walker->page);
    for (uint32_t rank = walker->rank + 1; rank < nranks; rank++) {
        if (!walker->all_vmas && walker->found.present + walker->found.failed == walker->mapped) {
            return false;
        }
        if (rank + PREFETCH_ROWS < nranks) {
            __builtin_prefetch(
                pte_storage(walker->cell, walker->refs[rank + PREFETCH_ROWS], walker->page), 1);
        }
        struct pte_pair pair = pte_read(walker->cell, walker->refs[rank], walker->page);
        bool present = (pair.present & bit) != 0;
        if (!present && !walker->all_vmas) {
            continue;
        }
        if (walker->but_mm != UINT32_MAX &&
            vma_of_rank(walker->cell, walker->object, rank)->mm == walker->but_mm) {
            walker->mapped -= present;
            continue;
        }
        if (walker->may_fail && !lock_of_rank(walker, rank)) {
            walker->found.failed++;
            continue;
        }
        if (present) {
            walker->rank = rank;
            walker->found.present++;
            walker->found.young += (pair.young & bit) != 0;
            *pair_p = pair;
            return true;
        }
    }
    return false;
}

struct map_walk map_clear_young(struct cell *cell, const struct actor *actor, page_id page,
                                enum map_locks locks)
{
    struct walker walker = walk_begin(cell, actor, page, locks);
    uint64_t bit = page_bit(page);
    for (struct pte_pair pair; walk_next(&walker, &pair);) {
        if ((pair.young & bit) != 0) {
            pte_write(cell, &walker.refs[walker.rank], page)->young &= ~bit;
        }
    }
    return walker.found;
}

static struct map_walk clear_ptes(struct walker *walker)
{
    struct cell *cell = walker->cell;
    page_id page = walker->page;
    uint64_t bit = page_bit(page);
    for (struct pte_pair pair; walk_next(walker, &pair);) {
        uint32_t *ref = &walker->refs[walker->rank];
        *pte_write(cell, ref, page) = (struct pte_pair){pair.present & ~bit, pair.young & ~bit};
        pte_compact_word(cell, ref, page);
        cell->mms[vma_of_rank(cell, walker->object, walker->rank)->mm].rss--;
    }
    if (walker->found.present > 0) {
        forget_mappings(cell, page, walker->found.present);
    }
    return walker->found;
}

struct map_walk map_clear_all(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks)
{
    struct walker walker = walk_begin(cell, actor, page, locks);
    return clear_ptes(&walker);
}

struct map_walk map_clear_others(struct cell *cell, const struct actor *actor, page_id page,
                                 uint32_t mm)
{
    struct walker walker = walk_begin(cell, actor, page, LOCK_COVERERS);
    walker.but_mm = mm;
    if (cell->core->nlock_shares == 0 && cell->core->nlocks_held == 1 &&
        cell->mms[mm].lock.holder == actor->context &&
        cell->core->mm_locks_busy_until <= actor->now) {
        walker.may_fail = false; /* the only lock held is the caller's own */
        walker.all_vmas = false;
    }
    return clear_ptes(&walker);
}

/* A page directory can be above page tables of several cells. It is accounted for by the cell that
 * has the lowest page mapped under it: page-table pages [begin, end). */
static bool owns_directory(const struct cell *cell, const struct mm *mm, uint64_t begin,
                           uint64_t end)
{
    uint64_t entries = cell->arch->pt_entries;
    for (uint32_t i = 0; i < mm->nvmas; i++) {
        const struct plan_vma *vma = &cell->plan->vmas[mm->first_vma + i];
        uint64_t low = max_u64(vma->vpn, begin * entries);
        if (low < min_u64(vma->vpn + vma->pages, end * entries)) {
            struct shard shard = cell_shard(cell, vma->object);
            return shard_has(&shard, vma->offset + (low - vma->vpn));
        }
    }
    return false;
}

/* Whether page table number `index` is the first in its part of the address space, of `span` page
 * tables, and that part is accounted for by this cell. */
static bool is_first_of(const struct cell *cell, const struct mm *mm, uint64_t index, uint64_t span)
{
    uint64_t begin = index / span * span;
    uint64_t end = min_u64(begin + span, mm->npt_bits);
    bool used = false;
    for (uint64_t i = begin / 64; i < (end + 63) / 64 && !used; i++) {
        used = cell->pt_bits[mm->first_pt_bit / 64 + i] != 0;
    }
    return !used && owns_directory(cell, mm, begin, end);
}

/* Page-directory pages that a new page-table page at `index` needs above it, in this cell; or, from
 * a higher level on, a new page of that level. */
static unsigned directories_needed(const struct cell *cell, const struct mm *mm, uint64_t index,
                                   unsigned from)
{
    unsigned needed = 0;
    uint64_t span = 1;
    const unsigned levels[] = {cell->arch->pmd_span, cell->arch->pud_span};
    for (unsigned level = 0; level < 2 && levels[level] > 0; level++) {
        span *= levels[level];
        needed += level >= from && is_first_of(cell, mm, index, span) ? 1 : 0;
    }
    return needed;
}

/* Takes the frames of `needed` page-table pages, or none. */
static enum frame_result take_tables(struct cell *cell, struct actor *actor, struct mm *mm,
                                     unsigned needed)
{
    enum zone_index taken[3]; /* a page-table page and two directories */
    for (unsigned i = 0; i < needed; i++) {
        enum frame_result result = residence_take_frame(cell, actor, zone_kernel_class(cell),
                                                        OWNER_PAGETABLE, &taken[i]);
        if (result != FRAME_OK) {
            /* The retry takes them all again; what was taken must not be taken twice. */
            for (; i > 0; i--) {
                zone_give(cell, taken[i - 1], OWNER_PAGETABLE);
            }
            return result;
        }
        charge(cell, actor, COST_PT_PAGE_ALLOC, 1);
    }
    mm->pt_pages += needed;
    return FRAME_OK;
}

enum frame_result map_need_table(struct cell *cell, struct actor *actor, const struct vma *vma,
                                 page_id page)
{
    uint32_t *ref = pte_ref(cell, vma, page);
    if (*ref != REF_NONE) {
        return FRAME_OK;
    }
    struct mm *mm = &cell->mms[vma->mm];
    uint64_t index = vma_address(cell, vma, page) / cell->arch->pt_entries;
    uint64_t *bits = &cell->pt_bits[(mm->first_pt_bit + index) / 64];
    if ((*bits >> (index % 64) & 1) == 0) {
        enum frame_result result = take_tables(cell, actor, mm,
                                               1 + directories_needed(cell, mm, index, 0));
        if (result != FRAME_OK) {
            return result;
        }
        *bits |= 1ULL << (index % 64);
    }
    *ref = REF_EMPTY;
    return FRAME_OK;
}

enum frame_result map_large(struct cell *cell, struct actor *actor, const struct vma *vma)
{
    struct mm *mm = &cell->mms[vma->mm];
    const bool huge = vma->page_class == PAGES_HUGE;
    const unsigned from = MUTANT(LARGE_DIRECTORY, huge ? 1 : 0, 0);
    page_id end = vma->first + vma->npages;
    for (page_id page = vma->first; page < end;) {
        uint64_t address = vma_address(cell, vma, page);
        uint64_t index = address / cell->arch->pt_entries;
        enum frame_result result = take_tables(cell, actor, mm,
                                               directories_needed(cell, mm, index, from));
        if (result != FRAME_OK) {
            return result;
        }
        cell->core->large_ptes += !huge || is_first_of(cell, mm, index, cell->arch->pmd_span);
        cell->pt_bits[(mm->first_pt_bit + index) / 64] |= 1ULL << (index % 64);
        page += (page_id)(cell->arch->pt_entries - address % cell->arch->pt_entries);
    }
    return FRAME_OK;
}
