/* Chains of ptes as a linked list of entries of 8 bytes, as mm/rmap.c of 2.5.27 kept them: 4 bytes
 * for the next entry, 4 for the pte. Here both are numbers, since pointers of this host are
 * longer. */
#include "host/contention/reverse_map.h"

struct list_entry {
    uint32_t next; /* number of an entry, 0: none */
    uint32_t pte;  /* number of a pte */
};

static struct list_entry *entry_at(const struct world *world, uint64_t number)
{
    return number == 0 ? NULL : (struct list_entry *)(void *)world->pool.blocks + (number - 1);
}

static uint32_t number_of(const struct world *world, const struct list_entry *entry)
{
    return (uint32_t)(entry - (struct list_entry *)(void *)world->pool.blocks) + 1;
}

static pte_t *pte_of(const struct world *world, uint64_t number)
{
    return world->ptes + number;
}

static uint32_t pte_number(const struct world *world, const pte_t *pte)
{
    return (uint32_t)(pte - world->ptes);
}

/* A direct pte is kept as its number plus one, so that 0 is no mapping. */
static void set_direct(struct world_page *page, uint32_t pte)
{
    page->chain = (uint64_t)pte + 1;
    reverse_map_mark_direct(page);
}

static uint32_t clear_direct(struct world_page *page)
{
    const uint32_t pte = (uint32_t)(page->chain - 1);
    reverse_map_unmark_direct(page);
    page->chain = 0;
    return pte;
}

static void push(struct world *world, struct world_worker *worker, struct world_page *page,
                 uint32_t pte)
{
    struct list_entry *entry = block_take(&world->pool, &worker->cache);
    *entry = (struct list_entry){.next = (uint32_t)page->chain, .pte = pte};
    page->chain = number_of(world, entry);
}

/* Back to the pte itself as soon as one is left. */
static void collapse(struct world *world, struct world_worker *worker, struct world_page *page)
{
    struct list_entry *only = entry_at(world, page->chain);
    if (only != NULL && only->next == 0) {
        set_direct(page, only->pte);
        block_give(&world->pool, &worker->cache, only);
    }
}

void list_add(struct world *world, struct world_worker *worker, struct world_page *page, pte_t *pte)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    if (page->chain == 0) {
        worker->nr_mapped++;
        set_direct(page, pte_number(world, pte));
    } else {
        if (reverse_map_is_direct(page)) {
            const uint32_t first = clear_direct(page);
            push(world, worker, page, first);
        }
        push(world, worker, page, pte_number(world, pte));
    }
    world_unlock(world, worker, object, page);
}

static void take_out(struct world *world, struct world_worker *worker, struct world_page *page,
                     uint32_t pte)
{
    if (reverse_map_is_direct(page)) {
        if (page->chain == (uint64_t)pte + 1) {
            (void)clear_direct(page);
        }
        return;
    }
    struct list_entry *before = NULL;
    for (struct list_entry *entry = entry_at(world, page->chain); entry != NULL;
         before = entry, entry = entry_at(world, entry->next)) {
        if (entry->pte == pte) {
            if (before == NULL) {
                page->chain = entry->next;
            } else {
                before->next = entry->next;
            }
            block_give(&world->pool, &worker->cache, entry);
            collapse(world, worker, page);
            return;
        }
    }
}

void list_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                 pte_t *pte)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    take_out(world, worker, page, pte_number(world, pte));
    worker->nr_mapped -= page->chain == 0;
    world_unlock(world, worker, object, page);
}

static unsigned look(const struct world *world, const struct world_page *page)
{
    unsigned young = 0;
    if (page->chain == 0) {
        return 0;
    }
    if (reverse_map_is_direct(page)) {
        return reverse_map_clear_young(pte_of(world, page->chain - 1));
    }
    for (const struct list_entry *entry = entry_at(world, page->chain); entry != NULL;
         entry = entry_at(world, entry->next)) {
        young += reverse_map_clear_young(pte_of(world, entry->pte));
    }
    return young;
}

unsigned list_referenced(struct world *world, struct world_worker *worker, struct world_page *page)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    const unsigned young = look(world, page);
    world_unlock(world, worker, object, page);
    return young;
}

static unsigned clear_all(struct world *world, struct world_worker *worker, struct world_page *page)
{
    unsigned left = 0;
    if (page->chain == 0) {
        return 0;
    }
    if (reverse_map_is_direct(page)) {
        if (!reverse_map_clear(world, worker, pte_of(world, page->chain - 1))) {
            return 1;
        }
        (void)clear_direct(page);
        return 0;
    }
    struct list_entry *kept = NULL; /* the last one that stays */
    for (uint32_t number = (uint32_t)page->chain; number != 0;) {
        struct list_entry *entry = entry_at(world, number);
        number = entry->next;
        if (!reverse_map_clear(world, worker, pte_of(world, entry->pte))) {
            kept = entry;
            left++;
            continue;
        }
        if (kept == NULL) {
            page->chain = number;
        } else {
            kept->next = number;
        }
        block_give(&world->pool, &worker->cache, entry);
    }
    collapse(world, worker, page);
    return left;
}

unsigned list_reclaim(struct world *world, struct world_worker *worker, struct world_page *page)
{
    const struct world_object *object = reverse_map_object(world, page);
    unsigned left = 0;
    world_lock(world, worker, object, page);
    const bool mapped = page->chain != 0;
    if (look(world, page) == 0) {
        left = clear_all(world, worker, page);
    }
    worker->nr_mapped -= mapped && page->chain == 0;
    world_unlock(world, worker, object, page);
    return left;
}

size_t list_visit(const struct world *world, const struct world_page *page,
                  void (*visit)(void *who, pte_t *pte), void *who)
{
    size_t entries = 0;
    if (reverse_map_is_direct(page)) {
        visit(who, pte_of(world, page->chain - 1));
        return 0;
    }
    for (const struct list_entry *entry = entry_at(world, page->chain); entry != NULL;
         entry = entry_at(world, entry->next)) {
        visit(who, pte_of(world, entry->pte));
        entries++;
    }
    return entries;
}
