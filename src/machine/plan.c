#include "machine/plan.h"

#include <stdlib.h>
#include <string.h>

void plan_free(struct plan *plan)
{
    free(plan->processes);
    free(plan->objects);
    free(plan->vmas);
    *plan = (struct plan){0};
}

/* Room for one more element; false, remembered in the plan, when the host has no memory. */
static bool grow(struct plan *plan, void **array, size_t used, size_t *capacity, size_t element)
{
    if (used < *capacity) {
        return true;
    }
    size_t larger = *capacity == 0 ? 64 : 2 * *capacity;
    void *moved = realloc(*array, larger * element);
    if (moved == NULL) {
        plan->out_of_memory = true;
        return false;
    }
    *array = moved;
    *capacity = larger;
    return true;
}

object_id plan_add_object(struct plan *plan, enum object_kind kind, page_count pages,
                          uint32_t device)
{
    if (!grow(plan, (void **)&plan->objects, plan->nobjects, &plan->object_capacity,
              sizeof *plan->objects)) {
        return 0;
    }
    plan->objects[plan->nobjects] = (struct plan_object){
        .kind = kind, .pages = pages, .device = device, .page_class = PAGES_SMALL};
    return (object_id)plan->nobjects++;
}

/* Layers are made of whole units of all cells, so that the versions of a page are in one cell. */
object_id plan_add_pool(struct plan *plan, page_count layer_pages, uint32_t layers, cell_id ncells)
{
    page_count unit = (page_count)plan->arch->pt_entries * ncells;
    page_count layer = (layer_pages + unit - 1) / unit * unit;
    object_id object = plan_add_object(plan, OBJECT_ANON, layer * layers, 0);
    if (!plan->out_of_memory) {
        plan->objects[object].layers = layers;
        plan->objects[object].layer_pages = layer;
    }
    return object;
}

void plan_set_large(struct plan *plan, object_id object, enum page_class class)
{
    if (!plan->out_of_memory) {
        plan->objects[object].page_class = class;
    }
}

process_id plan_add_process(struct plan *plan, uint32_t workload, uint32_t index,
                            enum start_phase start)
{
    if (!grow(plan, (void **)&plan->processes, plan->nprocesses, &plan->process_capacity,
              sizeof *plan->processes)) {
        return 0;
    }
    plan->processes[plan->nprocesses] = (struct plan_process){
        .workload = workload,
        .index = index,
        .first_vma = (vma_id)plan->nvmas,
        .start = start,
    };
    return (process_id)plan->nprocesses++;
}

static vma_id add_vma_at(struct plan *plan, uint64_t vpn, object_id object, page_offset offset,
                         page_count pages, enum populate populate)
{
    if (!grow(plan, (void **)&plan->vmas, plan->nvmas, &plan->vma_capacity, sizeof *plan->vmas)) {
        return 0;
    }
    struct plan_process *process = &plan->processes[plan->nprocesses - 1];
    plan->vmas[plan->nvmas] = (struct plan_vma){
        .process = (process_id)(plan->nprocesses - 1),
        .object = object,
        .offset = offset,
        .pages = pages,
        .vpn = vpn,
        .populate = populate,
    };
    process->nvmas++;
    process->address_span = vpn + pages;
    plan->objects[object].max_vmas++;
    return (vma_id)plan->nvmas++;
}

vma_id plan_add_vma(struct plan *plan, object_id object, page_offset offset, page_count pages,
                    bool region, enum populate populate)
{
    if (plan->out_of_memory) {
        return 0;
    }
    const struct plan_process *process = &plan->processes[plan->nprocesses - 1];
    /* A region starts at a fresh page of the lowest directory level that is allocated on demand. */
    uint64_t align = plan->arch->pt_entries;
    if (region && plan->arch->pmd_span > 0) {
        align *= plan->arch->pmd_span;
    }
    /* Addresses and offsets agree within a page-table page, so that its ptes are of one unit of the
     * object (shard.h). */
    uint64_t vpn = (process->address_span + align - 1) / align * align +
                   offset % plan->arch->pt_entries;
    return add_vma_at(plan, vpn, object, offset, pages, populate);
}

vma_id plan_add_window(struct plan *plan, object_id object, page_offset offset, page_count pages,
                       enum populate populate)
{
    if (plan->out_of_memory) {
        return 0;
    }
    const struct plan_process *process = &plan->processes[plan->nprocesses - 1];
    if (process->nvmas == 0) {
        return plan_add_vma(plan, object, offset, pages, true, populate);
    }
    const struct plan_vma *before = &plan->vmas[plan->nvmas - 1];
    return add_vma_at(plan, before->vpn + (offset - before->offset), object, offset, pages,
                      populate);
}

void plan_set_nonlinear(struct plan *plan, vma_id vma)
{
    plan->vmas[vma].nonlinear = true;
    plan->has_nonlinear = true;
}

vma_id plan_add_nonlinear(struct plan *plan, object_id object, enum populate populate)
{
    const vma_id vma = plan_add_vma(plan, object, 0, plan->objects[object].pages, true, populate);
    if (!plan->out_of_memory) {
        plan_set_nonlinear(plan, vma);
        plan->vmas[vma].turned = true;
    }
    return vma;
}

enum status plan_finish(struct plan *plan, cell_id ncells)
{
    if (plan->out_of_memory) {
        return fail(STATUS_RESOURCE, "out of memory for a plan of %zu processes and %zu mappings",
                    plan->nprocesses, plan->nvmas);
    }
    uint64_t user_pages = plan->arch->long_bytes == 4 ? (uint64_t)3 << (30 - PAGE_SHIFT)
                                                      : (uint64_t)1 << (47 - PAGE_SHIFT);
    for (size_t i = 0; i < plan->nprocesses; i++) {
        if (plan->processes[i].address_span > user_pages) {
            return fail(STATUS_USAGE,
                        "process %zu maps %" PRIpages " MiB, but user space on %s ends at %" PRIu64
                        " MiB",
                        i, plan->processes[i].address_span >> (20 - PAGE_SHIFT), plan->arch->name,
                        user_pages >> (20 - PAGE_SHIFT));
        }
    }
    uint32_t slots = 0;
    page_count pages = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        struct plan_object *object = &plan->objects[i];
        if (object->max_vmas > UINT16_MAX) {
            return fail(STATUS_USAGE, "%u mappings of one object; the model counts up to %u",
                        object->max_vmas, UINT16_MAX);
        }
        object->first_vma_slot = slots;
        slots += object->max_vmas;
        object->max_vmas = 0; /* counted again below, as ranks are given out */
        pages += object->pages + 2 * 512;
    }
    uint64_t rows = 0;
    for (size_t i = 0; i < plan->nvmas; i++) {
        const struct plan_object *object = &plan->objects[plan->vmas[i].object];
        rows += (plan->vmas[i].pages / 512 + 2) * max_u64(object->layers, 1);
    }
    if (rows / ncells >= UINT32_MAX - 8) {
        return fail(STATUS_USAGE,
                    "%" PRIu64 " page-table pages in %u cells; a cell holds 4294967287, so use "
                    "machine.cells >= %" PRIu64,
                    rows, ncells, rows / (UINT32_MAX - 8) + 1);
    }
    /* List heads are numbered after the pages: three for each context and two for each zone. */
    pages += ncells * (6 * (uint64_t)plan->nprocesses + 64);
    if (pages / ncells >= UINT32_MAX - 1) {
        return fail(STATUS_USAGE,
                    "%" PRIpages " pages of objects in %u cells; a cell holds 4294967294, so use "
                    "machine.cells >= %" PRIu64,
                    pages, ncells, pages / (UINT32_MAX - 1) + 1);
    }
    for (size_t i = 0; i < plan->nvmas; i++) {
        plan->vmas[i].rank = plan->objects[plan->vmas[i].object].max_vmas++;
    }
    return STATUS_OK;
}

page_count plan_large_frames(const struct plan *plan)
{
    page_count frames = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        const struct plan_object *object = &plan->objects[i];
        if (object->page_class != PAGES_SMALL) {
            page_count of_page = arch_page_frames(plan->arch, object->page_class);
            frames += (object->pages + of_page - 1) / of_page * of_page;
        }
    }
    return frames;
}

page_count plan_populated_pages(const struct plan *plan)
{
    page_count *of_object = calloc(plan->nobjects + 1, sizeof *of_object);
    page_count pages = 0;
    for (size_t i = 0; of_object != NULL && i < plan->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        if (vma->populate != POPULATE_NONE &&
            plan->objects[vma->object].page_class == PAGES_SMALL) {
            page_count before = of_object[vma->object];
            of_object[vma->object] = min_u64(before + vma->pages, plan->objects[vma->object].pages);
            pages += of_object[vma->object] - before;
        }
    }
    for (size_t i = 0; of_object != NULL && i < plan->nprocesses; i++) {
        const object_id read = plan->processes[i].has_read;
        if (read > 0) {
            pages += plan->objects[read - 1].pages - of_object[read - 1];
            of_object[read - 1] = plan->objects[read - 1].pages;
        }
    }
    free(of_object);
    return pages;
}
