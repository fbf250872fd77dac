/* TLBs, naively: every entry says what it holds and when it was used last. docs/model.md,
 * section 16. */
#include <stdlib.h>

#include "config/tlb_config.h"
#include "oracle/parts.h"

enum { RECENT = 65536 };

struct entry {
    bool used;
    byte_count page_size;
    uint64_t page; /* its number among those of its size */
    uint64_t last_use;
};

struct translation {
    struct entry *entries[TLB_LEVELS][TLB_ARRAYS];
    uint64_t uses;
    uint64_t touches;
    uint64_t recent, recent_misses;
    sim_time recent_time;
    uint64_t fraction; /* of a miss, in 2^-32 */
    uint64_t stops;    /* that have been seen */
    uint32_t generation;
    sim_time cost; /* of a touch, as the CPUs are shared out by */
};

static const struct tlb_config *tlb_of(const struct machine *machine)
{
    return &machine->scenario->machine.tlb;
}

static bool holds(const struct tlb_array_config *array, byte_count page_size)
{
    const enum page_class class = page_size == PAGE_BYTES ? PAGES_SMALL
                                  : page_size == 1U << 30 ? PAGES_HUGE
                                                          : PAGES_LARGE;
    return array->entries > 0 && (tlb_page_sets[array->pages] & 1U << class) != 0;
}

/* True: the level had the page. It has it now, if any of its arrays can. */
static bool look_up(const struct tlb_level_config *level, struct entry *const arrays[TLB_ARRAYS],
                    byte_count page_size, uint64_t page, uint64_t now)
{
    uint64_t choices = 0;
    for (unsigned i = 0; i < TLB_ARRAYS; i++) {
        choices += holds(&level->array[i], page_size);
    }
    uint64_t turn = choices == 0 ? 0 : page % choices;
    for (unsigned i = 0; i < TLB_ARRAYS; i++) {
        const struct tlb_array_config *array = &level->array[i];
        if (!holds(array, page_size) || turn-- > 0) {
            continue;
        }
        const uint64_t ways = array->ways == OPTION_AUTO ? array->entries : array->ways;
        const uint64_t set = page / choices % (array->entries / ways);
        struct entry *oldest = &arrays[i][set * ways];
        for (uint64_t k = set * ways; k < (set + 1) * ways; k++) {
            struct entry *entry = &arrays[i][k];
            if (entry->used && entry->page_size == page_size && entry->page == page) {
                entry->last_use = now;
                return true;
            }
            if (!entry->used || (oldest->used && entry->last_use < oldest->last_use)) {
                oldest = entry;
            }
        }
        *oldest = (struct entry){true, page_size, page, now};
        return false;
    }
    return false;
}

static bool has_second_level(const struct machine *machine)
{
    const struct tlb_level_config *level = &tlb_of(machine)->level[1];
    return level->array[0].entries + level->array[1].entries + level->array[2].entries > 0;
}

static sim_time walk_time(const struct machine *machine, byte_count page_size)
{
    const struct tlb_config *tlb = tlb_of(machine);
    const unsigned arch = machine->scenario->machine.arch;
    uint64_t reads = arch == ARCH_I386 ? 2 : arch == ARCH_I386_PAE ? 3 : 4;
    reads -= page_size == PAGE_BYTES ? 0 : page_size == 1U << 30 ? 2 : 1;
    return (has_second_level(machine) ? tlb->l2_hit : 0) + reads * tlb->walk_step +
           min_u64(tlb->walk_misses, reads) * tlb->walk_memory;
}

static void translate_one(struct machine *machine, struct process *process)
{
    struct translation *translation = process->translation;
    const struct tlb_config *tlb = tlb_of(machine);
    struct touch touch;
    o_workload_sample(machine, process,
                      ((uint64_t)process->generation << 24) + translation->touches, &touch);
    const byte_count size = touch.vma->object->page_size;
    const page_offset offset = touch.page == NULL ? touch.offset : touch.page->offset;
    const uint64_t page = o_vma_address_at(touch.vma, offset) * PAGE_BYTES / size;
    const uint64_t now = ++translation->uses;
    if (!look_up(&tlb->level[0], translation->entries[0], size, page, now)) {
        if (look_up(&tlb->level[1], translation->entries[1], size, page, now)) {
            translation->recent_time += tlb->l2_hit;
        } else {
            translation->recent_time += walk_time(machine, size);
            translation->recent_misses++;
            machine->count.tlb_misses++;
        }
    }
    if (++translation->recent == RECENT) {
        translation->recent /= 2;
        translation->recent_misses /= 2;
        translation->recent_time /= 2;
    }
}

static void estimate_one(struct machine *machine, struct translation *translation)
{
    if (translation->recent > 0) {
        translation->fraction += (translation->recent_misses << 32) / translation->recent;
        machine->count.tlb_misses += translation->fraction >> 32;
        translation->fraction &= UINT32_MAX;
    }
}

static void flush(const struct machine *machine, struct translation *translation)
{
    for (unsigned level = 0; level < TLB_LEVELS; level++) {
        for (unsigned i = 0; i < TLB_ARRAYS; i++) {
            for (uint64_t k = 0; k < tlb_of(machine)->level[level].array[i].entries; k++) {
                translation->entries[level][i][k].used = false;
            }
        }
    }
}

static void translate_process(struct machine *machine, struct process *process)
{
    struct translation *translation = process->translation;
    if (translation->generation != process->generation) { /* another process, with its number */
        translation->generation = process->generation;
        translation->touches = 0;
        flush(machine, translation);
    }
    const struct machine_config *config = &machine->scenario->machine;
    const sim_time work = process->workload->interval;
    const uint64_t slice = config->timeslice < work ? 1 : config->timeslice / work;
    const bool flushes = machine->nprocesses > config->cpus && !config->tlb.tagged;
    while (translation->touches < process->work / work) {
        if (translation->touches / slice % config->tlb_sampling == 0) {
            if (flushes &&
                (translation->touches % slice == 0 || translation->stops != process->stops)) {
                flush(machine, translation);
            }
            translation->stops = process->stops;
            translate_one(machine, process);
        } else {
            estimate_one(machine, translation);
        }
        machine->count.tlb_accesses++;
        translation->touches++;
    }
    if (translation->recent > 0) {
        const sim_time cost = translation->recent_time / translation->recent;
        const sim_time change = cost > translation->cost ? cost - translation->cost
                                                         : translation->cost - cost;
        if (change > translation->cost / 256) {
            translation->cost = cost;
        }
    }
}

void o_translate(struct machine *machine)
{
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        if (machine->processes[p].translation != NULL) {
            translate_process(machine, &machine->processes[p]);
        }
    }
}

sim_time o_translation_leaves(const struct process *process, sim_time grant)
{
    const sim_time cost = process->translation == NULL ? 0 : process->translation->cost;
    const sim_time work = process->workload->interval;
    return (sim_time)((uint128)grant * work / (work + cost));
}

/* Whether the first level has what is in an entry of the second. */
static bool in_first_level(const struct machine *machine, const struct translation *translation,
                           const struct entry *of_second)
{
    for (unsigned i = 0; i < TLB_ARRAYS; i++) {
        for (uint64_t k = 0; k < tlb_of(machine)->level[0].array[i].entries; k++) {
            const struct entry *entry = &translation->entries[0][i][k];
            if (entry->used && entry->page_size == of_second->page_size &&
                entry->page == of_second->page) {
                return true;
            }
        }
    }
    return false;
}

byte_count o_translation_reach(const struct machine *machine)
{
    byte_count bytes = 0;
    uint64_t processes = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        const struct translation *translation = machine->processes[p].translation;
        if (translation == NULL || translation->touches == 0) {
            continue;
        }
        processes++;
        for (unsigned level = 0; level < TLB_LEVELS; level++) {
            for (unsigned i = 0; i < TLB_ARRAYS; i++) {
                for (uint64_t k = 0; k < tlb_of(machine)->level[level].array[i].entries; k++) {
                    const struct entry *entry = &translation->entries[level][i][k];
                    const bool again = level == 1 && entry->used &&
                                       in_first_level(machine, translation, entry);
                    bytes += entry->used && !again ? entry->page_size : 0;
                }
            }
        }
    }
    return processes == 0 ? 0 : bytes / processes;
}

void o_translation_build(struct machine *machine)
{
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        struct process *process = &machine->processes[p];
        const enum workload_kind kind = process->workload->kind;
        if (kind == WORKLOAD_READER || process->mm.vmas == NULL ||
            !tlb_config_is_there(tlb_of(machine))) {
            continue;
        }
        process->translation = calloc(1, sizeof *process->translation);
        REQUIRE(process->translation != NULL);
        for (unsigned level = 0; level < TLB_LEVELS; level++) {
            for (unsigned i = 0; i < TLB_ARRAYS; i++) {
                const uint64_t n = tlb_of(machine)->level[level].array[i].entries;
                process->translation->entries[level][i] = calloc(n + 1, sizeof(struct entry));
                REQUIRE(process->translation->entries[level][i] != NULL);
            }
        }
    }
}

void o_translation_free(struct process *process)
{
    for (unsigned i = 0; process->translation != NULL && i < TLB_LEVELS * TLB_ARRAYS; i++) {
        free(process->translation->entries[i / TLB_ARRAYS][i % TLB_ARRAYS]);
    }
    free(process->translation);
}
