#include "machine/slab.h"

#include <assert.h>

#include "machine/cell.h"

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
    for (page_count needed = frames_for(cache, cache->in_use); cache->frames > needed;
         cache->frames--) {
        zone_give_any(cell, OWNER_RMAP);
    }
}
