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
};

/* What a workload asks for. */
struct operation_call {
    uint32_t kind; /* enum operation_kind */
    vma_id vma;
    page_offset offset; /* page of the object that the vma is to begin with */
};

/* How far it has come: between two steps all of its state is here. */
struct operation {
    struct operation_call call;
    uint32_t phase;
    page_id page; /* the next to work on */
};

struct cell;

void operation_begin(struct operation *operation, const struct operation_call *call);

/* One step of the operation of a context's process. */
enum step operation_step(struct cell *cell, struct actor *actor, struct context *context);

#endif
