/* What a simulation leaves behind: every metric over time, per cell, and its verdict.
 *
 * Plain arrays that the engine fills and results/ writes. On many ranks each holds the per-cell
 * columns of its own cells, and all hold the machine-wide values. */
#ifndef THRASH_MACHINE_RECORDING_H
#define THRASH_MACHINE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/types.h"
#include "machine/metric.h"

enum verdict {
    VERDICT_COMPLETED,
    VERDICT_LIVELOCK,
    VERDICT_OOM,
    VERDICT_LOWMEM_EXHAUSTED,
    VERDICT_INTERRUPTED,
    VERDICT_COUNT
};

/* "completed", "livelock", ... */
const char *verdict_name(enum verdict verdict);

struct recording {
    size_t npoints;
    size_t capacity;
    sim_time *time;     /* [npoints], the end of each interval */
    uint64_t *machine;  /* [npoints][METRIC_COUNT], machine-wide, in the form of each metric */
    uint64_t *per_cell; /* [npoints][METRIC_COUNT][ncells_here]; metrics of SCOPE_RUN are unused */
    uint64_t peak[METRIC_COUNT]; /* of gauges, over all samples, machine-wide */

    cell_id ncells;      /* of the machine */
    cell_id first_cell;  /* of this rank */
    cell_id ncells_here; /* of this rank */

    sim_time pressure_began;            /* end of warm-up */
    double segment_touches_at_pressure; /* of the shared segment theta_cold is about */
    uint64_t at_pressure[METRIC_COUNT]; /* machine-wide values when the pressure phase began */

    enum verdict verdict;
    sim_time verdict_time;     /* when it was reached */
    char verdict_detail[512];  /* one sentence: what failed, who held what */
    process_id failed_process; /* whose allocation failed, when memory has run out */
    byte_count ballast;        /* as sized by the program or given */
    uint64_t tlb_sampling;     /* one slice in so many went through the TLB; 0: there is none */
};

/* The machine-wide value of a metric at the end, in its form; there is at least one point. */
static inline uint64_t recording_last(const struct recording *recording, enum metric metric)
{
    return recording->machine[(recording->npoints - 1) * METRIC_COUNT + metric];
}

/* Why a metric has no values in this run; NULL: it has. */
const char *recording_lacks(const struct recording *recording, enum metric metric);

/* Whether a metric is of the TLB, and so an estimate from samples unless all slices were simulated.
 */
bool metric_is_sampled(enum metric metric);

void recording_free(struct recording *recording);

#endif
