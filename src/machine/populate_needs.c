#include "machine/populate_needs.h"

#include <stdlib.h>

#include "machine/slab.h"

/* Frames that one process may need at a time in a cell, when none are left there but elsewhere. */
enum { FRAMES_AT_A_TIME = 8 };

/* 40 MiB (assumed) on the machine of configs/lwn-32g.yaml, and in proportion on smaller ones, so
 * that scaled-down machines keep their balance. */
byte_count populate_image_bytes(byte_count memory)
{
    const byte_count full = (byte_count)40 << 20;
    return min_u64(full, memory / 800);
}

static bool is_populated(const struct plan *plan, const struct plan_vma *vma)
{
    return vma->populate != POPULATE_NONE && plan->objects[vma->object].page_class == PAGES_SMALL;
}

static page_count slab_frames(const struct design *design, const struct arch *arch,
                              enum slab_index slab, uint64_t n)
{
    struct slab_cache cache;
    slab_set_up(&cache, arch, &design->slab[slab]);
    return slab_frames_needed(&cache, n);
}

/* --- page tables --------------------------------------------------------------------------- */

/* Pages of one level of page tables, each of which spans so many pages, above what a process has
 * mapped, vma after vma in the order of addresses. */
static page_count tables_of_level(const struct plan *plan, const struct plan_process *process,
                                  uint64_t span, bool of_ptes)
{
    page_count tables = 0;
    uint64_t end = 0; /* of those that are counted */
    for (size_t i = process->first_vma; i < process->first_vma + process->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        bool large = plan->objects[vma->object].page_class != PAGES_SMALL;
        if (of_ptes ? is_populated(plan, vma) : large || is_populated(plan, vma)) {
            uint64_t first = max_u64(vma->vpn / span, end);
            end = max_u64((vma->vpn + vma->pages - 1) / span + 1, end);
            tables += end - first;
        }
    }
    return tables;
}

static page_count table_frames(const struct plan *plan)
{
    const struct arch *arch = plan->arch;
    const uint64_t of_pmd = (uint64_t)arch->pt_entries * arch->pmd_span;
    const uint64_t of_pud = of_pmd * arch->pud_span;
    page_count frames = 0;
    for (size_t i = 0; i < plan->nprocesses; i++) {
        const struct plan_process *process = &plan->processes[i];
        frames += tables_of_level(plan, process, arch->pt_entries, true);
        frames += of_pmd == 0 ? 0 : tables_of_level(plan, process, of_pmd, false);
        frames += of_pud == 0 ? 0 : tables_of_level(plan, process, of_pud, false);
    }
    return frames;
}

/* --- pages, and the chains of their ptes ----------------------------------------------------- */

/* Where one pte more, or one less, is of each page from an offset on. */
struct border {
    object_id object;
    page_offset offset;
    int32_t ptes;
    int32_t chained; /* of them, those that a chain is to find */
};

static int in_order(const void *a, const void *b)
{
    const struct border *x = a;
    const struct border *y = b;
    if (x->object != y->object) {
        return x->object < y->object ? -1 : 1;
    }
    return x->offset == y->offset ? 0 : (x->offset < y->offset ? -1 : 1);
}

static bool has_chain(const struct plan *plan, const struct design *design,
                      const struct plan_vma *vma)
{
    return design->chain_block_bytes > 0 && (!design->rmap->by_object || vma->nonlinear ||
                                             plan->objects[vma->object].kind == OBJECT_ANON);
}

/* Chain blocks of a page that so many chains find. */
static uint64_t blocks_of(const struct design *design, uint64_t ptes)
{
    return design->chain_slots == 0 || (design->page_direct && ptes == 1)
               ? 0
               : (ptes + design->chain_slots - 1) / design->chain_slots;
}

/* Pages that are resident, blocks of chains and nodes of radix trees. */
struct resident {
    page_count pages;
    uint64_t blocks, nodes;
};

static void add_span(const struct plan *plan, const struct design *design, object_id object,
                     page_count pages, const struct border *depth, struct resident *resident)
{
    if (depth->ptes > 0) {
        const uint64_t in_node = 64;
        resident->pages += pages;
        resident->blocks += pages * blocks_of(design, (uint64_t)depth->chained);
        resident->nodes += plan->objects[object].kind == OBJECT_ANON ? 0 : pages / in_node + 1;
    }
}

/* Pages from which on other vmas map an object lie between borders. */
static size_t collect_borders(const struct plan *plan, const struct design *design,
                              struct border *borders, struct resident *resident)
{
    size_t n = 0;
    for (size_t i = 0; i < plan->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        if (!is_populated(plan, vma)) {
            continue;
        }
        const int32_t chained = has_chain(plan, design, vma) ? 1 : 0;
        const struct border begin = {vma->object, vma->offset, 1, chained};
        if (plan->objects[vma->object].layers > 0) { /* a version of its own */
            add_span(plan, design, vma->object, vma->pages, &begin, resident);
            continue;
        }
        borders[n++] = begin;
        borders[n++] = (struct border){vma->object, vma->offset + vma->pages, -1, -chained};
    }
    for (size_t i = 0; i < plan->nprocesses; i++) {
        if (plan->processes[i].has_read > 0) {
            const object_id read = plan->processes[i].has_read - 1;
            borders[n++] = (struct border){read, 0, 1, 0};
            borders[n++] = (struct border){read, plan->objects[read].pages, -1, 0};
        }
    }
    return n;
}

static enum status count_resident(const struct plan *plan, const struct design *design,
                                  struct resident *resident_p)
{
    struct border *borders = calloc(2 * (plan->nvmas + plan->nprocesses) + 1, sizeof *borders);
    if (borders == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for %zu mappings", plan->nvmas);
    }
    struct resident resident = {0, 0, 0};
    const size_t n = collect_borders(plan, design, borders, &resident);
    qsort(borders, n, sizeof *borders, in_order);
    struct border depth = {0};
    for (size_t i = 0; i + 1 < n; i++) {
        depth.ptes += borders[i].ptes;
        depth.chained += borders[i].chained;
        if (borders[i + 1].object == borders[i].object) {
            add_span(plan, design, borders[i].object, borders[i + 1].offset - borders[i].offset,
                     &depth, &resident);
        }
    }
    free(borders);
    *resident_p = resident;
    return STATUS_OK;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* What the kernel has for each process that is there from the beginning. */
static page_count process_frames(const struct plan *plan, const struct design *design)
{
    uint64_t processes = 0;
    uint64_t vmas = 0;
    for (size_t i = 0; i < plan->nprocesses; i++) {
        if (plan->processes[i].start != START_BY_FORK) {
            processes++;
            vmas += plan->processes[i].nvmas;
        }
    }
    return processes * design->mm_directories +
           slab_frames(design, plan->arch, SLAB_STACK, processes) +
           slab_frames(design, plan->arch, SLAB_TASK, processes) +
           slab_frames(design, plan->arch, SLAB_MM, processes) +
           slab_frames(design, plan->arch, SLAB_VMA, vmas);
}

enum status populate_needs(const struct scenario *scenario, const struct plan *plan,
                           const struct design *design, struct populate_needs *needs_p)
{
    const byte_count memory = scenario->machine.memory;
    const page_count frames = memory >> PAGE_SHIFT;
    const bool has_high = design->lowmem_frames > 0 && design->lowmem_frames < frames;
    struct resident resident = {0, 0, 0};
    enum status status = count_resident(plan, design, &resident);
    struct populate_needs needs = {0, 0, 0};
    if (status == STATUS_OK && !has_high) {
        status = cell_frames_kept(scenario, plan, design, &needs.kept);
    }
    if (status != STATUS_OK) {
        return status;
    }
    needs.frames = pages_for(frames * design->struct_page_bytes) +
                   pages_for(populate_image_bytes(memory)) + process_frames(plan, design) +
                   table_frames(plan) + plan->large_pool + resident.pages;
    if (!has_high) {
        const uint64_t cells = scenario->machine.cells;
        needs.frames += slab_frames(design, plan->arch, SLAB_PTE_CHAIN, resident.blocks) +
                        slab_frames(design, plan->arch, SLAB_RADIX_NODE, resident.nodes);
        needs.apart = cells > 1 ? cells * FRAMES_AT_A_TIME : 0;
    }
    *needs_p = needs;
    return STATUS_OK;
}
