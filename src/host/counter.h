/* One event of the processor, counted around a piece of work of this thread. */
#ifndef THRASH_HOST_COUNTER_H
#define THRASH_HOST_COUNTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_counter {
    int set; /* PAPI's event set, of this event alone: nothing is multiplexed */
};

#define HOST_COUNTER_WHY 200

/* PAPI for a time in which counters are opened; false with the reason. Closed as often as it was
 * opened successfully. Not by two threads at once. */
bool host_counting_begin(char why[HOST_COUNTER_WHY]);
void host_counting_end(void);

/* `name` as host_counters_read() found it to count. */
bool host_counter_open(const char *name, struct host_counter *counter_p,
                       char why[HOST_COUNTER_WHY]);
bool host_counter_start(struct host_counter *counter);
/* What was counted since; false when PAPI could not read it. */
bool host_counter_stop(struct host_counter *counter, uint64_t *value_p);
void host_counter_close(struct host_counter *counter);

#endif
