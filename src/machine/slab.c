#include "machine/slab.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/arch.h"
#include "machine/cell.h"

void slab_set_up(struct slab_cache *cache, const struct arch *arch, unsigned bytes,
                 bool keeps_frames)
{
    *cache = (struct slab_cache){
        .objects_per_frame = keeps_frames ? (uint32_t)PAGE_BYTES / bytes
                                          : slab_objects_per_page(arch, bytes),
        .keeps_frames = keeps_frames,
    };
}

static page_count frames_for(const struct slab_cache *cache, uint64_t objects)
{
    return (objects + cache->objects_per_frame - 1) / cache->objects_per_frame;
}

page_count slab_frames_needed(const struct slab_cache *cache, uint64_t n)
{
    page_count frames = frames_for(cache, cache->in_use + n);
    return frames > cache->frames ? frames - cache->frames : 0;
}

void slab_take(struct cell *cell, enum slab_index slab, uint64_t n)
{
    struct slab_cache *cache = &cell->core->slab[slab];
    cache->frames += slab_frames_needed(cache, n);
    cache->in_use += n;
}

void slab_give(struct cell *cell, enum slab_index slab, uint64_t n)
{
    struct slab_cache *cache = &cell->core->slab[slab];
    assert(cache->in_use >= n);
    cache->in_use -= n;
    if (MUTANT(PRIVATE_FREE_LIST, cache->keeps_frames, false)) {
        return;
    }
    for (page_count needed = frames_for(cache, cache->in_use); cache->frames > needed;
         cache->frames--) {
        zone_give_any(cell, OWNER_RMAP);
    }
}
