#include "machine/span.h"

#include "base/mutant.h"
#include "machine/pte.h"
#include "machine/residence.h"

/* What pages and the cell keep of ptes that are gone. */
static void forget_ptes(struct cell *cell, struct mm *mm, page_id first, uint64_t mask)
{
    struct page_word *word = &cell->words[first / PAGES_PER_WORD];
    for (uint64_t dirty = word->plane[PLANE_PTE_DIRTY] & mask; dirty != 0; dirty &= dirty - 1) {
        residence_set_dirty(cell, first + (page_id)__builtin_ctzll(dirty));
    }
    word->plane[PLANE_PTE_DIRTY] &= ~mask;
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        page_id page = first + (page_id)__builtin_ctzll(rest);
        cell->core->nr_mapped -= --cell->mapcount[page] == 0;
    }
    uint64_t n = (uint64_t)__builtin_popcountll(mask);
    cell->core->ptes_present -= n;
    mm->rss -= n;
    count(cell, METRIC_PTES_ZAPPED, n);
}

static void zap_word(struct cell *cell, struct actor *actor, const struct vma *vma, page_id first,
                     uint64_t mask)
{
    uint32_t *ref = pte_ref(cell, vma, first);
    struct pte_pair pair = pte_read(cell, *ref, first);
    uint64_t present = pair.present & mask;
    uint64_t young = pair.young & present;
    charge(cell, actor, COST_PTE_SKIP, (uint64_t)__builtin_popcountll(mask & ~present));
    if (present == 0) {
        return;
    }
    *pte_write(cell, ref, first) = (struct pte_pair){pair.present & ~mask, pair.young & ~mask};
    forget_ptes(cell, &cell->mms[vma->mm], first, present);
    charge(cell, actor, COST_PTE_ZAP, (uint64_t)__builtin_popcountll(present));
    if (cell->design->reclaim->rules.zap_marks_accessed &&
        cell->objects[vma->object].kind != OBJECT_ANON) {
        for (young = MUTANT(ZAP_MARKS, young, 0); young != 0; young &= young - 1) {
            residence_mark_accessed(cell, actor, first + (page_id)__builtin_ctzll(young));
        }
    }
    cell->design->rmap->remove(cell, actor, first, present);
}

page_id span_zap(struct cell *cell, struct actor *actor, const struct vma *vma, page_id page)
{
    page_id vma_end = vma->first + vma->npages;
    uint32_t *ref = pte_ref(cell, vma, page);
    if (*ref == REF_NONE) {
        return (page_id)min_u64(
            (uint64_t)page / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, vma_end);
    }
    page_id first = page / PAGES_PER_WORD * PAGES_PER_WORD;
    page_id end = (page_id)min_u64((uint64_t)first + PAGES_PER_WORD, vma_end);
    zap_word(cell, actor, vma, first, word_mask(first, page, end));
    if (end == vma_end || end % PAGES_PER_CHUNK == 0) {
        pte_drop(cell, ref);
    }
    return end;
}
