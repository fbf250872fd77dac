#include "machine/populate.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mutant.h"
#include "machine/kernel_memory.h"
#include "machine/lru.h"
#include "machine/map.h"
#include "machine/populate_needs.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/tags.h"
#include "machine/version.h"

/* Frames a boot-time allocation takes from the zones the kernel maps, highest first. */
static bool take_kernel_frames(struct cell *cell, page_count frames, enum owner owner)
{
    for (int zone = (int)zone_kernel_class(cell); zone >= 0 && frames > 0; zone--) {
        page_count here = min_u64(frames, cell->core->zone[zone].free);
        zone_take_many(cell, (enum zone_index)zone, owner, here);
        frames -= here;
    }
    return frames == 0;
}

/* Frames that boot reserves for large pages, from the highest zone down. */
static bool take_large_pool(struct cell *cell)
{
    page_count frames = even_part(cell->plan->large_pool, cell->id, cell->ncells);
    for (int zone = ZONES - 1; zone >= 0; zone--) {
        page_count here = min_u64(frames, cell->core->zone[zone].free);
        zone_take_many(cell, (enum zone_index)zone, OWNER_LARGE, here);
        frames -= here;
    }
    return frames == 0;
}

/* A cell's part of mem_map and of the kernel: with the structures of the processes that it is home
 * to, they make an even part of all that is there before anything is populated. */
static void part_at_boot(const struct cell *cell, page_count mem_map, page_count image,
                         page_count *mem_map_p, page_count *image_p)
{
    const struct slab_kind *task = &cell->design->slab[SLAB_TASK];
    page_count nprocesses = cell->plan->nprocesses;
    page_count all = mem_map + image + pages_for(nprocesses * task->bytes);
    page_count tasks = pages_for(even_part(nprocesses, cell->id, cell->ncells) * task->bytes);
    page_count part = even_part(all, cell->id, cell->ncells);
    *mem_map_p = even_part(mem_map, cell->id, cell->ncells);
    *image_p = part > *mem_map_p + tasks ? part - *mem_map_p - tasks : 0;
}

enum status populate_boot(struct cell *cell)
{
    const struct machine_config *machine = &cell->scenario->machine;
    page_count frames = machine->memory >> PAGE_SHIFT;
    page_count mem_map = pages_for(frames * cell->design->struct_page_bytes);
    page_count image = pages_for(populate_image_bytes(machine->memory));
    page_count own_mem_map;
    page_count own_image;
    part_at_boot(cell, mem_map, image, &own_mem_map, &own_image);
    if (!take_kernel_frames(cell, own_mem_map, OWNER_MEM_MAP) ||
        !take_kernel_frames(cell, own_image, OWNER_KERNEL)) {
        return fail(STATUS_USAGE,
                    "%s: mem_map needs %" PRIpages " MiB and the kernel %" PRIpages
                    " MiB of memory that the kernel can reach; the machine does not have it",
                    scenario_where(cell->scenario, "machine.memory"), mem_map >> 8, image >> 8);
    }
    if (!take_large_pool(cell)) {
        return fail(STATUS_USAGE,
                    "%s: machine.large_pages: %" PRIpages
                    " MiB cannot be reserved; the machine has no such memory left when it boots",
                    scenario_where(cell->scenario, "machine.large_pages"),
                    cell->plan->large_pool >> 8);
    }
    return STATUS_OK;
}

static void out_of_memory(struct cell *cell, process_id process, enum zone_index class,
                          enum owner owner)
{
    struct cell_core *core = cell->core;
    core->out_of_memory = true;
    core->failed_process = process;
    core->failed_zone = (uint32_t) class;
    core->failed_owner = owner;
}

/* The same when it is the process's context that could not have a frame. */
static void refused(struct cell *cell, process_id process, enum zone_index class)
{
    const struct context *context = &cell->contexts[CONTEXT_FIRST_PROCESS + process];
    out_of_memory(cell, process, class, (enum owner)context->refused);
}

/* residence_mark_accessed() on the pages of a mask, at no cost. */
static void mark_word(struct cell *cell, page_id first, uint64_t mask)
{
    struct page_word *word = &cell->words[first / PAGES_PER_WORD];
    uint64_t activate = mask & ~word->plane[PLANE_ACTIVE] & word->plane[PLANE_REFERENCED] &
                        word->plane[PLANE_ON_LRU];
    word->plane[PLANE_REFERENCED] = (word->plane[PLANE_REFERENCED] | mask) & ~activate;
    for (; activate != 0; activate &= activate - 1) {
        lru_activate(cell, first + (page_id)__builtin_ctzll(activate));
    }
}

/* One page: its frame if it has none, the marks of a fault, the pte, the reverse map. */
static bool populate_page(struct cell *cell, const struct vma *vma, page_id page, bool write)
{
    struct actor actor = {0, CONTEXT_FIRST_PROCESS + vma->mm};
    struct object *object = &cell->objects[vma->object];
    if (vma_has_versions(vma)) {
        page_id base = page;
        page = version_of(cell, vma, base);
        if (page == PAGE_NONE) { /* else it has been tried before */
            page = version_place(cell, vma, base);
            version_attach(cell, vma, base, page);
        }
    }
    if (!page_is(cell->words, page, PLANE_RESIDENT)) {
        enum zone_index class;
        enum zone_index zone;
        if (residence_take_page(cell, &actor, page, &zone, &class) != FRAME_OK) {
            refused(cell, vma->mm, class);
            return false;
        }
        bool active = object->kind == OBJECT_ANON && cell->design->reclaim->rules.anon_new_active;
        residence_enter(cell, page, zone, active);
    }
    if (cell->design->rmap->prepare(cell, &actor, page) != FRAME_OK) {
        refused(cell, vma->mm, zone_kernel_class(cell));
        return false;
    }
    mark_word(cell, page / PAGES_PER_WORD * PAGES_PER_WORD, page_bit(page));
    map_set(cell, vma, page, write);
    cell->design->rmap->add(cell, &actor, page);
    tags_populated(cell, page, write);
    count(cell, METRIC_POPULATE_FAULTS, 1);
    return true;
}

/* map_set() on 64 pages; the row's storage is seen to by the caller. */
static void map_word(struct cell *cell, struct mm *mm, page_id first, bool write)
{
    if (write) {
        cell->words[first / PAGES_PER_WORD].plane[PLANE_PTE_DIRTY] = ~0ULL;
    }
    uint16_t *mapcount = &cell->mapcount[first];
    uint16_t unmapped = 0;
    for (int i = 0; i < PAGES_PER_WORD; i++) {
        unmapped = (uint16_t)(unmapped + (mapcount[i] == 0));
        mapcount[i]++;
    }
    for (page_id page = first; page < first + PAGES_PER_WORD; page++) {
        tags_populated(cell, page, write);
    }
    cell->core->nr_mapped += unmapped;
    cell->core->ptes_present += PAGES_PER_WORD;
    mm->rss += PAGES_PER_WORD;
}

/* Pages of a chunk that are all in memory: marks, ptes and reverse maps by the word. */
static bool populate_resident_chunk(struct cell *cell, const struct vma *vma, page_id first,
                                    bool write)
{
    uint32_t *ref = pte_ref(cell, vma, first);
    *ref = REF_YOUNG;
    for (page_id page = first; page < first + PAGES_PER_CHUNK; page += PAGES_PER_WORD) {
        mark_word(cell, page, ~0ULL);
        map_word(cell, &cell->mms[vma->mm], page, write);
        if (cell->design->rmap->add_word(cell, page, ~0ULL) != FRAME_OK) {
            out_of_memory(cell, vma->mm, zone_kernel_class(cell), OWNER_RMAP);
            return false;
        }
    }
    count(cell, METRIC_POPULATE_FAULTS, PAGES_PER_CHUNK);
    return true;
}

/* The chunk is mapped whole by the vma, all of it is in memory, none of it present yet, and memory
 * is so plentiful that the order of allocations within the chunk decides nothing. */
static bool chunk_is_plain(const struct cell *cell, const struct vma *vma, page_id first,
                           page_id end)
{
    if (vma_has_versions(vma) || end - first != PAGES_PER_CHUNK ||
        *pte_ref(cell, vma, first) != REF_EMPTY) {
        return false;
    }
    for (page_id page = first; page < end; page += PAGES_PER_WORD) {
        if (cell->words[page / PAGES_PER_WORD].plane[PLANE_RESIDENT] != ~0ULL) {
            return false;
        }
    }
    const struct zone *zone = &cell->core->zone[zone_kernel_class(cell)];
    return zone->free > zone->high + zone->reserve[zone_user_class(cell)] + PAGES_PER_CHUNK;
}

/* Some `*left` pages of the vma, from place->page on; counts both. False: out of memory at that
 * page. */
static bool populate_vma(struct cell *cell, const struct vma *vma, bool write, bool page_by_page,
                         struct populate_place *place, page_count *left)
{
    struct actor actor = {0, CONTEXT_FIRST_PROCESS + vma->mm};
    page_id end = vma->first + vma->npages;
    while (place->page<vma->npages && * left> 0) {
        page_id first = vma->first + (page_id)place->page;
        page_id next = (page_id)min_u64(
            (uint64_t)first / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, end);
        for (page_id page = first; page < next; page++) {
            place->page = page - vma->first;
            if (map_need_table(cell, &actor, vma, page) != FRAME_OK) {
                refused(cell, vma->mm, map_table_class(cell));
                return false;
            }
            if (!page_by_page && page == first && chunk_is_plain(cell, vma, first, next)) {
                if (!populate_resident_chunk(cell, vma, first, write)) {
                    return false;
                }
                break;
            }
            if (!populate_page(cell, vma, page, write)) {
                return false;
            }
        }
        if (*pte_ref(cell, vma, first) >= REF_FIRST_ROW) {
            pte_compact_young(cell, pte_ref(cell, vma, first));
        }
        place->page = next - vma->first;
        *left -= min_u64(*left, next - first);
    }
    return true;
}

/* What the kernel keeps for the process, in the cell that is home to it. False: out of memory. */
static bool create_process(struct cell *cell, process_id process)
{
    struct actor actor = {0, CONTEXT_FIRST_PROCESS + process};
    if (cell->mms[process].alive && kernel_memory_is_here(cell, process) &&
        kernel_memory_take(cell, &actor, &cell->mms[process],
                           cell->plan->processes[process].nvmas) != FRAME_OK) {
        refused(cell, process, zone_kernel_class(cell));
        return false;
    }
    return true;
}

/* Returns whether that was all, be it for lack of memory. */
static bool populate_mappings(struct cell *cell, process_id process, bool page_by_page,
                              page_count left, struct populate_place *place)
{
    const struct plan_process *plan = &cell->plan->processes[process];
    for (; place->vma < plan->nvmas; place->vma++) {
        const struct vma *vma = &cell->vmas[plan->first_vma + place->vma];
        enum populate how = cell->plan->vmas[plan->first_vma + place->vma].populate;
        if (vma->page_class != PAGES_SMALL) {
            struct actor actor = {0, CONTEXT_FIRST_PROCESS + process};
            if (map_large(cell, &actor, vma, &place->page) != FRAME_OK) {
                out_of_memory(cell, process, zone_kernel_class(cell), OWNER_DIRECTORY);
                return true;
            }
        } else if (how != POPULATE_NONE) {
            if (!populate_vma(cell, vma, how == POPULATE_WRITE, page_by_page, place, &left)) {
                return true;
            }
            if (place->page < vma->npages) {
                return false;
            }
        }
        place->page = 0;
    }
    return true;
}

/* The file that a process has read is in the page cache, each page as after one read(2). Returns
 * whether that was all, be it for lack of memory. */
static bool populate_file(struct cell *cell, process_id process, page_count left,
                          struct populate_place *place)
{
    const object_id read = cell->plan->processes[process].has_read;
    if (read == 0) {
        return true;
    }
    const struct object *object = &cell->objects[read - 1];
    struct actor actor = {0, CONTEXT_FIRST_PROCESS + process};
    for (; place->read < object->npages && !cell->core->out_of_memory; place->read++, left--) {
        const page_id page = object->first + (page_id)place->read;
        if (left == 0) {
            return false;
        }
        if (!page_is(cell->words, page, PLANE_RESIDENT)) {
            enum zone_index class;
            enum zone_index zone;
            if (residence_take_page(cell, &actor, page, &zone, &class) != FRAME_OK) {
                refused(cell, process, class);
                return true;
            }
            residence_enter(cell, page, zone, false);
        }
        if (MUTANT(READ_BEFORE, true, false)) {
            mark_word(cell, page / PAGES_PER_WORD * PAGES_PER_WORD, page_bit(page));
        }
    }
    return true;
}

bool populate_span(struct cell *cell, process_id process, bool page_by_page, page_count pages,
                   struct populate_place *place)
{
    static const sim_time nothing[COST_COUNT];
    const sim_time *cost = cell->cost;
    cell->cost = nothing;
    bool done = true;
    if (!cell->core->out_of_memory) {
        place->created = place->created || create_process(cell, process);
    }
    if (!cell->core->out_of_memory) {
        done = populate_mappings(cell, process, page_by_page, pages, place);
    }
    if (!cell->core->out_of_memory && done) {
        done = populate_file(cell, process, pages, place);
    }
    cell->cost = cost;
    return done;
}

void populate_again(struct cell *cell)
{
    cell->core->out_of_memory = false;
}

void populate_process(struct cell *cell, process_id process, bool page_by_page)
{
    struct populate_place place = {0};
    (void)populate_span(cell, process, page_by_page, UINT64_MAX, &place);
}

static page_count own_frames(const struct cell *cell)
{
    return even_part(cell->scenario->machine.memory >> PAGE_SHIFT, cell->id, cell->ncells);
}

void populate_all(struct cell *cell, bool page_by_page)
{
    for (process_id i = 0; i < cell->plan->nprocesses; i++) {
        populate_process(cell, i, page_by_page);
    }
}

/* Frames that array chains of cache-line blocks would hold for the ptes that are present, and the
 * mem_map of 2.6.0: the largest footprint among the designs compared. */
static page_count reference_frames(const struct cell *cell)
{
    unsigned line = (unsigned)cell->scenario->machine.cache_line;
    unsigned slots = (line - cell->arch->long_bytes) / cell->arch->long_bytes;
    uint64_t blocks = 0;
    for (page_id page = 0; page < cell->npages; page++) {
        uint64_t mapped = cell->mapcount[page];
        blocks += mapped > 1 ? (mapped + slots - 1) / slots : 0;
    }
    unsigned packed = slab_objects_per_page(cell->arch, line);
    page_count frames = own_frames(cell);
    unsigned struct_page = cell->arch->long_bytes == 4 ? 40 : 80;
    return (blocks + packed - 1) / packed + pages_for(frames * struct_page);
}

static page_count auto_ballast(const struct cell *cell)
{
    page_count frames = own_frames(cell);
    page_count free = zone_free_frames(cell);
    page_count own = zone_owner_frames(cell, OWNER_RMAP) +
                     pages_for(frames * cell->design->struct_page_bytes);
    page_count reference = reference_frames(cell);
    page_count target = frames / 32;
    if (free + own > reference) {
        target = min_u64(target, free + own - reference);
    }
    return free > target ? free - target : 0;
}

byte_count populate_ballast(struct cell *cell)
{
    byte_count given = cell->scenario->machine.ballast;
    page_count frames = given == OPTION_AUTO ? auto_ballast(cell)
                                             : even_part(pages_for(given), cell->id, cell->ncells);
    page_count taken = 0;
    for (int zone = ZONES - 1; zone >= 0; zone--) {
        page_count here = min_u64(frames - taken, cell->core->zone[zone].free);
        zone_take_many(cell, (enum zone_index)zone, OWNER_BALLAST, here);
        taken += here;
    }
    return taken * PAGE_BYTES;
}
