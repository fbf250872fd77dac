/* Reclaim of 2.4.23 and 2.4.22: docs/model.md, section 10. */
#include "oracle/parts.h"

enum { WANTED = 32, PASSES = 60, SCAN_RATIO = 6, MAPPED_RATIO = 100, PRIORITY = 6 };

/* One call of free(class). */
struct freeing {
    struct machine *machine;
    struct actor *actor;
    enum zone_number class;
    uint64_t wanted;
    bool swap_out_failed;
};

static struct lru *lru_of(const struct freeing *freeing)
{
    return &freeing->machine->lrus[0];
}

static void swap_out_unless_failed(struct freeing *freeing)
{
    if (!freeing->swap_out_failed) {
        o_yield_point(freeing->actor);
        freeing->swap_out_failed = !o_swap_out(freeing->machine, freeing->actor, freeing->class);
    }
}

static uint64_t refill_ratio(const struct freeing *freeing)
{
    return freeing->wanted * o_lru_class_active(freeing->machine, freeing->class) /
           (2 * o_lru_class_inactive(freeing->machine, freeing->class) + 1);
}

static void refill(struct freeing *freeing, uint64_t ratio)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    actor->context->stuck = true;
    o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
    while (ratio > 0 && lru->active.oldest != NULL) {
        if (o_yield_point_in(machine, actor, &lru->lock)) {
            continue;
        }
        struct page *page = lru->active.oldest;
        charge(machine, actor, COST_PAGE_SCAN);
        if (page->referenced) {
            page->referenced = false;
            o_lru_remove(page);
            o_lru_add_new(machine, page, true);
        } else {
            ratio--;
            charge(machine, actor, COST_LRU_MOVE);
            o_lru_deactivate(machine, page);
            page->referenced = true;
        }
    }
    o_lock_leave(actor, &lru->lock);
    actor->context->stuck = false;
}

/* What to do after a page was looked at. */
enum look { LOOK_NEXT, LOOK_TOO_MANY_MAPPED };

static enum look count_mapped(int64_t *max_mapped)
{
    return --*max_mapped < 0 ? LOOK_TOO_MANY_MAPPED : LOOK_NEXT;
}

/* A dirty page that only its cache holds. */
static void launder(struct freeing *freeing, struct page *page)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    if (page->object->kind == OBJECT_SHM && !o_page_in_swap_cache(page)) {
        if (!o_page_to_swap_cache(machine, actor, page)) {
            o_lru_activate(machine, page);
            page->referenced = true;
            return;
        }
        if (!machine->design.prompt) {
            return;
        }
    }
    struct device *device = o_page_device(page);
    if (!o_device_has_room(device)) {
        o_lru_remove(page);
        o_lru_add_old(machine, page, false);
        o_lock_leave(actor, &lru->lock);
        o_sleep_for_room(actor, device);
        o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
        return;
    }
    page->reclaim = true;
    o_write_page(machine, actor, page);
}

/* The page goes to the old end, to be the next one looked at. */
static void take_up_again(struct freeing *freeing, struct page *page)
{
    o_lru_remove(page);
    o_lru_add_old(freeing->machine, page, false);
    o_lock_leave(freeing->actor, &lru_of(freeing)->lock);
}

/* A page with buffers that are dirty or under I/O: the first time it is left alone. */
static void sync_buffers(struct freeing *freeing, struct page *page)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    if (page->reclaim && page->writeback) {
        take_up_again(freeing, page);
        o_sleep_for_page(actor, page);
        o_lock_enter(machine, actor, &lru_of(freeing)->lock, LOCK_KIND_LRU);
        return;
    }
    if (page->reclaim && !o_device_has_room(o_page_device(page))) {
        take_up_again(freeing, page);
        o_sleep_for_room(actor, o_page_device(page));
        o_lock_enter(machine, actor, &lru_of(freeing)->lock, LOCK_KIND_LRU);
        return;
    }
    if (page->reclaim) {
        o_write_page(machine, actor, page);
    }
    page->reclaim = true;
    if (o_flush_wanted_2_4(machine)) {
        o_flusher_wake(machine, actor->now);
    }
}

static enum look look_at(struct freeing *freeing, struct page *page, int64_t *max_mapped)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    const bool in_use = page->mapcount > 0 || !o_page_in_cache(page);
    if (!page->buffers && in_use) {
        return count_mapped(max_mapped);
    }
    if (page->locked) {
        machine->count.page_lock_failures++;
        if (page->reclaim) {
            o_lock_leave(actor, &lru->lock);
            o_sleep_for_page(actor, page);
            o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
        }
        return LOOK_NEXT;
    }
    if (page->object->written && (page->dirty || page->writeback)) {
        sync_buffers(freeing, page);
        return LOOK_NEXT;
    }
    if (page->dirty && !in_use) {
        launder(freeing, page);
        return LOOK_NEXT;
    }
    o_buffers_drop(machine, page);
    if (in_use) {
        return count_mapped(max_mapped);
    }
    charge(machine, actor, COST_PAGE_CACHE);
    charge(machine, actor, COST_PAGE_ALLOC);
    o_page_leave(machine, actor, page);
    freeing->wanted--;
    return LOOK_NEXT;
}

/* The oldest inactive page, which becomes the newest. */
static struct page *next_page(struct freeing *freeing)
{
    struct page *page = lru_of(freeing)->inactive.oldest;
    charge(freeing->machine, freeing->actor, COST_PAGE_SCAN);
    o_lru_remove(page);
    o_lru_add_new(freeing->machine, page, false);
    return page;
}

/* The pass of fix 3: frees what can go at once. */
static void free_clean(struct freeing *freeing)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    uint64_t looks = o_lru_class_inactive(machine, freeing->class) / SCAN_RATIO;
    o_yield_point(actor);
    o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
    while (freeing->wanted > 0 && looks > 0 && o_lru_class_inactive(machine, freeing->class) > 0) {
        if (o_yield_point_in(machine, actor, &lru->lock)) {
            continue;
        }
        struct page *page = next_page(freeing);
        if (page->zone->number > freeing->class) {
            continue;
        }
        looks--;
        machine->count.pages_scanned++;
        if (page->mapcount > 0 || !o_page_in_cache(page)) {
            continue;
        }
        if (page->locked) {
            machine->count.page_lock_failures++;
        } else if (!page->dirty && !page->writeback) {
            charge(machine, actor, COST_PAGE_CACHE);
            charge(machine, actor, COST_PAGE_ALLOC);
            o_page_leave(machine, actor, page);
            freeing->wanted--;
        }
    }
    o_lock_leave(actor, &lru->lock);
}

static void shrink(struct freeing *freeing)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    uint64_t max_scan = (o_lru_class_inactive(machine, freeing->class) +
                         o_lru_class_active(machine, freeing->class)) /
                        SCAN_RATIO;
    int64_t max_mapped = (int64_t)(MAPPED_RATIO * freeing->wanted);
    if (machine->design.clean_first) {
        free_clean(freeing);
        if (freeing->wanted == 0) {
            return;
        }
    }
    o_yield_point(actor);
    o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
    while (freeing->wanted > 0 && max_scan > 0 &&
           o_lru_class_inactive(machine, freeing->class) > 0) {
        if (o_yield_point_in(machine, actor, &lru->lock)) {
            continue;
        }
        struct page *page = next_page(freeing);
        if (page->zone->number > freeing->class) {
            continue;
        }
        max_scan--;
        machine->count.pages_scanned++;
        if (look_at(freeing, page, &max_mapped) == LOOK_TOO_MANY_MAPPED) {
            o_lock_leave(actor, &lru->lock);
            swap_out_unless_failed(freeing);
            max_mapped = (int64_t)(MAPPED_RATIO * freeing->wanted);
            const uint64_t ratio = refill_ratio(freeing);
            o_yield_point(actor);
            refill(freeing, ratio);
            o_yield_point(actor);
            o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
        }
    }
    o_lock_leave(actor, &lru->lock);
}

static void shrink_2_4_22(struct freeing *freeing, unsigned priority)
{
    struct machine *machine = freeing->machine;
    struct actor *actor = freeing->actor;
    struct lru *lru = lru_of(freeing);
    uint64_t max_scan = lru->inactive.length / priority;
    int64_t max_mapped = (int64_t)min_u64(freeing->wanted << (10 - priority), max_scan / 10);
    bool too_many = false;
    o_yield_point(actor);
    o_lock_enter(machine, actor, &lru->lock, LOCK_KIND_LRU);
    while (!too_many && freeing->wanted > 0 && max_scan > 0 && lru->inactive.oldest != NULL) {
        if (o_yield_point_in(machine, actor, &lru->lock)) {
            continue;
        }
        struct page *page = next_page(freeing);
        max_scan--;
        machine->count.pages_scanned++;
        too_many = page->zone->number <= freeing->class &&
                   look_at(freeing, page, &max_mapped) == LOOK_TOO_MANY_MAPPED;
    }
    o_lock_leave(actor, &lru->lock);
    if (too_many) {
        o_yield_point(actor);
        o_swap_out(machine, actor, freeing->class);
    }
}

/* False: it gave up. */
static bool free_pages_2_4_22(struct machine *machine, struct actor *actor, enum zone_number class)
{
    struct freeing freeing = {.machine = machine, .actor = actor, .class = class, .wanted = WANTED};
    const struct lru *lru = lru_of(&freeing);
    for (unsigned priority = PRIORITY; priority > 0 && freeing.wanted > 0; priority--) {
        o_yield_point(actor);
        refill(&freeing, freeing.wanted * lru->active.length / (2 * (lru->inactive.length + 1)));
        shrink_2_4_22(&freeing, priority);
    }
    return freeing.wanted == 0;
}

/* False: it gave up. It sets how many pages it freed. */
static bool free_pages_2_4_23(struct machine *machine, struct actor *actor, enum zone_number class,
                              uint64_t *freed_p)
{
    struct freeing freeing = {.machine = machine, .actor = actor, .class = class, .wanted = WANTED};
    for (int pass = 0; pass < PASSES; pass++) {
        o_yield_point(actor);
        refill(&freeing, refill_ratio(&freeing));
        shrink(&freeing);
        *freed_p = WANTED - freeing.wanted;
        if (freeing.wanted == 0) {
            return true;
        }
        swap_out_unless_failed(&freeing);
    }
    return false;
}

static bool any_needs_balance(const struct machine *machine)
{
    return machine->zones[DMA].need_balance || machine->zones[NORMAL].need_balance ||
           machine->zones[HIGHMEM].need_balance;
}

void o_kswapd_2_4(struct machine *machine, struct actor *actor)
{
    for (int z = HIGHMEM; any_needs_balance(machine); z = z > 0 ? z - 1 : HIGHMEM) {
        struct zone *zone = &machine->zones[z];
        if (!zone->need_balance) {
            continue;
        }
        uint64_t freed;
        if (machine->design.is_2_4_22 ? free_pages_2_4_22(machine, actor, zone->number)
                                      : free_pages_2_4_23(machine, actor, zone->number, &freed)) {
            zone->need_balance = o_frames_below_high(machine, zone->number);
        } else {
            zone->need_balance = false;
            o_sleep_for(actor, 5 * SECOND);
        }
    }
}

void o_run_out_of_memory(struct machine *machine, const struct actor *actor, enum zone_number class)
{
    if (!machine->out_of_memory) {
        machine->out_of_memory = true;
        machine->out_of_memory_at = actor->now;
        machine->out_of_lowmem = machine->zones[HIGHMEM].frames > 0 && class != machine->user_class;
    }
}

static void hand_over(struct machine *machine, struct actor *actor, struct zone *zone)
{
    if (zone != NULL) {
        o_frame_take_from(zone, HELD_BY_PROCESS);
        charge(machine, actor, COST_PAGE_ALLOC);
        actor->process->frame = zone;
    }
}

static void direct_2_4_22(struct machine *machine, struct actor *actor, enum zone_number class)
{
    const struct process *process = actor->process;
    for (;;) {
        const bool enough = free_pages_2_4_22(machine, actor, class);
        if (process->frame != NULL) {
            return;
        }
        if (!enough && o_swap_used(machine) == machine->swap_slots) {
            o_run_out_of_memory(machine, actor, class);
            o_sleep_for(actor, TIME_NEVER - actor->now);
        }
        hand_over(machine, actor, o_frame_over_2_4(machine, class, false));
        if (process->frame != NULL) {
            return;
        }
        actor->now = max_u64(actor->now, actor->context->slice_end);
        o_yield_point(actor);
    }
}

static void direct_2_4_23(struct machine *machine, struct actor *actor, enum zone_number class)
{
    const struct process *process = actor->process;
    while (process->frame == NULL) {
        uint64_t freed;
        free_pages_2_4_23(machine, actor, class, &freed);
        if (process->frame != NULL) {
            break;
        }
        hand_over(machine, actor, o_frame_over_2_4(machine, class, freed == 0));
        if (process->frame == NULL && freed == 0) {
            o_run_out_of_memory(machine, actor, class);
            o_sleep_for(actor, TIME_NEVER - actor->now);
        }
    }
}

void o_direct_2_4(struct machine *machine, struct actor *actor, enum zone_number class)
{
    machine->design.is_2_4_22 ? direct_2_4_22(machine, actor, class)
                              : direct_2_4_23(machine, actor, class);
}
