/* What PAPI can count on this host, found out by counting.
 *
 * A component that calls itself active proves nothing: it may list events that cannot be added, and
 * events that can be added may stay at zero. So every event here was added, started, run over a
 * known piece of work, stopped, and its value compared with what it must have been. Events are
 * counted one at a time, so that nothing is multiplexed. */
#ifndef THRASH_HOST_COUNTERS_H
#define THRASH_HOST_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/counter_events.h"
#include "host/system.h"

struct host_component {
    char name[64];
    char state[200]; /* "active", or PAPI's reason why it is not */
    int counters;    /* that PAPI says it has; below 0: not known */
    char pmus[512];  /* names with blanks between them */
};

struct host_event {
    enum host_meaning kind;
    const char *meaning; /* "data-TLB load misses" */
    bool hardware;       /* counted by the processor; otherwise by the kernel */
    bool counts;
    bool refused;       /* the kernel did not permit one of the names */
    char name[160];     /* PAPI's name of the event that counts */
    const char *covers; /* what it counts on this processor; set only when `counts` */
    uint64_t value;     /* what it counted in the check; set only when `counts` */
    char check[128];    /* the work: "1024 first touches of base pages" */
    char why[1024];     /* when it does not count: each name tried, with PAPI's error */
};

#define HOST_COMPONENTS 32
#define HOST_EVENTS     HOST_MEANINGS

struct host_counters {
    char version[16]; /* of PAPI */
    bool usable;      /* PAPI could be initialised */
    char why[200];    /* when it could not */
    bool paranoid_known;
    int paranoid; /* kernel.perf_event_paranoid */
    bool refused; /* an event was not permitted, rather than not there */
    enum host_processor processor;
    bool hypervisor;      /* the processor says that this is a virtual machine */
    char sources[200];    /* the kernel's event sources, with blanks between them */
    bool hardware_source; /* one of them is a PMU of the processor's cores */
    struct host_component components[HOST_COMPONENTS];
    size_t ncomponents;
    struct host_event events[HOST_EVENTS];
    size_t nevents;
};

/* Takes about a tenth of a second and 128 MiB for a moment. Initialises PAPI and shuts it down
 * again unless it was in use already. Not to be called by two threads at once. */
void host_counters_read(const struct host_system *system, struct host_counters *counters);

/* What is known around PAPI that explains an event that does not count, in one clause:
 * "virtual machine without PMU, perf_event_paranoid 2"; "" when nothing is known. */
void host_counters_hint(const struct host_counters *counters, char *hint, size_t size);

#endif
