/* Walks over all vmas of the object of a page, as the first object-based reverse maps did. */
#include "oracle/rmap_walk.h"

/* An mm with a vma over a page; its pte of it, NULL unless present. */
struct coverer {
    struct mm *mm;
    struct pte *pte;
};

/* All that the vmas of its object tell about a page. */
static unsigned coverers_by_object(struct machine *machine, struct actor *actor,
                                   const struct page *page, struct coverer *coverers)
{
    unsigned n = 0;
    unsigned mapped = 0;
    uint64_t nvmas = 0;
    for (const struct vma *vma = page->object->vmas; vma != NULL; vma = vma->next_of_object) {
        if (vma->gone) {
            continue;
        }
        nvmas++;
        if (!o_vma_covers(vma, page)) {
            continue;
        }
        charge(machine, actor, COST_PTE_WALK);
        charge_tables(machine, actor, 1);
        struct pte *pte = o_mm_pte(vma->mm, o_vma_address(vma, page));
        bool present = pte != NULL && pte->present;
        REQUIRE(!present || pte->page == page);
        REQUIRE(n < MAPPERS_MAX);
        coverers[n++] = (struct coverer){vma->mm, present ? pte : NULL};
        mapped += present;
    }
    o_walk_visit(machine, actor, COST_VMA_VISIT, nvmas);
    machine->count.rmap_covering += n;
    REQUIRE(mapped == page->mapcount);
    return n;
}

bool o_object_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    struct lock *lock = &page->object->vma_lock;
    if (page->mapcount == 0) {
        return false;
    }
    if (!o_walk_trylock_object(machine, actor, page->object)) {
        return true;
    }
    const struct actor at_begin = *actor;
    struct coverer coverers[MAPPERS_MAX];
    const unsigned n = coverers_by_object(machine, actor, page, coverers);
    struct tried tried;
    tried.n = 0;
    bool referenced = false;
    uint64_t examined = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!o_walk_trylock_once(machine, &at_begin, &tried, coverers[i].mm)) {
            referenced = true;
        } else if (coverers[i].pte != NULL) {
            referenced = o_walk_young(coverers[i].pte) || referenced;
            examined++;
        }
    }
    o_walk_done(machine, examined);
    o_lock_leave(actor, lock);
    return referenced;
}

enum unmap_result o_object_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    struct lock *lock = &page->object->vma_lock;
    if (!o_walk_trylock_object(machine, actor, page->object)) {
        return UNMAP_AGAIN;
    }
    const struct actor at_begin = *actor;
    struct coverer coverers[MAPPERS_MAX];
    const unsigned n = coverers_by_object(machine, actor, page, coverers);
    struct tried tried;
    tried.n = 0;
    bool all = true;
    uint64_t cleared = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!o_walk_trylock_once(machine, &at_begin, &tried, coverers[i].mm)) {
            all = false;
        } else if (coverers[i].pte != NULL) {
            o_mm_clear_pte(machine, coverers[i].pte);
            charge(machine, actor, COST_PTE_UNMAP);
            cleared++;
        }
    }
    o_walk_done(machine, cleared);
    o_lock_leave(actor, lock);
    return all ? UNMAP_DONE : UNMAP_AGAIN;
}

void o_object_unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                           struct page *page)
{
    struct object *object = page->object;
    if (!o_walk_trylock_object(machine, actor, object)) {
        return;
    }
    const struct actor at_begin = *actor;
    struct tried tried;
    tried.n = 0;
    uint64_t nvmas = 0;
    uint64_t cleared = 0;
    for (const struct vma *vma = object->vmas; vma != NULL; vma = vma->next_of_object) {
        if (vma->gone) {
            continue;
        }
        nvmas++;
        if (vma->mm == held || !o_vma_covers(vma, page)) {
            continue;
        }
        machine->count.rmap_covering++;
        charge(machine, actor, COST_PTE_WALK);
        charge_tables(machine, actor, 1);
        struct pte *pte = o_mm_pte(vma->mm, o_vma_address(vma, page));
        if (o_walk_trylock_once(machine, &at_begin, &tried, vma->mm) && pte != NULL &&
            pte->present) {
            o_mm_clear_pte(machine, pte);
            charge(machine, actor, COST_PTE_UNMAP);
            cleared++;
        }
    }
    o_walk_visit(machine, actor, COST_VMA_VISIT, nvmas);
    o_walk_done(machine, cleared);
    o_lock_leave(actor, &object->vma_lock);
}
