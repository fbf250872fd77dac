/* Objects, vmas and address spaces, as one cell sees them.
 *
 * An object is interleaved over the cells in chunks of 512 pages (2 MiB); a cell numbers the chunks
 * it has consecutively. Everything here is an index. */
#ifndef THRASH_MACHINE_OBJECT_H
#define THRASH_MACHINE_OBJECT_H

#include <stdbool.h>

#include "base/prio_tree.h"
#include "base/types.h"
#include "machine/lock.h"
#include "machine/plan.h"

#define PAGES_PER_CHUNK 512

/* Rounds of the daemon that writes old pages within the age at which they are old. */
#define FILE_TICKS 6

struct object {
    uint32_t kind;   /* enum object_kind */
    uint32_t device; /* index of its disk among cell.devices, for files */
    page_id first;   /* its first page in this cell; starts a chunk */
    page_id npages;  /* its pages in this cell */
    uint32_t nchunks;
    uint32_t max_vmas;       /* ranks of vmas */
    uint32_t nvmas;          /* vmas that map it now */
    uint32_t first_vma_slot; /* of object_vmas */
    uint64_t first_ref;      /* of row_refs: chunk c, rank r at first_ref + c * max_vmas + r */
    uint32_t layers;         /* of versions (version.h); 0: none */
    page_id layer_span;      /* pages of a layer in this cell */
    uint64_t first_attached; /* of attached */
    page_count resident;     /* pages with a frame, in this cell */
    struct sim_lock lock;    /* i_shared_sem, i_mmap_lock */
    struct prio_tree tree;   /* of its vmas (vma_list.h) */
    uint32_t nonlinear;  /* i_mmap_nonlinear: the first of them + 1, linked, in no tree; 0: none */
    uint32_t nparts;     /* vmas that map some of its pages in this cell, but not all */
    uint32_t ranks_from; /* one more than the rank of the vma that came last */
    bool ranks_shuffled; /* vmas did not come in the order of their ranks */
    bool locked;         /* its vmas are VM_LOCKED */
    bool written;        /* a file that write(2) fills (writeback.h): then, in this cell, */
    object_id next_written;                  /* the next such file, linked */
    page_id written_upto;                    /* pages that have been written */
    page_id clean_upto;                      /* of them, the first that may be dirty */
    page_id written_at_tick[FILE_TICKS + 1]; /* pages that had been, oldest first */
};

#define NO_COLUMN UINT64_MAX

struct vma {
    uint32_t mm;
    object_id object;
    uint32_t rank;
    page_id first;       /* first page it maps in this cell */
    page_id npages;      /* pages it maps in this cell */
    uint32_t ref_stride; /* max_vmas of its object, kept here so that a touch finds its pte */
    uint64_t ref_base;   /* without the object: row_refs[ref_base + chunk of the cell * stride] */
    uint64_t vpn;        /* address of its first page in the machine */
    page_offset offset;  /* and which page of the object that is */
    uint64_t column;     /* of versions, for its first page; NO_COLUMN: its object has none */
    uint32_t page_class; /* of what it is mapped with, enum page_class */
    page_count pages;    /* how many it maps, in the machine */
    bool nonlinear;      /* remap_file_pages() says which pages it maps */
    bool turned;         /* then: those of each page table the other way round */
    uint32_t next_nonlinear; /* of its object: vma + 1, 0: none */
    page_count cursor; /* nonlinear: where the search for ptes goes on, in pages of this cell */
    bool attached;     /* it is there: in its mm and in the list of its object */
};

/* Where 2.4's scan stands in an mm: a virtual page number, or one of these. */
#define SCAN_START 0ULL
#define SCAN_END   UINT64_MAX /* TASK_SIZE: done with this lap */

struct mm {
    process_id process;
    vma_id first_vma; /* contiguous, in address order */
    uint32_t nvmas;
    uint64_t first_pt_bit; /* of pt_bits, in units of bits; a multiple of 64 */
    uint64_t npt_bits;     /* page-table pages its addresses can need */
    uint64_t scan_address; /* 2.4: swap_address */
    uint64_t rss;          /* present ptes, in this cell */
    uint32_t pt_pages;     /* frames of page tables of all levels */
    struct sim_lock lock;  /* page_table_lock */
    uint32_t lock_share;   /* share of the last epoch that faults held the lock, 2^-32 */
    uint64_t trylocks;     /* tries that had to be drawn; numbers the draws */
    bool has_absent;       /* not all of its vmas are there when the clock starts */
    bool alive;            /* it has a process */
    uint32_t family;       /* of the mms that descend from one exec by forks */
};

struct cell;

/* Page number `index` of those that `object` has in this cell. */
static inline page_id object_page(const struct object *object, page_count index)
{
    return object->first + (page_id)index;
}

/* The offset of a page in its object, or in its layer. */
page_offset object_offset(const struct cell *cell, object_id object, page_id page);

/* The virtual page number at which a vma maps a page. */
uint64_t vma_address(const struct cell *cell, const struct vma *vma, page_id page);

/* Number `i` of `n` pages, those of each unit of `unit` counted from its end: where a nonlinear vma
 * maps a page, and which page it maps somewhere. */
page_count vma_turned_round(page_count i, page_count n, uint64_t unit);

/* Page number `slot`, in the order of addresses, of those that a nonlinear vma maps in this cell.
 */
page_id vma_nonlinear_page(const struct cell *cell, const struct vma *vma, page_count slot);
/* Puts a vma that is not there over pages [offset, offset + pages) of its object, or takes it away.
 * Its ptes must be clear. */
void object_attach_vma(struct cell *cell, struct vma *vma, page_offset offset, page_count pages);
void object_detach_vma(struct cell *cell, struct vma *vma);

/* Points a nonlinear vma at as many other pages of its object. Its ptes must be clear. */
void object_aim_vma(const struct cell *cell, struct vma *vma, page_offset offset);

/* Fills objects, vmas, mms and their links from the plan. */
void object_build_all(struct cell *cell);

#endif
