#include "engine/watch.h"

#include <stdio.h>
#include <string.h>

void watch_begin(struct watch *watch)
{
    *watch = (struct watch){
        .reclaim_since = TIME_NEVER,
        .first_reclaim = TIME_NEVER,
        .first_free = TIME_NEVER,
    };
}

void watch_begin_pressure(struct watch *watch, sim_time now, uint64_t touches)
{
    watch->warmup_time = now;
    watch->warmup_touches = touches;
    watch->under_pressure = true;
}

static void follow_reclaim(struct watch *watch, const struct ledger *ledger, uint64_t freed,
                           bool running)
{
    bool pressure = watch->under_pressure;
    if (running && watch->reclaim_since == TIME_NEVER) {
        watch->reclaim_since = ledger->epoch_start;
        watch->last_free = ledger->epoch_start;
    }
    /* Reclaim may begin and end between two looks, or have begun before the pressure phase. */
    if (pressure && watch->first_reclaim == TIME_NEVER && (running || freed > watch->freed)) {
        watch->first_reclaim = ledger->epoch_start;
    }
    if (freed > watch->freed) {
        if (pressure && watch->first_free == TIME_NEVER) {
            watch->first_free = ledger->epoch_end;
        }
        watch->last_free = ledger->epoch_end;
        watch->freed = freed;
    } else if (watch->reclaim_since != TIME_NEVER) {
        watch->longest_gap = max_u64(watch->longest_gap, ledger->epoch_end - watch->last_free);
    }
    if (!running) {
        watch->reclaim_since = TIME_NEVER;
    }
}

static void judge_livelock(struct watch *watch, const struct ledger *ledger,
                           const struct ledger_sums *sums, struct recording *recording)
{
    sim_time stall = ledger->scenario->stall;
    sim_time now = ledger->epoch_end;
    if (now < watch->next_look) {
        return;
    }
    watch->next_look += max_u64(1, stall / WATCH_POINTS);
    size_t slot = watch->nlooks++ % (WATCH_POINTS + 1);
    size_t oldest = watch->nlooks % (WATCH_POINTS + 1);
    watch->looks_freed[slot] = sums->freed;
    watch->looks_touches[slot] = sums->touches;
    if (watch->nlooks <= WATCH_POINTS || recording->verdict == VERDICT_LIVELOCK ||
        watch->reclaim_since == TIME_NEVER || now - watch->reclaim_since < stall) {
        return;
    }
    uint64_t freed = watch->looks_freed[slot] - watch->looks_freed[oldest];
    uint64_t touches = watch->looks_touches[slot] - watch->looks_touches[oldest];
    bool starved = sums->longest_wait >= stall && (uint128)freed * 100 < sums->demanded;
    bool stopped = watch->warmup_time > 0 && (uint128)touches * 100 * watch->warmup_time <
                                                 (uint128)watch->warmup_touches * stall;
    if (starved || stopped) {
        recording->verdict = VERDICT_LIVELOCK;
        recording->verdict_time = now;
        snprintf(recording->verdict_detail, sizeof recording->verdict_detail,
                 "reclaim ran for %.0f s: %" PRIu64 " pages freed of %" PRIu64
                 " demanded, longest wait for memory %.1f s, %" PRIu64 " touches",
                 sim_seconds(stall), freed, sums->demanded, sim_seconds(sums->longest_wait),
                 touches);
    }
}

void watch_epoch(struct watch *watch, const struct ledger *ledger, const struct ledger_sums *sums,
                 struct recording *recording)
{
    follow_reclaim(watch, ledger, sums->freed, sums->reclaiming);
    judge_livelock(watch, ledger, sums, recording);
}
