/* What a measurement of translation gave, on its way into tables. */
#ifndef THRASH_COMMANDS_TLB_RESULT_H
#define THRASH_COMMANDS_TLB_RESULT_H

#include "commands/tlb_prediction.h"
#include "host/counters.h"
#include "host/translation/geometry.h"
#include "host/translation/sweep.h"
#include "io/tables.h"

struct tlb_result {
    const struct sweep_plan *plan;
    const struct sweep_point *points; /* [backing][footprint] */
    const struct sweep_samples *samples;
    const struct tlb_prediction *predictions; /* [pattern][backing][footprint]; NaN: none */
    const struct tlb_predictor *predictor;
    const struct host_counters *counters;
    const struct tlb_geometry *geometry;
    const char *reach_source; /* where the first footprint comes from */
    const char *most_source;  /* and the last */
};

/* Appends texts, arrays and absences to the host's group of the section begun last, and to groups
 * "dependent" and "independent" of it; and lines for people. */
void tlb_result_put(const struct tlb_result *result, struct tables *tables);

#endif
