#include "machine/object.h"

#include "machine/cell.h"
#include "machine/writeback.h"

static const struct sim_lock unlocked = {0, CONTEXT_NONE, CONTEXT_NONE};

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
        };
        first_bit += (tables + 63) / 64 * 64;
    }
}

static void build_vmas(struct cell *cell)
{
    for (size_t i = 0; i < cell->plan->nvmas; i++) {
        const struct plan_vma *plan = &cell->plan->vmas[i];
        struct object *object = &cell->objects[plan->object];
        struct shard shard = cell_shard(cell, plan->object);
        page_count before = shard_pages_below(&shard, plan->offset);
        page_count end = shard_pages_below(&shard, plan->offset + plan->pages);
        cell->vmas[i] = (struct vma){
            .mm = plan->process,
            .object = plan->object,
            .rank = plan->rank,
            .first = object_page(object, before),
            .npages = (page_id)(end - before),
            .ref_stride = object->max_vmas,
            /* May wrap: the sum with a chunk of the object does not. */
            .ref_base = object->first_ref + plan->rank -
                        (uint64_t)(object->first / PAGES_PER_CHUNK) * object->max_vmas,
            .vpn = plan->vpn,
            .offset = plan->offset,
            .page_class = cell->plan->objects[plan->object].page_class,
        };
        cell->object_vmas[object->first_vma_slot + plan->rank] = (vma_id)i;
        object->nvmas++;
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
    return shard_offset(&shard, page - cell->objects[object].first);
}

uint64_t vma_address(const struct cell *cell, const struct vma *vma, page_id page)
{
    return vma->vpn + (object_offset(cell, vma->object, page) - vma->offset);
}
