/* Operations on address spaces: docs/model.md, section 9a. */
#include "oracle/parts.h"

enum { WORD = 64, CHUNK = 512 };

static void take_page_table_lock(struct machine *machine, struct actor *actor, struct mm *mm)
{
    struct lock *lock = &mm->page_table_lock;
    while (lock->holder != NULL) {
        o_spin_for(actor, lock);
    }
    o_lock_enter(machine, actor, lock, LOCK_KIND_MM);
    charge(machine, actor, COST_LOCK);
    o_lock_hold(actor, lock);
}

/* The system call itself. */
static void enter_kernel(struct machine *machine, struct actor *actor)
{
    charge(machine, actor, COST_SYSCALL);
    charge_entry(machine, actor);
}

/* What takes longer than a slice, it may be. */
static void pay(const struct machine *machine, struct actor *actor, enum cost cost)
{
    for (sim_time owed = machine->cost[cost]; owed > 0;) {
        o_yield_point(actor);
        const sim_time part = min_u64(owed, actor->context->slice_end - actor->now);
        actor->now += part;
        owed -= part;
    }
}

/* The ptes of a chunk are come to at an offset of its vma. */
static void look_at_tables(struct machine *machine, struct actor *actor, const struct vma *vma,
                           page_offset offset, unsigned times)
{
    if (offset == vma->offset || offset % CHUNK == 0) {
        charge_tables(machine, actor, times);
    }
}

static struct pte *present_pte(const struct vma *vma, page_offset offset)
{
    struct pte *pte = o_mm_pte(vma->mm, o_vma_address_at(vma, offset));
    return pte != NULL && pte->present ? pte : NULL;
}

static bool is_swapped(const struct page *page)
{
    return page != NULL && (page->resident || page->swap_device != NULL);
}

/* Pages [from, to) of the object, within an aligned word. */
static void zap_word(struct machine *machine, struct actor *actor, const struct vma *vma,
                     page_offset from, page_offset to, bool marks)
{
    struct page *pages[WORD];
    struct pte *ptes[WORD];
    bool young[WORD];
    unsigned n = 0;
    for (page_offset offset = from; offset < to; offset++) {
        struct pte *pte = present_pte(vma, offset);
        if (pte == NULL) {
            const bool swapped = vma->versions != NULL && is_swapped(*o_version_of(vma, offset));
            charge(machine, actor, swapped ? COST_PTE_ZAP : COST_PTE_SKIP);
            continue;
        }
        ptes[n] = pte;
        pages[n] = pte->page;
        young[n++] = pte->young;
        o_mm_zap_pte(machine, pte);
        charge(machine, actor, COST_PTE_ZAP);
    }
    for (unsigned i = 0; i < n; i++) {
        if (young[i] && marks && !machine->design.is_2_4 && vma->object->kind != OBJECT_ANON) {
            o_page_mark_accessed(machine, actor, pages[i]);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        o_rmap_remove(machine, actor, pages[i], ptes[i]);
    }
    for (page_offset offset = from; vma->versions != NULL && offset < to; offset++) {
        if (*o_version_of(vma, offset) != NULL) {
            o_version_detach(machine, actor, vma, offset);
        }
    }
}

/* The first page of a word that would be dropped while I/O on it is under way. */
static const struct page *first_busy(const struct vma *vma, page_offset from, page_offset to)
{
    for (page_offset offset = from; vma->versions != NULL && offset < to; offset++) {
        const struct page *page = *o_version_of(vma, offset);
        if (page != NULL && page->attached == 1 && (page->locked || page->writeback)) {
            return page;
        }
    }
    return NULL;
}

static void zap(struct machine *machine, struct actor *actor, struct vma *vma, bool marks)
{
    const page_offset end = vma->offset + vma->pages;
    struct lock *lock = &vma->mm->page_table_lock;
    page_offset offset = vma->offset;
    while (offset < end) {
        o_yield_point(actor);
        bool *used = &vma->chunk_used[offset / CHUNK];
        if (!*used) {
            offset = min_u64((offset / CHUNK + 1) * CHUNK, end);
            continue;
        }
        const page_offset next = min_u64((offset / WORD + 1) * WORD, end);
        const struct page *busy = first_busy(vma, offset, next);
        if (busy != NULL) {
            o_lock_release(machine, actor, lock);
            o_sleep_for_page(actor, busy);
            o_yield_point(actor);
            take_page_table_lock(machine, actor, vma->mm);
            continue;
        }
        look_at_tables(machine, actor, vma, offset, 1);
        zap_word(machine, actor, vma, offset, next, marks);
        if (next == end || next % CHUNK == 0) {
            *used = false;
        }
        offset = next;
    }
    o_yield_point(actor);
}

static void change_vma(struct machine *machine, struct actor *actor, struct object *object)
{
    o_lock_enter(machine, actor, &object->vma_lock, LOCK_KIND_OBJECT);
    charge(machine, actor, COST_LOCK);
    charge(machine, actor, COST_VMA_CHANGE);
    o_lock_leave(actor, &object->vma_lock);
}

/* A vma is there from now on, behind all others of its object. */
static void came(struct vma *vma)
{
    vma->came = ++vma->object->ncame;
    o_tree_changed(vma->object);
}

static void move_window(struct machine *machine, struct actor *actor, struct vma *vma,
                        page_offset offset)
{
    o_yield_point(actor);
    enter_kernel(machine, actor);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, vma->mm);
    zap(machine, actor, vma, true);
    o_yield_point(actor);
    change_vma(machine, actor, vma->object);
    vma->gone = true;
    o_tree_changed(vma->object);
    o_mm_free_tables(machine, actor, vma);
    enter_kernel(machine, actor);
    change_vma(machine, actor, vma->object);
    vma->gone = false;
    vma->offset = offset;
    came(vma);
    o_lock_release(machine, actor, &vma->mm->page_table_lock);
}

/* One pte of a word goes to the other address. */
static void move_pte(struct machine *machine, struct actor *actor, struct pte *from, struct pte *to)
{
    struct page *page = from->page;
    REQUIRE(from->present && to != NULL && !to->present && from->mm == to->mm);
    charge(machine, actor, COST_PTE_UNMAP);
    *to = *from;
    *from = (struct pte){.mm = to->mm};
    o_rmap_move(machine, actor, page, from, to);
    machine->count.ptes_moved++;
}

/* False: there is no frame for the page table that it goes to. */
static bool move_word(struct machine *machine, struct actor *actor, const struct vma *from,
                      const struct vma *to, page_offset offset, page_offset end)
{
    bool any = false;
    for (page_offset i = offset; i < end; i++) {
        any = any || present_pte(from, i) != NULL;
    }
    if (any && !o_mm_need_table(machine, actor, to, offset)) {
        return false;
    }
    look_at_tables(machine, actor, from, offset, 2);
    for (page_offset i = offset; i < end; i++) {
        struct pte *pte = present_pte(from, i);
        charge(machine, actor, COST_LOCK);
        if (pte == NULL) {
            charge(machine, actor, COST_PTE_SKIP);
        } else {
            move_pte(machine, actor, pte, o_mm_pte(to->mm, o_vma_address_at(to, i)));
        }
    }
    return true;
}

static void take_lock_for_nothing(struct actor *actor, struct machine *machine, struct mm *mm)
{
    struct lock *lock = &mm->page_table_lock;
    while (lock->holder != NULL) {
        o_spin_for(actor, lock);
    }
    o_lock_enter(machine, actor, lock, LOCK_KIND_MM);
    o_lock_hold(actor, lock);
}

static void move_ptes(struct machine *machine, struct actor *actor, const struct vma *from,
                      const struct vma *to)
{
    const page_offset end = from->offset + from->pages;
    struct lock *lock = &from->mm->page_table_lock;
    page_offset offset = from->offset;
    while (offset < end) {
        o_yield_point(actor);
        bool *used = &from->chunk_used[offset / CHUNK];
        if (!*used) {
            offset = min_u64((offset / CHUNK + 1) * CHUNK, end);
            continue;
        }
        const page_offset next = min_u64((offset / WORD + 1) * WORD, end);
        take_lock_for_nothing(actor, machine, from->mm);
        if (!move_word(machine, actor, from, to, offset, next)) {
            o_lock_release(machine, actor, lock);
            o_reclaim_in_operation(machine, actor, o_mm_table_class(machine));
            continue;
        }
        if (next == end || next % CHUNK == 0) {
            *used = false;
        }
        o_lock_release(machine, actor, lock);
        offset = next;
    }
}

static void move_address(struct machine *machine, struct actor *actor, struct vma *from,
                         struct vma *to)
{
    struct mm *mm = from->mm;
    o_yield_point(actor);
    enter_kernel(machine, actor);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, mm);
    change_vma(machine, actor, to->object);
    to->gone = false;
    to->offset = from->offset;
    came(to);
    o_lock_release(machine, actor, &mm->page_table_lock);
    move_ptes(machine, actor, from, to);
    o_yield_point(actor);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, mm);
    change_vma(machine, actor, from->object);
    from->gone = true;
    o_tree_changed(from->object);
    o_mm_free_tables(machine, actor, from);
    o_lock_release(machine, actor, &mm->page_table_lock);
}

/* False: no frame of the class for what the pte needs. */
static bool install_page(struct machine *machine, struct actor *actor, const struct vma *vma,
                         page_offset offset, enum zone_number *class_p)
{
    struct page *page = &vma->object->pages[offset];
    struct chain_block *spare = NULL;
    charge(machine, actor, COST_LOCK);
    charge(machine, actor, COST_PAGE_CACHE);
    if (!page->resident || page->reading || o_page_in_swap_cache(page)) {
        charge(machine, actor, COST_PTE_SKIP);
        return true;
    }
    *class_p = o_mm_table_class(machine);
    if (!o_mm_need_table(machine, actor, vma, offset)) {
        return false;
    }
    *class_p = machine->kernel_class;
    if (!o_rmap_prepare(machine, actor, page, &spare)) {
        return false;
    }
    if (vma->object->kind == OBJECT_FILE) {
        o_page_mark_accessed(machine, actor, page);
    }
    charge(machine, actor, COST_PTE_COPY);
    struct pte *pte = o_mm_pte(vma->mm, o_vma_address_at(vma, offset));
    o_mm_set_pte(machine, vma, page, pte, false);
    o_rmap_add(machine, actor, page, pte, spare);
    return true;
}

static void move_pages(struct machine *machine, struct actor *actor, struct vma *vma,
                       page_offset to)
{
    struct mm *mm = vma->mm;
    o_yield_point(actor);
    enter_kernel(machine, actor);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, mm);
    zap(machine, actor, vma, false);
    vma->offset = to;
    o_lock_release(machine, actor, &mm->page_table_lock);
    page_offset offset = to;
    while (offset < to + vma->pages) {
        o_yield_point(actor);
        take_lock_for_nothing(actor, machine, mm);
        const page_offset next = min_u64((offset / WORD + 1) * WORD, to + vma->pages);
        enum zone_number class = machine->user_class;
        bool short_of_memory = false;
        look_at_tables(machine, actor, vma, offset, 1);
        while (offset < next && !short_of_memory) {
            short_of_memory = !install_page(machine, actor, vma, offset, &class);
            offset += !short_of_memory;
        }
        o_lock_release(machine, actor, &mm->page_table_lock);
        if (short_of_memory) {
            o_reclaim_in_operation(machine, actor, class);
        }
    }
    o_yield_point(actor);
}

/* All of an address space goes. */
static void empty_mm(struct machine *machine, struct actor *actor, struct mm *mm, enum cost cost)
{
    bool locked = false;
    o_yield_point(actor);
    enter_kernel(machine, actor);
    for (int i = 0; cost == COST_PROCESS_EXEC && machine->design.split_4g4g && i < 2; i++) {
        charge(machine, actor, COST_PTE_WALK);
        charge(machine, actor, COST_KMAP);
    }
    pay(machine, actor, cost);
    o_yield_point(actor);
    for (struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        if (!vma->gone) {
            if (!locked) {
                take_page_table_lock(machine, actor, mm);
                locked = true;
            }
            zap(machine, actor, vma, true);
        }
    }
    if (locked) {
        o_yield_point(actor);
    }
    for (struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        if (!vma->gone) {
            change_vma(machine, actor, vma->object);
            vma->gone = true;
            o_tree_changed(vma->object);
        }
    }
    for (struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        o_mm_free_tables(machine, actor, vma);
    }
}

static void unlock(struct machine *machine, struct actor *actor, struct mm *mm)
{
    if (mm->page_table_lock.holder == actor->context) {
        o_lock_release(machine, actor, &mm->page_table_lock);
    }
}

static void execute(struct machine *machine, struct actor *actor, struct mm *mm, unsigned image)
{
    empty_mm(machine, actor, mm, COST_PROCESS_EXEC);
    mm->family = ++machine->nfamilies;
    mm->swap_address = 0;
    mm->swap_finished = false;
    for (struct vma *vma = mm->vmas; vma != NULL; vma = vma->next_of_mm) {
        if (vma->image == 0 || vma->image == image) {
            change_vma(machine, actor, vma->object);
            vma->gone = false;
            came(vma);
        }
    }
    unlock(machine, actor, mm);
}

static void end_process(struct machine *machine, struct actor *actor, struct mm *mm)
{
    empty_mm(machine, actor, mm, COST_PROCESS_EXIT);
    o_process_free(machine, mm->process);
    mm->alive = false;
    unlock(machine, actor, mm);
}

/* ---- fork -------------------------------------------------------------------------------------
 */

static bool copy_page(struct machine *machine, struct actor *actor, const struct vma *from,
                      const struct vma *to, page_offset offset, enum zone_number *class_p)
{
    struct pte *pte = present_pte(from, offset);
    struct page *version = from->versions != NULL ? *o_version_of(from, offset) : NULL;
    const bool swapped = pte == NULL && is_swapped(version);
    if (pte == NULL && !swapped) {
        charge(machine, actor, COST_PTE_SKIP);
        return true;
    }
    *class_p = o_mm_table_class(machine);
    if (!o_mm_need_table(machine, actor, to, offset)) {
        return false;
    }
    *class_p = machine->kernel_class;
    struct chain_block *spare = NULL;
    if (pte != NULL && !o_rmap_prepare(machine, actor, pte->page, &spare)) {
        return false;
    }
    charge(machine, actor, COST_PTE_COPY);
    if (version != NULL) {
        o_version_attach(to, version);
        version->protected = true;
    }
    if (pte != NULL) {
        struct pte *copy = o_mm_pte(to->mm, to->start + offset - to->offset);
        o_mm_copy_pte(machine, to, pte->page, copy);
        copy->dirty = from->versions != NULL && pte->dirty; /* clean where memory is shared */
        o_rmap_add(machine, actor, pte->page, copy, spare);
    }
    return true;
}

static void take_both_locks(struct machine *machine, struct actor *actor, struct mm *parent,
                            struct mm *child)
{
    o_yield_point(actor);
    take_page_table_lock(machine, actor, parent);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, child);
    actor->context->stuck = true;
}

static void release_both_locks(struct machine *machine, struct actor *actor, struct mm *parent,
                               struct mm *child)
{
    o_lock_release(machine, actor, &child->page_table_lock);
    o_lock_release(machine, actor, &parent->page_table_lock);
}

static void copy_vma(struct machine *machine, struct actor *actor, const struct vma *from,
                     const struct vma *to)
{
    const page_offset end = from->offset + from->pages;
    page_offset offset = from->offset;
    while (offset < end) {
        o_yield_point(actor);
        if (!from->chunk_used[offset / CHUNK]) {
            offset = min_u64((offset / CHUNK + 1) * CHUNK, end);
            continue;
        }
        const page_offset next = min_u64((offset / WORD + 1) * WORD, end);
        look_at_tables(machine, actor, from, offset, 2);
        for (; offset < next; offset++) {
            enum zone_number class;
            if (!copy_page(machine, actor, from, to, offset, &class)) {
                release_both_locks(machine, actor, from->mm, to->mm);
                o_reclaim_in_operation(machine, actor, class);
                take_both_locks(machine, actor, from->mm, to->mm);
                break;
            }
        }
    }
    o_yield_point(actor);
}

static void make_child(struct machine *machine, struct actor *actor, struct mm *parent,
                       struct process *process)
{
    struct mm *child = &process->mm;
    bool locked = false;
    o_yield_point(actor);
    enter_kernel(machine, actor);
    child->alive = true;
    child->family = parent->family;
    child->swap_address = 0;
    child->swap_finished = false;
    pay(machine, actor, COST_PROCESS_FORK);
    o_yield_point(actor);
    while (!o_process_create(machine, actor, process)) {
        o_reclaim_in_operation(machine, actor, machine->kernel_class);
        o_yield_point(actor);
    }
    struct vma *to = child->vmas;
    for (const struct vma *from = parent->vmas; from != NULL; from = from->next_of_mm) {
        if (!from->gone) {
            change_vma(machine, actor, to->object);
            to->gone = false;
            to->offset = from->offset;
            came(to);
            if (!locked) {
                take_both_locks(machine, actor, parent, child);
                locked = true;
            }
            copy_vma(machine, actor, from, to);
        }
        to = to->next_of_mm;
    }
    if (locked) {
        release_both_locks(machine, actor, parent, child);
    }
    process->started = true;
    process->done = false;
    process->generation++;
    process->work = 0;
    process->calls = 0;
    o_workload_born(machine, process);
}

void o_operate(struct machine *machine, struct actor *actor)
{
    const struct operation *operation = &actor->process->operation;
    struct mm *mm = &actor->process->mm;
    switch (operation->kind) {
    case MOVES_WINDOW:
        move_window(machine, actor, operation->vma, operation->offset);
        break;
    case MOVES_ADDRESS:
        move_address(machine, actor, operation->vma, operation->to);
        break;
    case MOVES_PAGES:
        move_pages(machine, actor, operation->vma, operation->offset);
        break;
    case FORKS:
        make_child(machine, actor, mm, operation->child);
        break;
    case EXECUTES:
        execute(machine, actor, mm, operation->image);
        break;
    case EXITS:
        end_process(machine, actor, mm);
        break;
    }
}
