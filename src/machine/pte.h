/* Page-table entries of linear mappings, as bits in object order.
 *
 * For every page-table page - the 512 pages of one chunk of an object as one vma maps them - there
 * is at most one row of 8 x {present, young} words. A virtual scan reads rows one after the other;
 * a reverse map walks the rows of a chunk by the ranks of the object's vmas, one cache line each.
 * bench/pte_layout.c has the figures behind the choice.
 *
 * Rows are reached through 32-bit references, and uniform rows need no storage:
 *   REF_NONE   no pte of the vma was ever present in this chunk
 *   REF_EMPTY  none is present now
 *   REF_OLD    all 512 are present, none is young
 *   REF_YOUNG  all 512 are present and young
 * The dirty bits of all mappers of a page are kept as one, PLANE_PTE_DIRTY. */
#ifndef THRASH_MACHINE_PTE_H
#define THRASH_MACHINE_PTE_H

#include <stdbool.h>

#include "base/types.h"
#include "machine/cell.h"

#define WORDS_PER_ROW 8

enum { REF_NONE, REF_EMPTY, REF_OLD, REF_YOUNG, REF_FIRST_ROW };

struct pte_pair {
    uint64_t present;
    uint64_t young;
};

struct pte_row {
    struct pte_pair word[WORDS_PER_ROW];
};

/* The reference for the chunk that holds `page` of the object that `vma` maps. */
static inline uint32_t *pte_ref(const struct cell *cell, const struct vma *vma, page_id page)
{
    return &cell->row_refs[vma->ref_base + (uint64_t)(page / PAGES_PER_CHUNK) * vma->ref_stride];
}

static inline unsigned pte_word_index(page_id page)
{
    return page % PAGES_PER_CHUNK / PAGES_PER_WORD;
}

/* Where the ptes around `page` are kept if the reference has a row; valid to prefetch in any case.
 */
static inline const void *pte_storage(const struct cell *cell, uint32_t ref, page_id page)
{
    return &cell->rows[ref].word[pte_word_index(page)];
}

/* The 64 ptes around `page`, whatever the reference is. */
static inline struct pte_pair pte_read(const struct cell *cell, uint32_t ref, page_id page)
{
    if (ref >= REF_FIRST_ROW) {
        return cell->rows[ref].word[pte_word_index(page)];
    }
    struct pte_pair pair = {ref >= REF_OLD ? ~0ULL : 0, ref == REF_YOUNG ? ~0ULL : 0};
    return pair;
}

/* The same for writing: gives a uniform row storage first. */
struct pte_pair *pte_write(struct cell *cell, uint32_t *ref, page_id page);

/* Lets go of the storage of a row that has become uniform; call after clearing bits in it. */
void pte_compact(struct cell *cell, uint32_t *ref);

/* Forgets a row that has no pte present: as if the vma had never had one in this chunk. */
void pte_drop(struct cell *cell, uint32_t *ref);

/* The same as pte_compact() after ptes around `page` were cleared; looks at no other word unless it
 * must. */
void pte_compact_word(struct cell *cell, uint32_t *ref, page_id page);

/* The same for a row that may have become all present and young; call after setting bits in it. */
void pte_compact_young(struct cell *cell, uint32_t *ref);

static inline bool pte_is_present(const struct cell *cell, const struct vma *vma, page_id page)
{
    return (pte_read(cell, *pte_ref(cell, vma, page), page).present & page_bit(page)) != 0;
}

/* Bits of the word around `page` that lie within [first, end). */
static inline uint64_t word_mask(page_id page, page_id first, page_id end)
{
    page_id word_first = page / PAGES_PER_WORD * PAGES_PER_WORD;
    uint64_t mask = ~0ULL;
    if (first > word_first) {
        mask &= ~0ULL << (first - word_first);
    }
    if (end - word_first < PAGES_PER_WORD) {
        mask &= (1ULL << (end - word_first)) - 1;
    }
    return mask;
}

#endif
