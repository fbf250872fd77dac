/* What always holds between two steps, found by looking at everything. */
#include "oracle/parts.h"

static void check_page(const struct machine *machine, const struct page *page)
{
    if (!page->resident) {
        REQUIRE(page->list == NULL && page->mapcount == 0 && !page->locked && !page->dirty);
        REQUIRE(page->chain == NULL && page->direct == NULL && page->entries == NULL);
        REQUIRE(page->last_store.store == page->stored.store);
        return;
    }
    REQUIRE(page->zone != NULL && page->zone->frames > 0);
    REQUIRE(!page->reading || page->locked);
    REQUIRE(!page->buffers || machine->design.is_2_4);
    if (page->swap_device != NULL) {
        REQUIRE(page->swap_device->slots[page->slot] == page);
    }
    if (machine->design.rmap == RMAP_PTE_CHAINS ||
        ((machine->design.rmap == RMAP_OBJECTS || machine->design.rmap == RMAP_TREES) &&
         page->object->kind == OBJECT_ANON) ||
        (machine->design.rmap == RMAP_OBJECTS && page->object->has_nonlinear)) {
        REQUIRE(page->entries == NULL);
        o_chain_check(machine, page);
    } else if (machine->design.rmap == RMAP_PTE_LISTS) {
        REQUIRE(page->chain == NULL);
        o_list_check(machine, page);
    } else {
        REQUIRE(page->chain == NULL && page->direct == NULL && page->entries == NULL);
    }
    if (page->list != NULL) {
        const struct lru *lru = page->zone->lru;
        REQUIRE(page->list == (page->active ? &lru->active : &lru->inactive));
    }
}

/* All ptes of an object's vmas, counted page by page. */
static void check_mappings(const struct object *object)
{
    for (uint64_t i = 0; i < object->npages; i++) {
        const struct page *page = &object->pages[i];
        unsigned mapped = 0;
        bool unsaved = page->dirty || !page->resident;
        for (const struct vma *vma = object->vmas; vma != NULL; vma = vma->next_of_object) {
            const struct pte *pte = o_vma_covers(vma, page)
                                        ? o_mm_pte(vma->mm, o_vma_address(vma, page))
                                        : NULL;
            if (pte != NULL && pte->present && vma->versions != NULL && pte->page != page) {
                REQUIRE(pte->page->offset == page->offset);
                continue;
            }
            if (pte != NULL && pte->present) {
                REQUIRE(!vma->gone);
                REQUIRE(pte->page == page && pte->mm == vma->mm);
                REQUIRE(vma->chunk_used[page->offset / 512]);
                mapped++;
                unsaved = unsaved || pte->dirty;
            }
        }
        REQUIRE(mapped == page->mapcount);
        /* What is nowhere marked dirty is safe on its device. */
        REQUIRE(unsaved || page->reading || page->content.store == page->stored.store);
    }
}

/* Mms that have each version, counted; what nobody has holds nothing. */
static void check_versions(const struct object *object)
{
    for (uint64_t i = 0; i < object->npages; i++) {
        const struct page *page = &object->pages[i];
        unsigned attached = 0;
        for (const struct vma *vma = object->vmas; vma != NULL; vma = vma->next_of_object) {
            attached += o_vma_covers(vma, page) && *o_version_of(vma, page->offset) == page;
        }
        REQUIRE(attached == page->attached && (attached > 0 || !page->resident));
        REQUIRE(attached > 0 || page->swap_device == NULL);
        REQUIRE(attached < 2 || page->protected);
    }
}

static void check_list(const struct lru_list *list)
{
    uint64_t length = 0;
    const struct page *newer = NULL;
    for (const struct page *page = list->newest; page != NULL; page = page->older) {
        REQUIRE(page->list == list && page->newer == newer && page->resident);
        newer = page;
        length++;
    }
    REQUIRE(list->oldest == newer && list->length == length);
}

static void check_zone(const struct machine *machine, const struct zone *zone)
{
    uint64_t held[HOLDERS] = {0};
    uint64_t active = 0;
    uint64_t inactive = 0;
    uint64_t all = zone->free;
    for (size_t o = 0; o < machine->nobjects; o++) {
        for (uint64_t i = 0; i < machine->objects[o].npages; i++) {
            const struct page *page = &machine->objects[o].pages[i];
            if (page->resident && page->zone == zone) {
                held[o_page_holder(page)]++;
                active += page->list != NULL && page->active;
                inactive += page->list != NULL && !page->active;
            }
        }
    }
    for (int h = 0; h < HOLDERS; h++) {
        all += zone->held[h];
    }
    REQUIRE(all == zone->frames);
    for (enum holder h = HELD_SHM; h <= HELD_ANON; h++) {
        REQUIRE(held[h] == zone->held[h]);
    }
    REQUIRE(active == zone->nr_active && inactive == zone->nr_inactive);
    REQUIRE(zone->low == 2 * zone->min && zone->high == 3 * zone->min);
}

static void check_swap(const struct device *device)
{
    uint64_t used = 0;
    for (uint64_t slot = 0; slot < device->nslots; slot++) {
        const struct page *page = device->slots[slot];
        REQUIRE(page == NULL || (page->swap_device == device && page->slot == slot));
        used += page != NULL;
    }
    REQUIRE(used == device->used);
}

/* Without room on swap nothing anonymous that was written is unmapped: it would
 * be nowhere, which check_page() sees. */
void o_check_machine(const struct machine *machine)
{
    uint64_t mapped = 0;
    for (size_t o = 0; o < machine->nobjects; o++) {
        const struct object *object = &machine->objects[o];
        if (object->page_size > PAGE_BYTES) {
            continue;
        }
        for (uint64_t i = 0; i < object->npages; i++) {
            check_page(machine, &object->pages[i]);
            mapped += object->pages[i].mapcount > 0;
        }
        check_mappings(object);
        if (object->has_versions) {
            check_versions(object);
        }
    }
    REQUIRE(mapped == machine->nr_mapped);
    o_slab_check(machine);
    o_list_check_frames(machine);
    for (int z = 0; z < ZONES; z++) {
        check_zone(machine, &machine->zones[z]);
        check_list(&machine->lrus[z].active);
        check_list(&machine->lrus[z].inactive);
    }
    for (uint32_t d = 0; d < machine->nswap_devices; d++) {
        check_swap(&machine->devices[d]);
    }
}
