/* Slab caches: kernel objects packed into frames.
 *
 * Objects are alike, so a cache is three numbers. Packing is taken as perfect: a frame is taken
 * when the objects need one more, and given back as soon as they need one less. A private list of
 * free objects, as kernels had before they used slab caches, has no headers in its frames and never
 * gives one back. */
#ifndef THRASH_MACHINE_SLAB_H
#define THRASH_MACHINE_SLAB_H

#include <stdbool.h>

#include "base/types.h"

enum slab_index { SLAB_PTE_CHAIN, SLABS };

struct slab_cache {
    uint64_t in_use;   /* objects */
    page_count frames; /* that hold them */
    uint32_t objects_per_frame;
    bool keeps_frames; /* a private list of free objects */
};

struct cell;
struct arch;

/* An empty cache of objects of a size. */
void slab_set_up(struct slab_cache *cache, const struct arch *arch, unsigned bytes,
                 bool keeps_frames);

/* Frames that `n` more objects would need beyond those there are. */
page_count slab_frames_needed(const struct slab_cache *cache, uint64_t n);

/* Takes n objects whose frames were obtained before (one zone_take(OWNER_RMAP) for each frame of
 * slab_frames_needed()), or gives n back, with the frames that fall empty. */
void slab_take(struct cell *cell, enum slab_index slab, uint64_t n);
void slab_give(struct cell *cell, enum slab_index slab, uint64_t n);

#endif
