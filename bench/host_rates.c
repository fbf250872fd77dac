#include "host_rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

uint64_t bench_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void *bench_map(size_t bytes)
{
    void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        perror("bench: mmap");
        exit(3);
    }
    (void)madvise(start, bytes, MADV_HUGEPAGE);
    memset(start, 1, bytes);
    return start;
}

/* Keeps results from being optimised away. */
static volatile uint64_t sink;

double bench_random_update(size_t bytes)
{
    enum { UPDATES = 20000000 };
    uint64_t *words = bench_map(bytes);
    uint64_t n = bytes / sizeof *words;
    uint64_t state = 88172645463325252ULL;
    double begin = bench_seconds();
    for (uint64_t i = 0; i < UPDATES; i++) {
        words[((bench_random(&state) >> 32) * n) >> 32] ^= i;
    }
    double ns = (bench_seconds() - begin) * 1e9 / UPDATES;
    sink = words[0];
    munmap(words, bytes);
    return ns;
}

double bench_stream_read(size_t bytes)
{
    uint64_t *words = bench_map(bytes);
    uint64_t sum = 0;
    double best = 0;
    for (int round = 0; round < 3; round++) {
        double begin = bench_seconds();
        for (size_t i = 0; i < bytes / sizeof *words; i += 4) {
            sum += words[i] + words[i + 1] + words[i + 2] + words[i + 3];
        }
        double rate = (double)bytes / ((bench_seconds() - begin) * 1e9);
        best = rate > best ? rate : best;
    }
    sink = sum;
    munmap(words, bytes);
    return best;
}
