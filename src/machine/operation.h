/* Operations of processes on their address spaces.
 *
 * An operation falls due at a point of its process's user time, like a touch, in every cell at
 * once. Each cell does its part of it, the ptes and page tables that it has, in the context of the
 * process: a state machine that stops at the end of a quantum, spins for the mm's page_table_lock,
 * and reclaims when it finds no frame. The process goes on when all cells are done. */
#ifndef THRASH_MACHINE_OPERATION_H
#define THRASH_MACHINE_OPERATION_H

#include "base/types.h"
#include "machine/context.h"

enum operation_kind {
    OPERATION_MOVE, /* munmap() of a vma, then mmap() of other pages of its object in its place */
    OPERATION_FORK, /* into `child`, a process that is not there, with vmas like its parent's */
    OPERATION_EXEC, /* the vmas go, those of program `image` and of all programs come */
    OPERATION_EXIT,
    OPERATION_REMAP_PAGES, /* remap_file_pages() of all that a nonlinear vma maps */
    OPERATION_MREMAP,      /* what a vma maps goes to vma `to`, which is not there, with its ptes */
};

#define PROCESS_NONE UINT32_MAX

/* What a workload asks for. */
struct operation_call {
    uint32_t kind;      /* enum operation_kind */
    vma_id vma;         /* that moves */
    vma_id to;          /* mremap: of the same mm and object */
    page_offset offset; /* page of the object that it is to begin with */
    process_id child;
    process_id wait_for; /* fork: the parent goes on when this process is not there; or NONE */
    uint32_t image;
    bool last; /* exit: the work of the process is done */
};

/* How far it has come: between two steps all of its state is here. */
struct operation {
    struct operation_call call;
    uint32_t phase;
    sim_time owed; /* CPU time to be spent before it goes on: more than a slice, it may be */
    vma_id vma;    /* to work on */
    page_id page;  /* the next in it */
};

struct cell;
struct vma;

void operation_begin(struct operation *operation, const struct operation_call *call);

/* One step of the operation of a context's process. */
enum step operation_step(struct cell *cell, struct actor *actor, struct context *context);

/* Parts that operations are made of. Costs that are not for ptes are divided among the cells. */
void operation_charge(const struct cell *cell, struct actor *actor, unsigned cost);

/* A cost of a whole process is paid slice by slice: an epoch may be shorter. */
void operation_owe(const struct cell *cell, struct operation *operation, unsigned cost);
bool operation_pays(const struct context *context, struct actor *actor,
                    struct operation *operation);

/* The system call itself. */
void operation_enter_kernel(const struct cell *cell, struct actor *actor);

/* Going through ptes of a vma, word after word: a chunk's table is looked at `times` when the first
 * word of it comes up. */
void operation_look_at_tables(const struct cell *cell, struct actor *actor, const struct vma *vma,
                              page_id page, uint64_t times);

/* Takes the page_table_lock of an mm to keep it across steps; STEP_SPIN while another has it. */
enum step operation_lock_mm(struct cell *cell, struct actor *actor, struct context *context,
                            uint32_t mm);

/* The same without the charge for it. */
enum step operation_take_lock(struct cell *cell, struct actor *actor, struct context *context,
                              uint32_t mm);

/* What it costs to put a vma into its mm and the list of its object, or to take it out. */
void operation_change_vma(struct cell *cell, struct actor *actor, const struct vma *vma);

/* fork.c */
enum step fork_step(struct cell *cell, struct actor *actor, struct context *context,
                    struct operation *operation);

/* remap_pages.c */
enum step remap_pages_step(struct cell *cell, struct actor *actor, struct context *context,
                           struct operation *operation);

/* mremap.c */
enum step mremap_step(struct cell *cell, struct actor *actor, struct context *context,
                      struct operation *operation);

#endif
