#include "host/contention/block_pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum status block_pool_open(size_t block_size, size_t nblocks, struct block_pool *pool)
{
    memset(pool, 0, sizeof *pool);
    void *blocks = mmap(NULL, nblocks * block_size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (blocks == MAP_FAILED) {
        return fail(STATUS_RESOURCE, "no memory for %zu blocks of %zu bytes: %s", nblocks,
                    block_size, strerror(errno));
    }
    pool->block_size = block_size;
    pool->nblocks = nblocks;
    pool->blocks = blocks;
    int error = pthread_spin_init(&pool->lock, PTHREAD_PROCESS_PRIVATE);
    if (error != 0) {
        (void)munmap(blocks, nblocks * block_size);
        return fail(STATUS_FAILED, "cannot make a spinlock: %s", strerror(error));
    }
    return STATUS_OK;
}

void block_pool_close(struct block_pool *pool)
{
    if (pool->blocks != NULL) {
        (void)munmap(pool->blocks, pool->nblocks * pool->block_size);
        (void)pthread_spin_destroy(&pool->lock);
        pool->blocks = NULL;
    }
}

static void refill(struct block_pool *pool, struct block_cache *cache)
{
    (void)pthread_spin_lock(&pool->lock);
    while (cache->n < BLOCK_BATCH && pool->free != NULL) {
        void *block = pool->free;
        memcpy(&pool->free, block, sizeof pool->free);
        cache->block[cache->n++] = block;
    }
    while (cache->n < BLOCK_BATCH && pool->unused < pool->nblocks) {
        cache->block[cache->n++] = pool->blocks + pool->unused++ * pool->block_size;
    }
    (void)pthread_spin_unlock(&pool->lock);
    if (cache->n == 0) { /* whoever sized the pool was wrong */
        abort();
    }
}

static void empty(struct block_pool *pool, struct block_cache *cache)
{
    (void)pthread_spin_lock(&pool->lock);
    while (cache->n > BLOCK_CACHE - BLOCK_BATCH) {
        void *block = cache->block[--cache->n];
        memcpy(block, &pool->free, sizeof pool->free);
        pool->free = block;
    }
    (void)pthread_spin_unlock(&pool->lock);
}

void *block_take(struct block_pool *pool, struct block_cache *cache)
{
    if (cache->n == 0) {
        refill(pool, cache);
    }
    cache->taken++;
    return cache->block[--cache->n];
}

void block_give(struct block_pool *pool, struct block_cache *cache, void *block)
{
    if (cache->n == BLOCK_CACHE) {
        empty(pool, cache);
    }
    cache->taken--;
    cache->block[cache->n++] = block;
}
