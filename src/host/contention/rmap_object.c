/* Reverse maps through the object of a page: pages count their mappings, and their ptes are found
 * by going through what maps the object. A list of vmas (objrmap of 2.5.62, anon_vma of 2.6.7), a
 * radix priority search tree of them (2.6.7), or a list of mms (anonmm). */
#include "host/contention/reverse_map.h"

static void append(struct world_object *object, struct world_vma *vma)
{
    vma->next = &object->vmas;
    vma->previous = object->vmas.previous;
    vma->previous->next = vma;
    object->vmas.previous = vma;
}

static void take_off(struct world_vma *vma)
{
    vma->previous->next = vma->next;
    vma->next->previous = vma->previous;
    vma->next = vma->previous = NULL;
}

/* Vma by vma, each under the object's lock, as dup_mmap and exit_mmap went. */
void object_link(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    for (uint32_t i = 0; i < world->plan.windows; i++) {
        world_lock(world, worker, mm->object, NULL);
        append(mm->object, &mm->vmas[i]);
        world_unlock(world, worker, mm->object, NULL);
    }
}

void object_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    for (uint32_t i = 0; i < world->plan.windows; i++) {
        world_lock(world, worker, mm->object, NULL);
        take_off(&mm->vmas[i]);
        world_unlock(world, worker, mm->object, NULL);
    }
}

static uint32_t node_of(const struct world *world, const struct world_vma *vma)
{
    return (uint32_t)(vma - world->vmas) + 1;
}

void object_tree_link(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    for (uint32_t i = 0; i < world->plan.windows; i++) {
        const uint32_t node = node_of(world, &mm->vmas[i]);
        world_lock(world, worker, mm->object, NULL);
        world->nodes[node].first = mm->vmas[i].first;
        world->nodes[node].last = mm->vmas[i].last;
        prio_tree_insert(&mm->object->tree, world->nodes, node);
        world_unlock(world, worker, mm->object, NULL);
    }
}

void object_tree_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    for (uint32_t i = 0; i < world->plan.windows; i++) {
        world_lock(world, worker, mm->object, NULL);
        prio_tree_remove(&mm->object->tree, world->nodes, node_of(world, &mm->vmas[i]));
        world_unlock(world, worker, mm->object, NULL);
    }
}

/* The mm itself is on the list, by its first vma. */
void anonmm_link(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    world_lock(world, worker, mm->object, NULL);
    append(mm->object, mm->vmas);
    world_unlock(world, worker, mm->object, NULL);
}

void anonmm_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm)
{
    world_lock(world, worker, mm->object, NULL);
    take_off(mm->vmas);
    world_unlock(world, worker, mm->object, NULL);
}

void object_add(struct world *world, struct world_worker *worker, struct world_page *page,
                pte_t *pte)
{
    (void)world;
    (void)pte;
    worker->nr_mapped += atomic_fetch_add_explicit(&page->mapcount, 1, memory_order_relaxed) == 0;
}

void object_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                   pte_t *pte)
{
    (void)world;
    (void)pte;
    worker->nr_mapped -= atomic_fetch_sub_explicit(&page->mapcount, 1, memory_order_relaxed) == 1;
}

/* A walk over what may map a page, twice: for references, then to clear the ptes. */
struct walk {
    struct world *world;
    struct world_worker *worker;
    struct world_page *page;
    bool clears;
    int to_find; /* mappings that the page counts, less those met */
    unsigned young;
    unsigned left;
};

/* The pte of one address space, whose lock is held. */
static void meet_pte(struct walk *walk, pte_t *pte)
{
    if (!walk->clears) {
        walk->young += reverse_map_clear_young(pte);
    } else {
        pte_set(pte, 0);
        object_remove(walk->world, walk->worker, walk->page, pte);
        (void)atomic_fetch_sub_explicit(&walk->page->count, 1, memory_order_relaxed);
    }
    walk->to_find--;
}

/* One address space; true: all mappings are found. */
static bool meet(struct walk *walk, struct world_mm *mm)
{
    const struct reverse_map *rmap = walk->world->plan.rmap;
    if (!reverse_map_trylock(walk->worker, mm)) {
        walk->left += walk->clears;
        walk->young += !walk->clears && rmap->assumes_referenced;
        return false;
    }
    pte_t *pte = &mm->ptes[walk->page->index];
    if (pte_get(pte) != 0) {
        meet_pte(walk, pte);
    }
    (void)pthread_spin_unlock(&mm->lock);
    return rmap->stops_early && walk->to_find <= 0;
}

static void walk_vmas(struct walk *walk)
{
    const struct world_object *object = &walk->world->objects[walk->page->object];
    const uint32_t index = walk->page->index;
    for (const struct world_vma *vma = object->vmas.next; vma != &object->vmas; vma = vma->next) {
        if (index >= vma->first && index <= vma->last && meet(walk, vma->mm)) {
            return;
        }
    }
}

static void walk_mms(struct walk *walk)
{
    const struct world_object *object = &walk->world->objects[walk->page->object];
    for (const struct world_vma *vma = object->vmas.next; vma != &object->vmas; vma = vma->next) {
        if (meet(walk, vma->mm)) {
            return;
        }
    }
}

static void walk_tree(struct walk *walk)
{
    const struct world_object *object = &walk->world->objects[walk->page->object];
    struct prio_query query;
    prio_query_begin(&query, &object->tree, walk->world->nodes, walk->page->index);
    for (uint32_t node; (node = prio_query_next(&query)) != 0;) {
        if (meet(walk, walk->world->vmas[node - 1].mm)) {
            return;
        }
    }
}

static unsigned reclaim(struct world *world, struct world_worker *worker, struct world_page *page,
                        void (*go)(struct walk *walk))
{
    const struct world_object *object = reverse_map_object(world, page);
    const int mapcount = atomic_load_explicit(&page->mapcount, memory_order_relaxed);
    struct walk walk = {.world = world, .worker = worker, .page = page, .to_find = mapcount};
    if (mapcount == 0) {
        return 0;
    }
    world_lock(world, worker, object, page);
    go(&walk);
    if (walk.young == 0) {
        walk.clears = true;
        walk.to_find = mapcount;
        go(&walk);
    }
    world_unlock(world, worker, object, page);
    return walk.left;
}

unsigned object_list_reclaim(struct world *world, struct world_worker *worker,
                             struct world_page *page)
{
    return reclaim(world, worker, page, walk_vmas);
}

unsigned anonmm_reclaim(struct world *world, struct world_worker *worker, struct world_page *page)
{
    return reclaim(world, worker, page, walk_mms);
}

unsigned object_tree_reclaim(struct world *world, struct world_worker *worker,
                             struct world_page *page)
{
    return reclaim(world, worker, page, walk_tree);
}
