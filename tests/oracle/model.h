/* The state of the oracle's machine, as the kernels of the time kept it: structs and pointers. */
#ifndef THRASH_ORACLE_MODEL_H
#define THRASH_ORACLE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "base/random.h"
#include "config/scenario.h"
#include "oracle/counters.h"
#include "workloads/access.h"

/* ---- frames -------------------------------------------------------------------------------- */

enum zone_number { DMA, NORMAL, HIGHMEM, ZONES };
enum holder {
    HELD_SHM,
    HELD_FILE,
    HELD_ANON,
    HELD_PAGE_TABLE,
    HELD_DIRECTORY,
    HELD_CHAINS,
    HELD_MEM_MAP,
    HELD_KERNEL,
    HELD_TASKS,
    HELD_MMS,
    HELD_VMAS,
    HELD_BUFFERS,
    HELD_NODES,
    HELD_BALLAST,
    HELD_LARGE,      /* reserved for large pages */
    HELD_BY_PROCESS, /* freed or found by a direct reclaimer for itself */
    HOLDERS
};

/* Kernel objects of one kind, packed into frames. */
enum slab_name {
    SLAB_STACKS,
    SLAB_TASKS,
    SLAB_MMS,
    SLAB_VMAS,
    SLAB_BUFFERS,
    SLAB_NODES,
    SLAB_NAMES
};

struct slab {
    enum holder holder;
    uint64_t objects, frames;
    unsigned bytes; /* of an object; 0: not accounted for */
    bool end_to_end;
    unsigned per_frame; /* unless they lie end to end */
};

struct page;

struct lru_list {
    struct page *newest, *oldest;
    uint64_t length;
};

struct context;

/* A lock that is busy until some time; long locks also have a holder, from step to step. */
struct lock {
    sim_time busy_until;
    uint64_t contenders; /* who came since it was last found free, at most one for each CPU */
    struct context *holder;
};

/* The lists of pages that reclaim looks at: one pair for all zones in 2.4, one for each in 2.6. */
struct lru {
    struct lru_list active, inactive;
    struct lock lock;
};

struct zone {
    enum zone_number number;
    uint64_t frames, free, held[HOLDERS];
    uint64_t min, low, high;
    uint64_t reserve[ZONES]; /* more for allocations of a higher class (2.4) */
    struct lru *lru;
    uint64_t nr_active, nr_inactive; /* pages of this zone on those lists */
    bool need_balance;               /* 2.4 */
    unsigned temp_priority, prev_priority;
    uint64_t scanned_since_free;
    bool unreclaimable;
    uint64_t refill_counter;
};

/* ---- objects and pages ----------------------------------------------------------------------- */

enum object_kind { OBJECT_ANON, OBJECT_SHM, OBJECT_FILE };

/* What a page holds: who stored last, and the how manieth store that was. {0} is zeroes. */
struct tag {
    uint32_t process; /* number + 1 */
    uint64_t store;
};

struct pte;

enum { MAPPERS_MAX = 4096 }; /* ptes of a page, at most */

/* A cache line of pte pointers; slots [first, nslots) are used. */
struct chain_block {
    struct chain_block *next;
    unsigned first;
    struct pte *slot[31];
};

/* An entry of a list of pte pointers, and a frame full of them. */
struct list_entry {
    struct list_entry *next;
    struct pte *pte;
};

struct entry_frame {
    struct entry_frame *next;
    struct list_entry entries[];
};

struct device;
struct object;

struct page {
    struct object *object;
    page_offset offset;

    bool resident;
    struct zone *zone; /* of its frame */
    bool locked, reading, writeback, dirty, referenced, active, buffers;
    bool reclaim; /* PG_reclaim, PG_launder */

    struct lru_list *list; /* NULL: on none */
    struct page *newer, *older;

    struct device *swap_device; /* NULL: no slot */
    uint64_t slot;

    struct pte *direct;         /* at most one of direct, chain and entries is set */
    struct chain_block *chain;  /* the head block */
    struct list_entry *entries; /* the head of the list */
    unsigned mapcount;          /* present ptes, of all kinds of reverse map */

    sim_time swapped_out_at; /* when its last write to swap was done; TIME_NEVER: not */
    uint64_t dirtied_at_tick;
    struct page *next_dirtied; /* after it, in its file */
    unsigned attached;         /* mms that have this version of the page */
    uint64_t family;           /* of them */
    bool protected;            /* from stores, since a fork */
    bool dropped;              /* nobody has it any more */
    bool in_batch;             /* a reclaimer has it off the lists */

    struct tag content;    /* of its frame */
    struct tag stored;     /* of its place on swap or in the file */
    struct tag last_store; /* what every load must find */
};

struct vma;
struct tree_node;

struct object {
    enum object_kind kind;
    uint64_t npages;
    byte_count page_size; /* that it is mapped with: above 4 KiB, nothing below is used */
    struct page *pages;
    struct device *disk;    /* of a file */
    struct vma *vmas;       /* its mappings, in the order they came, linked by next_of_object */
    struct tree_node *tree; /* of the intervals they map */
    unsigned tree_bits;
    struct lock vma_lock; /* i_shared_sem */
    bool has_versions;    /* pages are versions; npages of them were ever used */
    uint64_t capacity;
    bool has_nonlinear;
    bool locked;                         /* into memory */
    bool written;                        /* a file that write(2) fills */
    struct page *dirtied, *dirtied_last; /* its pages in that order; written ones drop off */
    uint64_t ncame;                      /* vmas so far, counted each time they were mapped */
};

/* ---- address spaces -------------------------------------------------------------------------- */

struct mm;

struct pte {
    struct mm *mm;
    struct page *page; /* what it maps when present */
    bool present, young, dirty;
};

struct pte_page {
    struct pte *entries;
};

/* What touches a mapping before the clock starts, as `populate` of a segment numbers it. */
enum populated { POPULATED_NOT, POPULATED_BY_LOADS, POPULATED_BY_STORES };

struct vma {
    struct mm *mm;
    struct object *object;
    page_offset offset;
    uint64_t start, pages; /* virtual page numbers */
    enum populated populated;
    bool gone;              /* unmapped, its place is kept */
    unsigned image;         /* of the program that maps it; 0: all do */
    struct page **versions; /* of the mm, by page of the vma; NULL: the object has none */
    bool *chunk_used;       /* by chunk of the object: whether a fault ever had its page tables */
    bool nonlinear;         /* remap_file_pages() says which pages it maps */
    bool turned;            /* then: those of each page table the other way round */
    uint64_t cursor;        /* nonlinear: vm_private_data, in pages */
    uint64_t came;          /* numbers when vmas came, those moved anew */
    struct vma *next_of_mm, *next_of_object; /* in the order in which they were planned */
};

struct process;

struct mm {
    struct process *process;
    struct vma *vmas; /* in the order of addresses */
    unsigned ptes_per_page;
    uint64_t npte_pages;   /* that the address space has room for */
    struct pte_page *ptes; /* by virtual page number / ptes per page */
    bool *middle, *upper;  /* x86_64: pmd and pud pages that exist, by number */
    bool alive;            /* it has a process */
    uint64_t family;       /* numbers those that descend from one exec */
    struct lock page_table_lock;
    uint64_t swap_address; /* where the virtual scan goes on */
    bool swap_finished;
    uint64_t rss;          /* present ptes */
    uint64_t tries;        /* of trylocks that were left to chance */
    sim_time fault_time;   /* spent in faults in this epoch */
    uint64_t held_in_2_32; /* share of the last epoch that faults spent, in 2^-32 */
};

/* ---- devices --------------------------------------------------------------------------------- */

enum { REQUEST_PAGES_MAX = 32 };

struct request {
    bool write;
    sim_time done_at;
    struct page *pages[REQUEST_PAGES_MAX];
    unsigned npages;
    struct request *next;
};

struct device {
    uint32_t number; /* in the order of events */
    uint64_t bandwidth, queue;
    sim_time latency;
    sim_time transfer_end;
    struct request *first, *last;
    uint64_t nrequests;
    bool congested;
    /* swap map */
    uint64_t nslots, used;
    struct page **slots; /* NULL: free */
    uint64_t cluster_left, cluster_next;
};

/* ---- contexts and processes --------------------------------------------------------------------
 */

enum context_state {
    CONTEXT_IDLE,
    CONTEXT_RUNNING,
    CONTEXT_SPINNING, /* for a long lock */
    CONTEXT_SLEEPING
};

/* What its next event means. */
enum context_next {
    NEXT_GO_ON,   /* another step */
    NEXT_SPIN,    /* for wait.lock */
    NEXT_SLEEP,   /* for wait */
    NEXT_WOKEN,   /* what it slept or spun for is there, or its time is up */
    NEXT_RECLAIM, /* a process begins to reclaim */
    NEXT_DONE,
};

struct wait {
    const struct page *page;
    const struct device *room;
    bool congestion;
    sim_time until; /* TIME_NEVER: until woken */
    struct lock *lock;
};

struct machine;

/* Whose clock a charge goes to. */
struct actor {
    sim_time now;
    struct context *context; /* NULL: a touch */
    struct process *process; /* the one that a frame would be for; NULL: kswapd */
};

struct context {
    struct machine *machine;
    uint32_t number;
    struct process *process; /* NULL: kswapd */
    struct actor self;       /* with its clock */
    enum context_state state;
    enum context_next next;
    sim_time event; /* TIME_NEVER: none */
    struct wait wait;
    bool in_code;   /* its function has begun and not returned */
    bool operating; /* that function is an operation */

    bool has_cpu, stuck, yielded; /* yielded in this epoch */
    sim_time cpu_since;           /* or since it was last booked */
    sim_time waiting_since;
    sim_time slice_end;
    sim_time reclaiming_since; /* TIME_NEVER: not */

    enum zone_number class; /* what a direct reclaimer frees for */
    uint64_t nr_mapped;     /* of the machine when kswapd of 2.6 was woken */
    ucontext_t here, back;  /* inside its function; outside, in the epoch loop */
    char *stack;
};

enum access { BY_LOAD, BY_STORE, BY_FILE_READ, BY_FILE_WRITE, BY_RAW_WRITE };

enum operation_kind { MOVES_WINDOW, MOVES_ADDRESS, MOVES_PAGES, FORKS, EXECUTES, EXITS };

struct operation {
    enum operation_kind kind;
    struct vma *vma;    /* that moves, */
    struct vma *to;     /* the one that it becomes, */
    page_offset offset; /* to where */
    struct process *child, *wait_for;
    unsigned image;
};

struct touch {
    sim_time time;
    struct process *process;
    uint64_t ordinal;
    enum access access;
    struct page *page;  /* NULL: raw write, or a version that is not there */
    struct vma *vma;    /* NULL: no mapping */
    page_offset offset; /* in an object that has versions */
    bool counted;       /* as a touch of a segment or file */
    bool last;
    /* of all its attempts */
    bool made_page, waited;
    bool written, balancing, writing_back; /* write(2): what is done, what is under way */
    uint64_t to_write_back, written_back;
};

struct workload;
struct translation; /* translation.c */

struct process {
    uint32_t number, index; /* of all, within its workload */
    struct workload *workload;
    struct mm mm;
    struct context *context;
    uint64_t share;          /* of a CPU that it wants, in 2^-32 */
    struct object *has_read; /* before the clock starts, or NULL */
    bool from_start, finite, by_fork;
    uint32_t generation;       /* forked into this number before */
    struct process *waits_for; /* to be gone */
    bool waiting;
    bool started, done, blocked;
    sim_time debt, new_debt, grant;
    sim_time useful;                 /* what of the grant is not spent on translations */
    struct translation *translation; /* NULL: it maps nothing, or there is no TLB */
    uint64_t stops;
    bool stopped; /* in this epoch */
    sim_time stopped_at;
    sim_time work, next_due; /* user time; at which touch `ordinal` is due */
    uint64_t ordinal;
    sim_time operation_due; /* TIME_NEVER: none */
    uint64_t operation_ordinal;
    struct operation operation; /* that is under way */
    uint64_t touches;           /* that count */
    uint64_t calls;             /* system calls made, but those of touches */
    uint64_t dirtied;           /* 2.6: pages since it last looked at the limits */
    struct touch kept;          /* while blocked */
    sim_time memory_wait_since; /* TIME_NEVER: does not wait for memory */
    struct zone *frame;         /* where a frame that it holds is from, or NULL */
};

enum workload_kind {
    WORKLOAD_DATABASE,
    WORKLOAD_SHM_COPY,
    WORKLOAD_READER,
    WORKLOAD_FILE_COPY,
    WORKLOAD_MANY_VMAS,
    WORKLOAD_WINDOWS,
    WORKLOAD_SYSCALLS,
    WORKLOAD_MIXED,
    WORKLOAD_FORK_EXIT,
    WORKLOAD_FORK_TREE,
};

enum { PROGRAMS = 3 }; /* of a mixed workload: large, medium, small */

struct workload {
    enum workload_kind kind;
    uint32_t nprocesses;
    struct process **processes;
    struct object *object;  /* segment or file */
    struct object *copy;    /* of the file */
    uint64_t window;        /* pages that each process maps; of each window, if it has many */
    bool at_random;         /* windows: in which order pages are touched */
    uint64_t windows;       /* of each process, if they move */
    uint64_t places;        /* where a window can be */
    uint64_t stride;        /* pages from one to the next */
    sim_time move_interval; /* mean user time from move to move; 0: none */
    bool by_mremap;         /* windows move to another address, and have two vmas for that */
    bool by_remap;          /* remap_file_pages() moves them */
    uint64_t private_pages; /* of each process */
    uint64_t private_below; /* of w1 */
    uint64_t store_below;   /* of w3 */
    sim_time interval;      /* mean user time from touch to touch */
    sim_time log_interval;  /* of the log writer, the last process */
    bool has_log_writer;
    const void *options; /* of workloads that fork */
    uint64_t ntouches;   /* finite: of each process */
    uint64_t calls_per_second, bytes_per_call;
    struct {                /* mixed */
        uint64_t own_pages; /* of each process that runs it */
        struct object *text;
        struct access_table own;
    } program[PROGRAMS];
    uint64_t text_pages;
    struct access_table text; /* of each; that of the files is `access` */
    uint64_t text_below;      /* of w1, if it is not of private memory */
    struct access_table access;
};

/* ---- the machine -------------------------------------------------------------------------------
 */

enum reverse_map {
    RMAP_NONE,
    RMAP_PTE_CHAINS,
    RMAP_PTE_LISTS,
    RMAP_OBJECTS,
    RMAP_TREES,
    RMAP_ANONMM,
    RMAP_ANON_VMA
};

struct design {
    bool is_2_4;    /* reclaim: 2.4, otherwise 2.6.0 */
    bool is_2_4_22; /* 2.4.22, otherwise 2.4.23 */
    bool is_2_6_7;  /* 2.6.7, otherwise 2.6.0 */
    enum reverse_map rmap;
    bool scan_uses_objects; /* fix 1 of 2.4.23aa2 */
    bool prompt;            /* fix 2: swap-out is not deferred */
    bool clean_first;       /* fix 3 */
    bool page_direct;
    bool high_page_tables;
    bool split_4g4g;
    unsigned chain_slots, chain_bytes;
    unsigned struct_page_bytes;
    unsigned vma_bytes; /* of vm_area_struct; 2.6 */
};

struct machine {
    const struct scenario *scenario;
    const sim_time *cost; /* by enum cost */
    struct design design;
    unsigned pointer_bytes, ptes_per_page;
    bool has_middle_directories; /* x86_64 */
    uint64_t swap_slots;

    struct zone zones[ZONES];
    enum zone_number user_class, kernel_class;
    uint64_t frames;
    struct lru lrus[ZONES];  /* 2.4: the first alone */
    uint64_t chain_blocks;   /* in use */
    sim_time chain_time;     /* of work on chains that others share, in this epoch */
    uint64_t chain_slowdown; /* of it, thousandths */
    struct list_entry *free_entries;
    struct entry_frame *entry_frames;
    uint64_t nfree_entries, nentry_frames;
    struct slab slabs[SLAB_NAMES];

    struct process *processes;
    uint32_t nprocesses;
    uint64_t nfamilies; /* so far */
    bool no_region;     /* the next vma follows closely */
    struct workload *workloads;
    size_t nworkloads;
    struct object *objects;
    size_t nobjects;
    struct object **files; /* that write(2) fills */
    size_t nfiles, file_turn;
    uint64_t nr_dirty;     /* pages of those files */
    uint64_t nr_writeback; /* pages of all kinds */
    uint64_t ticks;        /* of who writes old pages */
    bool dirty_exceeded;   /* 2.6 */
    struct device *devices;
    uint32_t nswap_devices, ndevices;
    struct device *next_swap_device;

    struct context *contexts; /* kswapd, three that do not exist, one for each process */
    uint32_t ncontexts;
    uint32_t last_given_cpu;
    uint32_t scan_cursor; /* of the virtual scan: nprocesses is init_mm */
    uint64_t nr_mapped;   /* pages with at least one pte */

    sim_time epoch_begin, epoch_end;
    uint64_t spare;
    int64_t due;
    uint64_t room;
    sim_time io_waits; /* time that contexts slept in this epoch */

    struct counters count;
    bool out_of_memory, out_of_lowmem;
    sim_time out_of_memory_at;
    uint64_t stores;        /* so far: numbers the tags */
    uint64_t loads_checked; /* that found the right tag */

    struct watch *watch; /* phases.c */
};

/* The kernel's sizes in time. */
#define SECOND      (1000000000ULL * TICKS_PER_NS)
#define MILLISECOND (1000000ULL * TICKS_PER_NS)

/* Ends the program with the place: the oracle found a contradiction within itself. */
void oracle_broken(const char *file, int line, const char *what);
#define REQUIRE(condition)                                 \
    do {                                                   \
        if (!(condition)) {                                \
            oracle_broken(__FILE__, __LINE__, #condition); \
        }                                                  \
    } while (0)

static inline void charge(const struct machine *machine, struct actor *actor, enum cost cost)
{
    actor->now += machine->cost[cost];
}

/* Pages of ptes looked at: each is mapped for that if they are in high memory. */
static inline void charge_tables(const struct machine *machine, struct actor *actor, uint64_t times)
{
    if (machine->design.high_page_tables) {
        actor->now += machine->cost[COST_KMAP] * times;
    }
}

/* The kernel is entered. */
static inline void charge_entry(const struct machine *machine, struct actor *actor)
{
    if (machine->design.split_4g4g) {
        actor->now += machine->cost[COST_SPACE_SWITCH];
    }
}

static inline void charge_times(const struct machine *machine, struct actor *actor, enum cost cost,
                                uint64_t times)
{
    actor->now += machine->cost[cost] * times;
}

#endif
