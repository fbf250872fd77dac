/* Versions of anonymous pages: each is a page of its own, and an mm has one or none at each place.
 */
#include "oracle/parts.h"

struct page **o_version_of(const struct vma *vma, page_offset offset)
{
    REQUIRE(offset >= vma->offset && offset < vma->offset + vma->pages);
    return &vma->versions[offset - vma->offset];
}

struct page *o_version_new(struct object *object, page_offset offset)
{
    uint64_t i = 0;
    while (i < object->npages && (object->pages[i].attached > 0 || object->pages[i].in_batch)) {
        i++;
    }
    REQUIRE(i < object->capacity);
    object->npages += i == object->npages;
    object->pages[i] = (struct page){.object = object, .offset = offset};
    return &object->pages[i];
}

void o_version_attach(const struct vma *vma, struct page *page)
{
    struct page **place = o_version_of(vma, page->offset);
    REQUIRE(*place == NULL);
    *place = page;
    REQUIRE(page->attached == 0 || page->family == vma->mm->family);
    page->family = vma->mm->family;
    page->attached++;
}

static void drop_frame(struct machine *machine, struct actor *actor, struct page *page)
{
    REQUIRE(page->mapcount == 0 && !page->locked && !page->writeback);
    charge(machine, actor, COST_LRU_MOVE);
    charge(machine, actor, COST_PAGE_ALLOC);
    if (page->list != NULL) {
        o_lru_remove(page);
    }
    o_buffers_drop(machine, page);
    o_frame_give(machine, page->zone, HELD_ANON);
    page->resident = false;
    page->zone = NULL;
    page->dirty = false;
    page->content = (struct tag){0};
    page->dropped = true;
}

static void drop(struct machine *machine, struct actor *actor, struct page *page)
{
    if (page->swap_device != NULL) {
        charge(machine, actor, COST_SWAP_SLOT);
        if (page->resident) {
            charge(machine, actor, COST_SWAP_CACHE);
        }
        o_swap_free_slot(page);
    }
    if (page->resident) {
        drop_frame(machine, actor, page);
    }
    page->stored = (struct tag){0};
    page->last_store = (struct tag){0};
}

void o_version_detach(struct machine *machine, struct actor *actor, const struct vma *vma,
                      page_offset offset)
{
    struct page **place = o_version_of(vma, offset);
    struct page *page = *place;
    REQUIRE(page != NULL && page->attached > 0);
    *place = NULL;
    if (--page->attached == 0) {
        drop(machine, actor, page);
    } else if (page->resident && page->mapcount == 0 && page->swap_device == NULL) {
        /* The ptes that others had were clean, and went: they had never been stored to. */
        REQUIRE(!page->dirty && page->last_store.store == 0);
        drop_frame(machine, actor, page);
    }
}
