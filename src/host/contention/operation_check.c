/* Whether a world is what it must be. */
#include <stdlib.h>

#include "host/contention/operation.h"

/* What the chain of one page was found to hold. */
struct found {
    const struct world *world;
    const struct world_page *page;
    uint32_t ptes;
    uint32_t wrong; /* ptes that do not map the page */
};

static void meet(void *who, pte_t *pte)
{
    struct found *found = who;
    found->ptes++;
    found->wrong += pte_get(pte) == 0 ||
                    world_page_of_pte(found->world, pte_get(pte)) != found->page;
}

static size_t visit(const struct world *world, const struct world_page *page, struct found *found)
{
    const enum chain_form chains = world->plan.rmap->chains;
    *found = (struct found){.world = world, .page = page};
    if (page->chain == 0 || chains == CHAIN_NONE) {
        return 0;
    }
    return chains == CHAIN_ARRAY ? chain_visit(world, page, meet, found)
                                 : list_visit(world, page, meet, found);
}

/* Mappings of every page, counted from the page tables. */
static uint32_t *count_mappings(const struct world *world)
{
    uint32_t *mappings = calloc((size_t)world->plan.objects * world->plan.pages, sizeof *mappings);
    for (uint32_t i = 0; mappings != NULL && i < world->nmms; i++) {
        for (uint32_t k = 0; k < world->plan.pages; k++) {
            const uint64_t pte = pte_get(&world->mms[i].ptes[k]);
            if (pte != 0) {
                mappings[world_page_of_pte(world, pte) - world->pages]++;
            }
        }
    }
    return mappings;
}

static enum status check_page(const struct world *world, const struct world_page *page,
                              uint32_t mappings, size_t *blocks)
{
    const size_t number = (size_t)(page - world->pages);
    const struct reverse_map *rmap = world->plan.rmap;
    const int count = atomic_load(&page->count);
    if (count != (int)mappings) {
        return fail(STATUS_FAILED, "%s: page %zu has %u ptes and %d references", rmap->name, number,
                    mappings, count);
    }
    if ((atomic_load(&page->flags) & LOCK_BIT) != 0) {
        return fail(STATUS_FAILED, "%s: page %zu is locked", rmap->name, number);
    }
    if (rmap->chains == CHAIN_NONE) {
        const int mapcount = atomic_load(&page->mapcount);
        return rmap->add == NULL || mapcount == (int)mappings
                   ? STATUS_OK
                   : fail(STATUS_FAILED, "%s: page %zu has %u ptes and counts %d", rmap->name,
                          number, mappings, mapcount);
    }
    struct found found;
    const size_t in = visit(world, page, &found);
    const size_t full = (mappings + world->slots - 1) / world->slots;
    if (found.ptes != mappings || found.wrong > 0) {
        return fail(STATUS_FAILED, "%s: page %zu has %u ptes, its chain %u, %u of them wrong",
                    rmap->name, number, mappings, found.ptes, found.wrong);
    }
    /* One mapping may be direct, or still in the block it was in with others. */
    if (in != full && !(mappings == 1 && in == 0 && rmap->page_direct)) {
        return fail(STATUS_FAILED, "%s: page %zu has %u ptes in %zu blocks", rmap->name, number,
                    mappings, in);
    }
    *blocks += in;
    return STATUS_OK;
}

size_t operation_blocks(const struct world *world)
{
    size_t blocks = 0;
    for (size_t i = 0; i < (size_t)world->plan.objects * world->plan.pages; i++) {
        struct found found;
        blocks += visit(world, &world->pages[i], &found);
    }
    return blocks;
}

static enum status check_totals(const struct world *world, const uint32_t *mappings, size_t blocks)
{
    int64_t taken = 0;
    int64_t nr_mapped = 0;
    int64_t mapped = 0;
    for (unsigned i = 0; i < world->plan.threads; i++) {
        taken += world->workers[i].cache.taken - (world->workers[i].spare != NULL);
        nr_mapped += world->workers[i].nr_mapped;
    }
    for (size_t i = 0; i < (size_t)world->plan.objects * world->plan.pages; i++) {
        mapped += mappings[i] > 0;
    }
    if (taken != (int64_t)blocks) {
        return fail(STATUS_FAILED, "%s: %lld blocks were taken, %zu are in chains",
                    world->plan.rmap->name, (long long)taken, blocks);
    }
    if (world->plan.rmap->add != NULL && nr_mapped != mapped) {
        return fail(STATUS_FAILED, "%s: %lld pages are mapped, %lld are counted",
                    world->plan.rmap->name, (long long)mapped, (long long)nr_mapped);
    }
    return STATUS_OK;
}

/* A list leads to every vma that is linked, and back. */
static enum status check_lists(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan.objects; i++) {
        const struct world_object *object = &world->objects[i];
        for (const struct world_vma *vma = object->vmas.next; vma != &object->vmas;
             vma = vma->next) {
            if (vma->next->previous != vma || vma->mm->object != object || !vma->mm->linked) {
                return fail(STATUS_FAILED, "%s: the list of object %u is broken",
                            world->plan.rmap->name, i);
            }
        }
    }
    return STATUS_OK;
}

enum status operation_check(const struct world *world)
{
    uint32_t *mappings = count_mappings(world);
    if (mappings == NULL) {
        return fail(STATUS_FAILED, "out of memory for a check");
    }
    enum status status = STATUS_OK;
    size_t blocks = 0;
    for (size_t i = 0; i < (size_t)world->plan.objects * world->plan.pages && status == STATUS_OK;
         i++) {
        status = check_page(world, &world->pages[i], mappings[i], &blocks);
    }
    if (status == STATUS_OK) {
        status = check_totals(world, mappings, blocks);
    }
    if (status == STATUS_OK) {
        status = check_lists(world);
    }
    free(mappings);
    return status;
}
