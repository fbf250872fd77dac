/* Swap write-out as 2.4.23 and 2.6.0 do it: writepage of a shared-memory page only moves it to the
 * swap cache. Its I/O starts when reclaim meets it again, one lap of the inactive list later. */
#include "designs/designs.h"

static enum step moved_to_swap(struct cell *cell, struct actor *actor, struct context *context,
                               page_id page)
{
    (void)cell;
    (void)actor;
    (void)context;
    (void)page;
    return STEP_DONE;
}

const struct writeout_ops writeout_deferred = {
    .choice =
        {.name = "deferred",
         .description =
             "I/O starts one lap of the inactive list after a page is moved to the swap cache",
         .source = "vm-designs 1.2; linux 2.4.23 and v2.6.0 mm/shmem.c"},
    .moved_to_swap = moved_to_swap,
};
