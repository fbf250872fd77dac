/* A cell: a shard of a node, with all the state of its frames, its share of every address space,
 * and the contexts that run in it.
 *
 * Everything a cell remembers lives in the arrays of its state table (state.h); the rest of the
 * struct is constant during a run. Cells know neither ranks nor files. */
#ifndef THRASH_MACHINE_CELL_H
#define THRASH_MACHINE_CELL_H

#include <stdbool.h>

#include "base/types.h"
#include "config/scenario.h"
#include "machine/arch.h"
#include "machine/context.h"
#include "machine/cpu.h"
#include "machine/device.h"
#include "machine/lock.h"
#include "machine/metric.h"
#include "machine/object.h"
#include "machine/operation.h"
#include "machine/ops.h"
#include "machine/outbox.h"
#include "machine/page.h"
#include "machine/plan.h"
#include "machine/process.h"
#include "machine/report.h"
#include "machine/shard.h"
#include "machine/slab.h"
#include "machine/state.h"
#include "machine/swap.h"
#include "machine/tlb.h"
#include "machine/vma_list.h"
#include "machine/zone.h"

/* Room for what a design remembers in each cell beside the pages: scan cursors and the like. */
#define DESIGN_STATE_BYTES 256

/* LRU lists of a cell: two for each zone (designs with global lists use the first two), then three
 * private ones for each context. */
#define LRU_ZONE_LISTS    (2 * ZONES)
#define LRU_CONTEXT_LISTS 3

/* All scalars of a cell, as one element of its state table. */
struct cell_core {
    sim_time epoch_start;
    sim_time epoch_end;
    sim_time
        window_end;  /* until then contexts run; the end of the epoch if there is but one cell */
    uint64_t epochs; /* begun */
    uint64_t frames_taken;          /* in this epoch */
    uint64_t counter[METRIC_COUNT]; /* of SCOPE_CELL metrics, in their forms */
    struct zone zone[ZONES];
    page_count list_pages[LRU_ZONE_LISTS];
    page_count nr_mapped;           /* pages with at least one pte */
    page_count nr_mapped_elsewhere; /* in the other cells of the machine, one epoch late */
    uint64_t ptes_present;
    uint64_t large_ptes; /* entries of page directories that map large pages */
    struct slab_cache slab[SLABS];
    struct cpu_pool cpu;
    struct swap_state swap;
    struct sim_lock lru_lock[ZONES]; /* 2.6: zone lru_lock; 2.4: pagemap_lru_lock is the first */
    uint32_t row_free;               /* first of the freed rows, linked; 0 = none */
    uint32_t rows_used;              /* rows ever taken from the pool */
    uint32_t nevents;                /* in the heap */
    uint32_t nlock_shares;           /* mms whose lock was held part of the last epoch */
    uint32_t nlocks_held;            /* locks of mms that contexts keep across steps */
    uint32_t nmms;                   /* address spaces that have a process */
    uint32_t nfamilies;              /* of mms that there ever were */
    uint32_t congestion_waiters;     /* contexts waiting for a write queue to drain, linked */
    sim_time mm_locks_busy_until;    /* the latest of all page_table_locks */
    sim_time chain_time;             /* under bit locks of shared pages, in this epoch */
    uint64_t chain_factor;           /* by which that is slower than on one CPU, in thousandths */
    page_count swapcache_dirty;      /* pages in the swap cache whose write-out has not begun */
    page_count swapcache;
    page_count nr_dirty;     /* pages of written files that are dirty */
    page_count nr_writeback; /* pages under write I/O */
    object_id first_written; /* of the files that write(2) fills; NO_FILE: none */
    object_id file_turn;     /* whose pages are written back next */
    bool dirty_exceeded;     /* 2.6: a writer met the limit */
    bool out_of_memory;      /* an allocation failed for good: the run ends */
    uint32_t failed_zone;    /* class of that allocation */
    uint32_t failed_process; /* whose allocation it was */
    uint32_t failed_owner;   /* enum owner: what it was for */
    uint32_t ngave_up;       /* contexts that found nothing to free, with many cells */
    _Alignas(8) unsigned char design[DESIGN_STATE_BYTES];
};

struct cell {
    /* Constant during a run. */
    cell_id id;
    cell_id ncells;
    const struct scenario *scenario;
    const struct plan *plan;
    const struct design *design;
    const struct arch *arch;
    const sim_time *cost; /* [COST_COUNT] */
    page_id npages;       /* pages of all objects; a multiple of PAGES_PER_CHUNK */
    uint32_t ncontexts;
    uint32_t ndevices; /* swap devices first, then disks */
    uint32_t nswap_devices;
    uint32_t max_rows;
    bool has_lowmem_limit; /* ZONE_HIGHMEM has frames */
    struct tlb tlb;        /* no entries: not simulated */

    /* State. */
    struct state_table state;
    struct cell_core *core;
    struct page_word *words; /* [npages / 64] */
    struct lru_link *lru;    /* [npages + lists] */
    uint16_t *mapcount;      /* [npages] */
    uint32_t *slot;          /* [npages] swap slot of a page + 1, 0 = none */
    uint32_t *written_at;    /* [npages] when its write to swap was done, 2^20 ticks + 1, 0 = not */
    struct object *objects;  /* [plan.nobjects] */
    struct vma *vmas;        /* [plan.nvmas] */
    struct mm *mms;          /* [plan.nprocesses] */
    uint32_t *chunk_object;  /* [npages / 512] object of each chunk */
    vma_id *object_vmas;     /* vmas of each object by rank */
    struct prio_node *vma_nodes;     /* [plan.nvmas + 1] vma i as node i + 1 of its object's tree */
    struct vma_entry *coverers;      /* [most vmas of an object] room for those over one page */
    uint32_t *row_refs;              /* row of each (object, chunk, rank) */
    struct pte_row *rows;            /* [max_rows] */
    uint16_t *versions;              /* layer + 1 of each page of a vma that has versions */
    uint16_t *attached;              /* mms that have a version */
    uint64_t *pt_bits;               /* page-table pages of each mm */
    struct visitor *visitors;        /* [plan.nprocesses] */
    struct operation *operations;    /* [plan.nprocesses], or none if no process has any */
    struct context *contexts;        /* [ncontexts] */
    uint64_t *runnable;              /* bitmap of contexts that want a CPU */
    uint64_t *busy;                  /* and of those that are not idle */
    struct event *heap;              /* [ncontexts + ndevices] */
    uint32_t *heap_position;         /* [ncontexts + ndevices] */
    struct device *devices;          /* [ndevices] */
    struct device_request *requests; /* [ndevices][queue] */
    struct device_request *pending;  /* the same; handed in during this epoch, with other cells */
    page_id *swap_map; /* page in each swap slot, PAGE_NONE - stored as page + 1, 0 = free */
    uint16_t *swap_cluster_used;      /* slots in use of each cluster of SWAP_CLUSTER_SLOTS */
    struct translation *translations; /* of the processes at home here */
    uint64_t *tlb_entries;            /* of each of them */
#ifdef THRASH_CHECKS
    struct tags *tags;
#endif

    /* Not state: empty at every epoch boundary. */
    struct outbox outbox;
    const struct operation_call *calls; /* operations among the touches of the epoch */
};

/* Which pages of an object the cell has. */
static inline struct shard cell_shard(const struct cell *cell, object_id object)
{
    return shard_of(cell->arch->pt_entries, object, cell->id, cell->ncells);
}

static inline void count(struct cell *cell, enum metric metric, uint64_t n)
{
    cell->core->counter[metric] += n;
}

/* Lays a cell out and maps its arrays; nothing is populated yet. STATUS_RESOURCE when the host
 * cannot map them. */
enum status cell_create(const struct scenario *scenario, const struct plan *plan,
                        const struct design *design, cell_id id, struct cell *cell_p);
void cell_destroy(struct cell *cell);

/* Frames of all zones that allocations for user pages do not get without reclaim, of a machine that
 * need not be created for it. */
enum status cell_frames_kept(const struct scenario *scenario, const struct plan *plan,
                             const struct design *design, page_count *frames_p);

/* Declares the arrays only, to predict their size. Release with cell_destroy(). */
void cell_layout(const struct scenario *scenario, const struct plan *plan,
                 const struct design *design, cell_id id, struct cell *cell_p);

/* Writes the gauges of this moment into core.counter; `blocked`: processes at home that wait. */
void cell_sample(struct cell *cell, uint64_t blocked);

/* SWAP_CLUSTER_MAX of 2.4 and 2.6.0 is 32: pages that reclaim works on at a time. A pass over the
 * machine is one over each of its cells, so a cell's part of it is smaller. */
static inline uint32_t cell_batch(const struct cell *cell)
{
    return cell->ncells >= 32 ? 1 : 32 / cell->ncells;
}

/* Pages of the whole machine with at least one pte. */
static inline page_count cell_nr_mapped(const struct cell *cell)
{
    return cell->core->nr_mapped + cell->core->nr_mapped_elsewhere;
}

#endif
