/* Ranks and hosts of a measurement: one rank of each host works, the others sleep. */
#ifndef THRASH_COMMANDS_MEASURE_HOSTS_H
#define THRASH_COMMANDS_MEASURE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "commands/launcher.h"
#include "results/measured.h"

#define MEASURE_HOST_NAME 64

/* For tests: names of hosts with commas between them, the n-th for rank n. Ranks believe that they
 * are on the host of that name, whichever they are on; their results are marked invalid. */
#define MEASURE_HOSTS_VARIABLE "THRASH_TEST_HOSTS"

struct measure_place {
    char host[MEASURE_HOST_NAME];
    bool leads;    /* this rank is the one of its host that measures: the first */
    bool pretends; /* the name is from MEASURE_HOSTS_VARIABLE */
};

/* Collective. STATUS_USAGE, on all ranks, when the variable does not name a host for every rank. */
enum status measure_hosts_find(const struct launcher *launcher, struct measure_place *place_p);

/* Collective. Waits for all ranks, asleep. */
void measure_hosts_wait(void);

/* Collective. Brings what the leading ranks have (`mine`, not looked at on others) to rank 0, in
 * the order of their ranks. Rank 0 gets hosts with names of their own that are fit for HDF5 paths;
 * other ranks get none. To be released with measure_hosts_free(). Fails on all ranks alike. */
enum status measure_hosts_gather(const struct launcher *launcher, const struct measure_place *place,
                                 const struct measured_host *mine, struct measured_host **hosts_p,
                                 size_t *nhosts_p);
void measure_hosts_free(struct measured_host *hosts, size_t nhosts);

#endif
