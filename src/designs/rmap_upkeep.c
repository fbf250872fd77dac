#include "designs/rmap_upkeep.h"

#include "designs/pte_chain.h"
#include "machine/residence.h"

/* --- nothing ------------------------------------------------------------------------------ */

bool upkeep_no_chain(const struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
    return false;
}

enum frame_result upkeep_nothing_prepare(struct cell *cell, struct actor *actor, page_id page)
{
    (void)cell;
    (void)actor;
    (void)page;
    return FRAME_OK;
}

void upkeep_nothing_add(struct cell *cell, struct actor *actor, page_id page)
{
    (void)cell;
    (void)actor;
    (void)page;
}

enum frame_result upkeep_nothing_add_word(struct cell *cell, page_id page, uint64_t mask)
{
    (void)cell;
    (void)page;
    (void)mask;
    return FRAME_OK;
}

void upkeep_nothing_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    (void)cell;
    (void)actor;
    (void)first;
    (void)mask;
}

/* --- a mapcount, and chains for some pages ------------------------------------------------ */

static bool keeps_chain(const struct cell *cell, page_id page)
{
    return cell->design->rmap->keeps_chain(cell, page);
}

enum frame_result upkeep_mapcount_prepare(struct cell *cell, struct actor *actor, page_id page)
{
    return keeps_chain(cell, page) ? pte_chain_prepare(cell, actor, page) : FRAME_OK;
}

void upkeep_mapcount_add(struct cell *cell, struct actor *actor, page_id page)
{
    if (keeps_chain(cell, page)) {
        pte_chain_add(cell, actor, page);
    } else {
        charge(cell, actor, COST_MAPCOUNT, 1);
    }
}

enum frame_result upkeep_mapcount_add_word(struct cell *cell, page_id page, uint64_t mask)
{
    return keeps_chain(cell, page) ? pte_chain_add_word(cell, page, mask) : FRAME_OK;
}

void upkeep_mapcount_remove(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    if (keeps_chain(cell, first)) {
        pte_chain_remove(cell, actor, first, mask);
    } else {
        charge(cell, actor, COST_MAPCOUNT, (uint64_t)__builtin_popcountll(mask));
    }
}
