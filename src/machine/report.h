/* What a cell tells of itself at the end of an epoch, and what it is given for the next one. */
#ifndef THRASH_MACHINE_REPORT_H
#define THRASH_MACHINE_REPORT_H

#include <stdint.h>

#include "base/types.h"
#include "machine/zone.h"

/* What a rank wants all of them to do after the epoch, as bits. */
enum report_order { ORDER_STOP = 1, ORDER_CHECKPOINT = 2 };

/* Plain data, of one size everywhere: it is sent as it is. */
struct cell_report {
    uint64_t nmessages; /* that go with it */
    uint64_t nwanting;  /* contexts that want a CPU */
    uint64_t nstuck;    /* of them, that must not lose theirs */
    sim_time spare;     /* CPU time that nobody used */
    int64_t due;
    sim_time blocked; /* process time spent waiting for devices */
    page_count free[ZONES];
    page_count kept[ZONES][ZONES]; /* of each zone by allocations of each class, at min */
    page_count low[ZONES][ZONES];  /* the same at low; [class][zone] */
    uint64_t frames_wanted;        /* taken in the epoch, and waited for at its end */
    page_count nr_mapped;
    uint64_t chain_use; /* work under bit locks of shared pages, in billionths of a CPU */
    uint64_t freed;
    uint64_t touches;
    uint64_t demanded;
    sim_time waited; /* METRIC_ALLOCATION_WAIT */
    sim_time longest_wait;
    uint32_t reclaiming;
    uint32_t out_of_memory;
    uint32_t orders; /* of the rank, enum report_order */
    uint32_t status; /* enum status of the rank */
};

struct cell_share {
    sim_time start, end; /* of the epoch */
    uint64_t contexts, room;
    sim_time spare;
    int64_t due;
    sim_time system;        /* of processes at home, to be booked */
    page_count free[ZONES]; /* frames that are to be free in the cell */
    page_count nr_mapped;   /* of the machine, at the end of the last epoch */
    uint64_t chain_use;     /* likewise, in it */
};

#endif
