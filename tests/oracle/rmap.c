/* Reverse maps: docs/model.md, section 9. */
#include "oracle/parts.h"

static bool uses_chain(const struct machine *machine, const struct page *page)
{
    const enum reverse_map rmap = machine->design.rmap;
    return rmap == RMAP_PTE_CHAINS || (rmap == RMAP_OBJECTS && page->object->has_nonlinear) ||
           ((rmap == RMAP_OBJECTS || rmap == RMAP_TREES) && page->object->kind == OBJECT_ANON);
}

static bool trylock_mm(struct machine *machine, const struct actor *actor, struct mm *mm)
{
    const struct lock *lock = &mm->page_table_lock;
    bool taken = (lock->holder != NULL && lock->holder != actor->context) ||
                 lock->busy_until > actor->now;
    if (!taken && mm->held_in_2_32 > 0) {
        struct random_block bits = random_draw(machine->scenario->seed, RANDOM_TRYLOCK,
                                               mm->process->number, 0, mm->tries++);
        taken = bits.word[0] < mm->held_in_2_32;
    }
    if (taken) {
        machine->count.trylock_failures++;
    }
    return !taken;
}

/* A walk over the ptes of a page tries each mm once. */
struct tried {
    struct mm *mm[MAPPERS_MAX];
    bool taken[MAPPERS_MAX];
    unsigned n;
};

static bool trylock_once(struct machine *machine, const struct actor *actor, struct tried *tried,
                         struct mm *mm)
{
    for (unsigned i = 0; i < tried->n; i++) {
        if (tried->mm[i] == mm) {
            return tried->taken[i];
        }
    }
    REQUIRE(tried->n < MAPPERS_MAX);
    const bool taken = trylock_mm(machine, actor, mm);
    tried->mm[tried->n] = mm;
    tried->taken[tried->n++] = taken;
    return taken;
}

static bool trylock_object(struct machine *machine, const struct actor *actor,
                           const struct object *object)
{
    bool taken = object->vma_lock.busy_until > actor->now;
    if (taken) {
        machine->count.trylock_failures++;
        machine->count.object_trylock_failures++;
    }
    return !taken;
}

static bool prepare(struct machine *machine, struct actor *actor, struct page *page,
                    struct chain_block **spare_p)
{
    *spare_p = NULL;
    if (machine->design.rmap == RMAP_PTE_LISTS) {
        return o_list_prepare(machine, actor, page);
    }
    return !uses_chain(machine, page) || o_chain_prepare(machine, actor, page, spare_p);
}

static void add(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte,
                struct chain_block *spare)
{
    if (uses_chain(machine, page)) {
        o_contention_chain(machine, actor, machine->cost[COST_CHAIN_INSERT], page->mapcount);
        o_chain_add(machine, page, pte, spare);
        o_chain_check(machine, page);
    } else if (machine->design.rmap == RMAP_PTE_LISTS) {
        o_contention_chain(machine, actor, machine->cost[COST_CHAIN_INSERT], page->mapcount);
        o_list_add(machine, page, pte);
        o_list_check(machine, page);
    } else if (machine->design.rmap != RMAP_NONE) {
        charge(machine, actor, COST_MAPCOUNT);
    }
}

/* Half of the chain of a page with so many ptes is searched, on average. */
static void charge_search(struct machine *machine, struct actor *actor, uint64_t mappers,
                          uint64_t blocks)
{
    sim_time time = machine->cost[COST_CHAIN_REMOVE];
    if (blocks > 0) {
        time += machine->cost[COST_CHAIN_BLOCK] * (blocks + 1) / 2;
        machine->count.rmap_searched += (blocks + 1) / 2;
    }
    o_contention_chain(machine, actor, time, mappers);
}

static uint64_t entries_of(const struct page *page)
{
    uint64_t entries = 0;
    for (const struct list_entry *entry = page->entries; entry != NULL; entry = entry->next) {
        entries++;
    }
    return entries;
}

static uint64_t blocks_of(const struct page *page)
{
    uint64_t blocks = 0;
    for (const struct chain_block *block = page->chain; block != NULL; block = block->next) {
        blocks++;
    }
    return blocks;
}

/* The page's ptes are counted without this one already. */
static void take_out(struct machine *machine, struct actor *actor, struct page *page,
                     struct pte *pte)
{
    if (machine->design.rmap == RMAP_PTE_LISTS) {
        const uint64_t free_before = machine->nfree_entries;
        charge_search(machine, actor, page->mapcount + 1, entries_of(page));
        o_list_remove_pte(machine, page, pte);
        charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
    } else if (uses_chain(machine, page)) {
        const uint64_t blocks_before = machine->chain_blocks;
        charge_search(machine, actor, page->mapcount + 1, blocks_of(page));
        o_chain_remove(machine, page, pte);
        charge_times(machine, actor, COST_CHAIN_ALLOC, blocks_before - machine->chain_blocks);
    } else if (machine->design.rmap != RMAP_NONE) {
        charge(machine, actor, COST_MAPCOUNT);
    }
}

static void move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                 struct pte *to)
{
    if (uses_chain(machine, page)) {
        charge_search(machine, actor, page->mapcount, blocks_of(page));
        o_chain_move(machine, actor, page, from, to);
        o_chain_check(machine, page);
    } else if (machine->design.rmap == RMAP_PTE_LISTS) {
        const uint64_t free_before = machine->nfree_entries;
        charge_search(machine, actor, page->mapcount, entries_of(page));
        o_list_remove_pte(machine, page, from);
        charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
        REQUIRE(o_list_prepare(machine, actor, page));
        add(machine, actor, page, to, NULL);
    } else if (machine->design.rmap == RMAP_OBJECTS) {
        charge_times(machine, actor, COST_MAPCOUNT, 2);
    }
}

/* Whether it was young; no longer is it. */
static bool test_and_clear_young(struct pte *pte)
{
    bool young = pte->young;
    pte->young = false;
    return young;
}

static void visit(struct machine *machine, struct actor *actor, enum cost cost, uint64_t times)
{
    machine->count.rmap_visits += times;
    charge_times(machine, actor, cost, times);
}

/* A walk over the ptes of a page is done, and examined so many. */
static void walked(struct machine *machine, uint64_t ptes)
{
    machine->count.rmap_walks++;
    machine->count.rmap_ptes += ptes;
}

static bool referenced_by_chain(struct machine *machine, struct actor *actor, struct page *page)
{
    struct pte *ptes[MAPPERS_MAX];
    const unsigned n = o_chain_ptes(machine, page, ptes, MAPPERS_MAX);
    bool referenced = false;
    for (unsigned i = 0; i < n; i++) {
        referenced = test_and_clear_young(ptes[i]) || referenced;
    }
    walked(machine, n);
    visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    if (o_chain_collapse(machine, page)) {
        charge(machine, actor, COST_CHAIN_ALLOC);
    }
    o_chain_check(machine, page);
    return referenced;
}

static enum unmap_result unmap_by_chain(struct machine *machine, struct actor *actor,
                                        struct page *page)
{
    struct pte *ptes[MAPPERS_MAX];
    const unsigned n = o_chain_ptes(machine, page, ptes, MAPPERS_MAX);
    const uint64_t blocks_before = machine->chain_blocks;
    struct tried tried;
    tried.n = 0;
    unsigned cleared = 0;
    for (unsigned i = 0; i < n; i++) {
        if (trylock_once(machine, actor, &tried, ptes[i]->mm)) {
            o_mm_clear_pte(machine, ptes[i]);
            o_chain_remove(machine, page, ptes[i]);
            cleared++;
        }
    }
    walked(machine, cleared);
    visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_PTE_UNMAP, cleared);
    charge_times(machine, actor, COST_CHAIN_ALLOC, blocks_before - machine->chain_blocks);
    o_chain_check(machine, page);
    return cleared == n ? UNMAP_DONE : UNMAP_AGAIN;
}

static bool referenced_by_list(struct machine *machine, struct actor *actor, struct page *page)
{
    bool referenced = page->direct != NULL && test_and_clear_young(page->direct);
    unsigned n = page->direct != NULL;
    for (const struct list_entry *entry = page->entries; entry != NULL; entry = entry->next) {
        referenced = test_and_clear_young(entry->pte) || referenced;
        n++;
    }
    walked(machine, n);
    visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_CHAIN_BLOCK, page->direct == NULL ? n : 0);
    return referenced;
}

static enum unmap_result unmap_by_list(struct machine *machine, struct actor *actor,
                                       struct page *page)
{
    const uint64_t free_before = machine->nfree_entries;
    const bool direct = page->direct != NULL;
    struct tried tried;
    tried.n = 0;
    unsigned n = 0;
    unsigned cleared = 0;
    if (page->direct != NULL) {
        n++;
        if (trylock_mm(machine, actor, page->direct->mm)) {
            struct pte *pte = page->direct;
            page->direct = NULL;
            o_mm_clear_pte(machine, pte);
            cleared++;
        }
    }
    for (struct list_entry **link = &page->entries; *link != NULL; n++) {
        struct pte *pte = (*link)->pte;
        if (trylock_once(machine, actor, &tried, pte->mm)) {
            o_mm_clear_pte(machine, pte);
            o_list_remove(machine, link);
            cleared++;
        } else {
            link = &(*link)->next;
        }
    }
    o_list_collapse(machine, page);
    walked(machine, cleared);
    visit(machine, actor, COST_CHAIN_VISIT, n);
    charge_tables(machine, actor, n);
    charge_times(machine, actor, COST_CHAIN_BLOCK, direct ? 0 : n);
    charge_times(machine, actor, COST_PTE_UNMAP, cleared);
    charge_times(machine, actor, COST_CHAIN_ALLOC, machine->nfree_entries - free_before);
    o_list_check(machine, page);
    return cleared == n ? UNMAP_DONE : UNMAP_AGAIN;
}

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
    visit(machine, actor, COST_VMA_VISIT, nvmas);
    machine->count.rmap_covering += n;
    REQUIRE(mapped == page->mapcount);
    return n;
}

static bool referenced_by_object(struct machine *machine, struct actor *actor, struct page *page)
{
    struct lock *lock = &page->object->vma_lock;
    if (page->mapcount == 0) {
        return false;
    }
    if (!trylock_object(machine, actor, page->object)) {
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
        if (!trylock_once(machine, &at_begin, &tried, coverers[i].mm)) {
            referenced = true;
        } else if (coverers[i].pte != NULL) {
            referenced = test_and_clear_young(coverers[i].pte) || referenced;
            examined++;
        }
    }
    walked(machine, examined);
    o_lock_leave(actor, lock);
    return referenced;
}

static enum unmap_result unmap_by_object(struct machine *machine, struct actor *actor,
                                         struct page *page)
{
    struct lock *lock = &page->object->vma_lock;
    if (!trylock_object(machine, actor, page->object)) {
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
        if (!trylock_once(machine, &at_begin, &tried, coverers[i].mm)) {
            all = false;
        } else if (coverers[i].pte != NULL) {
            o_mm_clear_pte(machine, coverers[i].pte);
            charge(machine, actor, COST_PTE_UNMAP);
            cleared++;
        }
    }
    walked(machine, cleared);
    o_lock_leave(actor, lock);
    return all ? UNMAP_DONE : UNMAP_AGAIN;
}

static void unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                         struct page *page)
{
    struct object *object = page->object;
    if (!trylock_object(machine, actor, object)) {
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
        if (trylock_once(machine, &at_begin, &tried, vma->mm) && pte != NULL && pte->present) {
            o_mm_clear_pte(machine, pte);
            charge(machine, actor, COST_PTE_UNMAP);
            cleared++;
        }
    }
    visit(machine, actor, COST_VMA_VISIT, nvmas);
    walked(machine, cleared);
    o_lock_leave(actor, &object->vma_lock);
}

/* ---- 2.6.7: vmas one after the other, until all ptes of the page are found ---------------------
 */

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
    if (!trylock_mm(machine, &search->at_begin, vma->mm)) {
        return true;
    }
    struct pte *pte = o_mm_pte(vma->mm, o_vma_address(vma, search->page));
    if (pte == NULL || !pte->present || pte->page != search->page) {
        return true; /* that mm may have another version of it */
    }
    search->examined++;
    const bool young = test_and_clear_young(pte);
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
        if (!test_and_clear_young(pte)) {
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
                locked_out = !trylock_mm(machine, at_begin, vma->mm);
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

static struct search search_tree(struct machine *machine, struct actor *actor,
                                 const struct page *page, bool unmaps)
{
    struct search search = {.machine = machine,
                            .actor = actor,
                            .at_begin = *actor,
                            .page = page,
                            .mapped = page->mapcount,
                            .unmaps = unmaps};
    uint64_t in_vain = 0;
    const uint64_t visits = o_tree_query(page->object, page->offset, search_vma, &search, &in_vain);
    visit(machine, actor, COST_VMA_VISIT, visits);
    machine->count.rmap_nodes += in_vain;
    walked(machine, search.examined);
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
    struct search search = {.machine = machine,
                            .actor = actor,
                            .at_begin = *actor,
                            .page = page,
                            .mapped = page->mapcount,
                            .unmaps = unmaps};
    uint64_t visits = 0;
    bool goes_on = true;
    for (const struct vma *vma = page->object->vmas; vma != NULL && goes_on;
         vma = vma->next_of_object) {
        if (!vma->gone && o_vma_covers(vma, page) && is_of_family(vma, page)) {
            visits++;
            goes_on = search_vma(vma, &search);
        }
    }
    visit(machine, actor, COST_VMA_VISIT, visits);
    if (unmaps && machine->design.rmap == RMAP_ANONMM) {
        /* find_vma() */
        charge_times(machine, actor, COST_VMA_VISIT, search.examined);
    }
    walked(machine, search.examined);
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

static bool referenced_by_tree(struct machine *machine, struct actor *actor, struct page *page)
{
    if (page->object->kind == OBJECT_ANON) {
        return search_anon(machine, actor, page, false).young;
    }
    if (!trylock_object(machine, actor, page->object)) {
        return false;
    }
    return search_tree(machine, actor, page, false).young;
}

static enum unmap_result unmap_by_tree(struct machine *machine, struct actor *actor,
                                       struct page *page)
{
    if (page->object->kind == OBJECT_ANON) {
        const struct search search = search_anon(machine, actor, page, true);
        return result_of(&search);
    }
    if (!trylock_object(machine, actor, page->object)) {
        return UNMAP_AGAIN;
    }
    const struct search search = search_tree(machine, actor, page, true);
    return result_of(&search);
}

static bool referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    if (uses_chain(machine, page)) {
        return referenced_by_chain(machine, actor, page);
    }
    switch (machine->design.rmap) {
    case RMAP_PTE_LISTS:
        return referenced_by_list(machine, actor, page);
    case RMAP_OBJECTS:
        return referenced_by_object(machine, actor, page);
    default:
        return referenced_by_tree(machine, actor, page);
    }
}

static enum unmap_result unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    if (uses_chain(machine, page)) {
        return unmap_by_chain(machine, actor, page);
    }
    switch (machine->design.rmap) {
    case RMAP_PTE_LISTS:
        return unmap_by_list(machine, actor, page);
    case RMAP_OBJECTS:
        return unmap_by_object(machine, actor, page);
    default:
        return unmap_by_tree(machine, actor, page);
    }
}

/* ---- the same, with the time they take -------------------------------------------------------
 */

bool o_rmap_prepare(struct machine *machine, struct actor *actor, struct page *page,
                    struct chain_block **spare_p)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const bool prepared = prepare(machine, actor, page, spare_p);
    machine->count.rmap_cpu_seconds += actor->now;
    return prepared;
}

void o_rmap_add(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte,
                struct chain_block *spare)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    add(machine, actor, page, pte, spare);
    machine->count.rmap_cpu_seconds += actor->now;
}

void o_rmap_remove(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    take_out(machine, actor, page, pte);
    machine->count.rmap_cpu_seconds += actor->now;
}

void o_rmap_move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                 struct pte *to)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    move(machine, actor, page, from, to);
    machine->count.rmap_cpu_seconds += actor->now;
}

bool o_rmap_referenced(struct machine *machine, struct actor *actor, struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const bool was_referenced = page->mapcount > 0 && referenced(machine, actor, page);
    machine->count.rmap_cpu_seconds += actor->now;
    return was_referenced;
}

enum unmap_result o_rmap_unmap(struct machine *machine, struct actor *actor, struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    const enum unmap_result result = unmap(machine, actor, page);
    machine->count.rmap_cpu_seconds += actor->now;
    return result;
}

void o_rmap_unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                         struct page *page)
{
    machine->count.rmap_cpu_seconds -= actor->now;
    unmap_others(machine, actor, held, page);
    machine->count.rmap_cpu_seconds += actor->now;
}
