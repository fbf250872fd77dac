/* Chains of ptes in blocks of one cache line, as mm/rmap.c of 2.6.0 kept them.
 *
 * A block is a word that holds the address of the next block and, in its low bits, the index of the
 * first slot in use; then the slots. Only the head has free slots, the leading ones. */
#include "host/contention/reverse_map.h"

struct chain_block {
    uint64_t next_and_index;
    uint64_t slot[];
};

/* Indices are below 16, and blocks aligned to 32 bytes at least. */
#define INDEX_MASK ((uint64_t)31)

static struct chain_block *block_at(uint64_t address)
{
    return (struct chain_block *)(uintptr_t)(address & ~INDEX_MASK);
}

static uint32_t index_of(const struct chain_block *block)
{
    return (uint32_t)(block->next_and_index & INDEX_MASK);
}

static struct chain_block *next_of(const struct chain_block *block)
{
    return block_at(block->next_and_index);
}

static void make_block(struct chain_block *block, const struct chain_block *next, uint32_t index)
{
    block->next_and_index = (uint64_t)(uintptr_t)next | index;
}

static pte_t *pte_at(uint64_t address)
{
    return (pte_t *)(uintptr_t)address;
}

static uint64_t address_of(const void *memory)
{
    return (uint64_t)(uintptr_t)memory;
}

/* A block that was taken before the lock, and is used up. */
static struct chain_block *use_spare(struct world_worker *worker)
{
    struct chain_block *block = worker->spare;
    worker->spare = NULL;
    return block;
}

static void insert(const struct world *world, struct world_worker *worker, struct world_page *page,
                   pte_t *pte)
{
    const uint32_t slots = world->slots;
    if (page->chain == 0 && world->plan.rmap->page_direct) {
        page->chain = address_of(pte);
        reverse_map_mark_direct(page);
        return;
    }
    if (reverse_map_is_direct(page)) {
        struct chain_block *block = use_spare(worker);
        reverse_map_unmark_direct(page);
        for (uint32_t i = 0; i + 2 < slots; i++) {
            block->slot[i] = 0;
        }
        block->slot[slots - 1] = page->chain;
        block->slot[slots - 2] = address_of(pte);
        make_block(block, NULL, slots - 2);
        page->chain = address_of(block);
        return;
    }
    struct chain_block *head = block_at(page->chain);
    if (head == NULL || index_of(head) == 0) {
        struct chain_block *block = use_spare(worker);
        for (uint32_t i = 0; i + 1 < slots; i++) {
            block->slot[i] = 0;
        }
        block->slot[slots - 1] = address_of(pte);
        make_block(block, head, slots - 1);
        page->chain = address_of(block);
        return;
    }
    head->next_and_index--;
    head->slot[index_of(head)] = address_of(pte);
}

void chain_add(struct world *world, struct world_worker *worker, struct world_page *page,
               pte_t *pte)
{
    if (worker->spare == NULL) {
        worker->spare = block_take(&world->pool, &worker->cache);
    }
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    worker->nr_mapped += page->chain == 0;
    insert(world, worker, page, pte);
    world_unlock(world, worker, object, page);
}

/* Empties the first slot in use of the head, whose pte is somewhere else now; the head goes when
 * it was the last. Returns the new head. */
static struct chain_block *shorten(struct world *world, struct world_worker *worker,
                                   struct world_page *page, struct chain_block *head)
{
    const uint32_t index = index_of(head);
    head->slot[index] = 0;
    if (index + 1 < world->slots) {
        head->next_and_index++;
        return head;
    }
    struct chain_block *next = next_of(head);
    page->chain = address_of(next);
    block_give(&world->pool, &worker->cache, head);
    return next;
}

static void take_out(struct world *world, struct world_worker *worker, struct world_page *page,
                     const pte_t *pte)
{
    if (reverse_map_is_direct(page)) {
        if (pte_at(page->chain) == pte) {
            page->chain = 0;
            reverse_map_unmark_direct(page);
        }
        return;
    }
    struct chain_block *head = block_at(page->chain);
    for (struct chain_block *block = head; block != NULL; block = next_of(block)) {
        for (uint32_t i = index_of(block); i < world->slots; i++) {
            if (block->slot[i] == address_of(pte)) {
                block->slot[i] = head->slot[index_of(head)];
                (void)shorten(world, worker, page, head);
                return;
            }
        }
    }
}

void chain_remove(struct world *world, struct world_worker *worker, struct world_page *page,
                  pte_t *pte)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    take_out(world, worker, page, pte);
    worker->nr_mapped -= page->chain == 0;
    world_unlock(world, worker, object, page);
}

/* Looks for references, and turns a chain of one into the pte itself: the only place where it
 * collapses. */
static unsigned look(struct world *world, struct world_worker *worker, struct world_page *page)
{
    unsigned young = 0;
    unsigned found = 0;
    if (page->chain == 0) {
        return 0;
    }
    if (reverse_map_is_direct(page)) {
        return reverse_map_clear_young(pte_at(page->chain));
    }
    struct chain_block *head = block_at(page->chain);
    for (struct chain_block *block = head; block != NULL; block = next_of(block)) {
        for (uint32_t i = index_of(block); i < world->slots; i++) {
            young += reverse_map_clear_young(pte_at(block->slot[i]));
            found++;
        }
    }
    if (found == 1 && world->plan.rmap->page_direct) {
        page->chain = head->slot[world->slots - 1];
        reverse_map_mark_direct(page);
        block_give(&world->pool, &worker->cache, head);
    }
    return young;
}

unsigned chain_referenced(struct world *world, struct world_worker *worker, struct world_page *page)
{
    const struct world_object *object = reverse_map_object(world, page);
    world_lock(world, worker, object, page);
    const unsigned young = look(world, worker, page);
    world_unlock(world, worker, object, page);
    return young;
}

/* What is cleared makes room at the head: the head's first pte moves there, which is the cleared
 * one itself or one that was met before and could not be cleared. */
static unsigned clear_all(struct world *world, struct world_worker *worker, struct world_page *page)
{
    unsigned left = 0;
    if (page->chain == 0) {
        return 0;
    }
    if (reverse_map_is_direct(page)) {
        if (!reverse_map_clear(world, worker, pte_at(page->chain))) {
            return 1;
        }
        page->chain = 0;
        reverse_map_unmark_direct(page);
        return 0;
    }
    struct chain_block *head = block_at(page->chain);
    for (struct chain_block *block = head, *next; block != NULL; block = next) {
        next = next_of(block);
        for (uint32_t i = index_of(block); i < world->slots; i++) {
            if (!reverse_map_clear(world, worker, pte_at(block->slot[i]))) {
                left++;
                continue;
            }
            block->slot[i] = head->slot[index_of(head)];
            head = shorten(world, worker, page, head);
        }
    }
    return left;
}

unsigned chain_reclaim(struct world *world, struct world_worker *worker, struct world_page *page)
{
    const struct world_object *object = reverse_map_object(world, page);
    unsigned left = 0;
    world_lock(world, worker, object, page);
    const bool mapped = page->chain != 0;
    if (look(world, worker, page) == 0) {
        left = clear_all(world, worker, page);
    }
    worker->nr_mapped -= mapped && page->chain == 0;
    world_unlock(world, worker, object, page);
    return left;
}

size_t chain_visit(const struct world *world, const struct world_page *page,
                   void (*visit)(void *who, pte_t *pte), void *who)
{
    size_t blocks = 0;
    if (reverse_map_is_direct(page)) {
        visit(who, pte_at(page->chain));
        return 0;
    }
    for (struct chain_block *block = block_at(page->chain); block != NULL; block = next_of(block)) {
        for (uint32_t i = index_of(block); i < world->slots; i++) {
            visit(who, pte_at(block->slot[i]));
        }
        blocks++;
    }
    return blocks;
}
