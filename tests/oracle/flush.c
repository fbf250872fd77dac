/* Writing back the dirty pages of files: docs/model.md, section 19. Each file has the list of its
 * pages in the order in which write(2) dirtied them. */
#include "oracle/parts.h"

enum { SYNC_BATCH = 32, BDFLUSH_PAGES = 500, PDFLUSH_PAGES = 1024, OLD_TICKS = 7 };

/* ---- lists ----------------------------------------------------------------------------------- */

void o_flush_dirtied(struct machine *machine, struct page *page)
{
    struct object *file = page->object;
    REQUIRE(file->dirtied_last == NULL || file->dirtied_last->offset < page->offset);
    page->dirty = true;
    page->dirtied_at_tick = machine->ticks;
    page->next_dirtied = NULL;
    if (file->dirtied == NULL) {
        file->dirtied = page;
    } else {
        file->dirtied_last->next_dirtied = page;
    }
    file->dirtied_last = page;
    machine->nr_dirty++;
}

static struct page *oldest_of(struct object *file)
{
    while (file->dirtied != NULL && !(file->dirtied->resident && file->dirtied->dirty)) {
        file->dirtied = file->dirtied->next_dirtied;
    }
    return file->dirtied;
}

static bool is_old(const struct machine *machine, struct object *file)
{
    const struct page *page = oldest_of(file);
    return page != NULL && machine->ticks - page->dirtied_at_tick >= OLD_TICKS;
}

static void next_turn(struct machine *machine)
{
    machine->file_turn = (machine->file_turn + 1) % machine->nfiles;
}

static struct page *oldest_of_all(struct machine *machine)
{
    for (size_t i = 0; i < machine->nfiles; i++) {
        struct page *page = oldest_of(machine->files[machine->file_turn]);
        if (page != NULL) {
            return page;
        }
        next_turn(machine);
    }
    return NULL;
}

/* ---- 2.4 ------------------------------------------------------------------------------------- */

static uint64_t memory_for_buffers(const struct machine *machine)
{
    uint64_t pages = o_lru_class_active(machine, NORMAL) + o_lru_class_inactive(machine, NORMAL);
    for (int z = 0; z < ZONES; z++) {
        const struct zone *zone = &machine->zones[z];
        const uint64_t high = zone->high + zone->reserve[NORMAL];
        pages += zone->free > high ? zone->free - high : 0;
    }
    return pages;
}

static bool dirty_over_percent(const struct machine *machine, uint64_t percent)
{
    return 100 * machine->nr_dirty > percent * memory_for_buffers(machine);
}

bool o_flush_wanted_2_4(const struct machine *machine)
{
    return dirty_over_percent(machine, 30);
}

static const struct device *throttle_2_4(struct machine *machine, struct actor *actor,
                                         struct touch *touch)
{
    if (!touch->writing_back) {
        if (!dirty_over_percent(machine, 30)) {
            return NULL;
        }
        o_flusher_wake(machine, actor->now);
        if (!dirty_over_percent(machine, 60)) {
            return NULL;
        }
        touch->writing_back = true;
        touch->to_write_back = SYNC_BATCH;
    }
    for (; touch->to_write_back > 0; touch->to_write_back--) {
        struct page *page = oldest_of_all(machine);
        if (page == NULL) {
            break;
        }
        if (!o_device_has_room(o_page_device(page))) {
            return o_page_device(page);
        }
        o_write_page(machine, actor, page);
    }
    next_turn(machine);
    touch->writing_back = false;
    return NULL;
}

/* False: there was nothing left. */
static bool write_some(struct machine *machine, struct actor *actor)
{
    for (int i = 0; i < SYNC_BATCH; i++) {
        o_yield_point(actor);
        struct page *page = oldest_of_all(machine);
        if (page == NULL) {
            return false;
        }
        while (page != NULL && !o_device_has_room(o_page_device(page))) {
            o_sleep_for_room(actor, o_page_device(page));
            o_yield_point(actor);
            page = oldest_of_all(machine);
        }
        if (page == NULL) {
            return false;
        }
        o_write_page(machine, actor, page);
    }
    next_turn(machine);
    return true;
}

static void bdflush(struct machine *machine, struct actor *actor)
{
    do {
        for (int to_write = BDFLUSH_PAGES; to_write > 0; to_write -= SYNC_BATCH) {
            if (!write_some(machine, actor)) {
                return;
            }
        }
    } while (dirty_over_percent(machine, 20));
}

static bool find_old(struct machine *machine)
{
    for (size_t i = 0; i < machine->nfiles; i++) {
        if (is_old(machine, machine->files[machine->file_turn])) {
            return true;
        }
        next_turn(machine);
    }
    return false;
}

static void kupdate(struct machine *machine, struct actor *actor)
{
    for (;;) {
        machine->ticks++;
        do {
            o_yield_point(actor);
        } while (find_old(machine) && write_some(machine, actor));
        o_sleep_for(actor, 5 * SECOND);
    }
}

/* ---- 2.6.0 ----------------------------------------------------------------------------------- */

struct limits {
    uint64_t background, dirty;
};

static struct limits limits_of(const struct machine *machine)
{
    const uint64_t total = machine->frames;
    const uint64_t low = machine->zones[DMA].frames + machine->zones[NORMAL].frames;
    uint64_t ratio = 40;
    uint64_t background = 10;
    if (400 * low / total < 100) {
        ratio = ratio * (400 * low / total) / 100;
        background = background * (400 * low / total) / 100;
    }
    const uint64_t mapped = min_u64(100, 100 * machine->nr_mapped / total);
    ratio = min_u64(ratio, (100 - mapped) / 2);
    ratio = ratio < 5 ? 5 : ratio;
    background = background >= ratio ? ratio / 2 : background;
    return (struct limits){background * total / 100, ratio * total / 100};
}

static uint64_t pages_between_looks(const struct machine *machine)
{
    const uint64_t pages = machine->frames / machine->scenario->machine.cpus / 32;
    return pages < 16 ? 16 : min_u64(pages, 1024);
}

static bool over_the_limit(const struct machine *machine)
{
    return machine->nr_dirty + machine->nr_writeback > limits_of(machine).dirty;
}

static struct page *oldest_on(const struct machine *machine, const struct device *device)
{
    for (size_t i = 0; i < machine->nfiles; i++) {
        struct page *page = machine->files[i]->disk == device ? oldest_of(machine->files[i]) : NULL;
        if (page != NULL) {
            return page;
        }
    }
    return NULL;
}

/* A device it has to wait for, or congestion_p is set, or it is done. */
static const struct device *balance(struct machine *machine, struct actor *actor,
                                    struct touch *touch, bool *congestion_p)
{
    const uint64_t looks = pages_between_looks(machine);
    const uint64_t chunk = looks + looks / 2;
    const struct device *disk = touch->page->object->disk;
    if (!touch->writing_back) {
        if (!over_the_limit(machine)) {
            return NULL;
        }
        machine->dirty_exceeded = true;
        if (machine->nr_dirty == 0) {
            *congestion_p = true;
            return NULL;
        }
        touch->writing_back = true;
        touch->to_write_back = chunk;
    }
    for (; touch->to_write_back > 0; touch->to_write_back--) {
        struct page *page = oldest_on(machine, disk);
        if (page == NULL) {
            break;
        }
        if (!o_device_has_room(disk)) {
            return disk;
        }
        o_write_page(machine, actor, page);
    }
    touch->writing_back = false;
    touch->written_back += chunk - touch->to_write_back;
    *congestion_p = over_the_limit(machine) && touch->written_back < chunk;
    return NULL;
}

static const struct device *throttle_2_6(struct machine *machine, struct actor *actor,
                                         struct touch *touch, bool *congestion_p)
{
    struct process *process = touch->process;
    if (!touch->balancing) {
        const uint64_t limit = machine->dirty_exceeded ? 8 : pages_between_looks(machine);
        if (process->dirtied++ < limit) {
            return NULL;
        }
        process->dirtied = 0;
        touch->balancing = true;
        touch->written_back = 0;
    }
    const struct device *room = balance(machine, actor, touch, congestion_p);
    if (room != NULL || *congestion_p) {
        return room;
    }
    touch->balancing = false;
    if (!over_the_limit(machine)) {
        machine->dirty_exceeded = false;
    }
    if (machine->nr_dirty > limits_of(machine).background) {
        o_flusher_wake(machine, actor->now);
    }
    return NULL;
}

/* What of 1024 pages was not written; old files alone if asked for. */
static uint64_t write_files(struct machine *machine, struct actor *actor, bool old,
                            bool *congested_p)
{
    uint64_t left = PDFLUSH_PAGES;
    *congested_p = false;
    for (size_t i = 0; i < machine->nfiles && left > 0; i++) {
        struct object *file = machine->files[i];
        bool taken = false;
        while (left > 0) {
            o_yield_point(actor);
            if (old && !taken && !is_old(machine, file)) {
                break;
            }
            struct page *page = oldest_of(file);
            if (page == NULL) {
                break;
            }
            taken = true;
            if (file->disk->congested || !o_device_has_room(file->disk)) {
                *congested_p = true;
                break;
            }
            o_write_page(machine, actor, page);
            left--;
        }
    }
    return left;
}

static void background_writeout(struct machine *machine, struct actor *actor)
{
    for (;;) {
        bool congested;
        o_yield_point(actor);
        if (machine->nr_dirty < limits_of(machine).background) {
            return;
        }
        if (write_files(machine, actor, false, &congested) > 0) {
            if (!congested) {
                return;
            }
            o_sleep_for_congestion(actor, 100 * MILLISECOND);
        }
    }
}

static void write_old(struct machine *machine, struct actor *actor)
{
    for (;;) {
        const sim_time began = actor->now;
        int64_t to_write = (int64_t)machine->nr_dirty;
        machine->ticks++;
        while (to_write > 0) {
            bool congested;
            o_yield_point(actor);
            const uint64_t left = write_files(machine, actor, true, &congested);
            to_write -= (int64_t)(PDFLUSH_PAGES - left);
            if (left > 0 && !congested) {
                break;
            }
            if (left > 0) {
                o_sleep_for_congestion(actor, 100 * MILLISECOND);
            }
        }
        o_sleep_for(actor, max_u64(began + 5 * SECOND, actor->now + SECOND) - actor->now);
    }
}

/* ---- both ------------------------------------------------------------------------------------ */

const struct device *o_flush_throttle(struct machine *machine, struct actor *actor,
                                      struct touch *touch, bool *congestion_p)
{
    *congestion_p = false;
    return machine->design.is_2_4 ? throttle_2_4(machine, actor, touch)
                                  : throttle_2_6(machine, actor, touch, congestion_p);
}

void o_flusher(struct machine *machine, struct actor *actor)
{
    machine->design.is_2_4 ? bdflush(machine, actor) : background_writeout(machine, actor);
}

void o_flusher_of_old(struct machine *machine, struct actor *actor)
{
    machine->design.is_2_4 ? kupdate(machine, actor) : write_old(machine, actor);
}
