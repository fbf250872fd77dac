/* Slab caches: kernel objects packed into frames.
 *
 * Objects of a cache are alike, so a cache is a few numbers. Packing is taken as perfect: frames
 * are taken when the objects need more, and given back as soon as they need fewer. How objects
 * share frames is the form of their cache; the sizes of an era are the design's (`struct design`,
 * slab). Objects without a size are counted, but hold no frames.
 *
 * Frames come from the zones that the kernel maps, by the watermarks of the era: taking can fail.
 */
#ifndef THRASH_MACHINE_SLAB_H
#define THRASH_MACHINE_SLAB_H

#include "base/types.h"
#include "machine/zone.h"

enum slab_index {
    SLAB_PTE_CHAIN,   /* blocks or entries of reverse maps */
    SLAB_STACK,       /* kernel stacks */
    SLAB_TASK,        /* what else a process has: task_struct, signal handlers, open files */
    SLAB_MM,          /* mm_struct */
    SLAB_VMA,         /* vm_area_struct */
    SLAB_BUFFER_HEAD, /* one for each page that has buffers */
    SLAB_RADIX_NODE,  /* one for each 64 offsets of an object that have a page in the page cache */
    SLABS
};

enum slab_form {
    SLAB_PACKED,    /* frames with a header, and 4 bytes of bookkeeping for each object */
    SLAB_FREE_LIST, /* a private list of free objects: no headers, and no frame goes back */
    SLAB_DENSE,     /* end to end, across frames */
};

/* One kind of object, as an era had it. */
struct slab_kind {
    unsigned bytes; /* of an object; 0: it is not accounted for */
    enum slab_form form;
};

struct slab_cache {
    uint64_t in_use;   /* objects */
    page_count frames; /* that hold them */
    uint32_t bytes;    /* of an object; 0: they hold no frames */
    uint32_t objects_per_frame;
    uint32_t form; /* enum slab_form */
};

struct cell;
struct actor;
struct arch;

/* An empty cache of objects of a kind. */
void slab_set_up(struct slab_cache *cache, const struct arch *arch, const struct slab_kind *kind);

/* Whose frames those of a cache are. */
enum owner slab_owner(enum slab_index slab);

/* Frames that `n` more objects would need beyond those there are. */
page_count slab_frames_needed(const struct slab_cache *cache, uint64_t n);

/* Takes n objects, with the frames they need from the kernel's class, for who acts (page_alloc is
 * charged for each frame). Nothing is taken, and what FRAME_* says is to be done, when a frame
 * cannot be had. */
enum frame_result slab_take(struct cell *cell, struct actor *actor, enum slab_index slab,
                            uint64_t n);

/* The same at no cost, for populate. */
enum frame_result slab_take_uncharged(struct cell *cell, enum slab_index slab, uint64_t n);

/* The same from any free frame, past all watermarks, at no cost: for what I/O cannot wait for. */
enum frame_result slab_take_reserved(struct cell *cell, enum slab_index slab, uint64_t n);

/* Gives n objects back, with the frames that fall empty. */
void slab_give(struct cell *cell, enum slab_index slab, uint64_t n);

#endif
