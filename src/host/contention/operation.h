/* What processes and reclaim do to a world, one call each. They count what they did; the caller
 * measures the time. */
#ifndef THRASH_HOST_CONTENTION_OPERATION_H
#define THRASH_HOST_CONTENTION_OPERATION_H

#include "host/contention/reverse_map.h"

enum operation {
    OPERATION_FORK,
    OPERATION_EXIT,
    OPERATION_FAULT,
    OPERATION_UNMAP,
    OPERATION_RECLAIM,
    OPERATIONS
};
extern const char *const operation_names[];        /* NULL-terminated */
extern const char *const operation_descriptions[]; /* likewise */

/* When an operation on many pages is broken off: it asks now and then. NULL: never. */
struct operation_limit {
    bool (*over)(void *who);
    void *who;
};

/* The child, which maps nothing, gets every pte of its parent, made old. Returns the pages mapped,
 * fewer than all if it was broken off. Callers see to it that nobody else uses either mm, but
 * reclaim. */
uint32_t operation_fork(struct world *world, struct world_worker *worker, struct world_mm *parent,
                        struct world_mm *child, const struct operation_limit *limit);

/* An mm loses all its ptes and its vmas. Returns the pages that were mapped. */
uint32_t operation_exit(struct world *world, struct world_worker *worker, struct world_mm *mm);

/* An mm maps a page that it does not map, or unmaps one that it does; false: nothing to do. */
bool operation_fault(struct world *world, struct world_worker *worker, struct world_mm *mm,
                     uint32_t index, bool young);
bool operation_unmap(struct world *world, struct world_worker *worker, struct world_mm *mm,
                     uint32_t index);

/* Makes the vmas of an mm known, or unknown, as mmap and munmap do; nothing where the reverse map
 * does not know vmas. */
void operation_link(struct world *world, struct world_worker *worker, struct world_mm *mm);
void operation_unlink(struct world *world, struct world_worker *worker, struct world_mm *mm);

/* Unmaps pages [first, first + n) of an object wherever they are mapped: page by page through the
 * reverse map, or without one through the page tables of one mm after the other. Returns the ptes
 * that could not be cleared because their mm was locked. */
uint64_t operation_reclaim(struct world *world, struct world_worker *worker,
                           struct world_object *object, uint32_t first, uint32_t n);

/* Every mm that maps an object from the beginning on gets the ptes it lacks, old ones. */
void operation_populate(struct world *world, struct world_worker *worker,
                        struct world_object *object);

/* Compares everything with everything, while nobody is at work: each pte is found by the reverse
 * map once, counters and blocks are what they must be. STATUS_FAILED with what is wrong. */
enum status operation_check(const struct world *world);

/* Blocks in use, over all pages. */
size_t operation_blocks(const struct world *world);

#endif
