/* Walks of 2.6.7: vmas one after the other, until all ptes of the page are found. */
#include "oracle/rmap_walk.h"

struct search {
    struct machine *machine;
    struct actor *actor;
    struct actor at_begin;
    const struct page *page;
    unsigned mapped;   /* before it */
    unsigned examined; /* ptes */
    bool unmaps, young;
};

/* page_referenced_one() or try_to_unmap_one(); false: the search is over. */
static bool search_vma(const struct vma *vma, void *what)
{
    struct search *search = what;
    struct machine *machine = search->machine;
    machine->count.rmap_covering++;
    REQUIRE(o_vma_covers(vma, search->page));
    if (vma->mm->rss == 0) {
        return true;
    }
    charge(machine, search->actor, COST_PTE_WALK);
    charge_tables(machine, search->actor, 1);
    if (!o_walk_trylock(machine, &search->at_begin, vma->mm)) {
        return true;
    }
    struct pte *pte = o_mm_pte(vma->mm, o_vma_address(vma, search->page));
    if (pte == NULL || !pte->present || pte->page != search->page) {
        return true; /* that mm may have another version of it */
    }
    search->examined++;
    const bool young = o_walk_young(pte);
    search->young = search->young || young;
    if (search->unmaps) {
        if (young) {
            return false;
        }
        o_mm_clear_pte(machine, pte);
        charge(machine, search->actor, COST_PTE_UNMAP);
    }
    return search->examined < search->mapped;
}

/* ---- nonlinear vmas: whatever ptes are there, cluster by cluster -------------------------------
 */

enum { CLUSTER_PAGES = 32 };

static unsigned unmap_cluster(struct machine *machine, struct actor *actor, const struct vma *vma)
{
    unsigned cleared = 0;
    charge(machine, actor, COST_PTE_WALK);
    charge_tables(machine, actor, 1);
    for (uint64_t i = vma->cursor; i < vma->cursor + CLUSTER_PAGES && i < vma->pages; i++) {
        struct pte *pte = o_mm_pte(vma->mm, vma->start + i);
        if (pte == NULL || !pte->present) {
            charge(machine, actor, COST_PTE_SKIP);
            continue;
        }
        machine->count.ptes_visited++;
        charge(machine, actor, COST_PTE_VISIT);
        if (!o_walk_young(pte)) {
            o_mm_clear_pte(machine, pte);
            charge(machine, actor, COST_PTE_UNMAP);
            cleared++;
        }
    }
    return cleared;
}

static void unmap_nonlinear(struct machine *machine, struct actor *actor,
                            const struct actor *at_begin, const struct page *page)
{
    struct vma *const first = page->object->vmas;
    uint64_t cursor = 0;
    uint64_t size = 0;
    for (struct vma *vma = first; vma != NULL; vma = vma->next_of_object) {
        if (vma->nonlinear) {
            cursor = max_u64(cursor, vma->cursor);
            size = max_u64(size, vma->pages);
        }
    }
    size = (size + CLUSTER_PAGES - 1) / CLUSTER_PAGES * CLUSTER_PAGES;
    int64_t wanted = page->mapcount;
    for (cursor = cursor == 0 ? CLUSTER_PAGES : cursor;;) {
        for (struct vma *vma = first; vma != NULL; vma = vma->next_of_object) {
            bool locked_out = false;
            while (vma->nonlinear && vma->mm->rss > 0 && vma->cursor < cursor &&
                   vma->cursor < vma->pages && !locked_out) {
                locked_out = !o_walk_trylock(machine, at_begin, vma->mm);
                if (!locked_out) {
                    wanted -= unmap_cluster(machine, actor, vma);
                    vma->cursor += CLUSTER_PAGES;
                    if (wanted <= 0) {
                        return;
                    }
                }
            }
            if (!locked_out) {
                vma->cursor = cursor;
            }
        }
        cursor += CLUSTER_PAGES;
        if (cursor > size) {
            break;
        }
    }
    for (struct vma *vma = first; vma != NULL; vma = vma->next_of_object) {
        vma->cursor = 0;
    }
}

static struct search begin_search(struct machine *machine, struct actor *actor,
                                  const struct page *page, bool unmaps)
{
    return (struct search){.machine = machine,
                           .actor = actor,
                           .at_begin = *actor,
                           .page = page,
                           .mapped = page->mapcount,
                           .unmaps = unmaps};
}

static struct search search_tree(struct machine *machine, struct actor *actor,
                                 const struct page *page, bool unmaps)
{
    struct search search = begin_search(machine, actor, page, unmaps);
    uint64_t in_vain = 0;
    const uint64_t visits = o_tree_query(page->object, page->offset, search_vma, &search, &in_vain);
    o_walk_visit(machine, actor, COST_VMA_VISIT, visits);
    machine->count.rmap_nodes += in_vain;
    o_walk_done(machine, search.examined);
    if (unmaps && page->object->has_nonlinear && page->mapcount > 0 && !search.young) {
        unmap_nonlinear(machine, actor, &search.at_begin, page);
    }
    o_lock_leave(actor, &page->object->vma_lock);
    return search;
}

static bool is_of_family(const struct vma *vma, const struct page *page)
{
    return !page->object->has_versions || vma->mm->family == page->family;
}

/* The vmas over an anonymous page, in the order they came, of the mms that descend from the same
 * exec: those of its anon_vma, or the mms of its bundle. */
static struct search search_anon(struct machine *machine, struct actor *actor,
                                 const struct page *page, bool unmaps)
{
    o_lock_enter(machine, actor, &page->object->vma_lock, LOCK_KIND_OBJECT);
    struct search search = begin_search(machine, actor, page, unmaps);
    uint64_t visits = 0;
    bool goes_on = true;
    for (const struct vma *vma = page->object->vmas; vma != NULL && goes_on;
         vma = vma->next_of_object) {
        if (!vma->gone && o_vma_covers(vma, page) && is_of_family(vma, page)) {
            visits++;
            goes_on = search_vma(vma, &search);
        }
    }
    o_walk_visit(machine, actor, COST_VMA_VISIT, visits);
    if (unmaps && machine->design.rmap == RMAP_ANONMM) {
        /* find_vma() */
        charge_times(machine, actor, COST_VMA_VISIT, search.examined);
    }
    o_walk_done(machine, search.examined);
    o_lock_leave(actor, &page->object->vma_lock);
    return search;
}

static enum unmap_result result_of(const struct search *search)
{
    if (search->page->mapcount == 0) {
        return UNMAP_DONE;
    }
    return search->young ? UNMAP_YOUNG : UNMAP_AGAIN;
}

bool o_tree_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    if (page->object->kind == OBJECT_ANON) {
        return search_anon(machine, actor, page, false).young;
    }
    if (!o_walk_trylock_object(machine, actor, page->object)) {
        return false;
    }
    return search_tree(machine, actor, page, false).young;
}

enum unmap_result o_tree_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    if (page->object->kind == OBJECT_ANON) {
        const struct search search = search_anon(machine, actor, page, true);
        return result_of(&search);
    }
    if (!o_walk_trylock_object(machine, actor, page->object)) {
        return UNMAP_AGAIN;
    }
    const struct search search = search_tree(machine, actor, page, true);
    return result_of(&search);
}
