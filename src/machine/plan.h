/* The plan of a run: every process, object and mapping its workloads will ever have.
 *
 * Workloads fill it before any cell exists, the same on every rank; cells are laid out from it. It
 * is constant during the run. All arrays are owned by the plan. */
#ifndef THRASH_MACHINE_PLAN_H
#define THRASH_MACHINE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/types.h"
#include "machine/arch.h"

enum object_kind { OBJECT_SHM, OBJECT_FILE, OBJECT_ANON };

struct plan_object {
    enum object_kind kind;
    page_count pages;
    uint32_t device;            /* OBJECT_FILE: the disk it lives on */
    uint32_t max_vmas;          /* how many vmas map it at a time, at most */
    uint32_t first_vma_slot;    /* of its slots in the table of vmas by object and rank */
    enum page_class page_class; /* of what it is mapped with; large ones are from the pool */
    bool written;               /* OBJECT_FILE: filled by write(2), each page once and in order */
    bool locked;                /* every mapping of it is VM_LOCKED */
    uint32_t layers;            /* of versions of anonymous pages (version.h); 0: it has none */
    page_count layer_pages;
};

/* How populate touches a mapping before the clock starts. */
enum populate { POPULATE_NONE, POPULATE_READ, POPULATE_WRITE };

struct plan_vma {
    process_id process;
    object_id object;
    page_offset offset; /* first page of the object that it maps */
    page_count pages;
    uint64_t vpn;  /* virtual page number of its first page */
    uint32_t rank; /* its number among the vmas of its object */
    enum populate populate;
    uint32_t image; /* of the program that maps it, 1 and up; 0: every program does */
    bool absent;    /* not there when the clock starts */
    bool nonlinear; /* remap_file_pages() says which pages it maps */
    bool turned;    /* then: those of each page table the other way round */
    bool moves;     /* it is unmapped and mapped elsewhere in its object, with as many pages */
};

/* When a workload's processes start. */
enum start_phase { START_WARMUP, START_PRESSURE, START_BY_FORK };

struct plan_process {
    uint32_t workload; /* index in the scenario */
    uint32_t index;    /* within its workload */
    vma_id first_vma;  /* its vmas are contiguous, in address order */
    uint32_t nvmas;
    page_count address_span; /* virtual pages from 0 to the end of its highest vma */
    uint64_t
        cpu_share; /* of one CPU that its user code wants when unhindered, CPU_SHARE_ONE = all */
    enum start_phase start;
    sim_time work_per_touch; /* mean user time from one touch to the next */
    uint64_t
        touches; /* after which it is done, those of all cells together; 0: it goes on for ever */
    uint64_t syscalls_per_second; /* system calls beside those of its touches, for each second of
                                     user time */
    byte_count syscall_bytes;     /* that each of them copies to or from user memory */
    sim_time syscall_time;   /* that each of them takes in the kernel; set by workloads_plan() */
    bool exits;              /* it ends by an exit of its own */
    object_id has_read;      /* a file that it has read as a whole before the clock starts, + 1; 0:
                                none */
    uint64_t pages_in_stall; /* that it would ask for in `stall` while it waits for memory: one, or
                                as many as it would touch where every touch needs a new one */
};

#define CPU_SHARE_ONE ((uint64_t)1 << 32)

struct plan {
    const struct arch *arch;
    struct plan_process *processes;
    struct plan_object *objects;
    struct plan_vma *vmas;
    size_t nprocesses, nobjects, nvmas;
    size_t process_capacity, object_capacity, vma_capacity;
    enum page_class shared_pages; /* of shared segments that can have large ones */
    page_count large_pool;        /* frames reserved for large pages at boot */
    bool has_nonlinear;           /* some vma is */
    bool operates;                /* some process changes its address space */
    bool out_of_memory;           /* an addition failed; plan_finish() reports it */
};

void plan_free(struct plan *plan);

/* Add in this order: objects at any time; a process; then its vmas in address order. */
object_id plan_add_object(struct plan *plan, enum object_kind kind, page_count pages,
                          uint32_t device);
/* Makes an object one of large pages, of a class but PAGES_SMALL; before any vma of it. */
void plan_set_large(struct plan *plan, object_id object, enum page_class class);
/* Anonymous memory of processes that fork: pages [0, layer_pages) in as many versions at a time as
 * there are processes that can have it. */
object_id plan_add_pool(struct plan *plan, page_count layer_pages, uint32_t layers, cell_id ncells);
process_id plan_add_process(struct plan *plan, uint32_t workload, uint32_t index,
                            enum start_phase start);

/* Maps pages [offset, offset + pages) of `object` into the process added last, at the next address;
 * `region` starts a new part of the address space (heap, mappings, stack lie far apart). */
vma_id plan_add_vma(struct plan *plan, object_id object, page_offset offset, page_count pages,
                    bool region, enum populate populate);

/* The same in a region that the first of such vmas of a process starts: those that follow it, of
 * the same object and in the order of offsets, have the same distance of addresses as of offsets,
 * so that they share page-table pages. */
vma_id plan_add_window(struct plan *plan, object_id object, page_offset offset, page_count pages,
                       enum populate populate);

/* Maps all pages of an object nonlinearly, in a region of its own: by as many remap_file_pages()
 * calls as it has pages, those of each page table the other way round. */
vma_id plan_add_nonlinear(struct plan *plan, object_id object, enum populate populate);

/* A vma that is as it is by remap_file_pages(), which can also move it over other pages. */
void plan_set_nonlinear(struct plan *plan, vma_id vma);

/* Gives every vma its rank in its object and checks the limits of the model: addresses within the
 * architecture's user space, at most 65,535 mappings of a page, at most 2^32 pages in a cell. */
enum status plan_finish(struct plan *plan, cell_id ncells);

/* Frames that the objects of large pages need. */
page_count plan_large_frames(const struct plan *plan);

/* Pages that populate makes resident, but for large ones; a page that several vmas populate, or a
 * process has read as well, counts once. */
page_count plan_populated_pages(const struct plan *plan);

#endif
