#include "host/counter_stream.h"

#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define COMPUTE_ITERATIONS 2000000U
#define PAGES_WALKED       32768U /* second-level TLBs hold up to some 4096 entries */
#define PAGES_LAPS         4U
#define SECOND_PAGES       512U /* first levels hold up to some 96 entries, second ones 1024 */
#define SECOND_LAPS        64U
#define FAULT_PAGES        1024U
#define SLEEPS             20U

/* Others may add a few events of their own while a stream runs. */
#define SLACK 64U

static uint64_t page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

const char *host_stream_unit(enum host_stream_kind kind)
{
    static const char *const units[HOST_STREAM_KINDS] = {
        [HOST_STREAM_COMPUTE] = "dependent multiplications",
        [HOST_STREAM_PAGES] = "loads, each from another page",
        [HOST_STREAM_STORES] = "stores, each to another page",
        [HOST_STREAM_WALK_TIME] = "loads, each from another page",
        [HOST_STREAM_SECOND_LEVEL] = "loads, each from another of 512 pages",
        [HOST_STREAM_FAULTS] = "first touches of base pages",
        [HOST_STREAM_SLEEPS] = "sleeps",
    };
    return units[kind];
}

/* Pages that a stream needs, 0 for those that need none. */
static uint64_t pages_of(enum host_stream_kind kind)
{
    static const uint64_t pages[HOST_STREAM_KINDS] = {
        [HOST_STREAM_PAGES] = PAGES_WALKED,     [HOST_STREAM_STORES] = PAGES_WALKED,
        [HOST_STREAM_WALK_TIME] = PAGES_WALKED, [HOST_STREAM_SECOND_LEVEL] = SECOND_PAGES,
        [HOST_STREAM_FAULTS] = FAULT_PAGES,
    };
    return pages[kind];
}

/* The page after another, in scattered order. The multiplier (1 modulo 4) and the odd increment
 * give a full period over a power of two of pages. */
static uint64_t page_after(uint64_t page, uint64_t count)
{
    return (page * 5 + 12345) % count;
}

/* At different lines of their pages: all at one would fight for few sets of the cache. */
static uint64_t offset_of(uint64_t page, uint64_t bytes)
{
    return page * bytes + page % 32 * 64;
}

/* Links the pages into one cycle: each holds the offset of its successor. */
static void link_pages(struct host_stream *stream)
{
    char *base = stream->memory;
    const uint64_t page = page_bytes(), count = stream->size / page;
    uint64_t current = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t next = page_after(current, count);
        *(uint64_t *)(void *)(base + offset_of(current, page)) = offset_of(next, page);
        current = next;
    }
}

bool host_stream_prepare(enum host_stream_kind kind, struct host_stream *stream_p)
{
    struct host_stream stream = {.kind = kind, .prepared = true, .sink = 1};
    if (pages_of(kind) > 0) {
        stream.size = page_bytes() * pages_of(kind);
        void *memory = mmap(NULL, stream.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            -1, 0);
        if (memory == MAP_FAILED) {
            return false;
        }
        /* Refused by kernels without large pages, where there is nothing to switch off. */
        (void)madvise(memory, stream.size, MADV_NOHUGEPAGE);
        stream.memory = memory;
    }
    if (pages_of(kind) > 0 && kind != HOST_STREAM_FAULTS) {
        link_pages(&stream);
    }
    *stream_p = stream;
    return true;
}

static void run_compute(struct host_stream *stream)
{
    uint64_t value = stream->sink;
    for (unsigned i = 0; i < COMPUTE_ITERATIONS; i++) {
        value = value * 6364136223846793005ULL + i;
    }
    stream->sink = value;
    stream->done = COMPUTE_ITERATIONS;
}

static void run_pages(struct host_stream *stream)
{
    const char *base = stream->memory;
    const uint64_t laps = stream->kind == HOST_STREAM_SECOND_LEVEL ? SECOND_LAPS : PAGES_LAPS;
    const uint64_t loads = laps * (stream->size / page_bytes());
    uint64_t at = 0;
    for (uint64_t i = 0; i < loads; i++) {
        at = *(const uint64_t *)(const void *)(base + at);
    }
    stream->sink += at;
    stream->done = loads;
}

static void run_stores(struct host_stream *stream)
{
    volatile char *base = stream->memory;
    const uint64_t page = page_bytes(), count = stream->size / page;
    const uint64_t stores = PAGES_LAPS * count;
    uint64_t current = 0;
    for (uint64_t i = 0; i < stores; i++) {
        base[offset_of(current, page) + 8] = 1;
        current = page_after(current, count);
    }
    stream->done = stores;
}

static void run_faults(struct host_stream *stream)
{
    volatile char *base = stream->memory;
    const uint64_t page = page_bytes();
    for (uint64_t offset = 0; offset < stream->size; offset += page) {
        base[offset] = 1;
    }
    stream->done = stream->size / page;
}

static void run_sleeps(struct host_stream *stream)
{
    const struct timespec nap = {.tv_nsec = 50000};
    for (unsigned i = 0; i < SLEEPS; i++) {
        (void)nanosleep(&nap, NULL);
    }
    stream->done = SLEEPS;
}

static uint64_t kernel_count(enum host_stream_kind kind)
{
    struct rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage)) {
        return 0;
    }
    return (uint64_t)(kind == HOST_STREAM_SLEEPS ? usage.ru_nvcsw + usage.ru_nivcsw
                                                 : usage.ru_minflt + usage.ru_majflt);
}

void host_stream_run(struct host_stream *stream)
{
    static void (*const runs[HOST_STREAM_KINDS])(struct host_stream *) = {
        [HOST_STREAM_COMPUTE] = run_compute,    [HOST_STREAM_PAGES] = run_pages,
        [HOST_STREAM_STORES] = run_stores,      [HOST_STREAM_WALK_TIME] = run_pages,
        [HOST_STREAM_SECOND_LEVEL] = run_pages, [HOST_STREAM_FAULTS] = run_faults,
        [HOST_STREAM_SLEEPS] = run_sleeps,
    };
    if (stream->kind == HOST_STREAM_FAULTS) {
        (void)madvise(stream->memory, stream->size, MADV_DONTNEED);
    }
    const uint64_t before = kernel_count(stream->kind);
    runs[stream->kind](stream);
    stream->kernel = kernel_count(stream->kind) - before;
}

void host_stream_bounds(const struct host_stream *stream, uint64_t *least_p, uint64_t *most_p)
{
    switch (stream->kind) {
    case HOST_STREAM_COMPUTE:
        /* At least one instruction and one cycle each; the upper end catches garbage only. */
        *least_p = stream->done;
        *most_p = 1000 * stream->done;
        break;
    case HOST_STREAM_WALK_TIME:
        /* A walk takes a cycle at the least, and some hundreds when its entries are in memory. */
        *least_p = stream->done / 8;
        *most_p = 4000 * stream->done;
        break;
    case HOST_STREAM_PAGES:
    case HOST_STREAM_STORES:
    case HOST_STREAM_SECOND_LEVEL:
        /* Processors merge neighbouring pages into one TLB entry, and count a miss once per level
         * or once per walk. */
        *least_p = stream->done / 8;
        *most_p = 8 * stream->done;
        break;
    case HOST_STREAM_FAULTS:
    case HOST_STREAM_SLEEPS:
    case HOST_STREAM_KINDS:
        *least_p = stream->done;
        *most_p = (stream->kernel > stream->done ? stream->kernel : stream->done) + SLACK;
        break;
    }
}

void host_stream_release(struct host_stream *stream)
{
    if (stream->memory) {
        (void)munmap(stream->memory, stream->size);
    }
    *stream = (struct host_stream){.kind = stream->kind};
}
