/* What all ranks of a run know alike, in a checkpoint. */
#ifndef THRASH_ENGINE_CHECKPOINT_COMMON_H
#define THRASH_ENGINE_CHECKPOINT_COMMON_H

#include "engine/run.h"
#include "engine/sections.h"

/* Of all ranks, since the run began. */
struct common_totals {
    double now; /* wall time, of run_seconds(), at which the checkpoint was begun */
    uint64_t messages;
    struct exchange_totals exchange;
};

void common_save(const struct run *run, const struct common_totals *totals,
                 struct sections *sections);

/* Totals of ranks go to rank 0. `bytes` are aligned to 8. STATUS_FAILED, naming the file, when they
 * are not what was saved. */
enum status common_load(struct run *run, const char *name, const void *bytes, size_t size);

#endif
