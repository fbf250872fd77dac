/* Two ways to keep the ptes of a shared mapping as bits, measured side by side on the geometry of
 * configs/lwn-32g.yaml (12 GiB, 300 mappings), next to what the host itself can do:
 *
 *   words  per page one present and one young word for every 64 mappings
 *   rows   per page-table page one row of 8 x {present, young} words; reached through a 32-bit
 *          reference, so that uniform rows need no storage
 *
 * The results decided the layout of src/machine/pte.h; docs/architecture.md says how. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { CHUNK_PAGES = 512, MAPPINGS = 300, GROUPS = (MAPPINGS + 63) / 64 };

struct pair {
    uint64_t present, young;
};

static uint64_t chunks = 6144;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t state = 88172645463325252ULL;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void *allocate(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(3);
    }
    madvise(p, size, MADV_HUGEPAGE);
    memset(p, 0xff, size);
    return p;
}

static volatile uint64_t sink;

static void report(const char *what, double seconds, double operations)
{
    printf("%-58s %8.2f ns\n", what, seconds * 1e9 / operations);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        chunks = strtoull(argv[1], NULL, 0);
    }
    uint64_t pages = chunks * CHUNK_PAGES;
    size_t words_size = (size_t)(chunks * GROUPS * CHUNK_PAGES) * sizeof(struct pair);
    size_t rows = (size_t)(chunks * MAPPINGS);
    struct pair *words = allocate(words_size);
    struct pair(*row)[8] = allocate(rows * 128);
    uint32_t *reference = allocate(rows * sizeof *reference);
    for (size_t i = 0; i < rows; i++) {
        reference[i] = (uint32_t)i;
    }
    /* Rows come into being in the order of random touches: the worst order for a walk. */
    for (size_t i = rows - 1; i > 0; i--) {
        size_t j = (size_t)(next_random() % (i + 1));
        uint32_t t = reference[i];
        reference[i] = reference[j];
        reference[j] = t;
    }
    printf("%llu pages x %d mappings: words %zu MiB, rows %zu MiB\n", (unsigned long long)pages,
           MAPPINGS, words_size >> 20, (rows * 132) >> 20);

    uint64_t n = 20000000;
    uint64_t *flat = (uint64_t *)row;
    uint64_t flat_words = rows * 16;
    double t = now();
    for (uint64_t i = 0; i < n; i++) {
        flat[(next_random() >> 32) * flat_words >> 32] ^= i;
    }
    report("host: random update of a 64-bit word", now() - t, (double)n);
    memset(row, 0xff, rows * 128);

    uint64_t sum = 0;
    t = now();
    for (uint64_t i = 0; i < n; i++) {
        uint64_t r = next_random();
        uint64_t page = (r >> 32) * pages >> 32;
        uint64_t mapping = (r & 0xffffffff) * MAPPINGS >> 32;
        struct pair *p = &words[((page / 512 * GROUPS) + mapping / 64) * 512 + page % 512];
        uint64_t bit = 1ULL << (mapping % 64);
        sum += (p->present & bit) != 0;
        p->young |= bit;
    }
    report("words: touch", now() - t, (double)n);
    t = now();
    for (uint64_t i = 0; i < n; i++) {
        uint64_t r = next_random();
        uint64_t page = (r >> 32) * pages >> 32;
        uint64_t mapping = (r & 0xffffffff) * MAPPINGS >> 32;
        struct pair *p = &row[reference[page / 512 * MAPPINGS + mapping]][page % 512 / 64];
        uint64_t bit = 1ULL << (page % 64);
        sum += (p->present & bit) != 0;
        p->young |= bit;
    }
    report("rows: touch", now() - t, (double)n);

    t = now();
    for (uint64_t mapping = 0; mapping < 8; mapping++) {
        uint64_t bit = 1ULL << (mapping % 64);
        for (uint64_t page = 0; page < pages; page++) {
            struct pair *p = &words[((page / 512 * GROUPS) + mapping / 64) * 512 + page % 512];
            sum += (p->present & p->young & bit) != 0;
            p->young &= ~bit;
        }
    }
    report("words: virtual scan, per pte", now() - t, 8.0 * (double)pages);
    t = now();
    for (uint64_t mapping = 0; mapping < 8; mapping++) {
        for (uint64_t chunk = 0; chunk < chunks; chunk++) {
            struct pair *p = row[reference[chunk * MAPPINGS + mapping]];
            for (int w = 0; w < 8; w++) {
                sum += (uint64_t)__builtin_popcountll(p[w].present & p[w].young);
                p[w].young = 0;
            }
        }
    }
    report("rows: virtual scan, per pte", now() - t, 8.0 * (double)pages);

    for (int random = 0; random < 2; random++) {
        uint64_t victims = 200000;
        t = now();
        for (uint64_t i = 0; i < victims; i++) {
            uint64_t page = random ? (next_random() >> 32) * pages >> 32 : i;
            for (uint64_t g = 0; g < GROUPS; g++) {
                struct pair *p = &words[((page / 512 * GROUPS) + g) * 512 + page % 512];
                sum += (uint64_t)__builtin_popcountll(p->young);
                p->young = 0;
            }
        }
        report(random ? "words: reverse map of a random page, per mapping"
                      : "words: reverse map in address order, per mapping",
               now() - t, (double)victims * MAPPINGS);
        t = now();
        for (uint64_t i = 0; i < victims; i++) {
            uint64_t page = random ? (next_random() >> 32) * pages >> 32 : i;
            const uint32_t *r = &reference[page / 512 * MAPPINGS];
            uint64_t w = page % 512 / 64;
            uint64_t bit = 1ULL << (page % 64);
            for (uint64_t m = 0; m < MAPPINGS; m++) {
                if (m + 24 < MAPPINGS) {
                    __builtin_prefetch(&row[r[m + 24]][w], 1);
                }
                struct pair *p = &row[r[m]][w];
                sum += (p->young & bit) != 0;
                p->young &= ~bit;
            }
        }
        report(random ? "rows: reverse map of a random page, per mapping"
                      : "rows: reverse map in address order, per mapping",
               now() - t, (double)victims * MAPPINGS);
    }
    sink = sum;
    return 0;
}
