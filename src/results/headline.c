#include "results/headline.h"

#include <math.h>
#include <string.h>

const struct headline_info headline_table[HEADLINES] = {
    [HEADLINE_VISITS_PER_FREED] = {"visits_per_page_freed", "1"},
    [HEADLINE_MINOR_FAULTS_PER_FREED] = {"minor_faults_per_page_freed", "1"},
    [HEADLINE_PAGES_FREED] = {"pages_freed", "page"},
    [HEADLINE_TOUCHES_PER_SECOND] = {"touches_per_second", "1/s"},
    [HEADLINE_MAJOR_FAULTS] = {"major_faults", "1"},
    [HEADLINE_SWAP_OUT] = {"swap_out_bytes", "byte"},
    [HEADLINE_FIRST_FREE] = {"time_to_first_free", "s"},
    [HEADLINE_LONGEST_GAP] = {"longest_gap_without_free", "s"},
    [HEADLINE_RECLAIM_CPU] = {"reclaim_cpu_seconds", "s"},
    [HEADLINE_SPIN] = {"spin_seconds", "s"},
    [HEADLINE_ELAPSED] = {"elapsed_seconds", "s"},
};

/* What a counter has counted under pressure. */
static double under_pressure(const struct recording *recording, enum metric metric)
{
    return (double)(recording_last(recording, metric) - recording->at_pressure[metric]);
}

static double seconds(double ticks)
{
    return ticks / (1e9 * (double)TICKS_PER_NS);
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : NAN;
}

void headline_measure(const struct recording *recording, double values[HEADLINES])
{
    double freed = under_pressure(recording, METRIC_PAGES_FREED);
    values[HEADLINE_VISITS_PER_FREED] = ratio(under_pressure(recording, METRIC_PTES_VISITED) +
                                                  under_pressure(recording, METRIC_RMAP_VISITS),
                                              freed);
    values[HEADLINE_MINOR_FAULTS_PER_FREED] = ratio(under_pressure(recording, METRIC_MINOR_FAULTS),
                                                    freed);
    values[HEADLINE_PAGES_FREED] = freed;
    values[HEADLINE_TOUCHES_PER_SECOND] = ratio(under_pressure(recording, METRIC_TOUCHES),
                                                seconds(under_pressure(recording, METRIC_ELAPSED)));
    values[HEADLINE_MAJOR_FAULTS] = under_pressure(recording, METRIC_MAJOR_FAULTS);
    values[HEADLINE_SWAP_OUT] = under_pressure(recording, METRIC_SWAP_OUT_BYTES);
    uint64_t first_free = recording_last(recording, METRIC_TIME_TO_FIRST_FREE);
    memcpy(&values[HEADLINE_FIRST_FREE], &first_free, sizeof first_free); /* FORM_REAL */
    values[HEADLINE_LONGEST_GAP] = seconds((double)recording_last(recording, METRIC_LONGEST_GAP));
    values[HEADLINE_RECLAIM_CPU] = seconds(under_pressure(recording, METRIC_RECLAIM_CPU));
    values[HEADLINE_SPIN] = seconds(under_pressure(recording, METRIC_SPIN));
    values[HEADLINE_ELAPSED] = seconds((double)recording_last(recording, METRIC_ELAPSED));
}
