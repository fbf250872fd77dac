/* What a loop of a shell script, or its child, touches in the course of its life: stretches of
 * pages, one after the other, with operations in between. */
#ifndef THRASH_WORKLOADS_FORK_SCRIPT_H
#define THRASH_WORKLOADS_FORK_SCRIPT_H

#include "workloads/workloads.h"

/* Pages of a stack, and the image number of the shell, which those of programs follow. */
enum { FORK_STACK_PAGES = 4, FORK_IMAGE_SHELL = 1 };

/* A stretch of a script: pages [0, pages) of a vma, one after the other. */
struct fork_stretch {
    uint32_t vma; /* of the process */
    page_count pages;
    bool stores;
};

/* A life: stretches, an operation after some of them, and what is done over and over in the end. */
struct fork_script {
    struct fork_stretch stretch[5];
    unsigned nstretches;
    unsigned exec_after; /* stretches before the exec; UINT32_MAX: there is none */
    bool repeats;        /* the last stretch, with a fork after each time */
    uint32_t image;
};

/* The script of the life of a process of fork_exit, `generation` of which had its number before. */
void fork_script_make(const struct workload *workload, process_id process, uint32_t generation,
                      struct fork_script *script);

/* A point of a script: the touch of a page of a stretch, and how many touches and operations of the
 * machine as a whole come before it. */
struct fork_point {
    const struct fork_stretch *stretch;
    page_offset offset; /* in the vma */
    uint64_t before;
};

/* Touch number `ordinal` of those that a cell has of a script; false: there is none. */
bool fork_script_find(const struct cell *cell, process_id process, const struct fork_script *script,
                      uint64_t ordinal, struct fork_point *point);

/* What takes turn number `turn` of a script: the page of a vma of the process that is touched, or
 * for operations, and beyond the end, the first of its stack. */
struct fork_turn {
    uint32_t vma;
    page_count page;
};
struct fork_turn fork_script_turn(const struct workload *workload, const struct fork_script *script,
                                  uint64_t turn);

/* Touches of the first stretches of a script, in all cells. */
uint64_t fork_script_touches(const struct fork_script *script, unsigned nstretches);

#endif
