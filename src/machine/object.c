#include "machine/object.h"

#include <assert.h>

#include "machine/cell.h"
#include "machine/vma_list.h"
#include "machine/writeback.h"

static const struct sim_lock unlocked = {0, CONTEXT_NONE, CONTEXT_NONE, 0};

static page_id round_to_chunk(page_count pages)
{
    return (page_id)((pages + PAGES_PER_CHUNK - 1) / PAGES_PER_CHUNK * PAGES_PER_CHUNK);
}

static void build_objects(struct cell *cell)
{
    page_id first = 0;
    uint64_t first_ref = 0;
    object_id *link = &cell->core->first_written;
    *link = NO_FILE;
    uint64_t first_attached = 0;
    for (size_t i = 0; i < cell->plan->nobjects; i++) {
        const struct plan_object *plan = &cell->plan->objects[i];
        struct shard shard = cell_shard(cell, (object_id)i);
        page_count pages = shard_pages_below(&shard, plan->pages);
        page_id span = round_to_chunk(pages);
        cell->objects[i] = (struct object){
            .kind = (uint32_t)plan->kind,
            .device = cell->nswap_devices + plan->device,
            .first = first,
            .npages = (page_id)pages,
            .nchunks = span / PAGES_PER_CHUNK,
            .max_vmas = plan->max_vmas,
            .first_vma_slot = plan->first_vma_slot,
            .first_ref = first_ref,
            .layers = plan->layers,
            .layer_span = plan->layers == 0 ? 0
                                            : (page_id)shard_pages_below(&shard, plan->layer_pages),
            .first_attached = first_attached,
            .lock = unlocked,
            .locked = plan->locked,
            .written = plan->written,
            .next_written = NO_FILE,
        };
        if (plan->written) {
            *link = (object_id)i;
            link = &cell->objects[i].next_written;
        }
        for (uint32_t chunk = 0; chunk < span / PAGES_PER_CHUNK; chunk++) {
            cell->chunk_object[first / PAGES_PER_CHUNK + chunk] = (uint32_t)i;
        }
        first += span;
        first_attached += plan->layers == 0 ? 0 : pages;
        first_ref += (uint64_t)(span / PAGES_PER_CHUNK) * plan->max_vmas;
    }
    cell->core->file_turn = cell->core->first_written;
}

static void build_mms(struct cell *cell)
{
    uint64_t first_bit = 0;
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        const struct plan_process *plan = &cell->plan->processes[i];
        uint64_t tables = (plan->address_span + cell->arch->pt_entries - 1) /
                          cell->arch->pt_entries;
        cell->mms[i] = (struct mm){
            .process = (process_id)i,
            .first_vma = plan->first_vma,
            .nvmas = plan->nvmas,
            .first_pt_bit = first_bit,
            .npt_bits = tables,
            .scan_address = SCAN_START,
            .lock = unlocked,
            .alive = plan->start != START_BY_FORK,
            .family = (uint32_t)i,
        };
        cell->core->nmms += cell->mms[i].alive;
        first_bit += (tables + 63) / 64 * 64;
    }
    cell->core->nfamilies = (uint32_t)cell->plan->nprocesses;
}

static void aim(const struct cell *cell, struct vma *vma, page_offset offset, page_count pages)
{
    struct shard shard = cell_shard(cell, vma->object);
    page_count before = shard_pages_below(&shard, offset);
    vma->offset = offset;
    vma->first = object_page(&cell->objects[vma->object], before);
    vma->npages = (page_id)(shard_pages_below(&shard, offset + pages) - before);
    vma->pages = pages;
}

void object_aim_vma(const struct cell *cell, struct vma *vma, page_offset offset)
{
    const page_id npages = vma->npages;
    assert(vma->attached && vma->nonlinear);
    aim(cell, vma, offset, vma->pages);
    assert(vma->npages == npages);
    (void)npages;
}

void object_attach_vma(struct cell *cell, struct vma *vma, page_offset offset, page_count pages)
{
    assert(!vma->attached);
    vma->attached = true;
    aim(cell, vma, offset, pages);
    vma_list_attach(cell, (vma_id)(vma - cell->vmas));
}

void object_detach_vma(struct cell *cell, struct vma *vma)
{
    assert(vma->attached);
    vma_list_detach(cell, (vma_id)(vma - cell->vmas));
    vma->attached = false;
    vma->npages = 0;
}

static void build_vmas(struct cell *cell)
{
    uint64_t column = 0;
    for (size_t i = 0; i < cell->plan->nvmas; i++) {
        const struct plan_vma *plan = &cell->plan->vmas[i];
        const struct object *object = &cell->objects[plan->object];
        cell->vmas[i] = (struct vma){
            .mm = plan->process,
            .object = plan->object,
            .rank = plan->rank,
            .ref_stride = object->max_vmas,
            /* May wrap: the sum with a chunk of the object does not. */
            .ref_base = object->first_ref + plan->rank -
                        (uint64_t)(object->first / PAGES_PER_CHUNK) * object->max_vmas,
            .vpn = plan->vpn,
            .offset = plan->offset,
            .page_class = cell->plan->objects[plan->object].page_class,
            .nonlinear = plan->nonlinear,
            .turned = plan->turned,
        };
        struct vma *vma = &cell->vmas[i];
        object_attach_vma(cell, vma, plan->offset, plan->pages);
        vma->column = object->layers == 0 ? NO_COLUMN : column;
        column += object->layers == 0 ? 0 : vma->npages;
        if (plan->absent) {
            object_detach_vma(cell, vma);
        }
        cell->mms[plan->process].has_absent |= plan->absent;
    }
}

void object_build_all(struct cell *cell)
{
    build_objects(cell);
    build_mms(cell);
    build_vmas(cell);
}

page_offset object_offset(const struct cell *cell, object_id object, page_id page)
{
    struct shard shard = cell_shard(cell, object);
    page_offset offset = shard_offset(&shard, page - cell->objects[object].first);
    const struct plan_object *plan = &cell->plan->objects[object];
    return plan->layers == 0 ? offset : offset % plan->layer_pages;
}

page_count vma_turned_round(page_count i, page_count n, uint64_t unit)
{
    page_count begin = i / unit * unit;
    page_count end = min_u64(begin + unit, n);
    return begin + (end - 1 - i);
}

uint64_t vma_address(const struct cell *cell, const struct vma *vma, page_id page)
{
    page_offset offset = object_offset(cell, vma->object, page) - vma->offset;
    return vma->vpn +
           (vma->turned ? vma_turned_round(offset, vma->pages, cell->arch->pt_entries) : offset);
}

page_id vma_nonlinear_page(const struct cell *cell, const struct vma *vma, page_count slot)
{
    return vma->first + (page_id)(vma->turned
                                      ? vma_turned_round(slot, vma->npages, cell->arch->pt_entries)
                                      : slot);
}
