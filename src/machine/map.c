#include "machine/map.h"

#include <assert.h>

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

void map_forget(struct cell *cell, page_id page, uint32_t n)
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
    map_forget(cell, page, 1);
    cell->mms[vma->mm].rss--;
    count(cell, METRIC_PTES_ZAPPED, 1);
}

void map_dropped(struct cell *cell, struct mm *mm, page_id page)
{
    map_forget(cell, page, 1);
    mm->rss--;
    count(cell, METRIC_PTES_UNMAPPED, 1);
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

enum zone_index map_table_class(const struct cell *cell)
{
    return cell->design->high_tables ? zone_user_class(cell) : zone_kernel_class(cell);
}

/* Takes the frames of a page of ptes, if `with_table`, and of directories above it, or none. */
static enum frame_result take_tables(struct cell *cell, struct actor *actor, struct mm *mm,
                                     bool with_table, unsigned directories)
{
    enum zone_index taken[3]; /* a page-table page and two directories */
    enum owner owners[3];
    unsigned needed = directories + with_table;
    for (unsigned i = 0; i < needed; i++) {
        bool table = with_table && i == 0;
        owners[i] = table ? OWNER_PAGETABLE : OWNER_DIRECTORY;
        enum frame_result result = residence_take_frame(
            cell, actor, table ? map_table_class(cell) : zone_kernel_class(cell), owners[i],
            &taken[i]);
        if (result != FRAME_OK) {
            /* The retry takes them all again; what was taken must not be taken twice. */
            for (; i > 0; i--) {
                zone_give(cell, taken[i - 1], owners[i - 1]);
            }
            return result;
        }
        charge(cell, actor, COST_PT_PAGE_ALLOC, 1);
        charge_table_access(cell, actor, table ? 1 : 0); /* to clear it */
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
        enum frame_result result = take_tables(cell, actor, mm, MUTANT(TABLE_FRAMES, true, false),
                                               directories_needed(cell, mm, index, 0));
        if (result != FRAME_OK) {
            return result;
        }
        *bits |= 1ULL << (index % 64);
    }
    *ref = REF_EMPTY;
    return FRAME_OK;
}

enum frame_result map_large(struct cell *cell, struct actor *actor, const struct vma *vma,
                            page_count *done)
{
    struct mm *mm = &cell->mms[vma->mm];
    const bool huge = vma->page_class == PAGES_HUGE;
    const unsigned from = MUTANT(LARGE_DIRECTORY, huge ? 1 : 0, 0);
    page_id end = vma->first + vma->npages;
    while (vma->first + *done < end) {
        page_id page = vma->first + (page_id)*done;
        uint64_t address = vma_address(cell, vma, page);
        uint64_t index = address / cell->arch->pt_entries;
        enum frame_result result = take_tables(cell, actor, mm, false,
                                               directories_needed(cell, mm, index, from));
        if (result != FRAME_OK) {
            return result;
        }
        cell->core->large_ptes += MUTANT(
            LARGE_ENTRIES, !huge || is_first_of(cell, mm, index, cell->arch->pmd_span) ? 1U : 0U,
            2U);
        cell->pt_bits[(mm->first_pt_bit + index) / 64] |= 1ULL << (index % 64);
        *done += cell->arch->pt_entries - address % cell->arch->pt_entries;
    }
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
    const uint64_t directories = directories_held(cell, mm, begin, end);
    uint64_t tables = 0;
    for (uint64_t i = begin; i < end; i++) {
        uint64_t bit = mm->first_pt_bit + i;
        uint64_t *word = &cell->pt_bits[bit / 64];
        tables += *word >> (bit % 64) & 1;
        *word &= ~(1ULL << (bit % 64));
    }
    charge(cell, actor, COST_PAGE_ALLOC, tables + directories);
    mm->pt_pages -= (uint32_t)(tables + directories);
    for (uint64_t i = 0; i < tables; i++) {
        zone_give_any(cell, OWNER_PAGETABLE);
    }
    for (uint64_t i = 0; i < directories; i++) {
        zone_give_any(cell, OWNER_DIRECTORY);
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
