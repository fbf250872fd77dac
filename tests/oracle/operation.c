/* Operations on address spaces: docs/model.md, section 9a. */
#include "oracle/parts.h"

enum { WORD = 64, CHUNK = 512 };

static void take_page_table_lock(struct machine *machine, struct actor *actor, struct mm *mm)
{
    struct lock *lock = &mm->page_table_lock;
    while (lock->holder != NULL) {
        o_spin_for(actor, lock);
    }
    o_lock_enter(machine, actor, lock);
    charge(machine, actor, COST_LOCK);
    o_lock_hold(actor, lock);
}

static struct pte *present_pte(const struct vma *vma, page_offset offset)
{
    struct pte *pte = o_mm_pte(vma->mm, vma->start + offset - vma->offset);
    return pte != NULL && pte->present ? pte : NULL;
}

/* Pages [from, to) of the object, within an aligned word. */
static void zap_word(struct machine *machine, struct actor *actor, const struct vma *vma,
                     page_offset from, page_offset to)
{
    struct page *pages[WORD];
    struct pte *ptes[WORD];
    bool young[WORD];
    unsigned n = 0;
    for (page_offset offset = from; offset < to; offset++) {
        struct pte *pte = present_pte(vma, offset);
        if (pte == NULL) {
            charge(machine, actor, COST_PTE_SKIP);
            continue;
        }
        ptes[n] = pte;
        pages[n] = pte->page;
        young[n++] = pte->young;
        o_mm_zap_pte(machine, pte);
        charge(machine, actor, COST_PTE_ZAP);
    }
    for (unsigned i = 0; i < n; i++) {
        if (young[i] && !machine->design.is_2_4 && vma->object->kind != OBJECT_ANON) {
            o_page_mark_accessed(machine, actor, pages[i]);
        }
    }
    for (unsigned i = 0; i < n; i++) {
        o_rmap_remove(machine, actor, pages[i], ptes[i]);
    }
}

static void zap(struct machine *machine, struct actor *actor, struct vma *vma)
{
    const page_offset end = vma->offset + vma->pages;
    page_offset offset = vma->offset;
    while (offset < end) {
        o_yield_point(actor);
        bool *used = &vma->chunk_used[offset / CHUNK];
        if (!*used) {
            offset = min_u64((offset / CHUNK + 1) * CHUNK, end);
            continue;
        }
        const page_offset next = min_u64((offset / WORD + 1) * WORD, end);
        zap_word(machine, actor, vma, offset, next);
        if (next == end || next % CHUNK == 0) {
            *used = false;
        }
        offset = next;
    }
    o_yield_point(actor);
}

static void change_vma(struct machine *machine, struct actor *actor, struct object *object)
{
    o_lock_enter(machine, actor, &object->vma_lock);
    charge(machine, actor, COST_LOCK);
    charge(machine, actor, COST_VMA_CHANGE);
    o_lock_leave(actor, &object->vma_lock);
}

void o_operate(struct machine *machine, struct actor *actor)
{
    const struct operation *operation = &actor->process->operation;
    struct vma *vma = operation->vma;
    o_yield_point(actor);
    charge(machine, actor, COST_SYSCALL);
    o_yield_point(actor);
    take_page_table_lock(machine, actor, vma->mm);
    zap(machine, actor, vma);
    o_lock_release(machine, actor, &vma->mm->page_table_lock);
    o_yield_point(actor);
    change_vma(machine, actor, vma->object);
    vma->gone = true;
    o_tree_changed(vma->object);
    o_mm_free_tables(machine, actor, vma);
    charge(machine, actor, COST_SYSCALL);
    change_vma(machine, actor, vma->object);
    vma->gone = false;
    vma->offset = operation->offset;
    vma->came = ++vma->object->ncame;
    o_tree_changed(vma->object);
}
