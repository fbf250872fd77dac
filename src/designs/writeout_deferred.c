/* Swap write-out as 2.4.23 and 2.6.0 do it: writepage of a shared-memory page only moves it to the
 * swap cache. Its I/O starts when reclaim meets it again, one lap of the inactive list later. */
#include "base/mutant.h"
#include "designs/designs.h"
#include "machine/residence.h"

static enum step moved_to_swap(struct cell *cell, struct actor *actor, struct context *context,
                               page_id page)
{
    (void)context;
    if (MUTANT(DEFERRED_WRITE, false, true) &&
        device_has_room(cell, residence_device(cell, page))) {
        residence_start_write(cell, actor, page);
    }
    return STEP_DONE;
}

const struct writeout_ops writeout_deferred = {
    .choice =
        {.name = "deferred",
         .description =
             "I/O starts one lap of the inactive list after a page is moved to the swap cache",
         .source = "linux 2.4.23 and v2.6.0 mm/shmem.c, shmem_writepage(); "
                   "LWN, Time to thrash the 2.6 VM?, 2004"},
    .moved_to_swap = moved_to_swap,
};
