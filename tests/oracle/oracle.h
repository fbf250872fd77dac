/* The oracle: docs/model.md implemented a second time, naively, for machines of one cell.
 *
 * One struct per page and one per pte, real chain blocks, vma lists, LRU lists and page tables, and
 * kernel contexts that are plain functions on their own stacks. Nothing is shared with the
 * simulator but the scenario, the random numbers and the access tables. It also carries content
 * tags: a load must find what the last store wrote. What it finds wrong with itself ends the
 * program. */
#ifndef THRASH_ORACLE_H
#define THRASH_ORACLE_H

#include <stddef.h>

#include "config/scenario.h"
#include "oracle/counters.h"

/* Why a run ended; the names are those of the simulator's verdicts. */
enum oracle_end { ORACLE_COMPLETED, ORACLE_LIVELOCK, ORACLE_OOM, ORACLE_LOWMEM_EXHAUSTED };

struct oracle_sample {
    sim_time time;
    struct counters values;
};

struct oracle_result {
    bool too_small; /* the machine had no room for its kernel or for populate: nothing was run */
    struct oracle_sample *samples;
    size_t nsamples;
    struct counters at_pressure;
    enum oracle_end end;
    sim_time end_time;
    byte_count ballast;
    uint64_t loads_checked; /* of content tags */
};

/* Runs a scenario with one node and one cell. Release with oracle_free(). */
void oracle_run(const struct scenario *scenario, struct oracle_result *result);
void oracle_free(struct oracle_result *result);

/* "completed", ... */
const char *oracle_end_name(enum oracle_end end);

#endif
