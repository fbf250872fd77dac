/* What happens to a page: docs/model.md, section 7. */
#include "oracle/parts.h"

enum holder o_page_holder(const struct page *page)
{
    static const enum holder holders[] = {HELD_ANON, HELD_SHM, HELD_FILE};
    return holders[page->object->kind];
}

bool o_page_in_swap_cache(const struct page *page)
{
    return page->resident && page->swap_device != NULL;
}

bool o_page_in_cache(const struct page *page)
{
    return page->object->kind != OBJECT_ANON || o_page_in_swap_cache(page);
}

void o_page_enter(struct machine *machine, struct page *page, struct zone *zone, bool active)
{
    REQUIRE(!page->resident && page->mapcount == 0);
    REQUIRE(!page->in_batch);
    page->resident = true;
    page->dropped = false;
    page->zone = zone;
    page->locked = false;
    page->reading = false;
    page->writeback = false;
    page->dirty = false;
    page->referenced = false;
    REQUIRE(!page->buffers);
    page->reclaim = false;
    page->swapped_out_at = TIME_NEVER;
    page->content = (struct tag){0};
    o_lru_add_new(machine, page, active);
}

void o_page_mark_accessed(struct machine *machine, struct actor *actor, struct page *page)
{
    if (page->active || !page->referenced || page->list == NULL) {
        page->referenced = true;
        return;
    }
    o_lock_enter(machine, actor, &page->zone->lru->lock, LOCK_KIND_LRU);
    charge(machine, actor, COST_LRU_MOVE);
    o_lock_leave(actor, &page->zone->lru->lock);
    o_lru_activate(machine, page);
    page->referenced = false;
}

static void moved_between_caches(const struct machine *machine, struct page *page)
{
    page->dirty = true;
    if (page->object->kind == OBJECT_SHM && machine->design.is_2_4) {
        page->referenced = false;
    }
}

bool o_page_to_swap_cache(struct machine *machine, struct actor *actor, struct page *page)
{
    charge(machine, actor, COST_SWAP_SLOT);
    if (!o_swap_take_slot(machine, page)) {
        return false;
    }
    charge(machine, actor, COST_SWAP_CACHE);
    o_node_leave(machine, page);
    moved_between_caches(machine, page);
    return true;
}

bool o_page_out_of_swap_cache(struct machine *machine, struct actor *actor, struct page *page)
{
    REQUIRE(o_page_in_swap_cache(page) && !page->locked && !page->writeback);
    if (!o_node_take(machine, actor, page)) {
        return false;
    }
    charge(machine, actor, COST_SWAP_CACHE);
    charge(machine, actor, COST_SWAP_SLOT);
    o_swap_free_slot(page);
    page->stored = (struct tag){0};
    o_buffers_drop(machine, page);
    page->swapped_out_at = TIME_NEVER;
    moved_between_caches(machine, page);
    return true;
}

struct zone *o_page_take(struct machine *machine, struct actor *actor, const struct page *page,
                         enum zone_number *class_p)
{
    const bool to_page_cache = page->swap_device == NULL;
    *class_p = machine->kernel_class;
    if (to_page_cache && !o_node_take(machine, actor, page)) {
        return NULL;
    }
    *class_p = machine->user_class;
    struct zone *zone = o_frame_take(machine, actor, machine->user_class, o_page_holder(page));
    if (zone == NULL && to_page_cache) {
        o_node_leave(machine, page);
    }
    return zone;
}

void o_page_leave(struct machine *machine, struct actor *actor, struct page *page)
{
    REQUIRE(page->resident && page->mapcount == 0);
    REQUIRE(!page->dirty && !page->locked && !page->writeback);
    /* Nothing is lost: what was stored last is what will be read in again. */
    REQUIRE(page->last_store.store == page->stored.store);
    if (page->list != NULL) {
        o_lru_remove(page);
    }
    struct zone *zone = page->zone;
    const bool in_swap_cache = o_page_in_swap_cache(page);
    o_buffers_drop(machine, page);
    page->resident = false;
    page->zone = NULL;
    if (!in_swap_cache) {
        o_node_leave(machine, page);
    }
    o_frame_give(machine, zone, o_page_holder(page));
    machine->count.pages_freed++;
    if (page->swapped_out_at != TIME_NEVER) {
        const sim_time millisecond = 1 << 20; /* nearly */
        machine->count.swap_written_freed++;
        machine->count.swap_write_to_free_seconds += actor->now - page->swapped_out_at /
                                                                      millisecond * millisecond;
    }
    struct process *process = actor->process;
    if (machine->design.is_2_4 && process != NULL && process->frame == NULL &&
        zone->number <= actor->context->class) {
        o_frame_take_from(zone, HELD_BY_PROCESS);
        process->frame = zone;
    }
}
