/* What the simulated TLB makes of a stream of accesses on this host. */
#ifndef THRASH_COMMANDS_TLB_PREDICTION_H
#define THRASH_COMMANDS_TLB_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "config/arena.h"
#include "config/tlb_config.h"
#include "host/counter_events.h"
#include "host/translation/stream.h"
#include "machine/tlb.h"

struct tlb_predictor {
    struct tlb_config config;
    char choice[200]; /* which TLB it is and why: "zen4, of this processor (AMD Zen 4)" */
    struct tlb tlb;
    uint64_t *entries;
    uint64_t *offsets;
    struct tlb_access *accesses;
};

/* `asked`: a name in configs/tlb or a file; NULL: that of the processor, else the nearest. Texts
 * belong to the arena. Released with tlb_predictor_close(). */
enum status tlb_predictor_open(const char *asked, const struct host_cpu *cpu,
                               enum host_processor processor, struct config_arena *arena,
                               struct tlb_predictor *predictor_p);
void tlb_predictor_close(struct tlb_predictor *predictor);

/* Per access. */
struct tlb_prediction {
    double l1_misses; /* of the first level, walks included */
    double walks;
    double time; /* ns that translating takes, if nothing overlaps it */
};

/* Whether the simulated machine has pages of this size. */
bool tlb_predictor_knows(const struct tlb_predictor *predictor, byte_count page);

/* What it maps with pages of this size; 0 if the simulated machine has none. */
byte_count tlb_predictor_reach(const struct tlb_predictor *predictor, byte_count page);

/* The next `n` accesses of a stream over pages of `page` bytes, which tlb_predictor_knows(), by an
 * empty TLB that is warmed up with the accesses before them. The memory is read, as links are. */
struct tlb_prediction tlb_predict(struct tlb_predictor *predictor, struct stream stream,
                                  byte_count page, uint64_t n);

#endif
