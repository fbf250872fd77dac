#include "designs/swap_out_2_4.h"

#include <assert.h>

#include "base/mutant.h"
#include "machine/lru.h"
#include "machine/map.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/rmap.h"
#include "machine/version.h"

enum phase { PICK_MM, LOCK_MM, SCAN_MM };

static struct swap_out_machine *machine_state(const struct cell *cell)
{
    return (struct swap_out_machine *)(void *)cell->core->design;
}

static uint32_t init_mm(const struct cell *cell)
{
    return (uint32_t)cell->plan->nprocesses;
}

void swap_out_begin(const struct cell *cell, struct swap_out_call *call, enum zone_index zone_class,
                    unsigned rounds)
{
    *call = (struct swap_out_call){
        .phase = PICK_MM,
        .zone_class = (uint32_t)zone_class,
        .wanted = MUTANT(SWAP_OUT_QUOTA, cell_batch(cell), 2 * cell_batch(cell)),
        .rounds = rounds,
    };
}

/* The mm at the cursor, after stepping over init_mm and those that finished their lap, which start
 * anew. False when there is no mm but init_mm. */
static bool pick_mm(struct cell *cell, struct swap_out_call *call)
{
    struct swap_out_machine *machine = machine_state(cell);
    uint32_t mm = machine->swap_mm;
    if (cell->core->nmms == 0) {
        return false;
    }
    while (mm == init_mm(cell) || !cell->mms[mm].alive || cell->mms[mm].scan_address == SCAN_END) {
        if (mm != init_mm(cell)) {
            cell->mms[mm].scan_address = SCAN_START;
        }
        mm = mm == init_mm(cell) ? 0 : mm + 1;
        if (mm == machine->swap_mm) {
            return false;
        }
        machine->swap_mm = mm;
    }
    call->mm = mm;
    return true;
}

/* The first vma that ends above an address, by halves; false when there is none. */
static bool find_vma(const struct cell *cell, const struct mm *mm, uint64_t address, vma_id *vma_p)
{
    /* Those that are not there are among the others, and few. */
    for (vma_id i = mm->first_vma; mm->has_absent && i < mm->first_vma + mm->nvmas; i++) {
        if (cell->vmas[i].attached && address < cell->vmas[i].vpn + cell->vmas[i].npages) {
            *vma_p = i;
            return true;
        }
    }
    vma_id low = mm->has_absent ? mm->first_vma + mm->nvmas : mm->first_vma;
    vma_id high = mm->first_vma + mm->nvmas;
    while (low < high) {
        const vma_id middle = low + (high - low) / 2;
        if (address < cell->vmas[middle].vpn + cell->vmas[middle].npages) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *vma_p = low;
    return low < mm->first_vma + mm->nvmas;
}

/* Ends the visit to an mm: the scan goes on in the next one, or is done. */
static void leave_mm(struct cell *cell, struct actor *actor, struct swap_out_call *call)
{
    lock_release(cell, &cell->mms[call->mm].lock, actor->now);
    call->phase = PICK_MM;
}

/* --- one pte ------------------------------------------------------------------------------ */

/* Planes of one word and what the scan may unmap in it. */
static uint64_t word_in_class(const struct page_word *word, enum zone_index zone_class)
{
    uint64_t low = word->plane[PLANE_ZONE_LOW];
    uint64_t high = word->plane[PLANE_ZONE_HIGH];
    switch (zone_class) {
    case ZONE_DMA:
        return ~low & ~high;
    case ZONE_NORMAL:
        return ~high;
    default:
        return ~0ULL;
    }
}

/* An anonymous page cannot be unmapped unless it has, or gets, a place in swap; a clean one that
 * has none is dropped. False: the pte stays. */
static bool prepare_anonymous(struct cell *cell, struct actor *actor, page_id page)
{
    if (page_is(cell->words, page, PLANE_SWAPCACHE)) {
        return true;
    }
    bool dirty = page_is(cell->words, page, PLANE_DIRTY) ||
                 page_is(cell->words, page, PLANE_PTE_DIRTY);
    return !dirty || residence_to_swapcache(cell, actor, page);
}

void swap_out_drop_page(struct cell *cell, const struct actor *actor, page_id page)
{
    struct context *context = &cell->contexts[actor->context];
    enum zone_index zone = page_zone(cell, page);
    lru_remove(cell, page);
    residence_count_delay(cell, page, actor->now);
    residence_leave(cell, page);
    count(cell, METRIC_PAGES_FREED, 1);
    if (MUTANT(KEEP_FREED_FRAME, true, false) && context->task == TASK_RECLAIM &&
        !context->held_frame && (unsigned)zone <= context->reclaim_class) {
        zone_take(cell, zone, OWNER_HANDED);
        context->held_frame = true;
        context->held_zone = (uint8_t)zone;
    }
}

/* try_to_swap_out(): returns whether the page became freeable. */
static bool try_to_swap_out(struct cell *cell, struct actor *actor, enum zone_index zone_class,
                            const struct vma *vma, page_id page)
{
    struct page_word *word = &cell->words[page / PAGES_PER_WORD];
    uint64_t bit = page_bit(page);
    uint32_t *ref = pte_ref(cell, vma, page);
    count(cell, METRIC_PTES_VISITED, 1);
    charge(cell, actor, COST_PTE_VISIT, 1);
    if (cell->objects[vma->object].locked && MUTANT(LOCKED_VMA, true, false)) {
        residence_mark_accessed(cell, actor, page);
        return false;
    }
    if (MUTANT(YOUNG_BIT, (pte_read(cell, *ref, page).young & bit) != 0, false)) {
        pte_write(cell, ref, page)->young &= ~bit;
        residence_mark_accessed(cell, actor, page);
        return false;
    }
    if ((MUTANT(ACTIVE_PAGE, word->plane[PLANE_ACTIVE], 0) & bit) != 0 ||
        (word_in_class(word, zone_class) & bit) == 0) {
        return false;
    }
    if ((word->plane[PLANE_LOCKED] & bit) != 0) {
        count(cell, METRIC_PAGE_LOCK_FAILURES, 1);
        return false;
    }
    bool anon = page_is_anon(cell, page);
    if (anon && !prepare_anonymous(cell, actor, page)) {
        return false;
    }
    struct pte_pair *pair = pte_write(cell, ref, page);
    pair->present &= ~bit;
    pair->young &= ~bit;
    map_dropped(cell, &cell->mms[vma->mm], page);
    charge(cell, actor, COST_PTE_UNMAP, 1);
    if (!anon && cell->mapcount[page] > 0 && cell->design->rmap->unmap_others != NULL &&
        MUTANT(SCAN_OTHERS, true, false)) {
        rmap_unmap_others(cell, actor, vma->mm, page);
    }
    /* page_count - !!buffers <= 2, before the scan's own reference is put: the page cache or swap
     * cache holds one, this pte's is the other. An anonymous page outside of both has none. */
    bool cached = !anon || page_is(cell->words, page, PLANE_SWAPCACHE);
    unsigned references = (cached ? 1U : 0U) + cell->mapcount[page] + 1U;
    if (!cached && cell->mapcount[page] == 0) {
        charge(cell, actor, COST_PAGE_ALLOC, 1);
        residence_clear_dirty(cell, page);
        swap_out_drop_page(cell, actor, page);
    }
    return references <= MUTANT(CREDIT_THRESHOLD, 2U, 3U);
}

/* --- 64 ptes at once ---------------------------------------------------------------------- */

/* The part of a word up to the pte that brings the last credit wanted, and how many it brings.
 * Only for pages of files and shared memory, where unmapping cannot fail. */
static uint64_t cut_at_quota(const struct cell *cell, page_id first, uint64_t unmap,
                             uint32_t wanted, uint32_t *credits_p)
{
    uint32_t credits = 0;
    for (uint64_t rest = unmap; rest != 0; rest &= rest - 1) {
        unsigned i = (unsigned)__builtin_ctzll(rest);
        credits += cell->mapcount[first + i] <= MUTANT(CREDIT_THRESHOLD, 1U, 2U);
        if (credits == wanted) {
            *credits_p = credits;
            return i == 63 ? ~0ULL : (2ULL << i) - 1;
        }
    }
    *credits_p = credits;
    return ~0ULL;
}

static void unmap_word(struct cell *cell, struct mm *mm, page_id first, struct pte_pair *pair,
                       uint64_t unmap)
{
    struct page_word *word = &cell->words[first / PAGES_PER_WORD];
    uint64_t n = (uint64_t)__builtin_popcountll(unmap);
    pair->present &= ~unmap;
    word->plane[PLANE_DIRTY] |= word->plane[PLANE_PTE_DIRTY] & unmap;
    word->plane[PLANE_PTE_DIRTY] &= ~unmap;
    for (uint64_t rest = unmap; rest != 0; rest &= rest - 1) {
        page_id page = first + (page_id)__builtin_ctzll(rest);
        cell->core->nr_mapped -= --cell->mapcount[page] == 0;
    }
    cell->core->ptes_present -= n;
    mm->rss -= n;
    count(cell, METRIC_PTES_UNMAPPED, n);
}

/* Does what try_to_swap_out() would do for each present pte of a word, one after the other. Returns
 * false, with nothing done, when the slice could end within the word, another context has the LRU
 * lock, the pages are anonymous or locked into memory, or unmapping one touches other mms: then the
 * ptes are taken one by one. */
static bool scan_whole_word(struct cell *cell, struct actor *actor, sim_time slice_end,
                            struct swap_out_call *call, const struct vma *vma, page_id first,
                            uint64_t mask, page_id *next_p)
{
    struct page_word *word = &cell->words[first / PAGES_PER_WORD];
    uint32_t *ref = pte_ref(cell, vma, first);
    struct pte_pair pair = pte_read(cell, *ref, first);
    uint64_t present = pair.present & mask;
    uint64_t young = MUTANT(YOUNG_BIT, pair.young & present, 0);
    uint64_t old = present & ~young & ~MUTANT(ACTIVE_PAGE, word->plane[PLANE_ACTIVE], 0) &
                   word_in_class(word, (enum zone_index)call->zone_class);
    uint64_t unmap = old & ~word->plane[PLANE_LOCKED];
    uint64_t activate = young & ~word->plane[PLANE_ACTIVE] & word->plane[PLANE_REFERENCED] &
                        word->plane[PLANE_ON_LRU];
    const sim_time *cost = cell->cost;
    struct sim_lock *lru_lock = &cell->core->lru_lock[0];
    sim_time most = (uint64_t)__builtin_popcountll(present) * cost[COST_PTE_VISIT] +
                    (uint64_t)__builtin_popcountll(unmap) * cost[COST_PTE_UNMAP] +
                    (uint64_t)__builtin_popcountll(activate) * cost[COST_LRU_MOVE];
    const struct object *object = &cell->objects[vma->object];
    if (actor->now + most >= slice_end || (activate != 0 && lru_lock->busy_until > actor->now) ||
        object->kind == OBJECT_ANON || object->locked ||
        (unmap != 0 && cell->design->rmap->unmap_others != NULL)) {
        return false;
    }
    uint32_t credits;
    uint64_t within = cut_at_quota(cell, first, unmap, call->wanted, &credits);
    present &= within;
    young &= within;
    unmap &= within;
    activate &= within;
    if (young != 0 || unmap != 0) {
        struct pte_pair *row = pte_write(cell, ref, first);
        row->young &= ~(young | unmap);
        if (unmap != 0) {
            unmap_word(cell, &cell->mms[vma->mm], first, row, unmap);
        }
    }
    word->plane[PLANE_REFERENCED] = (word->plane[PLANE_REFERENCED] | young) & ~activate;
    if (activate != 0) {
        /* When the last of them is done: all that comes up to it in the word. */
        uint64_t upto = ~0ULL >> __builtin_clzll(activate);
        lru_lock->contenders = 1;
        lru_lock->busy_until = actor->now +
                               (uint64_t)__builtin_popcountll(present & upto) *
                                   cost[COST_PTE_VISIT] +
                               (uint64_t)__builtin_popcountll(unmap & upto) * cost[COST_PTE_UNMAP] +
                               (uint64_t)__builtin_popcountll(activate) * cost[COST_LRU_MOVE];
        for (uint64_t rest = activate; rest != 0; rest &= rest - 1) {
            lru_activate(cell, first + (page_id)__builtin_ctzll(rest));
        }
    }
    count(cell, METRIC_PTES_VISITED, (uint64_t)__builtin_popcountll(present));
    count(cell, METRIC_PAGE_LOCK_FAILURES,
          (uint64_t)__builtin_popcountll(old & word->plane[PLANE_LOCKED] & within));
    charge(cell, actor, COST_PTE_VISIT, (uint64_t)__builtin_popcountll(present));
    charge(cell, actor, COST_PTE_UNMAP, (uint64_t)__builtin_popcountll(unmap));
    charge(cell, actor, COST_LRU_MOVE, (uint64_t)__builtin_popcountll(activate));
    call->wanted -= credits;
    if (within != ~0ULL) {
        *next_p = first + 64 - (page_id)__builtin_clzll(within);
    }
    return true;
}

/* --- one mm ------------------------------------------------------------------------------- */

/* Scans what is left of the word at call->page. STEP_AGAIN: the slice ended, call->page is the pte
 * to visit next. STEP_DONE: the word is done, or the quota is, and call->page is past it. */
static enum step scan_word(struct cell *cell, struct actor *actor, sim_time slice_end,
                           struct swap_out_call *call, const struct vma *vma, page_id end)
{
    page_id word_first = call->page / PAGES_PER_WORD * PAGES_PER_WORD;
    uint64_t mask = word_mask(word_first, call->page, end);
    page_id word_end = (page_id)min_u64((uint64_t)word_first + PAGES_PER_WORD, end);
    if (call->skipped_in != word_first) {
        if (call->skipped_in == PAGE_NONE || word_first % PAGES_PER_CHUNK == 0) {
            charge_table_access(cell, actor, 1);
        }
        call->skipped_in = word_first;
        uint64_t empty = mask & ~version_present(cell, vma, word_first);
        charge(cell, actor, COST_PTE_SKIP, (uint64_t)__builtin_popcountll(empty));
    }
    page_id next = word_end;
    if (scan_whole_word(cell, actor, slice_end, call, vma, word_first, mask, &next)) {
        call->page = (page_id)min_u64(next, word_end);
        return STEP_DONE;
    }
    while (call->page < word_end) {
        uint64_t present = version_present(cell, vma, word_first) &
                           word_mask(word_first, call->page, end);
        if (present == 0) {
            call->page = word_end;
            break;
        }
        page_id page = word_first + (page_id)__builtin_ctzll(present);
        if (actor->now >= slice_end) {
            call->page = page;
            return STEP_AGAIN;
        }
        call->page = page + 1;
        if (try_to_swap_out(cell, actor, (enum zone_index)call->zone_class, vma,
                            version_of(cell, vma, page)) &&
            --call->wanted == 0) {
            break;
        }
    }
    return STEP_DONE;
}

/* Scans one vma from call->page on, to its end or until the quota is used up. */
static enum step scan_vma(struct cell *cell, struct actor *actor, sim_time slice_end,
                          struct swap_out_call *call, const struct vma *vma)
{
    page_id end = vma->first + vma->npages;
    while (call->page < end && call->wanted > 0) {
        if (actor->now >= slice_end) {
            return STEP_AGAIN;
        }
        page_id chunk_end = (page_id)min_u64(
            (uint64_t)call->page / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, end);
        uint32_t *ref = pte_ref(cell, vma, call->page);
        if (*ref == REF_NONE) {
            charge(cell, actor, COST_PTE_SKIP, 1);
            call->page = chunk_end;
            continue;
        }
        if (scan_word(cell, actor, slice_end, call, vma, end) == STEP_AGAIN) {
            return STEP_AGAIN;
        }
        if (call->page == chunk_end) {
            pte_compact(cell, ref);
        }
    }
    return STEP_DONE;
}

/* swap_out_mm() from where the call stands. */
static enum step scan_mm(struct cell *cell, struct actor *actor, sim_time slice_end,
                         struct swap_out_call *call)
{
    struct mm *mm = &cell->mms[call->mm];
    for (;;) {
        const struct vma *vma = &cell->vmas[call->vma];
        if (scan_vma(cell, actor, slice_end, call, vma) == STEP_AGAIN) {
            return STEP_AGAIN;
        }
        mm->scan_address = vma->vpn + MUTANT(RESUME_POINT, call->page - vma->first, 0);
        /* The next vma is looked for before the quota: a scan that stops within the last vma of an
         * mm leaves the rest of it to the next lap. */
        do {
            call->vma++;
        } while (call->vma < mm->first_vma + mm->nvmas && !cell->vmas[call->vma].attached);
        if (call->vma == mm->first_vma + mm->nvmas) {
            mm->scan_address = SCAN_END;
            return STEP_DONE;
        }
        call->page = cell->vmas[call->vma].first;
        call->skipped_in = PAGE_NONE;
        if (call->wanted == 0) {
            return STEP_DONE;
        }
    }
}

/* Takes the page_table_lock of the mm and finds where to go on in it. */
static enum step lock_mm(struct cell *cell, struct actor *actor, struct context *context,
                         struct swap_out_call *call)
{
    struct mm *mm = &cell->mms[call->mm];
    if (mm->lock.holder != CONTEXT_NONE) {
        context->spin_mm = call->mm;
        context->may_resched = false;
        return STEP_SPIN;
    }
    lock_enter(cell, actor, &mm->lock, LOCK_KIND_MM);
    charge(cell, actor, COST_LOCK, 1);
    lock_hold(cell, &mm->lock, actor->context);
    if (!mm->alive || mm->scan_address == SCAN_END || machine_state(cell)->swap_mm != call->mm) {
        /* Another reclaimer finished this mm meanwhile: it does not count as tried. */
        call->counter++;
        leave_mm(cell, actor, call);
        return STEP_DONE;
    }
    if (!find_vma(cell, mm, mm->scan_address, &call->vma)) {
        mm->scan_address = SCAN_END;
        leave_mm(cell, actor, call);
        return STEP_DONE;
    }
    const struct vma *vma = &cell->vmas[call->vma];
    uint64_t into = mm->scan_address > vma->vpn ? mm->scan_address - vma->vpn : 0;
    call->page = vma->first + (page_id)into;
    call->skipped_in = PAGE_NONE;
    call->phase = SCAN_MM;
    return STEP_DONE;
}

enum step swap_out_step(struct cell *cell, struct actor *actor, struct context *context,
                        struct swap_out_call *call)
{
    if (call->rounds > 0) { /* mms are counted when it begins to run */
        call->counter = (int64_t)call->rounds * cell->core->nmms;
        call->rounds = 0;
    }
    for (;;) {
        enum step step = STEP_DONE;
        switch ((enum phase)call->phase) {
        case PICK_MM:
            if (actor->now >= context->slice_end || cpu_should_yield(cell, context)) {
                return STEP_AGAIN;
            }
            if (call->counter < 0 || !pick_mm(cell, call)) {
                call->succeeded = false;
                return STEP_DONE;
            }
            charge(cell, actor, COST_LOCK, 1);
            call->phase = LOCK_MM;
            break;
        case LOCK_MM:
            step = lock_mm(cell, actor, context, call);
            if (step == STEP_SPIN) {
                return step;
            }
            if (call->phase == PICK_MM) {
                call->counter--;
            }
            break;
        case SCAN_MM:
            if (scan_mm(cell, actor, context->slice_end, call) == STEP_AGAIN) {
                context->may_resched = false; /* the page_table_lock is held */
                return STEP_AGAIN;
            }
            leave_mm(cell, actor, call);
            if (call->wanted == 0) {
                call->succeeded = true;
                return STEP_DONE;
            }
            call->counter--;
            break;
        }
    }
}
