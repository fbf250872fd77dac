#include "machine/translation.h"

#include "base/mutant.h"

/* With so many recent touches, all of them count half. */
enum { RECENT_TOUCHES = 65536 };

/* Where processes share CPUs, one that stops or has had its time loses its own. */
static bool cpus_are_shared(const struct cell *cell)
{
    return cell->plan->nprocesses > cell->scenario->machine.cpus;
}

static uint64_t touches_in_slice(const struct cell *cell, process_id process)
{
    sim_time work = cell->plan->processes[process].work_per_touch;
    return max_u64(1, cell->scenario->machine.timeslice / work);
}

void translation_follow(struct cell *cell, process_id process, const struct home *home)
{
    struct translation *translation = translation_of(cell, process);
    if (translation->generation != home->generation) {
        translation->generation = home->generation;
        translation->touches = 0;
        if (MUTANT(BIRTH_FLUSH, true, false)) {
            tlb_flush(&cell->tlb, translation_entries(cell, process), TLB_FLUSH_ALL);
        }
    }
}

uint64_t translation_next(struct cell *cell, process_id process, const struct home *home,
                          uint64_t upto, bool *simulate_p)
{
    struct translation *translation = translation_of(cell, process);
    uint64_t length = touches_in_slice(cell, process);
    uint64_t slice = translation->touches / length;
    bool switched = translation->stops != home->stops || translation->touches % length == 0;
    *simulate_p = slice % cell->scenario->machine.tlb_sampling == 0;
    if (*simulate_p) {
        /* What it was emptied in slices that are not simulated, it is at the begin of the next. */
        if (switched && cpus_are_shared(cell) && MUTANT(SWITCH_FLUSH, true, false)) {
            tlb_flush(&cell->tlb, translation_entries(cell, process), TLB_FLUSH_SWITCH);
        }
        translation->stops = home->stops;
    }
    uint64_t n = min_u64(upto, (slice + 1) * length) - translation->touches;
    return *simulate_p ? min_u64(n, RECENT_TOUCHES - translation->recent_touches) : n;
}

void translation_add(struct cell *cell, process_id process, const struct tlb_counts *counts)
{
    struct translation *translation = translation_of(cell, process);
    translation->touches += counts->accesses;
    translation->recent_touches += counts->accesses;
    translation->recent_misses += counts->misses;
    translation->recent_time += counts->time;
    if (translation->recent_touches == RECENT_TOUCHES) {
        translation->recent_touches /= 2;
        translation->recent_misses /= 2;
        translation->recent_time /= 2;
    }
    count(cell, METRIC_TLB_ACCESSES, counts->accesses);
    count(cell, METRIC_TLB_MISSES, counts->misses);
}

void translation_skip(struct cell *cell, process_id process, uint64_t n)
{
    struct translation *translation = translation_of(cell, process);
    translation->touches += n;
    count(cell, METRIC_TLB_ACCESSES, n);
    if (translation->recent_touches > 0) {
        uint64_t ratio = muldiv((uint64_t)1 << 32, translation->recent_misses,
                                translation->recent_touches);
        uint128 misses = (uint128)n * ratio + translation->misses_fraction;
        translation->misses_fraction = (uint64_t)misses & UINT32_MAX;
        count(cell, METRIC_TLB_MISSES, (uint64_t)(misses >> 32));
    }
}

void translation_post(struct cell *cell, process_id process)
{
    struct translation *translation = translation_of(cell, process);
    if (translation->recent_touches == 0) {
        return;
    }
    sim_time now = translation->recent_time / translation->recent_touches;
    sim_time change = now > translation->posted ? now - translation->posted
                                                : translation->posted - now;
    if (change > translation->posted / 256) {
        outbox_post(&cell->outbox, MESSAGE_TRANSLATION, process, now, 0);
        translation->posted = now;
    }
}

struct translation_reach translation_reach(const struct cell *cell)
{
    struct translation_reach reach = {0, 0};
    for (uint64_t p = cell->id; cell->tlb.nentries > 0 && p < cell->plan->nprocesses;
         p += cell->ncells) {
        if (translation_of(cell, (process_id)p)->touches > 0) {
            reach.mapped += tlb_mapped(&cell->tlb, translation_entries(cell, (process_id)p));
            reach.processes++;
        }
    }
    return reach;
}
