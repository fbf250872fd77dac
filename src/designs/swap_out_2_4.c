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

/* The present ptes of a word that a scan is at, and what becomes of them. */
struct word_scan {
    page_id first; /* page of the word */
    uint64_t present;
    uint64_t young;
    uint64_t old;      /* of pages that may be unmapped, unless they are locked */
    uint64_t unmap;    /* of old, those that are not */
    uint64_t activate; /* of young, those whose page was referenced before */
};

/* `mask`: the part of the word that is scanned. */
static struct word_scan look_at_word(const struct cell *cell, const struct swap_out_call *call,
                                     const struct vma *vma, page_id first, uint64_t mask)
{
    const struct page_word *word = &cell->words[first / PAGES_PER_WORD];
    struct pte_pair pair = pte_read(cell, *pte_ref(cell, vma, first), first);
    struct word_scan scan = {.first = first, .present = pair.present & mask};
    scan.young = MUTANT(YOUNG_BIT, pair.young & scan.present, 0);
    scan.old = scan.present & ~scan.young & ~MUTANT(ACTIVE_PAGE, word->plane[PLANE_ACTIVE], 0) &
               word_in_class(word, (enum zone_index)call->zone_class);
    scan.unmap = scan.old & ~word->plane[PLANE_LOCKED];
    scan.activate = scan.young & ~word->plane[PLANE_ACTIVE] & word->plane[PLANE_REFERENCED] &
                    word->plane[PLANE_ON_LRU];
    return scan;
}

static uint64_t number(uint64_t bits)
{
    return (uint64_t)__builtin_popcountll(bits);
}

/* What those of the ptes take that are in `which`. */
static sim_time time_of_word(const struct cell *cell, const struct word_scan *scan, uint64_t which)
{
    return number(scan->present & which) * cell->cost[COST_PTE_VISIT] +
           number(scan->unmap & which) * cell->cost[COST_PTE_UNMAP] +
           number(scan->activate & which) * cell->cost[COST_LRU_MOVE];
}

/* Moves the pages to the active list, in the LRU lock, which is busy until the last of them is
 * done: until all is that comes up to it in the word. */
static void activate_word(struct cell *cell, const struct actor *actor,
                          const struct word_scan *scan)
{
    struct sim_lock *lru_lock = &cell->core->lru_lock[0];
    const uint64_t upto = ~0ULL >> __builtin_clzll(scan->activate);
    lru_lock->contenders = 1;
    lru_lock->busy_until = actor->now + time_of_word(cell, scan, upto);
    for (uint64_t rest = scan->activate; rest != 0; rest &= rest - 1) {
        lru_activate(cell, scan->first + (page_id)__builtin_ctzll(rest));
    }
}

/* Carries out what a scan of a word found. */
static void finish_word(struct cell *cell, struct actor *actor, const struct vma *vma,
                        const struct word_scan *scan)
{
    struct page_word *word = &cell->words[scan->first / PAGES_PER_WORD];
    if (scan->young != 0 || scan->unmap != 0) {
        struct pte_pair *row = pte_write(cell, pte_ref(cell, vma, scan->first), scan->first);
        row->young &= ~(scan->young | scan->unmap);
        if (scan->unmap != 0) {
            unmap_word(cell, &cell->mms[vma->mm], scan->first, row, scan->unmap);
        }
    }
    word->plane[PLANE_REFERENCED] = (word->plane[PLANE_REFERENCED] | scan->young) & ~scan->activate;
    if (scan->activate != 0) {
        activate_word(cell, actor, scan);
    }
    count(cell, METRIC_PTES_VISITED, number(scan->present));
    count(cell, METRIC_PAGE_LOCK_FAILURES, number(scan->old & word->plane[PLANE_LOCKED]));
    charge(cell, actor, COST_PTE_VISIT, number(scan->present));
    charge(cell, actor, COST_PTE_UNMAP, number(scan->unmap));
    charge(cell, actor, COST_LRU_MOVE, number(scan->activate));
}

/* Does what try_to_swap_out() would do for each present pte of what is left of a word before `end`,
 * one after the other; call->page is past them then, or past the pte that used up the quota.
 * Returns false, with nothing done, when the slice could end within the word, another context has
 * the LRU lock, the pages are anonymous or locked into memory, or unmapping one touches other mms:
 * then the ptes are taken one by one. */
static bool scan_whole_word(struct cell *cell, struct actor *actor, sim_time slice_end,
                            struct swap_out_call *call, const struct vma *vma, page_id end)
{
    const page_id first = call->page / PAGES_PER_WORD * PAGES_PER_WORD;
    struct word_scan scan = look_at_word(cell, call, vma, first, word_mask(first, call->page, end));
    const struct object *object = &cell->objects[vma->object];
    if (actor->now + time_of_word(cell, &scan, ~0ULL) >= slice_end ||
        (scan.activate != 0 && cell->core->lru_lock[0].busy_until > actor->now) ||
        object->kind == OBJECT_ANON || object->locked ||
        (scan.unmap != 0 && cell->design->rmap->unmap_others != NULL)) {
        return false;
    }
    uint32_t credits;
    const uint64_t within = cut_at_quota(cell, first, scan.unmap, call->wanted, &credits);
    scan.present &= within;
    scan.young &= within;
    scan.old &= within;
    scan.unmap &= within;
    scan.activate &= within;
    finish_word(cell, actor, vma, &scan);
    call->wanted -= credits;
    call->page = (page_id)min_u64(first + (uint64_t)PAGES_PER_WORD, end);
    if (within != ~0ULL) {
        call->page = (page_id)min_u64(first + 64 - (uint64_t)__builtin_clzll(within), call->page);
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
    if (scan_whole_word(cell, actor, slice_end, call, vma, end)) {
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
