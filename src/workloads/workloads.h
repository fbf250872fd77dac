/* Workloads: what the processes of a scenario do.
 *
 * One file and one row each. A workload adds its processes, objects and mappings to the plan, and
 * turns random bits into the touches of its processes. */
#ifndef THRASH_WORKLOADS_WORKLOADS_H
#define THRASH_WORKLOADS_WORKLOADS_H

#include "base/random.h"
#include "config/scenario.h"
#include "machine/cell.h"
#include "machine/ledger.h"
#include "machine/plan.h"
#include "workloads/access.h"

/* Kinds of memory that a process of a mixed workload works on. */
enum part { PART_PRIVATE, PART_TEXT, PART_FILES, PARTS };

/* What a workload needs at hand to draw touches: constant during a run. */
struct workload {
    const struct workload_ops *ops;
    const void *options;
    uint64_t seed; /* of the scenario */
    process_id first_process;
    uint32_t nprocesses;
    sim_time work_per_touch; /* mean user time between two touches of one process */
    uint32_t private_upto;   /* draws below this, in 2^-32, go to private memory */
    uint32_t write_upto;     /* draws below this are stores */
    page_count pages;        /* of what each process works on */
    page_count private_pages;
    page_count stack_pages; /* of them, at the end */
    struct access_table access;
    uint64_t part_upto[PARTS];  /* mixed: draws below this, in 2^-32, and not below that of the part
                                   before, go to the part */
    struct access_table *parts; /* mixed: [nparts], owned; see mixed.c */
    uint32_t ntables;           /* access tables that a cell makes of it */
    bool finite;
    bool revisits;               /* finite, but its touches need no new page each */
    uint64_t rounds;             /* finite: how often it goes through its pages */
    sim_time log_interval;       /* user time of the log writer between two writes; 0: no log */
    object_id object;            /* the file a reader reads */
    uint32_t windows;            /* that each process has */
    page_count window_stride;    /* windows begin at multiples of so many pages */
    sim_time operation_interval; /* mean user time between two operations of one process; 0: none */
    byte_count pressure_segment; /* bytes of the shared segment that until_freed refers to, or 0 */
};

/* How often a process touches the pages that one cell has, and which. Constant during a run. */
struct process_draws {
    sim_time mean;         /* user time between two touches, for those drawn at random; 0: none */
    uint32_t private_upto; /* draws below this, in 2^-32, go to private memory */
    const struct access_table *access; /* of the rest, over the cell's pages of the mapping; mixed:
                                          [PARTS] */
    uint64_t part_upto[PARTS];         /* mixed: as in the workload, for the cell's touches */
};

/* A page of a process's memory: number `page` of those that one of its vmas maps. */
struct place {
    vma_id vma;
    page_count page;
};

/* Of all processes in one cell. Zero-initialise, release with workloads_free_draws(). */
struct cell_draws {
    struct process_draws *process; /* [plan.nprocesses] */
    struct access_table **tables;  /* [ntables] arrays that `access` points into */
    size_t ntables;
};

struct workload_ops {
    struct workload_kind_options kind;

    /* Adds to the plan and fills `workload`. STATUS_USAGE for options that do not go together. */
    enum status (*plan)(const struct scenario *scenario, uint32_t index, struct plan *plan,
                        struct workload *workload);

    /* Works out how its processes touch the pages of a cell. NULL: there is nothing to work out. */
    enum status (*divide)(const struct workload *workload, const struct cell *cell,
                          struct cell_draws *draws);

    /* Fills vma, page, access, counted and last of the touch number `ordinal` of a process in a
     * cell. */
    void (*locate)(const struct workload *workload, const struct cell *cell,
                   const struct process_draws *draws, process_id process, uint64_t ordinal,
                   const struct random_block *bits, struct touch *touch);

    /* Where touch number `ordinal` of a process that maps memory goes, of all its touches in all
     * cells; for the TLB. Those of a process that was forked are numbered from first_ordinal() on.
     * NULL: its touches are of no user memory. */
    struct place (*place)(const struct workload *workload, const struct plan *plan,
                          process_id process, uint64_t ordinal, const struct random_block *bits);
    /* User time at which operation number `ordinal` of a process is due, the one before it being
     * due at `before`, the same in all cells; TIME_NEVER: there is none. And what it is. NULL: its
     * processes have no operations. */
    sim_time (*operation_due)(const struct workload *workload, const struct cell *cell,
                              process_id process, uint64_t ordinal, sim_time before);
    void (*operate)(const struct workload *workload, const struct cell *cell, process_id process,
                    uint64_t ordinal, struct operation_call *call);

    /* User time at which touch number `ordinal` of a process in a cell is due, the one before it
     * being due at `before`; TIME_NEVER: there is none. */
    sim_time (*due)(const struct workload *workload, const struct cell *cell,
                    const struct process_draws *draws, process_id process, uint64_t ordinal,
                    sim_time before, const struct random_block *bits);
};

extern const struct workload_ops workload_database;
extern const struct workload_ops workload_shm_copy;
extern const struct workload_ops workload_page_cache_reader;
extern const struct workload_ops workload_file_copy;
extern const struct workload_ops workload_rmap_test;
extern const struct workload_ops workload_one_page_vmas;
extern const struct workload_ops workload_windows;
extern const struct workload_ops workload_syscall_heavy;
extern const struct workload_ops workload_mixed;
extern const struct workload_ops workload_fork_exit;
extern const struct workload_ops workload_anon_fork_tree;

/* Draws of these numbers set the first touch and the first operation: of a process that is there
 * when the clock starts, and, from first_ordinal() on, of one that was forked. */
#define FIRST_DRAW         ((uint64_t)1 << 47)
#define FIRST_ORDINAL_LAST (((uint64_t)1 << 24) - 1)

/* The number, within the life of a process, of the operation after number `ordinal`. */
static inline uint64_t operation_number_after(uint64_t ordinal)
{
    uint64_t number = ordinal & FIRST_ORDINAL_LAST;
    return ordinal == FIRST_DRAW || number == FIRST_ORDINAL_LAST ? 0 : number + 1;
}

/* The table of workloads; ends with NULL. */
extern const struct workload_ops *const workload_table[];

#define WORKLOADS_MAX 64

/* The workloads of a scenario and the plan they make. */
struct workload_set {
    struct workload workload[WORKLOADS_MAX];
    size_t nworkloads;
    struct plan plan;
};

/* The popularity of pages is tabulated with the host's libm; where several hosts run one scenario,
 * all have to use the tables of one of them, workload[].access. */
enum status workloads_plan(const struct scenario *scenario, const struct design *design,
                           struct workload_set *set);
void workloads_free(struct workload_set *set);

/* Works out how all processes touch the pages of a cell. */
enum status workloads_divide(const struct workload_set *set, const struct cell *cell,
                             struct cell_draws *draws_p);
void workloads_free_draws(struct cell_draws *draws);

/* Gives each process its first touch in a cell. */
void workloads_start(const struct workload_set *set, struct cell *cell,
                     const struct cell_draws *draws);

/* Bytes of the draws of one cell. */
byte_count workloads_draws_bytes(const struct workload_set *set);

/* Hands over an array of tables; false when the host has no memory to remember it. */
bool draws_keep_tables(struct cell_draws *draws, struct access_table *tables);

/* Room for the touches of one epoch; grows as needed. Zero-initialise, release with free_batch().
 */
struct touch_batch {
    struct operation_call *calls; /* what the operations among the touches are */
    size_t ncalls;
    size_t call_capacity;
    struct touch *touches;
    struct touch *unsorted;
    uint32_t *buckets;
    size_t count;
    size_t capacity;
    size_t bucket_capacity;
};

/* Draws the touches that fall into the cell's present epoch, sorted by (time, process).
 * STATUS_RESOURCE when the host has no memory for them. */
enum status workloads_draw(const struct workload_set *set, struct cell *cell,
                           const struct cell_draws *draws, struct touch_batch *batch);
void workloads_free_batch(struct touch_batch *batch);

/* Brings the TLBs of the processes at home in a cell up to the work that they have done, and tells
 * the ledger what translations cost them. Nothing, where no TLB is simulated. */
void workloads_translate(const struct workload_set *set, struct cell *cell,
                         const struct home *homes);

/* The touches a page of the least popular class of the first shared segment gets per second and
 * mapping, for theta_cold: relative popularity in 2^-32 and pages of that segment. False when no
 * workload has one. */
bool workloads_coldest(const struct workload_set *set, uint64_t *relative_p, page_count *pages_p);

#endif
