/* What this host can do, measured in the same run as what is compared with it. */
#ifndef BENCH_HOST_RATES_H
#define BENCH_HOST_RATES_H

#include <stddef.h>
#include <stdint.h>

double bench_seconds(void); /* monotonic clock */

/* A mapping on large pages where the host gives them; exits when it gives none at all. */
void *bench_map(size_t bytes);

/* Nanoseconds per update of a random 64-bit word of an array of so many bytes. */
double bench_random_update(size_t bytes);

/* Bytes per nanosecond (GB/s) of reading an array of so many bytes in order. */
double bench_stream_read(size_t bytes);

/* xorshift64: cheap enough not to be what is measured. */
uint64_t bench_random(uint64_t *state);

#endif
