#include "machine/slab.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/arch.h"
#include "machine/cell.h"
#include "machine/residence.h"

void slab_set_up(struct slab_cache *cache, const struct arch *arch, const struct slab_kind *kind)
{
    *cache = (struct slab_cache){.bytes = kind->bytes, .form = kind->form};
    if (kind->bytes > 0 && kind->form == SLAB_PACKED) {
        cache->objects_per_frame = MUTANT(SLAB_PACKING, slab_objects_per_page(arch, kind->bytes),
                                          (uint32_t)PAGE_BYTES / kind->bytes);
    } else if (kind->bytes > 0 && kind->form == SLAB_FREE_LIST) {
        cache->objects_per_frame = (uint32_t)PAGE_BYTES / kind->bytes;
    }
}

enum owner slab_owner(enum slab_index slab)
{
    static const enum owner owners[SLABS] = {
        [SLAB_PTE_CHAIN] = OWNER_RMAP,
        [SLAB_STACK] = OWNER_TASK,
        [SLAB_TASK] = OWNER_TASK,
        [SLAB_MM] = OWNER_MM,
        [SLAB_VMA] = OWNER_VMA,
        [SLAB_BUFFER_HEAD] = OWNER_BUFFER_HEAD,
        [SLAB_RADIX_NODE] = OWNER_RADIX_NODE,
    };
    return owners[slab];
}

static page_count frames_for(const struct slab_cache *cache, uint64_t objects)
{
    if (cache->bytes == 0) {
        return 0;
    }
    if (cache->form == SLAB_DENSE) {
        return pages_for(objects * cache->bytes);
    }
    return (objects + cache->objects_per_frame - 1) / cache->objects_per_frame;
}

page_count slab_frames_needed(const struct slab_cache *cache, uint64_t n)
{
    page_count frames = frames_for(cache, cache->in_use + n);
    return frames > cache->frames ? frames - cache->frames : 0;
}

static void add_objects(struct slab_cache *cache, page_count frames, uint64_t n)
{
    cache->frames += frames;
    cache->in_use += n;
}

static void give_frames(struct cell *cell, enum slab_index slab, page_count frames)
{
    for (; frames > 0; frames--) {
        zone_give_any(cell, slab_owner(slab));
    }
}

enum frame_result slab_take(struct cell *cell, struct actor *actor, enum slab_index slab,
                            uint64_t n)
{
    struct slab_cache *cache = &cell->core->slab[slab];
    page_count frames = slab_frames_needed(cache, n);
    for (page_count i = 0; i < frames; i++) {
        enum zone_index zone;
        enum frame_result result = residence_take_frame(cell, actor, zone_kernel_class(cell),
                                                        slab_owner(slab), &zone);
        if (result != FRAME_OK) {
            give_frames(cell, slab, i);
            return result;
        }
    }
    add_objects(cache, frames, n);
    return FRAME_OK;
}

/* The highest zone of the kernel's class that has a free frame, whatever its watermarks. */
static bool find_any_frame(const struct cell *cell, enum zone_index *zone_p)
{
    for (int zone = (int)zone_kernel_class(cell); zone >= 0; zone--) {
        if (cell->core->zone[zone].free > 0) {
            *zone_p = (enum zone_index)zone;
            return true;
        }
    }
    return false;
}

static bool take_at_no_cost(struct cell *cell, enum slab_index slab, uint64_t n, bool reserved)
{
    struct slab_cache *cache = &cell->core->slab[slab];
    page_count frames = slab_frames_needed(cache, n);
    for (page_count i = 0; i < frames; i++) {
        enum zone_index zone;
        bool found = reserved ? find_any_frame(cell, &zone)
                              : cell->design->reclaim->find_frame(cell, zone_kernel_class(cell), 0,
                                                                  &zone) == FRAME_OK;
        if (!found) {
            give_frames(cell, slab, i);
            return false;
        }
        zone_take(cell, zone, slab_owner(slab));
    }
    add_objects(cache, frames, n);
    return true;
}

enum frame_result slab_take_uncharged(struct cell *cell, enum slab_index slab, uint64_t n)
{
    return take_at_no_cost(cell, slab, n, false) ? FRAME_OK : FRAME_NONE;
}

enum frame_result slab_take_reserved(struct cell *cell, enum slab_index slab, uint64_t n)
{
    return take_at_no_cost(cell, slab, n, true) ? FRAME_OK : FRAME_NONE;
}

void slab_give(struct cell *cell, enum slab_index slab, uint64_t n)
{
    struct slab_cache *cache = &cell->core->slab[slab];
    assert(cache->in_use >= n);
    cache->in_use -= n;
    if (MUTANT(PRIVATE_FREE_LIST, cache->form == SLAB_FREE_LIST, false)) {
        return;
    }
    page_count needed = frames_for(cache, cache->in_use);
    if (cache->frames > needed) {
        give_frames(cell, slab, cache->frames - needed);
        cache->frames = needed;
    }
}
