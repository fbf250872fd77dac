/* Swap write-out as the second fix of 2.4.23aa2 has it: writepage of a shared-memory page moves it
 * to the swap cache and starts its I/O before it returns; completion unlocks the page. What a pass
 * over the inactive list meets is so written as one batch, until the queue is full. */
#include "base/mutant.h"
#include "designs/designs.h"
#include "machine/residence.h"

static enum step moved_to_swap(struct cell *cell, struct actor *actor, struct context *context,
                               page_id page)
{
    uint32_t device = residence_device(cell, page);
    if (MUTANT(PROMPT_WRITE, false, true)) {
        return STEP_DONE;
    }
    if (!device_has_room(cell, device)) {
        context->wait = WAIT_QUEUE;
        context->wait_device = device;
        return STEP_WAIT;
    }
    page_set(cell->words, page, PLANE_RECLAIM);
    residence_start_write(cell, actor, page);
    return STEP_DONE;
}

const struct writeout_ops writeout_prompt = {
    .choice = {.name = "prompt",
               .description = "I/O starts at once, in batches of what a pass of reclaim meets",
               .source =
                   "A. Arcangeli, 05_vm_28-shmem-big-iron-1 of 2.4.23aa2, posted 27 Feb 2004; "
                   "LWN, Time to thrash the 2.6 VM?, 2004"},
    .moved_to_swap = moved_to_swap,
};
