/* Page tables of an address space. */
#include <stdlib.h>

#include "oracle/parts.h"

uint64_t o_vma_address_at(const struct vma *vma, page_offset offset)
{
    if (vma->turned) {
        const unsigned n = vma->mm->ptes_per_page;
        const uint64_t begin = offset - offset % n;
        const uint64_t end = begin + n < vma->pages ? begin + n : vma->pages;
        return vma->start + begin + (end - 1 - offset);
    }
    return vma->start + offset - vma->offset;
}

uint64_t o_vma_address(const struct vma *vma, const struct page *page)
{
    return o_vma_address_at(vma, page->offset);
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
                     page_offset offset)
{
    struct mm *mm = vma->mm;
    const uint64_t address = o_vma_address_at(vma, offset);
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
        charge_tables(machine, actor, i == 0);
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
    vma->chunk_used[offset / 512] = true;
    return true;
}

void o_mm_set_pte(struct machine *machine, const struct vma *vma, struct page *page,
                  struct pte *pte, bool store)
{
    o_mm_copy_pte(machine, vma, page, pte);
    pte->young = true;
    pte->dirty = store;
}

void o_mm_copy_pte(struct machine *machine, const struct vma *vma, struct page *page,
                   struct pte *pte)
{
    REQUIRE(!pte->present && page->resident && o_vma_covers(vma, page));
    REQUIRE(vma->versions == NULL || *o_version_of(vma, page->offset) == page);
    pte->page = page;
    pte->present = true;
    vma->mm->rss++;
    if (page->mapcount++ == 0) {
        machine->nr_mapped++;
    }
}

static void clear_pte(struct machine *machine, struct pte *pte)
{
    struct page *page = pte->page;
    REQUIRE(pte->present && page->mapcount > 0);
    page->dirty = page->dirty || pte->dirty;
    pte->mm->rss--;
    *pte = (struct pte){.mm = pte->mm};
    if (--page->mapcount == 0) {
        machine->nr_mapped--;
    }
}

void o_mm_clear_pte(struct machine *machine, struct pte *pte)
{
    clear_pte(machine, pte);
    machine->count.ptes_unmapped++;
}

void o_mm_zap_pte(struct machine *machine, struct pte *pte)
{
    clear_pte(machine, pte);
    machine->count.ptes_zapped++;
}

/* Pages that one entry of the top-level directory covers. */
static uint64_t top_span(const struct machine *machine)
{
    const uint64_t tables = machine->scenario->machine.arch == ARCH_I386       ? 1
                            : machine->scenario->machine.arch == ARCH_I386_PAE ? 512
                                                                               : 512 * 512;
    return tables * machine->ptes_per_page;
}

static bool any_vma_in(const struct mm *mm, uint64_t first, uint64_t end)
{
    for (const struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        if (!vma->gone && vma->start < end && vma->start + vma->pages > first) {
            return true;
        }
    }
    return false;
}

static void free_table(struct machine *machine, struct actor *actor, enum holder holder)
{
    o_frame_give_any(machine, holder);
    charge(machine, actor, COST_PAGE_ALLOC);
}

static void free_tables_in(struct machine *machine, struct actor *actor, struct mm *mm,
                           uint64_t first, uint64_t end)
{
    const uint64_t per_page = mm->ptes_per_page;
    for (uint64_t i = first / per_page; i < min_u64(end / per_page, mm->npte_pages); i++) {
        if (mm->ptes[i].entries == NULL) {
            continue;
        }
        for (uint64_t k = 0; k < per_page; k++) {
            REQUIRE(!mm->ptes[i].entries[k].present);
        }
        free(mm->ptes[i].entries);
        mm->ptes[i].entries = NULL;
        free_table(machine, actor, HELD_PAGE_TABLE);
        if (machine->has_middle_directories && mm->middle[i / 512]) {
            mm->middle[i / 512] = false;
            free_table(machine, actor, HELD_DIRECTORY);
        }
        if (machine->has_middle_directories && mm->upper[i / 512 / 512]) {
            mm->upper[i / 512 / 512] = false;
            free_table(machine, actor, HELD_DIRECTORY);
        }
    }
}

void o_mm_free_tables(struct machine *machine, struct actor *actor, const struct vma *gone)
{
    const uint64_t span = top_span(machine);
    for (uint64_t first = gone->start / span * span; first < gone->start + gone->pages;
         first += span) {
        if (!any_vma_in(gone->mm, first, first + span)) {
            free_tables_in(machine, actor, gone->mm, first, first + span);
        }
    }
}
