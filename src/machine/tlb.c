#include "machine/tlb.h"

#include <string.h>

#include "base/mutant.h"
#include "config/option.h"

/* An entry: the page's number, its class and whether it is global; 0 is free. */
enum { USED = 1, GLOBAL = 2, CLASS_SHIFT = 2, NUMBER_SHIFT = 4 };

static uint64_t entry_of(uint64_t page, uint32_t class, bool global)
{
    return page << NUMBER_SHIFT | (uint64_t) class << CLASS_SHIFT | (global ? GLOBAL : 0) | USED;
}

static byte_count page_bytes(const struct tlb *tlb, uint32_t class)
{
    return PAGE_BYTES << tlb->shift[class];
}

static void set_up_level(const struct tlb_level_config *config, struct tlb *tlb, size_t level)
{
    for (size_t i = 0; i < TLB_ARRAYS; i++) {
        const struct tlb_array_config *array = &config->array[i];
        if (array->entries == 0) {
            continue;
        }
        uint64_t ways = array->ways == OPTION_AUTO ? array->entries : array->ways;
        tlb->array[level][tlb->narrays[level]++] = (struct tlb_array){
            .first = tlb->nentries,
            .sets = (uint32_t)(array->entries / ways),
            .ways = MUTANT(TLB_WAYS, (uint32_t)ways, (uint32_t)(ways + 1) / 2),
            .pages = tlb_page_sets[array->pages],
        };
        tlb->nentries += (uint32_t)array->entries;
    }
}

void tlb_set_up(const struct tlb_config *config, const struct arch *arch, struct tlb *tlb)
{
    *tlb = (struct tlb){.tagged = config->tagged};
    for (size_t level = 0; level < TLB_LEVELS; level++) {
        set_up_level(&config->level[level], tlb, level);
    }
    tlb->l2_hit = tlb->narrays[1] > 0 ? config->l2_hit : 0;
    for (uint32_t class = 0; class < PAGE_CLASSES; class ++) {
        unsigned levels = arch->pt_levels - class;
        uint64_t misses = min_u64(config->walk_misses, levels);
        tlb->shift[class] = arch_page_shift(arch, (enum page_class) class) - PAGE_SHIFT;
        tlb->walk_time[class] = tlb->l2_hit +
                                MUTANT(WALK_DEPTH, levels, arch->pt_levels) * config->walk_step +
                                misses * config->walk_memory;
    }
}

/* The set that a page of a class belongs in on a level; NULL: no array holds its size. */
static const struct tlb_array *find_set(const struct tlb *tlb, size_t level, uint64_t page,
                                        uint32_t class, uint32_t *first_p)
{
    const struct tlb_array *holds[TLB_ARRAYS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < tlb->narrays[level]; i++) {
        if ((tlb->array[level][i].pages >> class & 1) != 0) {
            holds[n++] = &tlb->array[level][i];
        }
    }
    if (n == 0) {
        return NULL;
    }
    const struct tlb_array *array = holds[page % n];
    *first_p = array->first + (uint32_t)(page / n % array->sets) * array->ways;
    return array;
}

/* Brings an entry to the front of its set, in place of the last if it is not there; true: it was.
 */
static bool use(uint64_t *set, uint32_t ways, uint64_t entry)
{
    uint32_t i = 0;
    while (i + 1 < ways && set[i] != entry) {
        i++;
    }
    bool found = set[i] == entry;
    if (MUTANT(TLB_LRU, true, !found)) {
        memmove(&set[1], &set[0], i * sizeof *set);
        set[0] = entry;
    }
    return found;
}

static bool look_in(const struct tlb *tlb, uint64_t *entries, size_t level, uint64_t page,
                    uint32_t class, bool global)
{
    uint32_t first;
    const struct tlb_array *array = find_set(tlb, level, page, class, &first);
    return array != NULL && use(&entries[first], array->ways, entry_of(page, class, global));
}

void tlb_run(const struct tlb *tlb, uint64_t *entries, const struct tlb_access *accesses, size_t n,
             struct tlb_counts *counts)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t class = accesses[i].class;
        uint64_t page = accesses[i].vpn >> tlb->shift[class];
        counts->accesses++;
        if (look_in(tlb, entries, 0, page, class, accesses[i].global)) {
            continue;
        }
        counts->l1_misses++;
        if (look_in(tlb, entries, 1, page, class, accesses[i].global)) {
            counts->time += tlb->l2_hit;
        } else {
            counts->misses++;
            counts->time += tlb->walk_time[class];
        }
    }
}

/* Frees the entries of a set that are to go, and keeps the order of the others. */
static void flush_set(uint64_t *set, uint32_t ways, enum tlb_flush kind)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ways; i++) {
        if (kind == TLB_FLUSH_SWITCH && (set[i] & GLOBAL) != 0) {
            set[kept++] = set[i];
        }
    }
    memset(&set[kept], 0, (ways - kept) * sizeof *set);
}

void tlb_flush(const struct tlb *tlb, uint64_t *entries, enum tlb_flush kind)
{
    if (kind == TLB_FLUSH_SWITCH && tlb->tagged) {
        return;
    }
    for (size_t level = 0; level < TLB_LEVELS; level++) {
        for (uint32_t i = 0; i < tlb->narrays[level]; i++) {
            const struct tlb_array *array = &tlb->array[level][i];
            for (uint32_t set = 0; set < array->sets; set++) {
                flush_set(&entries[array->first + set * array->ways], array->ways, kind);
            }
        }
    }
}

byte_count tlb_reach(const struct tlb *tlb, enum page_class class)
{
    uint64_t most = 0;
    for (size_t level = 0; level < TLB_LEVELS; level++) {
        uint64_t entries = 0;
        for (uint32_t i = 0; i < tlb->narrays[level]; i++) {
            const struct tlb_array *array = &tlb->array[level][i];
            entries += (array->pages >> class & 1) != 0 ? array->sets * array->ways : 0;
        }
        most = max_u64(most, entries);
    }
    return most * page_bytes(tlb, (uint32_t) class);
}

/* Whether the second level has an entry of the first. */
static bool in_second(const struct tlb *tlb, const uint64_t *entries, uint64_t entry)
{
    uint32_t first;
    uint32_t class = entry >> CLASS_SHIFT & 3;
    const struct tlb_array *array = find_set(tlb, 1, entry >> NUMBER_SHIFT, class, &first);
    for (uint32_t i = 0; array != NULL && i < array->ways; i++) {
        if (entries[first + i] == entry) {
            return true;
        }
    }
    return false;
}

byte_count tlb_mapped(const struct tlb *tlb, const uint64_t *entries)
{
    uint32_t of_first = tlb->narrays[1] > 0 ? tlb->array[1][0].first : tlb->nentries;
    byte_count bytes = 0;
    for (uint32_t i = 0; i < tlb->nentries; i++) {
        uint64_t entry = entries[i];
        if (entry != 0 && (i >= of_first || !in_second(tlb, entries, entry))) {
            bytes += page_bytes(tlb, entry >> CLASS_SHIFT & 3);
        }
    }
    return bytes;
}
