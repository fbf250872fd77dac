/* One touch of a page by a process: docs/model.md, section 4. It is done at once, or stops at what
 * its process has to wait for and is tried again from the start. */
#include "oracle/parts.h"

enum { READ_WINDOW = 32 };

enum outcome { TOUCHED, STOPPED };

static enum outcome wait_for_page(struct machine *machine, const struct actor *actor,
                                  struct touch *touch, const struct page *page)
{
    struct context *context = actor->process->context;
    touch->waited = true;
    o_memory_wait_over(machine, actor->process, actor->now);
    context->wait = (struct wait){.page = page, .until = TIME_NEVER};
    context->next = NEXT_SLEEP;
    return STOPPED;
}

static enum outcome wait_for_room(const struct actor *actor, struct touch *touch,
                                  const struct device *device)
{
    struct context *context = actor->process->context;
    touch->waited = true;
    context->wait = (struct wait){.room = device, .until = TIME_NEVER};
    context->next = NEXT_SLEEP;
    return STOPPED;
}

static enum outcome wait_for_lock(const struct actor *actor, struct lock *lock)
{
    struct context *context = actor->process->context;
    context->wait = (struct wait){.lock = lock, .until = TIME_NEVER};
    context->next = NEXT_SPIN;
    return STOPPED;
}

static enum outcome reclaim_for(const struct actor *actor, enum zone_number class)
{
    struct process *process = actor->process;
    if (process->memory_wait_since == TIME_NEVER) {
        process->memory_wait_since = actor->now;
    }
    process->context->class = class;
    process->context->next = NEXT_RECLAIM;
    return STOPPED;
}

/* The tag that a store leaves and a load must find. */
static void access_content(struct machine *machine, struct page *page,
                           const struct process *process, bool store)
{
    if (store) {
        page->content = (struct tag){process->number + 1, ++machine->stores};
        page->last_store = page->content;
        return;
    }
    REQUIRE(page->content.process == page->last_store.process);
    REQUIRE(page->content.store == page->last_store.store);
    machine->loads_checked++;
}

/* Takes a page that is in the swap cache into use. */
static enum outcome from_swap_cache(struct machine *machine, struct actor *actor,
                                    struct touch *touch)
{
    struct page *page = touch->page;
    charge(machine, actor, COST_PAGE_CACHE);
    if (page->locked) {
        return wait_for_page(machine, actor, touch, page);
    }
    if (page->object->kind == OBJECT_ANON) {
        if (o_swap_used(machine) * 2 > machine->swap_slots && !page->writeback &&
            page->attached <= 1) {
            REQUIRE(o_page_out_of_swap_cache(machine, actor, page));
        }
        return TOUCHED;
    }
    if (page->writeback) {
        return wait_for_page(machine, actor, touch, page);
    }
    return o_page_out_of_swap_cache(machine, actor, page)
               ? TOUCHED
               : reclaim_for(actor, machine->kernel_class);
}

static enum outcome read_in(struct machine *machine, struct actor *actor, struct touch *touch,
                            bool by_read)
{
    struct page *page = touch->page;
    struct device *device = o_page_device(page);
    charge(machine, actor, COST_FAULT_MAJOR);
    if (!o_device_has_room(device)) {
        return wait_for_room(actor, touch, device);
    }
    enum zone_number class;
    if (!o_read_page(machine, actor, page, by_read, &class)) {
        return reclaim_for(actor, class);
    }
    return wait_for_page(machine, actor, touch, page);
}

static enum outcome make_page(struct machine *machine, struct actor *actor, struct touch *touch)
{
    struct page *page = touch->page;
    enum zone_number class;
    struct zone *zone = o_page_take(machine, actor, page, &class);
    if (zone == NULL) {
        return reclaim_for(actor, class);
    }
    charge(machine, actor, COST_PAGE_ZERO);
    charge(machine, actor, COST_LRU_MOVE);
    o_page_enter(machine, page, zone, page->object->kind == OBJECT_ANON && !machine->design.is_2_4);
    touch->made_page = true;
    return TOUCHED;
}

static enum outcome find_page(struct machine *machine, struct actor *actor, struct touch *touch)
{
    const struct page *page = touch->page;
    if (page->reading) {
        return wait_for_page(machine, actor, touch, page);
    }
    if (o_page_in_swap_cache(page)) {
        return from_swap_cache(machine, actor, touch);
    }
    if (page->resident) {
        return TOUCHED;
    }
    if (page->swap_device != NULL || page->object->kind == OBJECT_FILE) {
        return read_in(machine, actor, touch, false);
    }
    return make_page(machine, actor, touch);
}

/* A version for a process that has none, or stores to one that others have as well. */
static enum outcome make_version(struct machine *machine, struct actor *actor, struct touch *touch,
                                 bool copies, struct chain_block **spare_p)
{
    struct page *old = touch->page;
    struct zone *zone = o_frame_take(machine, actor, machine->user_class, HELD_ANON);
    if (zone == NULL) {
        return reclaim_for(actor, machine->user_class);
    }
    struct page *page = o_version_new(touch->vma->object, touch->offset);
    if (copies && !o_rmap_prepare(machine, actor, page, spare_p)) {
        o_frame_give(machine, zone, HELD_ANON);
        return reclaim_for(actor, machine->kernel_class);
    }
    charge(machine, actor, copies ? COST_PAGE_COPY : COST_PAGE_ZERO);
    charge(machine, actor, COST_LRU_MOVE);
    o_page_enter(machine, page, zone, !machine->design.is_2_4);
    if (copies) {
        page->content = old->content;
        page->last_store = old->content;
        machine->count.pages_copied++;
    }
    struct pte *pte = o_mm_pte(&touch->process->mm, o_vma_address(touch->vma, page));
    if (pte->present) {
        REQUIRE(pte->page == old);
        charge(machine, actor, COST_PTE_ZAP);
        o_mm_zap_pte(machine, pte);
        o_rmap_remove(machine, actor, old, pte);
    }
    if (old != NULL) {
        o_version_detach(machine, actor, touch->vma, touch->offset);
    }
    o_version_attach(touch->vma, page);
    touch->made_page = true;
    touch->page = page;
    return TOUCHED;
}

static enum outcome find_version(struct machine *machine, struct actor *actor, struct touch *touch,
                                 bool mapped, bool *copied_p, struct chain_block **spare_p)
{
    const struct page *page = touch->page;
    const bool kept = page != NULL && (page->resident || page->swap_device != NULL);
    const bool shared = page != NULL && page->attached > 1;
    *copied_p = kept && shared && touch->access == BY_STORE;
    if (page != NULL && !kept && !shared) {
        return make_page(machine, actor, touch);
    }
    if (kept && !mapped) {
        const enum outcome outcome = find_page(machine, actor, touch);
        if (outcome == STOPPED) {
            return outcome;
        }
    }
    return !kept || *copied_p ? make_version(machine, actor, touch, *copied_p, spare_p) : TOUCHED;
}

static void count_fault(struct machine *machine, const struct touch *touch)
{
    if (touch->made_page) {
        machine->count.new_pages++;
    } else if (touch->waited) {
        machine->count.major_faults++;
    } else {
        machine->count.minor_faults++;
    }
}

static enum outcome fault(struct machine *machine, struct actor *actor, struct touch *touch)
{
    struct mm *mm = &touch->process->mm;
    struct page *page = touch->page;
    const bool versions = touch->vma->versions != NULL;
    const page_offset offset = versions ? touch->offset : page->offset;
    const uint64_t address = o_vma_address_at(touch->vma, offset);
    bool copied = false;
    if (mm->page_table_lock.holder != NULL) {
        return wait_for_lock(actor, &mm->page_table_lock);
    }
    o_lock_enter(machine, actor, &mm->page_table_lock, LOCK_KIND_MM);
    charge(machine, actor, COST_FAULT_MINOR);
    charge(machine, actor, COST_LOCK);
    charge_entry(machine, actor);
    charge_tables(machine, actor, 1);
    o_lock_leave(actor, &mm->page_table_lock);
    if (!o_mm_need_table(machine, actor, touch->vma, offset)) {
        return reclaim_for(actor, o_mm_table_class(machine));
    }
    struct pte *pte = o_mm_pte(mm, address);
    struct chain_block *spare;
    enum outcome outcome = versions
                               ? find_version(machine, actor, touch, pte->present, &copied, &spare)
                               : find_page(machine, actor, touch);
    if (outcome == STOPPED) {
        return outcome;
    }
    page = touch->page;
    if (versions && touch->access == BY_STORE) {
        page->protected = false;
    }
    if (pte->present) { /* it had only to be made writable */
        REQUIRE(versions && touch->access == BY_STORE && pte->page == page);
        pte->young = true;
        pte->dirty = true;
        o_lock_leave(actor, &mm->page_table_lock);
        count_fault(machine, touch);
        return TOUCHED;
    }
    if (!copied && !o_rmap_prepare(machine, actor, page, &spare)) {
        return reclaim_for(actor, machine->kernel_class);
    }
    if (!copied) {
        o_page_mark_accessed(machine, actor, page);
    }
    charge_tables(machine, actor, 1);
    o_mm_set_pte(machine, touch->vma, page, pte, touch->access == BY_STORE);
    o_rmap_add(machine, actor, page, pte, spare);
    o_lock_leave(actor, &mm->page_table_lock);
    count_fault(machine, touch);
    return TOUCHED;
}

static enum outcome touch_mapping(struct machine *machine, struct actor *actor, struct touch *touch)
{
    const bool store = touch->access == BY_STORE;
    if (touch->vma->object->page_size > PAGE_BYTES) {
        access_content(machine, touch->page, touch->process, store);
        return TOUCHED;
    }
    if (touch->vma->versions != NULL) {
        touch->page = *o_version_of(touch->vma, touch->offset);
    }
    const page_offset offset = touch->vma->versions != NULL ? touch->offset : touch->page->offset;
    struct pte *pte = o_mm_pte(&touch->process->mm, o_vma_address_at(touch->vma, offset));
    if (pte != NULL && pte->present && !(store && pte->page->protected)) {
        REQUIRE(pte->page == touch->page);
        pte->young = true;
        pte->dirty = pte->dirty || store;
    } else {
        const sim_time begin = actor->now;
        const enum outcome outcome = fault(machine, actor, touch);
        touch->process->mm.fault_time += actor->now - begin;
        if (outcome == STOPPED) {
            return outcome;
        }
    }
    access_content(machine, touch->page, touch->process, store);
    return TOUCHED;
}

/* One page, to or from the memory of a process. */
static void charge_copy(struct machine *machine, struct actor *actor)
{
    charge(machine, actor, COST_PAGE_COPY);
    if (machine->design.split_4g4g) {
        charge(machine, actor, COST_PTE_WALK);
        charge(machine, actor, COST_KMAP);
    }
}

static enum outcome read_file(struct machine *machine, struct actor *actor, struct touch *touch)
{
    struct page *page = touch->page;
    charge(machine, actor, COST_SYSCALL);
    charge_entry(machine, actor);
    charge(machine, actor, COST_PAGE_CACHE);
    if (!page->resident) {
        return read_in(machine, actor, touch, true);
    }
    if (page->offset % READ_WINDOW == 0) {
        o_read_ahead(machine, actor, page->object, page->offset + READ_WINDOW);
    }
    if (page->reading) {
        return wait_for_page(machine, actor, touch, page);
    }
    charge_copy(machine, actor);
    o_page_mark_accessed(machine, actor, page);
    access_content(machine, page, touch->process, false);
    return TOUCHED;
}

static enum outcome write_file(struct machine *machine, struct actor *actor, struct touch *touch)
{
    struct page *page = touch->page;
    if (!touch->written) {
        charge(machine, actor, COST_SYSCALL);
        charge_entry(machine, actor);
        charge(machine, actor, COST_PAGE_CACHE);
        enum zone_number class;
        struct zone *zone = o_page_take(machine, actor, page, &class);
        if (zone == NULL) {
            return reclaim_for(actor, class);
        }
        charge(machine, actor, COST_LRU_MOVE);
        charge_copy(machine, actor);
        o_page_enter(machine, page, zone, false);
        page->referenced = true;
        if (machine->design.is_2_4) {
            o_buffers_add(machine, page);
        }
        o_flush_dirtied(machine, page);
        access_content(machine, page, touch->process, true);
        machine->count.file_write_bytes += PAGE_BYTES;
        touch->written = true;
    }
    bool congestion;
    const struct device *room = o_flush_throttle(machine, actor, touch, &congestion);
    if (room != NULL) {
        return wait_for_room(actor, touch, room);
    }
    if (congestion) {
        struct context *context = actor->process->context;
        context->wait = (struct wait){.congestion = true, .until = actor->now + 100 * MILLISECOND};
        context->next = NEXT_SLEEP;
        return STOPPED;
    }
    return TOUCHED;
}

static enum outcome write_raw(struct machine *machine, struct actor *actor, struct touch *touch)
{
    struct device *disk = &machine->devices[machine->nswap_devices];
    charge(machine, actor, COST_SYSCALL);
    charge_entry(machine, actor);
    if (!o_device_has_room(disk)) {
        return wait_for_room(actor, touch, disk);
    }
    charge(machine, actor, COST_IO_SUBMIT);
    o_device_submit(disk, actor->now, true, NULL, 0, 1);
    machine->count.raw_write_bytes += PAGE_BYTES;
    return TOUCHED;
}

static void stop(struct process *process, sim_time now)
{
    if (!process->stopped) {
        process->stopped = true;
        process->stopped_at = now;
    }
}

static void finish(struct machine *machine, struct process *process, const struct touch *touch,
                   sim_time now)
{
    process->blocked = false;
    if (touch->counted) {
        machine->count.touches++;
        process->touches++;
    } else if (touch->access != BY_RAW_WRITE) {
        machine->count.private_touches++;
    }
    if (process->frame != NULL) {
        o_frame_give(machine, process->frame, HELD_BY_PROCESS);
        process->frame = NULL;
    }
    if (touch->last) {
        process->done = true;
        stop(process, now);
    }
}

/* False: it stopped. */
static bool attempt(struct machine *machine, struct process *process, struct touch *touch,
                    sim_time now)
{
    struct actor actor = {.now = now, .process = process};
    enum outcome outcome = STOPPED;
    switch (touch->access) {
    case BY_LOAD:
    case BY_STORE:
        outcome = touch_mapping(machine, &actor, touch);
        break;
    case BY_FILE_READ:
        outcome = read_file(machine, &actor, touch);
        break;
    case BY_FILE_WRITE:
        outcome = write_file(machine, &actor, touch);
        break;
    case BY_RAW_WRITE:
        outcome = write_raw(machine, &actor, touch);
        break;
    }
    process->new_debt += actor.now - now;
    if (outcome == TOUCHED) {
        o_memory_wait_over(machine, process, now);
        finish(machine, process, touch, now);
        return true;
    }
    o_context_stop_touch(machine, process->context, actor.now);
    return false;
}

void o_touch_first_try(struct machine *machine, struct process *process, const struct touch *touch)
{
    process->kept = *touch;
    if (!attempt(machine, process, &process->kept, touch->time)) {
        process->blocked = true;
        stop(process, touch->time);
    }
}

void o_operation_begin(struct machine *machine, struct process *process, sim_time now)
{
    process->blocked = true;
    stop(process, now);
    o_context_operate(machine, process->context, now);
}

void o_operation_done(struct machine *machine, struct process *process)
{
    machine->count.operations++;
    machine->count.forks += process->operation.kind == FORKS;
    machine->count.execs += process->operation.kind == EXECUTES;
    process->blocked = false;
    if (process->operation.kind == EXITS) {
        process->done = true;
    } else if (process->operation.kind == FORKS) {
        process->waits_for = process->operation.wait_for;
    }
    if (process->frame != NULL) {
        o_frame_give(machine, process->frame, HELD_BY_PROCESS);
        process->frame = NULL;
    }
}

void o_touch_try_again(struct machine *machine, struct process *process, sim_time now)
{
    struct context *context = process->context;
    o_context_book(machine, context, now);
    context->state = CONTEXT_IDLE;
    if (context->has_cpu) {
        o_cpu_release(machine, context, now);
    }
    attempt(machine, process, &process->kept, now);
}

void o_memory_wait_over(struct machine *machine, struct process *process, sim_time now)
{
    if (process->memory_wait_since != TIME_NEVER) {
        machine->count.allocation_wait_seconds += now - process->memory_wait_since;
        process->memory_wait_since = TIME_NEVER;
    }
}
