#include "designs/pte_chain.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/map.h"
#include "machine/residence.h"

/* When one pte is left of a chain, its block goes at the next check for references; the entry of a
 * list goes at once. */
static bool collapses_lazily(const struct design *design)
{
    return design->rmap->chains == CHAIN_BLOCKS ? MUTANT(LAZY_COLLAPSE, true, false)
                                                : MUTANT(EAGER_COLLAPSE, false, true);
}

/* Blocks that k slots of a page are in; `chained` tells the two states of k = 1 apart. */
static uint64_t blocks_for(const struct design *design, uint64_t k, bool chained)
{
    if (k == 1 && !chained) {
        return 0;
    }
    return (k + design->chain_slots - 1) / design->chain_slots;
}

static bool chained_once(const struct cell *cell, page_id page)
{
    return !cell->design->page_direct || page_is(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
}

static uint64_t blocks_of(const struct cell *cell, page_id page)
{
    return blocks_for(cell->design, cell->mapcount[page], chained_once(cell, page));
}

/* Blocks that one more mapping of a page with k of them needs. */
static uint64_t blocks_to_add(const struct cell *cell, page_id page, uint64_t k)
{
    uint64_t before = blocks_for(cell->design, k, chained_once(cell, page));
    return blocks_for(cell->design, k + 1, !cell->design->page_direct) - before;
}

static void free_blocks(struct cell *cell, struct actor *actor, uint64_t blocks)
{
    if (blocks > 0) {
        charge(cell, actor, COST_CHAIN_ALLOC, blocks);
        slab_give(cell, SLAB_PTE_CHAIN, blocks);
    }
}

enum frame_result pte_chain_prepare(struct cell *cell, struct actor *actor, page_id page)
{
    uint64_t blocks = blocks_to_add(cell, page, cell->mapcount[page]);
    if (blocks == 0) {
        return FRAME_OK;
    }
    enum frame_result result = slab_take(cell, actor, SLAB_PTE_CHAIN, blocks);
    if (result == FRAME_OK) {
        charge(cell, actor, COST_CHAIN_ALLOC, blocks);
    }
    return result;
}

void pte_chain_add(struct cell *cell, struct actor *actor, page_id page)
{
    lock_charge_chain(cell, actor, cell->cost[COST_CHAIN_INSERT], cell->mapcount[page]);
    page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
}

/* Blocks that a pte more for each page of `mask` takes; mapcounts already count it. */
static uint64_t blocks_for_word(const struct cell *cell, page_id first, uint64_t mask)
{
    uint64_t blocks = 0;
    uint64_t each = 0;
    uint32_t last = 0;
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        page_id one = first + (page_id)__builtin_ctzll(rest);
        uint32_t key = 2U * cell->mapcount[one] + (chained_once(cell, one) ? 1 : 0);
        if (key != last) { /* neighbours are mapped alike, mostly */
            each = blocks_to_add(cell, one, cell->mapcount[one] - 1U);
            last = key;
        }
        blocks += each;
    }
    return blocks;
}

/* All pages of the word are mapped equally often, none through a chain of one. */
static bool is_uniform(const struct cell *cell, page_id first, uint64_t mask)
{
    const uint16_t *mapcount = &cell->mapcount[first];
    uint16_t differences = 0;
    for (int i = 1; i < PAGES_PER_WORD; i++) {
        differences |= (uint16_t)(mapcount[i] ^ mapcount[0]);
    }
    return mask == ~0ULL && differences == 0 &&
           cell->words[first / PAGES_PER_WORD].plane[PLANE_MAPPED_ONCE_CHAINED] == 0;
}

enum frame_result pte_chain_add_word(struct cell *cell, page_id page, uint64_t mask)
{
    page_id first = page / PAGES_PER_WORD * PAGES_PER_WORD;
    uint64_t blocks = is_uniform(cell, first, mask)
                          ? PAGES_PER_WORD * blocks_to_add(cell, first, cell->mapcount[first] - 1U)
                          : blocks_for_word(cell, first, mask);
    cell->words[page / PAGES_PER_WORD].plane[PLANE_MAPPED_ONCE_CHAINED] &= ~mask;
    return blocks == 0 ? FRAME_OK : slab_take_uncharged(cell, SLAB_PTE_CHAIN, blocks);
}

/* What it costs to find one of a page's ptes, of so many, in so many blocks. */
static void charge_removal(struct cell *cell, struct actor *actor, uint64_t blocks,
                           uint64_t mappers)
{
    sim_time time = cell->cost[COST_CHAIN_REMOVE];
    if (blocks > 0) {
        time += MUTANT(REMOVAL_SEARCH, blocks + 1, 2) * cell->cost[COST_CHAIN_BLOCK] / 2;
        count(cell, METRIC_RMAP_SEARCHED, (blocks + 1) / 2);
    }
    lock_charge_chain(cell, actor, time, mappers);
}

/* A pte that is removed alone is searched for, from the head of the chain: in half of its blocks,
 * on average. What replaces it comes from the head block, which goes when it is empty. */
void pte_chain_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    const bool lazily = collapses_lazily(cell->design);
    for (; mask != 0; mask &= mask - 1) {
        page_id page = first + (page_id)__builtin_ctzll(mask);
        uint64_t left = cell->mapcount[page];
        uint64_t before = blocks_for(cell->design, left + 1, chained_once(cell, page));
        charge_removal(cell, actor, before, left + 1);
        if (left == 1 && cell->design->page_direct && lazily) {
            page_set(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        } else {
            page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        }
        const bool chained = lazily || !cell->design->page_direct;
        uint64_t after = MUTANT(REMOVAL_FREES, blocks_for(cell->design, left, chained), before);
        free_blocks(cell, actor, before - after);
    }
}

/* A block that goes with the pte is the one that comes back with it, so no frame changes hands but
 * for that of a chain of one, which is direct afterwards. */
void pte_chain_moved(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    const bool always = !cell->design->page_direct;
    const bool lazily = collapses_lazily(cell->design);
    for (; mask != 0; mask &= mask - 1) {
        const page_id page = first + (page_id)__builtin_ctzll(mask);
        const uint64_t mapped = cell->mapcount[page];
        const uint64_t before = blocks_of(cell, page);
        const uint64_t without = blocks_for(cell->design, mapped - 1, lazily || always);
        const uint64_t after = blocks_for(cell->design, mapped, always);
        charge_removal(cell, actor, MUTANT(MOVED_CHAINS, before, 0), mapped);
        charge(cell, actor, COST_CHAIN_ALLOC, before - without + (after - without));
        lock_charge_chain(cell, actor, cell->cost[COST_CHAIN_INSERT], mapped);
        page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        if (before > after) {
            slab_give(cell, SLAB_PTE_CHAIN, before - after);
        }
    }
}

/* A walk along the chain of a page, which is in so many blocks. The cache misses of shared blocks
 * are within the cost of their ptes; the entries of a list have one each. */
static void charge_walk(struct cell *cell, struct actor *actor, uint64_t ptes, uint64_t blocks)
{
    count(cell, METRIC_RMAP_VISITS, MUTANT(CHAIN_WALK, ptes, 2 * ptes));
    charge(cell, actor, COST_CHAIN_VISIT, ptes);
    charge_table_access(cell, actor, ptes);
    if (cell->design->rmap->chains == CHAIN_LIST) {
        charge(cell, actor, COST_CHAIN_BLOCK, MUTANT(ENTRY_MISS, blocks, 0));
    }
}

unsigned pte_chain_referenced(struct cell *cell, struct actor *actor, page_id page)
{
    struct map_walk walk = map_clear_young(cell, actor, page, LOCK_NO_MM);
    charge_walk(cell, actor, walk.present, blocks_of(cell, page));
    if (walk.present == 1 && page_is(cell->words, page, PLANE_MAPPED_ONCE_CHAINED)) {
        page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        free_blocks(cell, actor, 1);
    }
    return walk.young;
}

enum unmap_result pte_chain_unmap(struct cell *cell, struct actor *actor, page_id page)
{
    uint64_t before = blocks_of(cell, page);
    struct map_walk walk = map_clear_all(cell, actor, page, LOCK_MAPPERS);
    charge_walk(cell, actor, walk.present + walk.failed, before);
    charge(cell, actor, COST_PTE_UNMAP, walk.present);
    if (walk.present > 0) {
        const bool lazily = collapses_lazily(cell->design);
        if (walk.failed == 1 && cell->design->page_direct && lazily) {
            page_set(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        } else {
            page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        }
        const bool chained = lazily || !cell->design->page_direct;
        free_blocks(cell, actor, before - blocks_for(cell->design, walk.failed, chained));
    }
    return walk.failed > 0 ? UNMAP_AGAIN : UNMAP_DONE;
}

bool pte_chain_keeps(const struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
    return true;
}
