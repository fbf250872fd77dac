#include "machine/version.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/residence.h"

uint64_t version_present(const struct cell *cell, const struct vma *vma, page_id base)
{
    page_id first = base / PAGES_PER_WORD * PAGES_PER_WORD;
    if (!vma_has_versions(vma)) {
        return pte_read(cell, *pte_ref(cell, vma, first), first).present;
    }
    uint64_t present = 0;
    page_id begin = first > vma->first ? first : vma->first;
    page_id end = (page_id)min_u64((uint64_t)first + PAGES_PER_WORD,
                                   (uint64_t)vma->first + vma->npages);
    for (page_id page = begin; page < end; page++) {
        page_id version = version_of(cell, vma, page);
        if (version != PAGE_NONE && pte_is_present(cell, vma, version)) {
            present |= page_bit(page);
        }
    }
    return present;
}

page_id version_place(const struct cell *cell, const struct vma *vma, page_id base)
{
    const struct object *object = &cell->objects[vma->object];
    for (uint32_t i = 0; i < object->layers; i++) {
        uint32_t layer = (vma->rank + i) % object->layers;
        page_id page = base + layer * object->layer_span;
        if (*version_attached(cell, object, page) == 0) {
            return page;
        }
    }
    assert(false && "there are as many layers as mms that can have a version");
    return PAGE_NONE;
}

void version_attach(struct cell *cell, const struct vma *vma, page_id base, page_id version)
{
    const struct object *object = &cell->objects[vma->object];
    cell->versions[vma->column + (base - vma->first)] =
        (uint16_t)((version - base) / object->layer_span + 1);
    ++*version_attached(cell, object, version);
}

void version_detach(struct cell *cell, struct actor *actor, const struct vma *vma, page_id base)
{
    const struct object *object = &cell->objects[vma->object];
    page_id version = version_of(cell, vma, base);
    cell->versions[vma->column + (base - vma->first)] = 0;
    if (--*version_attached(cell, object, version) == 0) {
        residence_drop(cell, actor, version);
    } else if (page_is(cell->words, version, PLANE_RESIDENT) && cell->mapcount[version] == 0 &&
               cell->slot[version] == 0) {
        /* The others' ptes were clean and dropped: they find zeroes again. */
        residence_drop_frame(cell, actor, version);
    }
}

void version_aim(const struct cell *cell, struct touch *touch)
{
    if (touch->vma == VMA_NONE || !vma_has_versions(&cell->vmas[touch->vma])) {
        return;
    }
    const struct vma *vma = &cell->vmas[touch->vma];
    page_id base = version_base(&cell->objects[vma->object], touch->page);
    page_id version = version_of(cell, vma, base);
    touch->page = version == PAGE_NONE ? base : version;
}
