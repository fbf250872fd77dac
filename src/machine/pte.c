#include "machine/pte.h"

#include <assert.h>

/* A freed row keeps the number of the next freed row in its first word. */
static uint32_t take_row(struct cell *cell)
{
    struct cell_core *core = cell->core;
    if (core->row_free != 0) {
        uint32_t row = core->row_free;
        core->row_free = (uint32_t)cell->rows[row].word[0].present;
        return row;
    }
    assert(REF_FIRST_ROW + core->rows_used < cell->max_rows);
    return REF_FIRST_ROW + core->rows_used++;
}

static void free_row(struct cell *cell, uint32_t row)
{
    cell->rows[row].word[0].present = cell->core->row_free;
    cell->core->row_free = row;
}

struct pte_pair *pte_write(struct cell *cell, uint32_t *ref, page_id page)
{
    if (*ref < REF_FIRST_ROW) {
        uint32_t row = take_row(cell);
        struct pte_pair uniform = pte_read(cell, *ref, page);
        for (int i = 0; i < WORDS_PER_ROW; i++) {
            cell->rows[row].word[i] = uniform;
        }
        *ref = row;
    }
    return &cell->rows[*ref].word[pte_word_index(page)];
}

void pte_compact(struct cell *cell, uint32_t *ref)
{
    if (*ref < REF_FIRST_ROW) {
        return;
    }
    const struct pte_pair *word = cell->rows[*ref].word;
    uint64_t first = word[0].present;
    if (first != 0 && first != ~0ULL) {
        return;
    }
    uint64_t young = word[0].young;
    for (int i = 1; i < WORDS_PER_ROW; i++) {
        if (word[i].present != first) {
            return;
        }
        young |= word[i].young;
    }
    if (young != 0) {
        return;
    }
    free_row(cell, *ref);
    *ref = first == 0 ? REF_EMPTY : REF_OLD;
}

void pte_drop(struct cell *cell, uint32_t *ref)
{
    if (*ref >= REF_FIRST_ROW) {
        free_row(cell, *ref);
    }
    *ref = REF_NONE;
}

void pte_compact_word(struct cell *cell, uint32_t *ref, page_id page)
{
    if (*ref >= REF_FIRST_ROW && cell->rows[*ref].word[pte_word_index(page)].present == 0) {
        pte_compact(cell, ref);
    }
}

void pte_compact_young(struct cell *cell, uint32_t *ref)
{
    if (*ref < REF_FIRST_ROW) {
        return;
    }
    const struct pte_pair *word = cell->rows[*ref].word;
    for (int i = 0; i < WORDS_PER_ROW; i++) {
        if ((word[i].present & word[i].young) != ~0ULL) {
            return;
        }
    }
    free_row(cell, *ref);
    *ref = REF_YOUNG;
}
