#include "machine/epoch.h"

#include "machine/fault.h"
#include "machine/pte.h"

/* Touches miss the host's caches twice, at the reference and at the row; both are fetched ahead. */
enum { PREFETCH_REF = 64, PREFETCH_ROW = 32 };

static void prefetch_touch(const struct cell *cell, const struct touch *touches, size_t ntouches,
                           size_t i)
{
    if (i + PREFETCH_REF < ntouches) {
        const struct touch *touch = &touches[i + PREFETCH_REF];
        if (touch->vma != VMA_NONE) {
            __builtin_prefetch(pte_ref(cell, &cell->vmas[touch->vma], touch->page));
        }
    }
    if (i + PREFETCH_ROW < ntouches) {
        const struct touch *touch = &touches[i + PREFETCH_ROW];
        if (touch->vma != VMA_NONE) {
            uint32_t ref = *pte_ref(cell, &cell->vmas[touch->vma], touch->page);
            if (ref >= REF_FIRST_ROW) {
                __builtin_prefetch(&cell->rows[ref].word[pte_word_index(touch->page)], 1);
            }
            __builtin_prefetch(&cell->words[touch->page / PAGES_PER_WORD], 1);
        }
    }
}

void epoch_run(struct cell *cell, const struct touch *touches, size_t ntouches)
{
    sim_time end = cell->core->epoch_end;
    size_t next = 0;
    for (;;) {
        struct event event = event_next(cell);
        sim_time until = min_u64(event.at, end);
        while (next < ntouches && touches[next].at <= until) {
            prefetch_touch(cell, touches, ntouches, next);
            const struct touch *touch = &touches[next++];
            /* A process that stopped has no grant left; its later touches are drawn again. */
            if (cell->visitors[touch->process].grant > 0) {
                fault_touch(cell, touch);
                /* A fault may have brought an event forward. */
                event = event_next(cell);
                until = min_u64(event.at, end);
            }
        }
        if (event.at >= end) {
            return;
        }
        context_event(cell, event.id, event.at);
    }
}
