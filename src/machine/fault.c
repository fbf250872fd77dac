#include "machine/fault.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/lru.h"
#include "machine/map.h"
#include "machine/pte.h"
#include "machine/readin.h"
#include "machine/residence.h"
#include "machine/rmap.h"
#include "machine/tags.h"
#include "machine/version.h"
#include "machine/writeback.h"

/* What came of one part of a fault. */
enum progress {
    GO_ON,
    STOPPED, /* the process's context now waits, reclaims or spins */
};

static enum progress reclaim_first(struct cell *cell, const struct touch *touch,
                                   enum zone_index class, const struct actor *actor)
{
    context_begin_reclaim(cell, touch, class, actor->now);
    return STOPPED;
}

static enum progress wait_for_page(struct cell *cell, const struct touch *touch,
                                   const struct actor *actor)
{
    cell->contexts[actor->context].waited_for_device = true;
    residence_end_memory_wait(cell, actor->context, actor->now); /* the page has its frame */
    context_begin_wait(cell, touch, WAIT_PAGE, touch->page, TIME_NEVER, actor->now);
    return STOPPED;
}

/* A page in the swap cache goes back to the page cache (shared memory), or may keep its slot until
 * swap is half full (anonymous memory). Waits for I/O that the era's fault path would wait for. */
static enum progress use_swapcache(struct cell *cell, const struct touch *touch,
                                   struct actor *actor)
{
    page_id page = touch->page;
    charge(cell, actor, COST_PAGE_CACHE, 1);
    if (page_is_anon(cell, page)) {
        if (page_is(cell->words, page, PLANE_LOCKED)) {
            return wait_for_page(cell, touch, actor);
        }
        if (swap_is_half_full(cell) && !page_is_busy(cell, page) &&
            MUTANT(EXCLUSIVE_SWAP, !version_is_shared(cell, page), true)) {
            (void)residence_from_swapcache(cell, actor, page); /* anonymous: needs no node */
        }
        return GO_ON;
    }
    if (page_is_busy(cell, page)) {
        return wait_for_page(cell, touch, actor);
    }
    if (residence_from_swapcache(cell, actor, page) != FRAME_OK) {
        return reclaim_first(cell, touch, zone_kernel_class(cell), actor);
    }
    return GO_ON;
}

static enum progress make_page(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    enum zone_index class;
    enum zone_index zone;
    const struct object *object = page_object(cell, touch->page);
    if (residence_take_page(cell, actor, touch->page, &zone, &class) != FRAME_OK) {
        return reclaim_first(cell, touch, class, actor);
    }
    charge(cell, actor, COST_PAGE_ZERO, 1);
    charge(cell, actor, COST_LRU_MOVE, 1);
    bool active = object->kind == OBJECT_ANON && cell->design->reclaim->rules.anon_new_active;
    residence_enter(cell, touch->page, zone, active);
    cell->contexts[actor->context].made_page = true;
    return GO_ON;
}

static enum progress read_page(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    enum zone_index class;
    uint32_t device = residence_device(cell, touch->page);
    charge(cell, actor, COST_FAULT_MAJOR, 1);
    if (!device_has_room(cell, device)) {
        cell->contexts[actor->context].waited_for_device = true;
        context_begin_wait(cell, touch, WAIT_QUEUE, device, TIME_NEVER, actor->now);
        return STOPPED;
    }
    if (readin_start(cell, actor, touch->page, (enum access)touch->access, &class) != FRAME_OK) {
        return reclaim_first(cell, touch, class, actor);
    }
    return wait_for_page(cell, touch, actor);
}

/* Brings the page into memory, ready to be mapped or copied from. */
static enum progress need_page(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    page_id page = touch->page;
    if (page_is(cell->words, page, PLANE_RESIDENT)) {
        if (page_is(cell->words, page, PLANE_READING)) {
            return wait_for_page(cell, touch, actor);
        }
        if (page_is(cell->words, page, PLANE_SWAPCACHE)) {
            return use_swapcache(cell, touch, actor);
        }
        return GO_ON;
    }
    if (cell->slot[page] != 0 || page_object(cell, page)->kind == OBJECT_FILE) {
        return read_page(cell, touch, actor);
    }
    return make_page(cell, touch, actor);
}

/* Books a finished fault as what it was. */
static void count_fault(struct cell *cell, struct context *context)
{
    if (context->made_page) {
        count(cell, METRIC_NEW_PAGES, 1);
    } else if (context->waited_for_device) {
        count(cell, METRIC_MAJOR_FAULTS, 1);
    } else {
        count(cell, METRIC_MINOR_FAULTS, 1);
    }
}

static void leave_mm(struct cell *cell, const struct actor *actor, struct mm *mm)
{
    lock_leave(actor, &mm->lock);
    cell->core->mm_locks_busy_until = max_u64(cell->core->mm_locks_busy_until, actor->now);
}

/* A version of its own for a process that stores to one that others have, or that has none. */
static enum progress make_version(struct cell *cell, struct touch *touch, struct actor *actor,
                                  bool copies)
{
    const struct vma *vma = &cell->vmas[touch->vma];
    page_id from = touch->page;
    page_id base = version_base(&cell->objects[vma->object], from);
    bool had = version_of(cell, vma, base) != PAGE_NONE;
    enum zone_index zone;
    if (residence_take_frame(cell, actor, zone_user_class(cell), OWNER_ANON, &zone) != FRAME_OK) {
        return reclaim_first(cell, touch, zone_user_class(cell), actor);
    }
    page_id to = version_place(cell, vma, base);
    if (copies && rmap_prepare(cell, actor, to) != FRAME_OK) {
        zone_give(cell, zone, OWNER_ANON);
        return reclaim_first(cell, touch, zone_kernel_class(cell), actor);
    }
    charge(cell, actor, copies ? COST_PAGE_COPY : COST_PAGE_ZERO, 1);
    charge(cell, actor, COST_LRU_MOVE, 1);
    residence_enter(cell, to, zone, cell->design->reclaim->rules.anon_new_active);
    if (copies) {
        tags_copied(cell, from, to);
        count(cell, METRIC_PAGES_COPIED, 1);
    }
    if (had && pte_is_present(cell, vma, from)) {
        charge(cell, actor, COST_PTE_ZAP, 1);
        map_clear(cell, vma, from);
        rmap_remove(cell, actor, from / PAGES_PER_WORD * PAGES_PER_WORD, page_bit(from));
    }
    if (had) {
        version_detach(cell, actor, vma, base);
    }
    version_attach(cell, vma, base, to);
    cell->contexts[actor->context].made_page = true;
    touch->page = to;
    return GO_ON;
}

/* The same as need_page() for anonymous memory that has versions. *copied_p: the page is a copy. */
static enum progress need_version(struct cell *cell, struct touch *touch, struct actor *actor,
                                  bool *copied_p)
{
    const struct vma *vma = &cell->vmas[touch->vma];
    const struct object *object = &cell->objects[vma->object];
    page_id page = touch->page;
    bool has = version_of(cell, vma, version_base(object, page)) == page;
    bool kept = has && (page_is(cell->words, page, PLANE_RESIDENT) || cell->slot[page] != 0);
    bool shared = has && *version_attached(cell, object, page) > 1;
    bool copies = kept && MUTANT(COPY_ON_WRITE, shared, false) && touch->access == ACCESS_WRITE;
    *copied_p = copies;
    if (has && !kept && !shared) {
        return make_page(cell, touch, actor);
    }
    if (kept && !pte_is_present(cell, vma, page)) {
        enum progress progress = need_page(cell, touch, actor);
        if (progress == STOPPED) {
            return progress;
        }
    }
    return !kept || copies ? make_version(cell, touch, actor, copies) : GO_ON;
}

/* A store to a page that only this process has, write-protected since others had it as well. */
static bool reuse_version(struct cell *cell, const struct touch *touch)
{
    const struct vma *vma = &cell->vmas[touch->vma];
    if (touch->access == ACCESS_WRITE) {
        page_clear(cell->words, touch->page, PLANE_PROTECTED);
    }
    if (!pte_is_present(cell, vma, touch->page)) {
        return false;
    }
    pte_write(cell, pte_ref(cell, vma, touch->page), touch->page)->young |= page_bit(touch->page);
    page_set(cell->words, touch->page, PLANE_PTE_DIRTY);
    return true;
}

static enum progress fault_on_mapping(struct cell *cell, struct touch *touch, struct actor *actor)
{
    const struct vma *vma = &cell->vmas[touch->vma];
    bool copied = false;
    struct mm *mm = &cell->mms[vma->mm];
    if (mm->lock.holder != CONTEXT_NONE) {
        context_begin_spin(cell, touch, &mm->lock, actor->now);
        return STOPPED;
    }
    lock_enter(cell, actor, &mm->lock, LOCK_KIND_MM);
    charge(cell, actor, COST_FAULT_MINOR, 1);
    charge(cell, actor, COST_LOCK, 1);
    charge_entry(cell, actor);
    charge_table_access(cell, actor, 1);
    leave_mm(cell, actor, mm);
    page_id base = version_base(&cell->objects[vma->object], touch->page);
    if (map_need_table(cell, actor, vma, base) != FRAME_OK) {
        return reclaim_first(cell, touch, map_table_class(cell), actor);
    }
    if ((vma_has_versions(vma) ? need_version(cell, touch, actor, &copied)
                               : need_page(cell, touch, actor)) == STOPPED) {
        return STOPPED;
    }
    if (vma_has_versions(vma) && reuse_version(cell, touch)) {
        leave_mm(cell, actor, mm);
        count_fault(cell, &cell->contexts[actor->context]);
        return GO_ON;
    }
    /* A copy was only made once its reverse map had what it needs. */
    if (!copied && rmap_prepare(cell, actor, touch->page) != FRAME_OK) {
        return reclaim_first(cell, touch, zone_kernel_class(cell), actor);
    }
    if (MUTANT(MARK_ON_FAULT, !copied, false)) {
        residence_mark_accessed(cell, actor, touch->page);
    }
    charge_table_access(cell, actor, 1);
    map_set(cell, vma, touch->page, touch->access == ACCESS_WRITE);
    rmap_add(cell, actor, touch->page);
    leave_mm(cell, actor, mm);
    count_fault(cell, &cell->contexts[actor->context]);
    return GO_ON;
}

/* read(2) of one page: through the page cache, with read-ahead. */
static enum progress read_call(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    charge_system_call(cell, actor);
    charge(cell, actor, COST_PAGE_CACHE, 1);
    if (!page_is(cell->words, touch->page, PLANE_RESIDENT)) {
        return read_page(cell, touch, actor);
    }
    readin_ahead(cell, actor, touch->page);
    if (page_is(cell->words, touch->page, PLANE_READING)) {
        return wait_for_page(cell, touch, actor);
    }
    charge(cell, actor, COST_PAGE_COPY, 1);
    charge_user_access(cell, actor, 1);
    residence_mark_accessed(cell, actor, touch->page);
    return GO_ON;
}

static enum progress wait_as_told(struct cell *cell, const struct touch *touch,
                                  const struct actor *actor)
{
    const struct context *context = &cell->contexts[actor->context];
    context_begin_wait(cell, touch, (enum wait_for)context->wait, context->wait_device,
                       context->wait_until, actor->now);
    return STOPPED;
}

/* write(2) of a whole page that was not there before: into the page cache. */
static enum progress write_call(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    struct context *context = &cell->contexts[actor->context];
    if (!context->file_written) {
        enum zone_index zone;
        enum zone_index class;
        charge_system_call(cell, actor);
        charge(cell, actor, COST_PAGE_CACHE, 1);
        if (residence_take_page(cell, actor, touch->page, &zone, &class) != FRAME_OK) {
            return reclaim_first(cell, touch, class, actor);
        }
        charge(cell, actor, COST_LRU_MOVE, 1);
        charge(cell, actor, COST_PAGE_COPY, 1);
        charge_user_access(cell, actor, 1);
        residence_enter(cell, touch->page, zone, false);
        writeback_dirtied(cell, touch->page);
        count(cell, METRIC_FILE_WRITE_BYTES, PAGE_BYTES);
        context->file_written = true;
    }
    enum step step = cell->design->reclaim->writeback->throttle(cell, actor, context, touch->page);
    return step == STEP_WAIT ? wait_as_told(cell, touch, actor) : GO_ON;
}

/* write(2) to a raw device: past all caches. */
static enum progress raw_write(struct cell *cell, const struct touch *touch, struct actor *actor)
{
    uint32_t device = cell->nswap_devices + touch->page;
    charge_system_call(cell, actor);
    if (!device_has_room(cell, device)) {
        context_begin_wait(cell, touch, WAIT_QUEUE, device, TIME_NEVER, actor->now);
        return STOPPED;
    }
    charge(cell, actor, COST_IO_SUBMIT, 1);
    device_submit(cell, device, FILE_WRITE, 0, 1, 0, actor->now);
    count(cell, METRIC_RAW_WRITE_BYTES, PAGE_BYTES);
    return GO_ON;
}

static void count_touch(struct cell *cell, const struct touch *touch, sim_time now)
{
    struct visitor *visitor = &cell->visitors[touch->process];
    if (touch->counted) {
        visitor->touches++;
        count(cell, METRIC_TOUCHES, 1);
    } else if (touch->access != ACCESS_RAW_WRITE) {
        count(cell, METRIC_PRIVATE_TOUCHES, 1);
    }
    if (touch->access != ACCESS_RAW_WRITE) {
        tags_touched(cell, touch);
    }
    if (touch->last) {
        outbox_post(&cell->outbox, MESSAGE_FINISHED, touch->process, now, touch->ordinal + 1);
    }
}

/* What the context remembers of a touch that took more than one try ends with it. */
static void forget_tries(struct cell *cell, uint32_t id, sim_time now)
{
    struct context *context = &cell->contexts[id];
    context->made_page = false;
    context->waited_for_device = false;
    context->waited_for_frames = false;
    context->file_written = false;
    if (context->held_frame) {
        /* Handed to it, but no longer needed. */
        context->held_frame = false;
        zone_give(cell, (enum zone_index)context->held_zone, OWNER_HANDED);
    }
    residence_end_memory_wait(cell, id, now);
}

/* True when the pte was present: the access is done with. */
static bool touch_present(struct cell *cell, const struct touch *touch)
{
    const struct vma *vma = &cell->vmas[touch->vma];
    if (vma->page_class != PAGES_SMALL) {
        return true; /* mapped as a whole before the clock started, and never unmapped */
    }
    uint32_t *ref = pte_ref(cell, vma, touch->page);
    struct pte_pair pair = pte_read(cell, *ref, touch->page);
    uint64_t bit = page_bit(touch->page);
    if ((pair.present & bit) == 0) {
        return false;
    }
    if ((pair.young & bit) == 0) {
        pte_write(cell, ref, touch->page)->young |= bit;
    }
    if (touch->access == ACCESS_WRITE) {
        page_set(cell->words, touch->page, PLANE_PTE_DIRTY);
    }
    return true;
}

/* One try of what the hardware cannot do alone; false: the process now waits. */
static bool try_in_kernel(struct cell *cell, struct touch *touch, sim_time now)
{
    struct visitor *visitor = &cell->visitors[touch->process];
    struct actor actor = {now, CONTEXT_FIRST_PROCESS + touch->process};
    enum progress progress;
    if (touch->vma != VMA_NONE) {
        progress = fault_on_mapping(cell, touch, &actor);
        visitor->fault_time = add_saturated(visitor->fault_time, actor.now - now);
    } else if (touch->access == ACCESS_FILE_READ) {
        progress = read_call(cell, touch, &actor);
    } else if (touch->access == ACCESS_FILE_WRITE) {
        progress = write_call(cell, touch, &actor);
    } else {
        progress = raw_write(cell, touch, &actor);
    }
    visitor->used = add_saturated(visitor->used, actor.now - now);
    return progress == GO_ON;
}

/* The hardware alone: the pte is there and allows the access. */
static bool touch_in_user_mode(struct cell *cell, const struct touch *touch)
{
    if (touch->access == ACCESS_WRITE && page_is(cell->words, touch->page, PLANE_PROTECTED)) {
        return false;
    }
    return touch_present(cell, touch);
}

bool fault_retry(struct cell *cell, const struct touch *touch, sim_time now)
{
    struct touch aimed = *touch;
    version_aim(cell, &aimed);
    bool present = touch->vma != VMA_NONE && touch_in_user_mode(cell, &aimed);
    if (!present && !try_in_kernel(cell, &aimed, now)) {
        return false;
    }
    forget_tries(cell, CONTEXT_FIRST_PROCESS + touch->process, now);
    count_touch(cell, &aimed, now);
    return true;
}

void fault_operation_done(struct cell *cell, const struct touch *touch, sim_time now)
{
    forget_tries(cell, CONTEXT_FIRST_PROCESS + touch->process, now);
    const struct operation_call *call = &cell->operations[touch->process].call;
    bool home = touch->process % cell->ncells == cell->id;
    cell->visitors[touch->process].operated++;
    outbox_post(&cell->outbox, MESSAGE_OPERATED, touch->process, now, 0);
    count(cell, METRIC_OPERATIONS, home);
    count(cell, METRIC_FORKS, home && call->kind == OPERATION_FORK);
    count(cell, METRIC_EXECS, home && call->kind == OPERATION_EXEC);
    if (call->kind == OPERATION_EXIT) {
        cell->visitors[touch->process].next_at = TIME_NEVER;
        cell->visitors[touch->process].operation_at = TIME_NEVER;
        outbox_post(&cell->outbox, MESSAGE_EXITED, touch->process, now, call->last);
        return;
    }
    cell->visitors[touch->process].blocked = false;
    outbox_post(&cell->outbox, MESSAGE_WOKEN, touch->process, now, 0);
    if (call->kind == OPERATION_FORK && call->wait_for != PROCESS_NONE) {
        outbox_post(&cell->outbox, MESSAGE_WAITS, touch->process, call->wait_for, 0);
    }
}

bool fault_touch(struct cell *cell, const struct touch *touch)
{
    struct visitor *visitor = &cell->visitors[touch->process];
    assert(!visitor->blocked);
    if (touch->access == ACCESS_OPERATION) {
        visitor->operation_ordinal = touch->ordinal + 1;
        visitor->operation_at = touch->next_at;
        context_begin_operation(cell, touch);
        return false;
    }
    visitor->ordinal = touch->ordinal + 1;
    visitor->next_at = touch->next_at;
    bool versions = touch->vma != VMA_NONE && vma_has_versions(&cell->vmas[touch->vma]);
    if (touch->vma != VMA_NONE && !versions && touch_present(cell, touch)) {
        count_touch(cell, touch, touch->at);
        return true;
    }
    struct touch aimed = *touch;
    version_aim(cell, &aimed);
    if (versions && touch_in_user_mode(cell, &aimed)) {
        count_touch(cell, &aimed, touch->at);
        return true;
    }
    if (try_in_kernel(cell, &aimed, touch->at)) {
        forget_tries(cell, CONTEXT_FIRST_PROCESS + touch->process, touch->at);
        count_touch(cell, &aimed, touch->at);
    }
    return false;
}
