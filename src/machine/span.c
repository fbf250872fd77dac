#include "machine/span.h"

#include "base/mutant.h"
#include "machine/operation.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/rmap.h"
#include "machine/version.h"

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
                     uint64_t mask, bool may_mark)
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
    if (may_mark && cell->design->reclaim->rules.zap_marks_accessed &&
        cell->objects[vma->object].kind != OBJECT_ANON) {
        for (young = MUTANT(ZAP_MARKS, young, 0); young != 0; young &= young - 1) {
            residence_mark_accessed(cell, actor, first + (page_id)__builtin_ctzll(young));
        }
    }
    rmap_remove(cell, actor, first, present);
}

/* Page after page: they can be versions in different layers. */
static void zap_versions(struct cell *cell, struct actor *actor, const struct vma *vma,
                         page_id begin, page_id end)
{
    page_id removed[PAGES_PER_WORD];
    unsigned nremoved = 0;
    for (page_id base = begin; base < end; base++) {
        page_id page = version_of(cell, vma, base);
        if (page != PAGE_NONE && pte_is_present(cell, vma, page)) {
            uint32_t *ref = pte_ref(cell, vma, page);
            struct pte_pair *pair = pte_write(cell, ref, page);
            pair->present &= ~page_bit(page);
            pair->young &= ~page_bit(page);
            pte_compact_word(cell, ref, page);
            forget_ptes(cell, &cell->mms[vma->mm], page / PAGES_PER_WORD * PAGES_PER_WORD,
                        page_bit(page));
            charge(cell, actor, COST_PTE_ZAP, 1);
            removed[nremoved++] = page;
        } else {
            bool swapped = page != PAGE_NONE &&
                           (cell->slot[page] != 0 || page_is(cell->words, page, PLANE_RESIDENT));
            charge(cell, actor, swapped ? COST_PTE_ZAP : COST_PTE_SKIP, 1);
        }
    }
    for (unsigned i = 0; i < nremoved; i++) {
        rmap_remove(cell, actor, removed[i] / PAGES_PER_WORD * PAGES_PER_WORD,
                    page_bit(removed[i]));
    }
    for (page_id base = begin; base < end; base++) {
        if (version_of(cell, vma, base) != PAGE_NONE) {
            version_detach(cell, actor, vma, base);
        }
    }
}

/* The first page that would be dropped while I/O on it is under way. */
static page_id first_busy(const struct cell *cell, const struct vma *vma, page_id begin,
                          page_id end)
{
    const struct object *object = &cell->objects[vma->object];
    for (page_id base = begin; base < end; base++) {
        page_id page = version_of(cell, vma, base);
        if (page != PAGE_NONE && *version_attached(cell, object, page) == 1 &&
            page_is_busy(cell, page)) {
            return page;
        }
    }
    return PAGE_NONE;
}

/* A chunk that has been gone through is as if it had never been used. */
static void forget_chunk(struct cell *cell, const struct vma *vma, page_id base)
{
    const struct object *object = &cell->objects[vma->object];
    for (uint32_t layer = 0; layer < max_u64(object->layers, 1); layer++) {
        pte_drop(cell, pte_ref(cell, vma, base + layer * object->layer_span));
    }
}

enum step span_zap(struct cell *cell, struct actor *actor, struct context *context,
                   const struct vma *vma, bool may_mark, page_id *page_p)
{
    page_id vma_end = vma->first + vma->npages;
    page_id page = *page_p;
    if (*pte_ref(cell, vma, page) == REF_NONE) {
        *page_p = (page_id)min_u64(
            (uint64_t)page / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, vma_end);
        return STEP_DONE;
    }
    page_id first = page / PAGES_PER_WORD * PAGES_PER_WORD;
    page_id end = (page_id)min_u64((uint64_t)first + PAGES_PER_WORD, vma_end);
    if (vma_has_versions(vma)) {
        page_id busy = first_busy(cell, vma, page, end);
        if (busy != PAGE_NONE) {
            context->wait = WAIT_PAGE;
            context->wait_page = busy;
            return STEP_WAIT;
        }
        operation_look_at_tables(cell, actor, vma, page, 1);
        zap_versions(cell, actor, vma, page, end);
    } else {
        operation_look_at_tables(cell, actor, vma, page, 1);
        zap_word(cell, actor, vma, first, word_mask(first, page, end), may_mark);
    }
    if (end == vma_end || end % PAGES_PER_CHUNK == 0) {
        forget_chunk(cell, vma, first);
    }
    *page_p = end;
    return STEP_DONE;
}
