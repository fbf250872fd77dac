/* Minor faults of the calling thread, as PAPI's software event counts them. */
#ifndef THRASH_HOST_KERNEL_FAULT_COUNTER_H
#define THRASH_HOST_KERNEL_FAULT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/system.h"

#define FAULT_EVENT "perf::MINOR-FAULTS"

struct fault_counter {
    bool usable;
    char why[400];    /* if it is not */
    bool initialised; /* PAPI, by this counter */
    int set;          /* PAPI's event set */
};

void fault_counter_open(const struct host_system *system, struct fault_counter *counter_p);

/* Without effect, and false, where the counter is not usable. */
bool fault_counter_start(struct fault_counter *counter);
bool fault_counter_stop(struct fault_counter *counter, uint64_t *faults_p);

void fault_counter_close(struct fault_counter *counter);

#endif
