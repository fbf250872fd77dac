#include "machine/recording.h"

#include <stdlib.h>

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {"completed", "livelock", "oom",
                                                     "lowmem_exhausted", "interrupted"};
    return names[verdict];
}

void recording_free(struct recording *recording)
{
    free(recording->time);
    free(recording->machine);
    free(recording->per_cell);
    *recording = (struct recording){0};
}
