#include "machine/recording.h"

#include <stdlib.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {"completed", "livelock", "oom",
                                                     "lowmem_exhausted", "interrupted"};
    return names[verdict];
}

const char *recording_lacks(const struct recording *recording, enum metric metric)
{
    switch (metric) {
    case METRIC_TLB_ACCESSES:
    case METRIC_TLB_MISSES:
    case METRIC_TRANSLATION:
    case METRIC_TLB_REACH:
        return recording->tlb_simulated ? NULL : "the TLB is not simulated: machine.tlb is none";
    default:
        return NULL;
    }
}

void recording_free(struct recording *recording)
{
    free(recording->time);
    free(recording->machine);
    free(recording->per_cell);
    *recording = (struct recording){0};
}
