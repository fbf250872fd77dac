#include "machine/residence.h"

#include <assert.h>

#include "machine/lru.h"
#include "machine/tags.h"

/* Ends of writes are remembered to the millisecond, nearly. */
enum { WRITTEN_AT_SHIFT = 20 };

enum owner object_owner(const struct object *object)
{
    static const enum owner owners[] = {
        [OBJECT_SHM] = OWNER_SHM, [OBJECT_FILE] = OWNER_FILE, [OBJECT_ANON] = OWNER_ANON};
    return owners[object->kind];
}

void residence_end_memory_wait(struct cell *cell, uint32_t id, sim_time now)
{
    struct context *context = &cell->contexts[id];
    if (context->asked_for_memory) {
        context->asked_for_memory = false;
        /* Of many processes this may be beyond what 64 bits hold; the ledger notices. */
        uint64_t *waited = &cell->core->counter[METRIC_ALLOCATION_WAIT];
        *waited = add_saturated(*waited, now - context->wait_began);
    }
}

enum frame_result residence_take_frame(struct cell *cell, struct actor *actor,
                                       enum zone_index class, enum owner owner,
                                       enum zone_index *zone_p)
{
    struct context *context = &cell->contexts[actor->context];
    if (context->held_frame && context->held_zone <= (uint8_t) class) {
        context->held_frame = false;
        *zone_p = (enum zone_index)context->held_zone;
        zone_change_owner(cell, *zone_p, OWNER_HANDED, owner);
        residence_end_memory_wait(cell, actor->context, actor->now);
        return FRAME_OK;
    }
    enum zone_index zone;
    enum frame_result result = cell->design->reclaim->find_frame(cell, class, actor->now, &zone);
    if (result != FRAME_OK) {
        context->refused = (uint8_t)owner;
        return result;
    }
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    zone_take(cell, zone, owner);
    *zone_p = zone;
    residence_end_memory_wait(cell, actor->context, actor->now);
    return FRAME_OK;
}

/* Pages of the 64 around `page` that are in the page cache, which their object's radix tree has in
 * one node. */
static uint64_t pages_in_node(const struct cell *cell, page_id page)
{
    const struct page_word *word = &cell->words[page / PAGES_PER_WORD];
    return word->plane[PLANE_RESIDENT] & ~word->plane[PLANE_SWAPCACHE];
}

static bool has_tree(const struct cell *cell, page_id page)
{
    return cell->design->slab[SLAB_RADIX_NODE].bytes > 0 && !page_is_anon(cell, page);
}

enum frame_result residence_take_node(struct cell *cell, struct actor *actor, page_id page)
{
    if (!has_tree(cell, page) || pages_in_node(cell, page) != 0) {
        return FRAME_OK;
    }
    return slab_take(cell, actor, SLAB_RADIX_NODE, 1);
}

/* Called when a page is no longer in the page cache, or will not be: its node may be empty. */
static void give_node(struct cell *cell, page_id page)
{
    if (has_tree(cell, page) && pages_in_node(cell, page) == 0) {
        slab_give(cell, SLAB_RADIX_NODE, 1);
    }
}

enum frame_result residence_take_page(struct cell *cell, struct actor *actor, page_id page,
                                      enum zone_index *zone_p, enum zone_index *class_p)
{
    bool to_page_cache = cell->slot[page] == 0;
    *class_p = zone_kernel_class(cell);
    enum frame_result result = to_page_cache ? residence_take_node(cell, actor, page) : FRAME_OK;
    if (result != FRAME_OK) {
        return result;
    }
    *class_p = zone_user_class(cell);
    result = residence_take_frame(cell, actor, *class_p, object_owner(page_object(cell, page)),
                                  zone_p);
    if (result != FRAME_OK && to_page_cache) {
        give_node(cell, page);
    }
    return result;
}

void residence_enter(struct cell *cell, page_id page, enum zone_index zone, bool active)
{
    struct page_word *words = cell->words;
    assert(!page_is(words, page, PLANE_RESIDENT));
    page_set(words, page, PLANE_RESIDENT);
    if ((zone & 1) != 0) {
        page_set(words, page, PLANE_ZONE_LOW);
    } else {
        page_clear(words, page, PLANE_ZONE_LOW);
    }
    if ((zone & 2) != 0) {
        page_set(words, page, PLANE_ZONE_HIGH);
    } else {
        page_clear(words, page, PLANE_ZONE_HIGH);
    }
    if (active) {
        page_set(words, page, PLANE_ACTIVE);
    } else {
        page_clear(words, page, PLANE_ACTIVE);
    }
    page_object(cell, page)->resident++;
    if (cell->slot[page] != 0) {
        page_set(words, page, PLANE_SWAPCACHE);
        cell->core->swapcache++;
    }
    lru_add(cell, page);
    tags_frame_filled(cell, page);
}

/* Planes that describe the contents of a frame and end with it. */
static const enum plane frame_planes[] = {
    PLANE_RESIDENT,  PLANE_ACTIVE,    PLANE_REFERENCED, PLANE_DIRTY,
    PLANE_PTE_DIRTY, PLANE_SWAPCACHE, PLANE_WRITEBACK,  PLANE_RECLAIM,
};

void residence_leave(struct cell *cell, page_id page)
{
    struct page_word *words = cell->words;
    assert(page_is(words, page, PLANE_RESIDENT) && cell->mapcount[page] == 0);
    assert(!page_is(words, page, PLANE_ON_LRU) && !page_is(words, page, PLANE_LOCKED));
    assert(!page_is(words, page, PLANE_DIRTY) && !page_is(words, page, PLANE_PTE_DIRTY));
    bool swapcache = page_is(words, page, PLANE_SWAPCACHE);
    cell->core->swapcache -= swapcache;
    tags_frame_dropped(cell, page);
    residence_drop_buffers(cell, page);
    if (swapcache) {
        cell->written_at[page] = 0;
    }
    for (size_t i = 0; i < sizeof frame_planes / sizeof frame_planes[0]; i++) {
        page_clear(words, page, frame_planes[i]);
    }
    if (!swapcache) {
        give_node(cell, page);
    }
    struct object *object = page_object(cell, page);
    object->resident--;
    zone_give(cell, page_zone(cell, page), object_owner(object));
}

void residence_drop_frame(struct cell *cell, struct actor *actor, page_id page)
{
    struct page_word *words = cell->words;
    assert(!page_is_busy(cell, page));
    charge(cell, actor, COST_LRU_MOVE, 1);
    charge(cell, actor, COST_PAGE_ALLOC, 1);
    page_clear(words, page, PLANE_PTE_DIRTY);
    residence_clear_dirty(cell, page);
    cell->written_at[page] = 0;
    if (page_is(words, page, PLANE_ON_LRU)) {
        lru_remove(cell, page);
    } else {
        lru_unlink(cell, page); /* out of the batch of who reclaims */
    }
    residence_leave(cell, page);
}

void residence_drop(struct cell *cell, struct actor *actor, page_id page)
{
    bool resident = page_is(cell->words, page, PLANE_RESIDENT);
    if (cell->slot[page] != 0) {
        charge(cell, actor, COST_SWAP_SLOT, 1);
        charge(cell, actor, COST_SWAP_CACHE, resident ? 1 : 0);
        residence_clear_dirty(cell, page);
        swap_free_slot(cell, cell->slot[page] - 1);
        cell->slot[page] = 0;
        cell->core->swapcache -= page_test_and_clear(cell->words, page, PLANE_SWAPCACHE);
    }
    if (resident) {
        residence_drop_frame(cell, actor, page);
    }
    page_clear(cell->words, page, PLANE_PROTECTED);
    page_clear(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
    tags_forgotten(cell, page);
}

void residence_mark_accessed(struct cell *cell, struct actor *actor, page_id page)
{
    struct page_word *words = cell->words;
    if (!page_is(words, page, PLANE_ACTIVE) && page_is(words, page, PLANE_REFERENCED) &&
        page_is(words, page, PLANE_ON_LRU)) {
        struct sim_lock *lock = &cell->core->lru_lock[lru_lock_index(cell, page)];
        lock_enter(cell, actor, lock, LOCK_KIND_LRU);
        charge(cell, actor, COST_LRU_MOVE, 1);
        lock_leave(actor, lock);
        lru_activate(cell, page);
        page_clear(words, page, PLANE_REFERENCED);
    } else {
        page_set(words, page, PLANE_REFERENCED);
    }
}

void residence_add_buffers(struct cell *cell, page_id page)
{
    if (!page_is(cell->words, page, PLANE_BUFFERS) &&
        slab_take_reserved(cell, SLAB_BUFFER_HEAD, 1) == FRAME_OK) {
        page_set(cell->words, page, PLANE_BUFFERS);
    }
}

void residence_drop_buffers(struct cell *cell, page_id page)
{
    if (page_test_and_clear(cell->words, page, PLANE_BUFFERS)) {
        slab_give(cell, SLAB_BUFFER_HEAD, 1);
    }
}

void residence_count_delay(struct cell *cell, page_id page, sim_time now)
{
    if (page_is(cell->words, page, PLANE_SWAPCACHE) && cell->written_at[page] != 0) {
        count(cell, METRIC_SWAP_WRITTEN_FREED, 1);
        count(cell, METRIC_SWAP_WRITE_TO_FREE,
              now - ((sim_time)(cell->written_at[page] - 1) << WRITTEN_AT_SHIFT));
    }
}

void residence_set_dirty(struct cell *cell, page_id page)
{
    if (!page_is(cell->words, page, PLANE_DIRTY)) {
        page_set(cell->words, page, PLANE_DIRTY);
        if (page_is(cell->words, page, PLANE_SWAPCACHE)) {
            cell->core->swapcache_dirty++;
        } else if (page_object(cell, page)->written) {
            cell->core->nr_dirty++;
        }
    }
}

void residence_clear_dirty(struct cell *cell, page_id page)
{
    if (!page_test_and_clear(cell->words, page, PLANE_DIRTY)) {
        return;
    }
    if (page_is(cell->words, page, PLANE_SWAPCACHE)) {
        cell->core->swapcache_dirty--;
    } else if (page_object(cell, page)->written) {
        cell->core->nr_dirty--;
    }
}

bool residence_to_swapcache(struct cell *cell, struct actor *actor, page_id page)
{
    charge(cell, actor, COST_SWAP_SLOT, 1);
    uint32_t slot = cell->nswap_devices == 0 ? UINT32_MAX : swap_take_slot(cell, page);
    if (slot == UINT32_MAX) {
        return false;
    }
    charge(cell, actor, COST_SWAP_CACHE, 1);
    residence_clear_dirty(cell, page);
    cell->slot[page] = slot + 1;
    page_set(cell->words, page, PLANE_SWAPCACHE);
    cell->core->swapcache++;
    give_node(cell, page);
    residence_set_dirty(cell, page);
    if (page_object(cell, page)->kind == OBJECT_SHM &&
        cell->design->reclaim->rules.move_clears_referenced) {
        page_clear(cell->words, page, PLANE_REFERENCED);
    }
    return true;
}

enum frame_result residence_from_swapcache(struct cell *cell, struct actor *actor, page_id page)
{
    enum frame_result result = residence_take_node(cell, actor, page);
    if (result != FRAME_OK) {
        return result;
    }
    charge(cell, actor, COST_SWAP_CACHE, 1);
    charge(cell, actor, COST_SWAP_SLOT, 1);
    residence_clear_dirty(cell, page);
    page_clear(cell->words, page, PLANE_SWAPCACHE);
    residence_drop_buffers(cell, page);
    cell->written_at[page] = 0;
    cell->core->swapcache--;
    swap_free_slot(cell, cell->slot[page] - 1);
    cell->slot[page] = 0;
    residence_set_dirty(cell, page);
    if (page_object(cell, page)->kind == OBJECT_SHM &&
        cell->design->reclaim->rules.move_clears_referenced) {
        page_clear(cell->words, page, PLANE_REFERENCED);
    }
    return FRAME_OK;
}

uint32_t residence_device(const struct cell *cell, page_id page)
{
    if (cell->slot[page] != 0) {
        return (cell->slot[page] - 1) / cell->core->swap.slots_per_device;
    }
    return page_object(cell, page)->device;
}

/* In 2.4 the buffers of a page that write(2) filled are locked, not the page. */
static bool write_locks(const struct cell *cell, page_id page)
{
    return cell->design->reclaim->rules.write_locks_page && !page_object(cell, page)->written;
}

void residence_start_write(struct cell *cell, struct actor *actor, page_id page)
{
    struct page_word *words = cell->words;
    bool swap = cell->slot[page] != 0;
    residence_clear_dirty(cell, page);
    page_set(words, page, PLANE_WRITEBACK);
    cell->core->nr_writeback++;
    if (write_locks(cell, page)) {
        page_set(words, page, PLANE_LOCKED);
    }
    charge(cell, actor, COST_IO_SUBMIT, 1);
    tags_written(cell, page);
    device_submit(cell, residence_device(cell, page), swap ? SWAP_WRITE : FILE_WRITE,
                  swap ? cell->slot[page] - 1 : page, 1, 1, actor->now);
    count(cell, swap ? METRIC_SWAP_OUT_BYTES : METRIC_WRITEBACK_BYTES, PAGE_BYTES);
    if (page_object(cell, page)->kind == OBJECT_SHM) {
        count(cell, METRIC_SHM_SWAP_OUT_BYTES, PAGE_BYTES);
    }
}

void residence_read_done(struct cell *cell, page_id page)
{
    page_clear(cell->words, page, PLANE_LOCKED);
    page_clear(cell->words, page, PLANE_READING);
    if (cell->design->reclaim->rules.io_leaves_buffers) {
        residence_add_buffers(cell, page);
    }
    tags_read(cell, page);
}

void residence_write_done(struct cell *cell, page_id page, sim_time now)
{
    const struct page_rules *rules = &cell->design->reclaim->rules;
    struct page_word *words = cell->words;
    page_clear(words, page, PLANE_WRITEBACK);
    cell->core->nr_writeback--;
    if (cell->slot[page] != 0) {
        cell->written_at[page] = (uint32_t)(now >> WRITTEN_AT_SHIFT) + 1;
    }
    if (write_locks(cell, page)) {
        page_clear(words, page, PLANE_LOCKED);
    }
    if (rules->io_leaves_buffers) {
        residence_add_buffers(cell, page);
    }
    bool for_reclaim = page_test_and_clear(words, page, PLANE_RECLAIM);
    if (for_reclaim && rules->written_goes_oldest && !page_is(words, page, PLANE_ACTIVE) &&
        !page_is(words, page, PLANE_DIRTY) && page_is(words, page, PLANE_ON_LRU)) {
        lru_rotate_oldest(cell, page);
    }
}
