#include "machine/kernel_memory.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/map.h"
#include "machine/residence.h"

enum { PARTS = 4 };

static void parts_of(uint64_t nvmas, enum slab_index slab[PARTS], uint64_t n[PARTS])
{
    const enum slab_index slabs[PARTS] = {SLAB_STACK, SLAB_TASK, SLAB_MM, SLAB_VMA};
    for (int i = 0; i < PARTS; i++) {
        slab[i] = slabs[i];
        n[i] = slabs[i] == SLAB_VMA ? nvmas : 1;
    }
}

/* Where page directories may be: where the kernel can reach them, always. */
static enum frame_result take_directories(struct cell *cell, struct actor *actor, unsigned pages)
{
    for (unsigned i = 0; i < pages; i++) {
        enum zone_index zone;
        enum zone_index class = MUTANT(DIRECTORY_ZONE, zone_kernel_class(cell),
                                       map_table_class(cell));
        enum frame_result result = residence_take_frame(cell, actor, class, OWNER_DIRECTORY, &zone);
        if (result != FRAME_OK) {
            for (; i > 0; i--) {
                zone_give_any(cell, OWNER_DIRECTORY);
            }
            return result;
        }
        charge(cell, actor, COST_PT_PAGE_ALLOC, 1);
    }
    return FRAME_OK;
}

enum frame_result kernel_memory_take(struct cell *cell, struct actor *actor, struct mm *mm,
                                     uint64_t nvmas)
{
    enum slab_index slab[PARTS];
    uint64_t n[PARTS];
    parts_of(nvmas, slab, n);
    int taken = 0;
    enum frame_result result = FRAME_OK;
    for (; taken < PARTS; taken++) {
        result = slab_take(cell, actor, slab[taken], n[taken]);
        if (result != FRAME_OK) {
            break;
        }
    }
    if (result == FRAME_OK) {
        result = take_directories(cell, actor, cell->design->mm_directories);
    }
    if (result == FRAME_OK) {
        mm->pt_pages += cell->design->mm_directories;
        return FRAME_OK;
    }
    while (taken > 0) {
        taken--;
        slab_give(cell, slab[taken], n[taken]);
    }
    return result;
}

void kernel_memory_give(struct cell *cell, struct mm *mm, uint64_t nvmas)
{
    assert(mm->pt_pages >= cell->design->mm_directories);
    mm->pt_pages -= cell->design->mm_directories;
    for (unsigned i = 0; i < cell->design->mm_directories; i++) {
        zone_give_any(cell, OWNER_DIRECTORY);
    }
    enum slab_index slab[PARTS];
    uint64_t n[PARTS];
    parts_of(nvmas, slab, n);
    for (int i = 0; i < PARTS; i++) {
        slab_give(cell, slab[i], n[i]);
    }
}
