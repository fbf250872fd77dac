/* What the kernel of this host does with shared pages: the kernel as a peer of the designs.
 *
 * Each probe is a row of `kernel_probes` and appends a group to the section "kernel" of the tables.
 * What cannot be measured here is an absence with its reason, and no error. The probes run
 * processes of their own, which end with this one, and leave no process, file or cgroup behind. */
#ifndef THRASH_HOST_KERNEL_KERNEL_H
#define THRASH_HOST_KERNEL_KERNEL_H

#include "base/status.h"
#include "base/types.h"
#include "host/measure.h"
#include "io/tables.h"

#define KERNEL_POINTS 16

/* What to measure. Numbers of processes are in ascending order. */
struct kernel_plan {
    unsigned repetitions;
    byte_count memory;  /* that all processes of a probe together may write to */
    byte_count segment; /* shared segment whose page tables are counted; of whole MiB */
    unsigned sharers[KERNEL_POINTS]; /* numbers of processes that map it */
    unsigned nsharers;
    page_count forked[KERNEL_POINTS]; /* pages mapped by the process that forks; 0 is the first */
    unsigned nforked;
    page_count touched;              /* pages that are touched for the first time */
    unsigned mappers[KERNEL_POINTS]; /* processes that map the pages that are reclaimed; 0 first */
    unsigned nmappers;
    page_count reclaimed; /* pages of the file that they map */
    byte_count page;      /* page tables for this page size alone, which has to be there; 0: for
                             all that there are */
    bool needs_counter;   /* faults have to be counted by PAPI */
    const char *probes;   /* names with commas between them; "all" */
    uint64_t budget;    /* ns of all probes together; 0: none. Once its share is over a probe begins
                           no repetition but the first of a point */
    uint64_t until;     /* team_clock() at which the share of a probe is over, and */
    uint64_t *left_out; /* repetitions that were not begun: of kernel_measure() for probes */
    const char *directory; /* for that file; NULL: the first of $TMPDIR, /var/tmp, /tmp and the
                              working directory that is on a disk */
};

/* The plans of the command and of its --quick, with less memory where the host has less than the
 * whole takes: a quarter of `available` at most. */
void kernel_plan_make(bool quick, byte_count available, struct kernel_plan *plan_p);

struct kernel_probe {
    const char *name;  /* of its group: "page_tables" */
    const char *title; /* one line of prose */
    const char *unit;  /* of its headline figure */
    enum status (*run)(const struct host_measure *measure, const struct kernel_plan *plan,
                       struct tables *tables);
};

/* Ends with a row without a name. */
extern const struct kernel_probe kernel_probes[];

/* Whether `probes` is "all" or names of probes; STATUS_USAGE and one sentence if it is not. */
enum status kernel_check_probes(const char *probes);

/* Whether there is time for a repetition of a point, 0 being the first; if not, counts those that
 * are left out. */
bool kernel_may_repeat(const struct kernel_plan *plan, unsigned repetition);

/* Runs the probes of the plan in turn. STATUS_INTERRUPTED when the measurement was stopped: what
 * was measured until then is in the tables. */
enum status kernel_measure(const struct host_measure *measure, const struct kernel_plan *plan,
                           struct tables *tables);

#endif
