/* Versions of anonymous pages, for processes that fork.
 *
 * All processes of a workload that fork have their anonymous memory in one object, which has a
 * layer of pages for each of them. A page of a layer, while some mm has it, is a version of what
 * stands at its offset: after a fork parent and child have the same one, and who stores to one that
 * others have as well gets another, in a layer that is free at that offset. A version that no mm
 * has any more goes, with its frame and its swap slot. There are never more versions of a page than
 * mms that can have one, so a layer is always free.
 *
 * Which version an mm has of each page is a column of 16-bit layer numbers for each vma. Ptes,
 * flags and all else stand with the version, as with any page. Anonymous objects without layers
 * belong to one process each, and have none of this. */
#ifndef THRASH_MACHINE_VERSION_H
#define THRASH_MACHINE_VERSION_H

#include "machine/pte.h"

static inline bool vma_has_versions(const struct vma *vma)
{
    return vma->column != NO_COLUMN;
}

/* The page of the lowest layer that stands for all versions of a page; itself without layers. */
static inline page_id version_base(const struct object *object, page_id page)
{
    return object->layers == 0 ? page : object->first + (page - object->first) % object->layer_span;
}

/* The version that the mm of a vma has of a page, or PAGE_NONE; without layers, the page. */
static inline page_id version_of(const struct cell *cell, const struct vma *vma, page_id base)
{
    if (!vma_has_versions(vma)) {
        return base;
    }
    uint16_t layer = cell->versions[vma->column + (base - vma->first)];
    return layer == 0 ? PAGE_NONE
                      : base + (page_id)(layer - 1) * cell->objects[vma->object].layer_span;
}

/* How many mms have a version. */
static inline uint16_t *version_attached(const struct cell *cell, const struct object *object,
                                         page_id page)
{
    return &cell->attached[object->first_attached + (page - object->first)];
}

/* Other mms than one have the version as well. */
static inline bool version_is_shared(const struct cell *cell, page_id page)
{
    const struct object *object = &cell->objects[cell->chunk_object[page / PAGES_PER_CHUNK]];
    return object->layers > 0 && *version_attached(cell, object, page) > 1;
}

/* Which of the 64 ptes around `base` are present, whatever the versions. */
uint64_t version_present(const struct cell *cell, const struct vma *vma, page_id base);

/* A page in a free layer for a new version. */
page_id version_place(const struct cell *cell, const struct vma *vma, page_id base);

/* The mm of a vma gets a version / no longer has one, and has no pte of it; a version that nobody
 * has is dropped. */
void version_attach(struct cell *cell, const struct vma *vma, page_id base, page_id version);
void version_detach(struct cell *cell, struct actor *actor, const struct vma *vma, page_id base);

/* Points a touch at the version that its process has; at the base if it has none. */
void version_aim(const struct cell *cell, struct touch *touch);

#endif
