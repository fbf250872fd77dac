/* Object-based reverse mapping with anonmm for anonymous memory: Hugh Dickins' "rmap 10" and "rmap
 * 11", with the priority search tree of "rmap 16" to "rmap 18", before 2.6.7-rc1; docs/model.md,
 * section 9.
 *
 * An anonymous page knows its address and the bundle of mms that descend from one exec; each of
 * them is asked whether it has the page there. */
#include "designs/designs.h"
#include "designs/object_walk.h"
#include "machine/residence.h"

static bool keeps_chain(const struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
    return false;
}

static enum frame_result prepare(struct cell *cell, struct actor *actor, page_id page)
{
    (void)cell;
    (void)actor;
    (void)page;
    return FRAME_OK;
}

static void add(struct cell *cell, struct actor *actor, page_id page)
{
    (void)page;
    charge(cell, actor, COST_MAPCOUNT, 1);
}

static enum frame_result add_word(struct cell *cell, page_id page, uint64_t mask)
{
    (void)cell;
    (void)page;
    (void)mask;
    return FRAME_OK;
}

static void take_out(struct cell *cell, struct actor *actor, page_id first, uint64_t mask)
{
    (void)first;
    charge(cell, actor, COST_MAPCOUNT, (uint64_t)__builtin_popcountll(mask));
}

static unsigned referenced(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? object_anon_referenced(cell, actor, page)
                                    : object_tree_referenced(cell, actor, page);
}

static enum unmap_result unmap(struct cell *cell, struct actor *actor, page_id page)
{
    return page_is_anon(cell, page) ? object_anon_unmap(cell, actor, page, true)
                                    : object_tree_unmap(cell, actor, page);
}

const struct rmap_ops rmap_anonmm = {
    .choice = {.name = "anonmm",
               .description = "files and shared memory by a tree of vmas, anonymous memory by its "
                              "address in each mm of a family",
               .source =
                   "Dickins, rmap 10 and 11, 22 May 2004 (linux-history 6bccf794bf, 70b671f80e)"},
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .remove = take_out,
    .referenced = referenced,
    .unmap = unmap,
};
