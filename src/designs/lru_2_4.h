/* Page reclaim of 2.4 as far as its releases agree: watermarks, the two global lists, kswapd's
 * round over the zones (docs/model.md, sections 6 and 10).
 *
 * A release has a file of its own for try_to_free_pages_zone() and for what direct reclaim does
 * afterwards. The functions carry the kernel's names. Each call in progress is a struct of its own
 * within the context, so that any of them can be left at any point and gone on with. */
#ifndef THRASH_DESIGNS_LRU_2_4_H
#define THRASH_DESIGNS_LRU_2_4_H

#include "designs/swap_out_2_4.h"

/* try_to_free_pages_zone() and below, in one context. */
enum free_phase {
    TRY,              /* begin one of the passes: shrink_caches() */
    REFILL,           /* refill_inactive(), then shrink_cache() */
    SHRINK_CLEAN,     /* a pass that frees clean pages alone; 2.4.23aa2 */
    SHRINK,           /* shrink_cache() */
    SWAP_FROM_SHRINK, /* swap_out() because too many mapped pages were met */
    REFILL_IN_SHRINK, /* and the refill that follows it; 2.4.23 */
    SWAP_FROM_TRY,    /* swap_out() because the pass did not free enough; 2.4.23 */
    FREED_ENOUGH,
    GAVE_UP,
};

struct free_call {
    uint32_t phase;
    uint32_t zone_class;  /* enum zone_index */
    uint32_t passes_left; /* the present one included: the priority of 2.4.22 */
    int64_t wanted;       /* pages still to be freed */
    bool scans_class;     /* max_scan counts pages of the class alone */
    bool failed_swapout;  /* 2.4.23: no swap_out() any more */
    uint64_t ratio;       /* refill: pages still to be moved */
    page_count max_scan;  /* shrink_cache(): pages still to be looked at */
    page_count max_clean; /* the pass for clean pages: the same */
    int64_t max_mapped;   /* of them mapped ones, before it turns to swap_out() */
    struct swap_out_call swap_out;
};

/* What reclaim has in a context. */
struct lru_2_4_state {
    struct free_call call;
    bool calling;  /* kswapd: a try_to_free_pages_zone() is in progress */
    uint32_t zone; /* kswapd: the one it balances */
};

struct lru_2_4_state *lru_2_4_state(struct context *context);

/* What a release does in its own way. */
struct lru_2_4_release {
    void (*begin_free)(const struct cell *cell, struct free_call *call, enum zone_index zone_class);
    /* Runs one phase of the call; the next one is in call->phase when it is done. */
    enum step (*run_phase)(struct cell *cell, struct actor *actor, struct context *context,
                           struct free_call *call);
};

/* The common part of reclaim_ops: watermarks, and the zone a frame is taken from. */
void lru_2_4_set_up(struct cell *cell);
enum frame_result lru_2_4_find_frame(struct cell *cell, enum zone_index zone_class, sim_time now,
                                     enum zone_index *zone_p);
page_count lru_2_4_frames_kept(const struct cell *cell, enum zone_index zone_class,
                               enum zone_index index, enum watermark watermark);

/* refill_inactive(), for call->ratio pages. */
enum step lru_2_4_refill(struct cell *cell, struct actor *actor, struct context *context,
                         struct free_call *call);

/* shrink_cache(), until call->max_scan pages were looked at or call->wanted freed. The phase
 * becomes SWAP_FROM_SHRINK when more than call->max_mapped of them were mapped. */
enum step lru_2_4_shrink(struct cell *cell, struct actor *actor, struct context *context,
                         struct free_call *call);

/* Frees of the next call->max_clean inactive pages those that can be at once: clean ones that only
 * their cache holds. Ends early when call->wanted are freed. */
enum step lru_2_4_shrink_clean(struct cell *cell, struct actor *actor, struct context *context,
                               struct free_call *call);

/* try_to_free_pages_zone(), to FREED_ENOUGH or GAVE_UP. */
enum step lru_2_4_free(struct cell *cell, struct actor *actor, struct context *context,
                       const struct lru_2_4_release *release);

/* Ends a pass that did not free enough. */
void lru_2_4_end_pass(struct free_call *call);

/* The end of an allocation that reclaimed: a frame of its class for the context, from a zone above
 * a watermark. False: there is none. */
bool lru_2_4_hand_over(struct cell *cell, struct actor *actor, struct context *context,
                       enum watermark watermark);

/* balance_dirty_state(): dirty buffers are above the mark at which bdflush is woken. */
bool writeback_2_4_is_dirty(const struct cell *cell);

/* kswapd(): balances the zones that need it, from the highest down and round again. */
void lru_2_4_begin_balance(struct cell *cell, struct context *context);
enum step lru_2_4_balance(struct cell *cell, struct actor *actor, struct context *context,
                          const struct lru_2_4_release *release);

#endif
