/* Chains of ptes in blocks of a cache line, by the rules of 2.6.0: only the head block has free
 * slots, and they come first; a pte takes the last free slot; who is removed is replaced by the
 * first pte of the head; a chain of one pte becomes a direct pointer only when it is next checked
 * for references. Without page_direct there are no direct pointers. */
#include <stdlib.h>

#include "oracle/parts.h"

static unsigned blocks_per_frame(const struct machine *machine)
{
    const unsigned header = machine->pointer_bytes == 4 ? 28 : 40;
    return ((unsigned)PAGE_BYTES - header) / (machine->design.chain_bytes + 4);
}

static uint64_t frames_for(const struct machine *machine, uint64_t blocks)
{
    const unsigned per_frame = blocks_per_frame(machine);
    return (blocks + per_frame - 1) / per_frame;
}

static struct chain_block *allocate_block(struct machine *machine, struct actor *actor)
{
    if (frames_for(machine, machine->chain_blocks + 1) >
        frames_for(machine, machine->chain_blocks)) {
        if (o_frame_take(machine, actor, machine->kernel_class, HELD_CHAINS) == NULL) {
            return NULL;
        }
    }
    machine->chain_blocks++;
    charge(machine, actor, COST_CHAIN_ALLOC);
    struct chain_block *block = calloc(1, sizeof *block);
    REQUIRE(block != NULL);
    block->first = machine->design.chain_slots;
    return block;
}

static void free_block(struct machine *machine, struct chain_block *block)
{
    machine->chain_blocks--;
    if (frames_for(machine, machine->chain_blocks + 1) >
        frames_for(machine, machine->chain_blocks)) {
        o_frame_give_any(machine, HELD_CHAINS);
    }
    free(block);
}

static bool needs_block(const struct machine *machine, const struct page *page)
{
    if (page->direct != NULL) {
        return true;
    }
    return page->chain == NULL ? !machine->design.page_direct : page->chain->first == 0;
}

bool o_chain_prepare(struct machine *machine, struct actor *actor, struct page *page,
                     struct chain_block **spare_p)
{
    if (needs_block(machine, page)) {
        *spare_p = allocate_block(machine, actor);
        return *spare_p != NULL;
    }
    *spare_p = NULL;
    return true;
}

static void insert(struct chain_block *block, struct pte *pte)
{
    REQUIRE(block->first > 0);
    block->slot[--block->first] = pte;
}

void o_chain_add(const struct machine *machine, struct page *page, struct pte *pte,
                 struct chain_block *spare)
{
    REQUIRE((spare != NULL) == needs_block(machine, page));
    if (page->direct == NULL && page->chain == NULL && spare == NULL) {
        page->direct = pte;
        return;
    }
    if (page->direct != NULL) {
        insert(spare, page->direct);
        page->direct = NULL;
    }
    if (spare != NULL) {
        spare->next = page->chain;
        page->chain = spare;
    }
    insert(page->chain, pte);
}

/* The block that is empty then, if one is. */
static struct chain_block *take_out(const struct machine *machine, struct page *page,
                                    const struct pte *pte)
{
    if (page->direct != NULL) {
        REQUIRE(page->direct == pte);
        page->direct = NULL;
        return NULL;
    }
    struct chain_block *head = page->chain;
    const unsigned nslots = machine->design.chain_slots;
    for (struct chain_block *block = head; block != NULL; block = block->next) {
        for (unsigned i = block->first; i < nslots; i++) {
            if (block->slot[i] == pte) {
                block->slot[i] = head->slot[head->first];
                head->slot[head->first++] = NULL;
                if (head->first == nslots) {
                    page->chain = head->next;
                    return head;
                }
                return NULL;
            }
        }
    }
    oracle_broken(__FILE__, __LINE__, "a present pte is in its page's chain");
    return NULL;
}

void o_chain_remove(struct machine *machine, struct page *page, struct pte *pte)
{
    struct chain_block *empty = take_out(machine, page, pte);
    if (empty != NULL) {
        free_block(machine, empty);
    }
}

void o_chain_move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                  struct pte *to)
{
    struct chain_block *empty = take_out(machine, page, from);
    const bool needed = needs_block(machine, page);
    REQUIRE(empty != NULL || !needed);
    if (empty != NULL) {
        charge(machine, actor, COST_CHAIN_ALLOC);
    }
    if (needed) {
        charge(machine, actor, COST_CHAIN_ALLOC);
        *empty = (struct chain_block){.first = machine->design.chain_slots};
    } else if (empty != NULL) {
        free_block(machine, empty);
    }
    o_contention_chain(machine, actor, machine->cost[COST_CHAIN_INSERT], page->mapcount);
    o_chain_add(machine, page, to, needed ? empty : NULL);
}

unsigned o_chain_ptes(const struct machine *machine, const struct page *page, struct pte **ptes,
                      unsigned max)
{
    unsigned n = 0;
    if (page->direct != NULL) {
        ptes[n++] = page->direct;
    }
    for (const struct chain_block *block = page->chain; block != NULL; block = block->next) {
        for (unsigned i = block->first; i < machine->design.chain_slots; i++) {
            REQUIRE(n < max);
            ptes[n++] = block->slot[i];
        }
    }
    return n;
}

bool o_chain_collapse(struct machine *machine, struct page *page)
{
    if (!machine->design.page_direct || page->chain == NULL || page->chain->next != NULL ||
        page->chain->first + 1 != machine->design.chain_slots) {
        return false;
    }
    page->direct = page->chain->slot[page->chain->first];
    free_block(machine, page->chain);
    page->chain = NULL;
    return true;
}

/* Only the head has free slots and they lead; blocks are ceil(k / slots); a direct pte is alone. */
void o_chain_check(const struct machine *machine, const struct page *page)
{
    const unsigned nslots = machine->design.chain_slots;
    unsigned length = page->direct != NULL;
    unsigned blocks = 0;
    REQUIRE(page->direct == NULL || page->chain == NULL);
    for (const struct chain_block *block = page->chain; block != NULL; block = block->next) {
        REQUIRE(block->first < nslots && (block == page->chain || block->first == 0));
        for (unsigned i = 0; i < nslots; i++) {
            REQUIRE((block->slot[i] == NULL) == (i < block->first));
        }
        length += nslots - block->first;
        blocks++;
    }
    struct pte *ptes[MAPPERS_MAX];
    REQUIRE(length == page->mapcount && length <= MAPPERS_MAX);
    o_chain_ptes(machine, page, ptes, MAPPERS_MAX);
    for (unsigned i = 0; i < length; i++) {
        REQUIRE(ptes[i]->present && ptes[i]->page == page);
        for (unsigned j = 0; j < i; j++) {
            REQUIRE(ptes[i] != ptes[j]);
        }
    }
    if (length >= 2) {
        REQUIRE(blocks == (length + nslots - 1) / nslots);
    } else {
        REQUIRE(blocks <= length && (blocks == length || machine->design.page_direct));
    }
}
