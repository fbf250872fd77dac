/* The virtual scan of 2.4: docs/model.md, section 10, with its invariants. */
#include "oracle/parts.h"

enum { WANTED = 32, WORD = 64, CHUNK = 512 };

/* One call of o_swap_out(class). */
struct scan {
    struct machine *machine;
    struct actor *actor;
    enum zone_number class;
    unsigned wanted, credits;
};

/* A pte of an inactive page of the class that was not young. */
static void try_to_unmap(struct scan *scan, struct pte *pte)
{
    struct machine *machine = scan->machine;
    struct actor *actor = scan->actor;
    struct page *page = pte->page;
    const bool anonymous = page->object->kind == OBJECT_ANON;
    if (page->locked) {
        machine->count.page_lock_failures++;
        return;
    }
    if (anonymous && !o_page_in_swap_cache(page) && (page->dirty || pte->dirty) &&
        !o_page_to_swap_cache(machine, actor, page)) {
        return;
    }
    o_mm_clear_pte(machine, pte);
    charge(machine, actor, COST_PTE_UNMAP);
    if (!anonymous && page->mapcount > 0 && machine->design.scan_uses_objects) {
        o_rmap_unmap_others(machine, actor, pte->mm, page);
    }
    const unsigned references = o_page_in_cache(page) + page->mapcount + 1;
    if (page->mapcount == 0 && !o_page_in_cache(page)) {
        charge(machine, actor, COST_PAGE_ALLOC);
        o_page_leave(machine, actor, page);
    }
    if (references <= 2) {
        /* Credited once, at the last unmap; a clean anonymous page that two processes have since a
         * fork is credited twice. */
        REQUIRE(page->mapcount == 0 || (anonymous && !o_page_in_cache(page)));
        scan->credits++;
    }
}

static void visit(struct scan *scan, struct pte *pte)
{
    struct page *page = pte->page;
    scan->machine->count.ptes_visited++;
    charge(scan->machine, scan->actor, COST_PTE_VISIT);
    if (page->object->locked) {
        o_page_mark_accessed(scan->machine, scan->actor, page);
    } else if (pte->young) {
        pte->young = false;
        o_page_mark_accessed(scan->machine, scan->actor, page);
        REQUIRE(pte->present);
    } else if (!page->active && page->zone->number <= scan->class) {
        try_to_unmap(scan, pte);
    }
}

static struct pte *present_pte(const struct vma *vma, page_offset offset)
{
    struct pte *pte = o_mm_pte(vma->mm, vma->start + offset - vma->offset);
    return pte != NULL && pte->present ? pte : NULL;
}

/* The end of the aligned part of the object that `offset` is in, within the vma. */
static page_offset end_of(const struct vma *vma, page_offset offset, unsigned part)
{
    return min_u64((offset / part + 1) * part, vma->offset + vma->pages);
}

/* False: the quota is used up. */
static bool scan_word(struct scan *scan, const struct vma *vma, page_offset from, page_offset to,
                      bool first)
{
    uint64_t skipped = 0;
    o_yield_point(scan->actor);
    if (first || from / WORD * WORD % CHUNK == 0) {
        charge_tables(scan->machine, scan->actor, 1);
    }
    for (page_offset offset = from; offset < to; offset++) {
        skipped += present_pte(vma, offset) == NULL;
    }
    charge_times(scan->machine, scan->actor, COST_PTE_SKIP, skipped);
    for (page_offset offset = from; offset < to; offset++) {
        struct pte *pte = present_pte(vma, offset);
        if (pte == NULL) {
            continue;
        }
        o_yield_point(scan->actor);
        visit(scan, pte);
        if (scan->credits == scan->wanted) {
            vma->mm->swap_address = vma->start + offset - vma->offset + 1;
            return false;
        }
    }
    return true;
}

static bool scan_vma(struct scan *scan, const struct vma *vma)
{
    struct mm *mm = vma->mm;
    page_offset offset = vma->offset;
    bool first = true; /* word of this scan of the vma */
    if (mm->swap_address > vma->start) {
        offset += mm->swap_address - vma->start;
    }
    while (offset < vma->offset + vma->pages) {
        page_offset end = end_of(vma, offset, WORD);
        if (!vma->chunk_used[offset / CHUNK]) {
            o_yield_point(scan->actor);
            charge(scan->machine, scan->actor, COST_PTE_SKIP);
            end = end_of(vma, offset, CHUNK);
        } else if (!scan_word(scan, vma, offset, end, first)) {
            return false;
        } else {
            first = false;
        }
        offset = end;
    }
    mm->swap_address = vma->start + vma->pages;
    return true;
}

static const struct vma *first_vma_above(const struct mm *mm)
{
    const struct vma *vma = mm->vmas;
    while (vma != NULL && (vma->gone || vma->start + vma->pages <= mm->swap_address)) {
        vma = vma->next_of_mm;
    }
    return vma;
}

/* swap_out_mm: the page_table_lock is held. */
static void scan_mm(struct scan *scan, struct mm *mm)
{
    const struct vma *vma = first_vma_above(mm);
    while (vma != NULL && scan->credits < scan->wanted) {
        scan_vma(scan, vma);
        do {
            vma = vma->next_of_mm;
        } while (vma != NULL && vma->gone);
    }
    mm->swap_finished = vma == NULL;
}

/* The mm at the cursor; those that are finished start anew and are passed. */
static struct mm *next_mm(struct machine *machine)
{
    while (machine->scan_cursor == machine->nprocesses ||
           !machine->processes[machine->scan_cursor].mm.alive ||
           machine->processes[machine->scan_cursor].mm.swap_finished) {
        if (machine->scan_cursor < machine->nprocesses) {
            struct mm *mm = &machine->processes[machine->scan_cursor].mm;
            mm->swap_finished = false;
            mm->swap_address = 0;
        }
        machine->scan_cursor = (machine->scan_cursor + 1) % (machine->nprocesses + 1);
    }
    return &machine->processes[machine->scan_cursor].mm;
}

static bool any_alive(const struct machine *machine)
{
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        if (machine->processes[p].mm.alive) {
            return true;
        }
    }
    return false;
}

bool o_swap_out(struct machine *machine, struct actor *actor, enum zone_number class)
{
    struct scan scan = {.machine = machine, .actor = actor, .class = class, .wanted = WANTED};
    const int64_t rounds = machine->design.is_2_4_22 ? 1 : 2;
    int64_t nmms = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        nmms += machine->processes[p].mm.alive;
    }
    int64_t counter = rounds * nmms;
    int64_t scans = 0; /* of mms */
    for (;;) {
        o_yield_point_of_cpu(machine, actor);
        if (counter < 0 || !any_alive(machine)) {
            return false;
        }
        struct mm *mm = next_mm(machine);
        struct lock *lock = &mm->page_table_lock;
        charge(machine, actor, COST_LOCK);
        while (lock->holder != NULL) {
            o_spin_for(actor, lock);
        }
        o_lock_enter(machine, actor, lock, LOCK_KIND_MM);
        charge(machine, actor, COST_LOCK);
        o_lock_hold(actor, lock);
        if (!mm->alive || mm->swap_finished || machine->scan_cursor != mm->process->number) {
            o_lock_release(machine, actor, lock);
            continue;
        }
        scan_mm(&scan, mm);
        o_lock_release(machine, actor, lock);
        scans++;
        REQUIRE(scan.credits <= WANTED && scans <= rounds * (int64_t)machine->nprocesses + 1);
        if (scan.credits == scan.wanted) {
            return true;
        }
        counter--;
    }
}
