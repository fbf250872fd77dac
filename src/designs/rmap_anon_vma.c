/* The reverse map of 2.6.7: a priority search tree of vmas for files and shared memory, a list of
 * related vmas for anonymous memory (Andrea Arcangeli's anon_vma, "rmap 38" to "rmap 40");
 * docs/model.md, section 9. */
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
    return page_is_anon(cell, page) ? object_anon_unmap(cell, actor, page, false)
                                    : object_tree_unmap(cell, actor, page);
}

const struct rmap_ops rmap_anon_vma = {
    .choice = {.name = "anon_vma",
               .description = "files and shared memory by a tree of vmas, anonymous memory by the "
                              "vmas related to its own (2.6.7)",
               .source = "linux v2.6.7 mm/rmap.c, page_referenced_anon(), try_to_unmap_file()"},
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .remove = take_out,
    .referenced = referenced,
    .unmap = unmap,
};
