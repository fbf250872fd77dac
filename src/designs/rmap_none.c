/* No reverse map: 2.4 finds the ptes of a page only by scanning every address space. */
#include "designs/designs.h"

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
    (void)cell;
    (void)actor;
    (void)page;
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
    (void)cell;
    (void)actor;
    (void)first;
    (void)mask;
}

const struct rmap_ops rmap_none = {
    .choice = {.name = "none",
               .description =
                   "no reverse map; ptes are found by scanning every address space (2.4)",
               .source = "linux 2.4.23 mm/vmscan.c, try_to_swap_out()"},
    .keeps_chain = keeps_chain,
    .prepare = prepare,
    .add = add,
    .add_word = add_word,
    .remove = take_out,
};
