#include "host/translation/proof.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

struct smaps_field {
    const char *name;
    size_t offset;
};

/* Sizes that are added over the mappings; of reserved pages a mapping has private or shared ones.
 */
static const struct smaps_field fields[] = {
    {"Rss:", offsetof(struct page_proof, resident)},
    {"Private_Hugetlb:", offsetof(struct page_proof, resident)},
    {"Shared_Hugetlb:", offsetof(struct page_proof, resident)},
    {"AnonHugePages:", offsetof(struct page_proof, large)},
    {"Swap:", offsetof(struct page_proof, swapped)},
};

/* `Name:   123 kB` at the start of a line. */
static bool read_size(const char *line, const char *name, byte_count *size_p)
{
    const size_t length = strlen(name);
    if (strncmp(line, name, length) != 0) {
        return false;
    }
    const char *at = line + length;
    at += strspn(at, " \t");
    uint64_t kib;
    if (!host_text_scan(&at, &kib)) {
        return false;
    }
    *size_p = kib << 10;
    return true;
}

static void add_line(const char *line, struct page_proof *proof)
{
    byte_count size;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (read_size(line, fields[i].name, &size)) {
            *(byte_count *)(void *)((char *)proof + fields[i].offset) += size;
        }
    }
    if (read_size(line, "KernelPageSize:", &size) && (proof->kernel == 0 || size < proof->kernel)) {
        proof->kernel = size;
    }
}

/* The header of a mapping: `from-to perms ...` in hexadecimal. */
static bool read_range(const char *line, uint64_t *from_p, uint64_t *to_p)
{
    char *end;
    const uint64_t from = strtoull(line, &end, 16);
    if (end == line || *end != '-') {
        return false;
    }
    const char *second = end + 1;
    const uint64_t to = strtoull(second, &end, 16);
    if (end == second || *end != ' ') {
        return false;
    }
    *from_p = from;
    *to_p = to;
    return true;
}

void page_proof_read(const struct host_system *system, const void *start, byte_count size,
                     struct page_proof *proof)
{
    *proof = (struct page_proof){.known = false};
    char *smaps = host_file_load(system, "/proc/self/smaps");
    if (!smaps) {
        (void)snprintf(proof->why, sizeof proof->why, "/proc/self/smaps: %s", strerror(errno));
        return;
    }
    const uint64_t first = (uint64_t)(uintptr_t)start, last = first + size;
    bool inside = false, beyond = false;
    for (char *line = smaps; *line;) {
        char *end = line + strcspn(line, "\n");
        const bool more = *end != '\0';
        *end = '\0';
        uint64_t from, to;
        if (read_range(line, &from, &to)) {
            inside = from < last && to > first;
            beyond |= inside && (from < first || to > last);
            proof->mapped += inside ? to - from : 0;
        } else if (inside) {
            add_line(line, proof);
        }
        line = more ? end + 1 : end;
    }
    free(smaps);
    /* A mapping that reaches out of the range would account for others' pages as well. */
    if (beyond || proof->mapped != size) {
        (void)snprintf(proof->why, sizeof proof->why,
                       "/proc/self/smaps has no mapping of just this region");
        return;
    }
    proof->known = true;
}

byte_count page_proof_size(const struct page_proof *proof, byte_count large,
                           char got[PAGE_PROOF_TEXT])
{
    char unused[PAGE_PROOF_TEXT], a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE], c[UNITS_TEXT_SIZE],
        d[UNITS_TEXT_SIZE];
    if (!got) {
        got = unused;
    }
    if (!proof->known) {
        (void)snprintf(got, PAGE_PROOF_TEXT, "pages of unknown size: %s", proof->why);
        return 0;
    }
    if (proof->resident < proof->mapped) {
        (void)snprintf(got, PAGE_PROOF_TEXT, "%s of %s in memory, %s swapped",
                       units_print_size(proof->resident, a), units_print_size(proof->mapped, b),
                       units_print_size(proof->swapped, c));
        return 0;
    }
    if (proof->large > 0 && proof->large < proof->mapped) {
        (void)snprintf(got, PAGE_PROOF_TEXT, "%s of %s in %s pages, the rest in %s pages",
                       units_print_size(proof->large, a), units_print_size(proof->mapped, b),
                       units_print_size(large, c), units_print_size(proof->kernel, d));
        return 0;
    }
    const byte_count page = proof->large > 0 ? large : proof->kernel;
    (void)snprintf(got, PAGE_PROOF_TEXT, "%s pages", units_print_size(page, a));
    return page;
}
