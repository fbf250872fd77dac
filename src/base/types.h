/* Integer types by meaning, with their printf macros.
 *
 * C does not keep them apart, but a reader and a review do: a quantity keeps one of these types
 * from where it is made to where it is used. Nothing here overflows for machines of up to 1 EiB. */
#ifndef THRASH_BASE_TYPES_H
#define THRASH_BASE_TYPES_H

#include <inttypes.h>
#include <stdint.h>

typedef uint64_t byte_count; /* bytes */
#define MEBIBYTE ((byte_count)1 << 20)
typedef uint64_t page_count;  /* a number of 4 KiB pages or frames, machine wide */
typedef uint64_t page_offset; /* index of a page in its object */
typedef uint32_t cell_id;     /* a shard of a node, 0 .. machine.cells - 1 */
typedef uint32_t process_id;  /* index over all processes of all workloads */
typedef uint32_t object_id;   /* index over all objects that back pages */
typedef uint32_t vma_id;      /* index over all vmas */

/* A page of an object, as numbered inside one cell: the index of all its per-page state there,
 * resident or not. A resident page holds one frame of its zone; which frame that is decides nothing
 * in any of the designs, so frames have no numbers of their own (docs/architecture.md). */
typedef uint32_t page_id;
#define PAGE_NONE UINT32_MAX

/* Simulated time and costs, in ticks of 1/1024 ns. 64 bits hold 208 days. */
typedef uint64_t sim_time;
#define TICKS_PER_NS 1024ULL
#define TIME_NEVER   UINT64_MAX

static inline double sim_seconds(sim_time time)
{
    return (double)time / (1e9 * (double)TICKS_PER_NS);
}

/* A share of something, in parts per billion: 20 % is 200,000,000. Decimal shares are exact. */
typedef uint32_t share_ppb;
#define SHARE_ONE 1000000000U

#define PRIbytes PRIu64
#define PRIpages PRIu64
#define PRItime  PRIu64

#define PAGE_SHIFT 12
#define PAGE_BYTES ((byte_count)1 << PAGE_SHIFT)

__extension__ typedef unsigned __int128 uint128;

/* a * b / c without overflow in between; c > 0 and the quotient must fit. */
static inline uint64_t muldiv(uint64_t a, uint64_t b, uint64_t c)
{
    return (uint64_t)((uint128)a * b / c);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* a + b, or the largest number if that does not fit. */
static inline uint64_t add_saturated(uint64_t a, uint64_t b)
{
    return b <= UINT64_MAX - a ? a + b : UINT64_MAX;
}

/* Pages that so many bytes take. */
static inline page_count pages_for(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* The part of `whole` that `share` makes up, rounded down. */
static inline uint64_t share_of(uint64_t whole, share_ppb share)
{
    return muldiv(whole, share, SHARE_ONE);
}

#endif
