#include "host/contention/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/contention/reverse_map.h"
#include "host/contention/statistics.h"

const char *const lock_granularity_names[] = {
    [LOCK_GLOBAL] = "global",
    [LOCK_PER_OBJECT] = "object",
    [LOCK_PER_PAGE] = "page",
    [LOCK_GRANULARITIES] = NULL,
};

/* --- sizes ----------------------------------------------------------------------------------- */

static size_t mms_of(const struct world_plan *plan)
{
    return (size_t)plan->objects * plan->mappers + 2 * (size_t)plan->threads;
}

static size_t ptes_per_mm(const struct world_plan *plan)
{
    return ((size_t)plan->pages + PTES_PER_TABLE - 1) / PTES_PER_TABLE * PTES_PER_TABLE;
}

/* Mappings that a page can have at once: of those that are there from the beginning, and of a child
 * and a visitor for each thread that works on its object. */
static size_t most_mappings(const struct world_plan *plan)
{
    return plan->mappers + 2 * (size_t)(plan->objects == 1 ? plan->threads : 1);
}

static uint32_t slots_of(const struct world_plan *plan)
{
    return plan->rmap->chains == CHAIN_ARRAY ? (uint32_t)(plan->line / sizeof(uint64_t)) - 1 : 1;
}

static size_t block_size_of(const struct world_plan *plan)
{
    return plan->rmap->chains == CHAIN_ARRAY ? plan->line : sizeof(uint64_t);
}

static size_t blocks_of(const struct world_plan *plan)
{
    const size_t slots = slots_of(plan);
    const size_t each = (most_mappings(plan) + slots - 1) / slots;
    return plan->rmap->chains == CHAIN_NONE
               ? 0
               : each * plan->objects * plan->pages + BLOCK_CACHE * ((size_t)plan->threads + 1);
}

byte_count world_bytes(const struct world_plan *plan)
{
    const size_t mms = mms_of(plan);
    const size_t each = sizeof(struct world_mm) + ptes_per_mm(plan) * sizeof(pte_t) +
                        ptes_per_mm(plan) / PTES_PER_TABLE * sizeof(struct world_mm *) +
                        plan->windows * (sizeof(struct world_vma) + sizeof(struct prio_node));
    return mms * each + (size_t)plan->objects * plan->pages * sizeof(struct world_page) +
           blocks_of(plan) * block_size_of(plan) + plan->threads * sizeof(struct world_worker) +
           plan->objects * (sizeof(struct world_object) + sizeof(struct contention_lock));
}

/* --- laying it out --------------------------------------------------------------------------- */

/* Zeroed memory on page boundaries, given by the host as it is touched. */
static enum status map_zeroed(size_t size, void **memory_p)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return fail(STATUS_RESOURCE, "no memory for %zu bytes of page tables: %s", size,
                    strerror(errno));
    }
    *memory_p = memory;
    return STATUS_OK;
}

static void *aligned_array(size_t count, size_t size)
{
    void *array = aligned_alloc(LOCK_ALIGNMENT,
                                (count * size + LOCK_ALIGNMENT) / LOCK_ALIGNMENT * LOCK_ALIGNMENT);
    if (array != NULL) {
        memset(array, 0, count * size);
    }
    return array;
}

static enum status allocate(struct world *world)
{
    const struct world_plan *plan = &world->plan;
    const size_t mms = mms_of(plan);
    const size_t vmas = mms * plan->windows;
    const size_t tables = mms * world->ptes_per_mm / PTES_PER_TABLE;
    void *ptes = NULL;
    world->pages = aligned_array((size_t)plan->objects * plan->pages, sizeof *world->pages);
    world->objects = aligned_array(plan->objects, sizeof *world->objects);
    world->mms = aligned_array(mms, sizeof *world->mms);
    world->vmas = aligned_array(vmas, sizeof *world->vmas);
    world->nodes = calloc(vmas + 1, sizeof *world->nodes);
    world->table_owner = calloc(tables, sizeof *world->table_owner);
    world->workers = aligned_array(plan->threads, sizeof *world->workers);
    world->locks = aligned_array(plan->objects, sizeof *world->locks);
    if (world->pages == NULL || world->objects == NULL || world->mms == NULL ||
        world->vmas == NULL || world->nodes == NULL || world->table_owner == NULL ||
        world->workers == NULL || world->locks == NULL) {
        return fail(STATUS_RESOURCE, "no memory for %zu address spaces of %zu pages", mms,
                    (size_t)plan->pages);
    }
    world->mapped_bytes = mms * world->ptes_per_mm * sizeof(pte_t);
    enum status status = map_zeroed(world->mapped_bytes, &ptes);
    world->ptes = ptes;
    if (status == STATUS_OK && plan->rmap->chains != CHAIN_NONE) {
        status = block_pool_open(block_size_of(plan), blocks_of(plan), &world->pool);
    }
    return status;
}

static void lay_out_objects(struct world *world)
{
    const struct world_plan *plan = &world->plan;
    for (uint32_t i = 0; i < plan->objects; i++) {
        struct world_object *object = &world->objects[i];
        object->first_page = i * plan->pages;
        object->vmas.next = object->vmas.previous = &object->vmas;
        object->lock = &world->locks[plan->granularity == LOCK_PER_OBJECT ? i : 0];
        for (uint32_t k = 0; k < plan->pages; k++) {
            struct world_page *page = world_page_at(world, object, k);
            atomic_init(&page->flags, 0);
            atomic_init(&page->mapcount, 0);
            atomic_init(&page->count, 0);
            page->object = i;
            page->index = k;
        }
    }
}

/* Which object an mm maps. */
static uint32_t object_of_mm(const struct world_plan *plan, uint32_t mm)
{
    const uint32_t resident = plan->objects * plan->mappers;
    if (plan->objects == 1) {
        return 0;
    }
    return mm < resident ? mm / plan->mappers : (mm - resident) % plan->threads;
}

static enum status lay_out_mms(struct world *world)
{
    const struct world_plan *plan = &world->plan;
    const uint32_t window = plan->pages / plan->windows;
    for (uint32_t i = 0; i < mms_of(plan); i++) {
        struct world_mm *mm = &world->mms[i];
        mm->number = i;
        mm->object = &world->objects[object_of_mm(plan, i)];
        mm->ptes = world->ptes + i * world->ptes_per_mm;
        mm->vmas = &world->vmas[(size_t)i * plan->windows];
        for (uint32_t k = 0; k < plan->windows; k++) {
            mm->vmas[k] = (struct world_vma){
                .mm = mm, .first = k * window, .last = (k + 1) * window - 1};
        }
        for (size_t k = 0; k < world->ptes_per_mm / PTES_PER_TABLE; k++) {
            world->table_owner[i * (world->ptes_per_mm / PTES_PER_TABLE) + k] = mm;
        }
        int error = pthread_spin_init(&mm->lock, PTHREAD_PROCESS_PRIVATE);
        if (error != 0) {
            return fail(STATUS_FAILED, "cannot make a spinlock: %s", strerror(error));
        }
        world->nmms++;
    }
    return STATUS_OK;
}

static enum status make_locks(struct world *world)
{
    const struct world_plan *plan = &world->plan;
    const size_t wanted = plan->kind->is_bit                     ? 0
                          : plan->granularity == LOCK_PER_OBJECT ? plan->objects
                                                                 : 1;
    for (; world->nlocks < wanted; world->nlocks++) {
        enum status status = plan->kind->init(&world->locks[world->nlocks]);
        if (status != STATUS_OK) {
            return status;
        }
    }
    for (unsigned i = 0; i < plan->threads; i++) {
        lock_self_init(&world->workers[i].self);
    }
    return STATUS_OK;
}

enum status world_open(const struct world_plan *plan, struct world *world)
{
    memset(world, 0, sizeof *world);
    world->plan = *plan;
    world->ptes_per_mm = ptes_per_mm(plan);
    world->slots = slots_of(plan);
    enum status status = allocate(world);
    if (status == STATUS_OK) {
        lay_out_objects(world);
        status = lay_out_mms(world);
    }
    if (status == STATUS_OK) {
        status = make_locks(world);
    }
    if (status != STATUS_OK) {
        world_close(world);
    }
    return status;
}

void world_close(struct world *world)
{
    for (size_t i = 0; i < world->nlocks; i++) {
        world->plan.kind->destroy(&world->locks[i]);
    }
    for (uint32_t i = 0; i < world->nmms; i++) {
        (void)pthread_spin_destroy(&world->mms[i].lock);
    }
    block_pool_close(&world->pool);
    if (world->ptes != NULL) {
        (void)munmap(world->ptes, world->mapped_bytes);
    }
    free(world->pages);
    free(world->objects);
    free(world->mms);
    free(world->vmas);
    free(world->nodes);
    free(world->table_owner);
    free(world->locks);
    free(world->workers);
    memset(world, 0, sizeof *world);
}

/* --- its lock -------------------------------------------------------------------------------- */

static void *lock_for(const struct world *world, const struct world_object *object,
                      struct world_page *page)
{
    return world->plan.kind->is_bit ? (void *)&page->flags : (void *)object->lock;
}

void world_lock(const struct world *world, struct world_worker *worker,
                const struct world_object *object, struct world_page *page)
{
    void *lock = lock_for(world, object, page);
    if (worker->stamps) {
        worker->acquired++;
        worker->contended += world->plan.kind->is_held(lock);
        world->plan.kind->acquire(lock, &worker->self);
        worker->acquired_at = clock_now_ns();
        return;
    }
    world->plan.kind->acquire(lock, &worker->self);
}

void world_unlock(const struct world *world, struct world_worker *worker,
                  const struct world_object *object, struct world_page *page)
{
    world->plan.kind->release(lock_for(world, object, page), &worker->self);
}
