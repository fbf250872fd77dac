/* Memory for blocks of one size that threads take and give back: a shared list under a spinlock,
 * and for each thread a cache that it refills and empties by the batch, as slab caches of 2.5 had
 * for each processor. */
#ifndef THRASH_HOST_CONTENTION_BLOCK_POOL_H
#define THRASH_HOST_CONTENTION_BLOCK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include "base/status.h"

enum { BLOCK_BATCH = 64, BLOCK_CACHE = 2 * BLOCK_BATCH };

struct block_pool {
    pthread_spinlock_t lock;
    size_t block_size; /* bytes; a power of two from 8 to 128 */
    size_t nblocks;
    char *blocks;  /* aligned to block_size */
    size_t unused; /* number of the first block that was never taken */
    void *free;    /* list of those that were given back, linked through their first 8 bytes */
};

struct block_cache {
    unsigned n;
    void *block[BLOCK_CACHE];
    int64_t taken; /* by this thread less what it gave back */
};

/* `nblocks` must cover all that are in use at once, and BLOCK_CACHE more for each thread.
 * STATUS_RESOURCE when there is no memory for them. */
enum status block_pool_open(size_t block_size, size_t nblocks, struct block_pool *pool);
void block_pool_close(struct block_pool *pool);

/* A block with unspecified contents; never NULL as long as block_pool_open() was told the truth. */
void *block_take(struct block_pool *pool, struct block_cache *cache);
void block_give(struct block_pool *pool, struct block_cache *cache, void *block);

#endif
