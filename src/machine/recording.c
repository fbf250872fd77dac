#include "machine/recording.h"

#include <stdlib.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {"completed", "livelock", "oom",
                                                     "lowmem_exhausted", "interrupted"};
    return names[verdict];
}

bool metric_is_sampled(enum metric metric)
{
    return metric == METRIC_TLB_ACCESSES || metric == METRIC_TLB_MISSES ||
           metric == METRIC_TRANSLATION || metric == METRIC_TLB_REACH;
}

const char *recording_lacks(const struct recording *recording, enum metric metric)
{
    return metric_is_sampled(metric) && recording->tlb_sampling == 0
               ? "the TLB is not simulated: machine.tlb is none"
               : NULL;
}

void recording_free(struct recording *recording)
{
    free(recording->time);
    free(recording->machine);
    free(recording->per_cell);
    *recording = (struct recording){0};
}
