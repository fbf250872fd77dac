#include "machine/map.h"

#include <assert.h>

#include "base/mutant.h"
#include "base/random.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/version.h"

void map_set(struct cell *cell, const struct vma *vma, page_id page, bool write)
{
    map_set_old(cell, vma, page);
    pte_write(cell, pte_ref(cell, vma, page), page)->young |= page_bit(page);
    if (write) {
        page_set(cell->words, page, PLANE_PTE_DIRTY);
    }
}

void map_set_old(struct cell *cell, const struct vma *vma, page_id page)
{
    struct pte_pair *pair = pte_write(cell, pte_ref(cell, vma, page), page);
    assert((pair->present & page_bit(page)) == 0);
    pair->present |= page_bit(page);
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
}

void map_clear(struct cell *cell, const struct vma *vma, page_id page)
{
    uint32_t *ref = pte_ref(cell, vma, page);
    struct pte_pair *pair = pte_write(cell, ref, page);
    pair->present &= ~page_bit(page);
    pair->young &= ~page_bit(page);
    pte_compact_word(cell, ref, page);
    forget_mappings(cell, page, 1);
    cell->mms[vma->mm].rss--;
    count(cell, METRIC_PTES_ZAPPED, 1);
}

void map_dropped(struct cell *cell, struct mm *mm, page_id page)
{
    forget_mappings(cell, page, 1);
    mm->rss--;
    count(cell, METRIC_PTES_UNMAPPED, 1);
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
    page_id base;  /* by which vmas cover it */
    uint32_t rank; /* of the pte last found, once one is */
    uint32_t mapped;
    bool may_fail;   /* a trylock may */
    bool all_vmas;   /* mms that do not map the page are tried as well, to the end of the list */
    uint32_t tried;  /* the mm tried last; vmas of one mm follow each other */
    bool tried_well; /* and whether it could be locked */
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
        .base = version_base(object, page),
        .rank = UINT32_MAX,
        .mapped = cell->mapcount[page],
        .may_fail = may_fail,
        .all_vmas = may_fail && locks == LOCK_COVERERS,
        .tried = UINT32_MAX,
    };
}

/* True when the mm can be locked, or its vma is not over the page: then there is nothing to lock.
 */
static bool lock_of_rank(struct walker *walker, uint32_t rank)
{
    struct cell *cell = walker->cell;
    const struct vma *vma = vma_of_rank(cell, walker->object, rank);
    if (walker->base - vma->first >= vma->npages) {
        return true;
    }
    if (walker->tried != vma->mm) {
        walker->tried = vma->mm;
        walker->tried_well = map_trylock_mm(cell, &cell->mms[vma->mm], walker->actor->context,
                                            walker->actor->now);
    }
    return walker->tried_well;
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

struct map_walk map_clear_all(struct cell *cell, const struct actor *actor, page_id page,
                              enum map_locks locks)
{
    struct walker walker = walk_begin(cell, actor, page, locks);
    uint64_t bit = page_bit(page);
    for (struct pte_pair pair; walk_next(&walker, &pair);) {
        uint32_t *ref = &walker.refs[walker.rank];
        *pte_write(cell, ref, page) = (struct pte_pair){pair.present & ~bit, pair.young & ~bit};
        pte_compact_word(cell, ref, page);
        cell->mms[vma_of_rank(cell, walker.object, walker.rank)->mm].rss--;
    }
    if (walker.found.present > 0) {
        forget_mappings(cell, page, walker.found.present);
        count(cell, METRIC_PTES_UNMAPPED, walker.found.present);
    }
    return walker.found;
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

/* Page-directory pages that a new page-table page at `index` needs above it, in this cell. */
static unsigned directories_needed(const struct cell *cell, const struct mm *mm, uint64_t index)
{
    unsigned needed = 0;
    uint64_t span = 1;
    const unsigned levels[] = {cell->arch->pmd_span, cell->arch->pud_span};
    for (int level = 0; level < 2 && levels[level] > 0; level++) {
        span *= levels[level];
        uint64_t begin = index / span * span;
        uint64_t end = min_u64(begin + span, mm->npt_bits);
        bool used = false;
        for (uint64_t i = begin / 64; i < (end + 63) / 64 && !used; i++) {
            used = cell->pt_bits[mm->first_pt_bit / 64 + i] != 0;
        }
        needed += !used && owns_directory(cell, mm, begin, end) ? 1 : 0;
    }
    return needed;
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
        unsigned needed = 1 + directories_needed(cell, mm, index);
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
        *bits |= 1ULL << (index % 64);
    }
    *ref = REF_EMPTY;
    return FRAME_OK;
}

static bool tables_in_range(const struct cell *cell, const struct mm *mm, uint64_t begin,
                            uint64_t end)
{
    for (uint64_t i = begin; i < end; i++) {
        uint64_t bit = mm->first_pt_bit + i;
        if ((cell->pt_bits[bit / 64] >> (bit % 64) & 1) != 0) {
            return true;
        }
    }
    return false;
}

/* Directory pages that this cell accounts for above the page-table pages [begin, end). */
static uint64_t directories_held(const struct cell *cell, const struct mm *mm, uint64_t begin,
                                 uint64_t end)
{
    uint64_t held = 0;
    uint64_t span = 1;
    const unsigned levels[] = {cell->arch->pmd_span, cell->arch->pud_span};
    for (int level = 0; level < 2 && levels[level] > 0; level++) {
        span *= levels[level];
        for (uint64_t first = begin / span * span; first < end; first += span) {
            uint64_t last = min_u64(first + span, mm->npt_bits);
            held += tables_in_range(cell, mm, first, last) && owns_directory(cell, mm, first, last);
        }
    }
    return held;
}

static bool vma_in_range(const struct cell *cell, const struct mm *mm, uint64_t first, uint64_t end)
{
    for (vma_id i = mm->first_vma; i < mm->first_vma + mm->nvmas; i++) {
        const struct vma *vma = &cell->vmas[i];
        if (vma->attached && vma->vpn < end && vma->vpn + cell->plan->vmas[i].pages > first) {
            return true;
        }
    }
    return false;
}

static void free_tables_in_range(struct cell *cell, struct actor *actor, struct mm *mm,
                                 uint64_t begin, uint64_t end)
{
    uint64_t frames = directories_held(cell, mm, begin, end);
    for (uint64_t i = begin; i < end; i++) {
        uint64_t bit = mm->first_pt_bit + i;
        uint64_t *word = &cell->pt_bits[bit / 64];
        frames += *word >> (bit % 64) & 1;
        *word &= ~(1ULL << (bit % 64));
    }
    charge(cell, actor, COST_PAGE_ALLOC, frames);
    mm->pt_pages -= (uint32_t)frames;
    for (; frames > 0; frames--) {
        zone_give_any(cell, OWNER_PAGETABLE);
    }
}

void map_free_tables(struct cell *cell, struct actor *actor, vma_id id)
{
    const struct vma *vma = &cell->vmas[id];
    struct mm *mm = &cell->mms[vma->mm];
    uint64_t span = max_u64(cell->arch->pgd_span, 1);
    uint64_t entries = cell->arch->pt_entries;
    uint64_t last = (vma->vpn + cell->plan->vmas[id].pages - 1) / entries;
    for (uint64_t begin = vma->vpn / entries / span * span; begin <= last; begin += span) {
        uint64_t end = min_u64(begin + span, mm->npt_bits);
        if (!vma_in_range(cell, mm, begin * entries, (begin + span) * entries)) {
            free_tables_in_range(cell, actor, mm, begin, end);
        }
    }
}
