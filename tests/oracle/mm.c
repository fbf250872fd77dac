/* Page tables of an address space. */
#include <stdlib.h>

#include "oracle/parts.h"

uint64_t o_vma_address(const struct vma *vma, const struct page *page)
{
    if (vma->nonlinear) {
        const unsigned n = vma->mm->ptes_per_page;
        const uint64_t begin = page->offset - page->offset % n;
        const uint64_t end = begin + n < vma->pages ? begin + n : vma->pages;
        return vma->start + begin + (end - 1 - page->offset);
    }
    return vma->start + page->offset - vma->offset;
}

bool o_vma_covers(const struct vma *vma, const struct page *page)
{
    return page->object == vma->object && page->offset >= vma->offset &&
           page->offset < vma->offset + vma->pages;
}

struct pte *o_mm_pte(const struct mm *mm, uint64_t address)
{
    struct pte *entries = mm->ptes[address / mm->ptes_per_page].entries;
    return entries == NULL ? NULL : &entries[address % mm->ptes_per_page];
}

/* The page of a level that an address needs: whether it is there. */
static unsigned levels_missing(const struct machine *machine, const struct mm *mm, uint64_t address)
{
    unsigned missing = mm->ptes[address / mm->ptes_per_page].entries == NULL;
    if (machine->has_middle_directories) {
        missing += !mm->middle[address / mm->ptes_per_page / 512];
        missing += !mm->upper[address / mm->ptes_per_page / 512 / 512];
    }
    return missing;
}

enum zone_number o_mm_table_class(const struct machine *machine)
{
    return machine->design.high_page_tables ? machine->user_class : machine->kernel_class;
}

bool o_mm_need_table(struct machine *machine, struct actor *actor, const struct vma *vma,
                     const struct page *page)
{
    struct mm *mm = vma->mm;
    const uint64_t address = o_vma_address(vma, page);
    struct zone *frames[3];
    const unsigned missing = levels_missing(machine, mm, address);
    for (unsigned i = 0; i < missing; i++) {
        frames[i] = i == 0
                        ? o_frame_take(machine, actor, o_mm_table_class(machine), HELD_PAGE_TABLE)
                        : o_frame_take(machine, actor, machine->kernel_class, HELD_DIRECTORY);
        if (frames[i] == NULL) {
            while (i > 0) {
                i--;
                o_frame_give(machine, frames[i], i == 0 ? HELD_PAGE_TABLE : HELD_DIRECTORY);
            }
            return false;
        }
        charge(machine, actor, COST_PT_PAGE_ALLOC);
    }
    if (missing > 0) {
        const uint64_t number = address / mm->ptes_per_page;
        struct pte *entries = calloc(mm->ptes_per_page, sizeof *entries);
        REQUIRE(entries != NULL && mm->ptes[number].entries == NULL);
        for (unsigned i = 0; i < mm->ptes_per_page; i++) {
            entries[i].mm = mm;
        }
        mm->ptes[number].entries = entries;
        if (machine->has_middle_directories) {
            mm->middle[number / 512] = true;
            mm->upper[number / 512 / 512] = true;
        }
    }
    vma->chunk_used[page->offset / 512] = true;
    return true;
}

void o_mm_set_pte(struct machine *machine, const struct vma *vma, struct page *page,
                  struct pte *pte, bool store)
{
    REQUIRE(!pte->present && page->resident && o_vma_covers(vma, page));
    pte->page = page;
    pte->present = true;
    pte->young = true;
    pte->dirty = store;
    vma->mm->rss++;
    if (page->mapcount++ == 0) {
        machine->nr_mapped++;
    }
}

void o_mm_clear_pte(struct machine *machine, struct pte *pte)
{
    struct page *page = pte->page;
    REQUIRE(pte->present && page->mapcount > 0);
    page->dirty = page->dirty || pte->dirty;
    pte->mm->rss--;
    *pte = (struct pte){.mm = pte->mm};
    if (--page->mapcount == 0) {
        machine->nr_mapped--;
    }
    machine->count.ptes_unmapped++;
}
