#include "machine/populate.h"

#include <assert.h>

#include "machine/lru.h"
#include "machine/map.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/tags.h"
#include "machine/version.h"

/* Frames a boot-time allocation takes from the zones the kernel maps, highest first. */
static bool take_kernel_frames(struct cell *cell, page_count frames, enum owner owner)
{
    for (int zone = (int)zone_kernel_class(cell); zone >= 0 && frames > 0; zone--) {
        for (; frames > 0 && cell->core->zone[zone].free > 0; frames--) {
            zone_take(cell, (enum zone_index)zone, owner);
        }
    }
    return frames == 0;
}

static page_count frames_for(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Kernel text, static tables and boot allocations: 40 MiB (assumed) on the machine of
 * configs/lwn-32g.yaml, and in proportion on smaller ones, so that scaled-down machines keep their
 * balance. */
static byte_count kernel_image_bytes(byte_count memory)
{
    const byte_count full = (byte_count)40 << 20;
    return min_u64(full, memory / 800);
}

page_count populate_frames_needed(const struct scenario *scenario, const struct plan *plan,
                                  const struct design *design)
{
    byte_count memory = scenario->machine.memory;
    page_count frames = frames_for((memory >> PAGE_SHIFT) * design->struct_page_bytes) +
                        frames_for(kernel_image_bytes(memory)) +
                        frames_for(plan->nprocesses * plan->arch->process_kernel_bytes);
    for (size_t i = 0; i < plan->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        if (vma->populate != POPULATE_NONE) {
            frames += (vma->pages + plan->arch->pt_entries - 1) / plan->arch->pt_entries;
        }
    }
    return frames + plan_populated_pages(plan);
}

enum status populate_boot(struct cell *cell)
{
    const struct machine_config *machine = &cell->scenario->machine;
    page_count frames = machine->memory >> PAGE_SHIFT;
    page_count mem_map = frames_for(frames * cell->design->struct_page_bytes);
    page_count image = frames_for(kernel_image_bytes(machine->memory));
    page_count nprocesses = cell->plan->nprocesses;
    page_count tasks = frames_for(nprocesses * cell->arch->process_kernel_bytes);
    page_count directories = nprocesses * cell->arch->mm_pages;
    page_count kernel = even_part(mem_map + image + tasks, cell->id, cell->ncells);
    page_count own_directories = 0;
    for (page_count i = cell->id; i < nprocesses; i += cell->ncells) {
        own_directories += cell->mms[i].alive ? cell->arch->mm_pages : 0;
    }
    if (!take_kernel_frames(cell, kernel, OWNER_KERNEL) ||
        !take_kernel_frames(cell, own_directories, OWNER_PAGETABLE)) {
        return fail(STATUS_USAGE,
                    "%s: mem_map needs %" PRIpages " MiB, the kernel %" PRIpages
                    " MiB and %" PRIpages " processes %" PRIpages
                    " MiB of memory the kernel can reach; the machine does "
                    "not have it",
                    scenario_where(cell->scenario, "machine.memory"), mem_map >> 8, image >> 8,
                    nprocesses, (tasks + directories) >> 8);
    }
    for (page_count i = cell->id; i < nprocesses; i += cell->ncells) {
        cell->mms[i].pt_pages = cell->mms[i].alive ? cell->arch->mm_pages : 0;
    }
    return STATUS_OK;
}

static void out_of_memory(struct cell *cell, process_id process, enum zone_index class)
{
    struct cell_core *core = cell->core;
    core->out_of_memory = true;
    core->failed_process = process;
    core->failed_zone = (uint32_t) class;
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
        page = version_place(cell, vma, base);
        version_attach(cell, vma, base, page);
    }
    if (!page_is(cell->words, page, PLANE_RESIDENT)) {
        enum zone_index class = zone_user_class(cell);
        enum zone_index zone;
        if (residence_take_frame(cell, &actor, class, object_owner(object), &zone) != FRAME_OK) {
            out_of_memory(cell, vma->mm, class);
            return false;
        }
        bool active = object->kind == OBJECT_ANON && cell->design->reclaim->rules.anon_new_active;
        residence_enter(cell, page, zone, active);
    }
    mark_word(cell, page / PAGES_PER_WORD * PAGES_PER_WORD, page_bit(page));
    map_set(cell, vma, page, write);
    if (cell->design->rmap->add_word(cell, page, page_bit(page)) != FRAME_OK) {
        out_of_memory(cell, vma->mm, zone_kernel_class(cell));
        return false;
    }
    tags_populated(cell, page, write);
    return true;
}

/* map_set() on 64 pages; the row's storage is seen to by the caller. */
static void map_word(struct cell *cell, struct mm *mm, page_id first, uint64_t mask, bool write)
{
    if (write) {
        cell->words[first / PAGES_PER_WORD].plane[PLANE_PTE_DIRTY] |= mask;
    }
    for (uint64_t rest = mask; rest != 0; rest &= rest - 1) {
        page_id page = first + (page_id)__builtin_ctzll(rest);
        cell->core->nr_mapped += cell->mapcount[page]++ == 0;
        tags_populated(cell, page, write);
    }
    uint64_t n = (uint64_t)__builtin_popcountll(mask);
    cell->core->ptes_present += n;
    mm->rss += n;
}

/* Pages of a chunk that are all in memory: marks, ptes and reverse maps by the word. */
static bool populate_resident_chunk(struct cell *cell, const struct vma *vma, page_id first,
                                    bool write)
{
    uint32_t *ref = pte_ref(cell, vma, first);
    *ref = REF_YOUNG;
    for (page_id page = first; page < first + PAGES_PER_CHUNK; page += PAGES_PER_WORD) {
        mark_word(cell, page, ~0ULL);
        map_word(cell, &cell->mms[vma->mm], page, ~0ULL, write);
        if (cell->design->rmap->add_word(cell, page, ~0ULL) != FRAME_OK) {
            out_of_memory(cell, vma->mm, zone_kernel_class(cell));
            return false;
        }
    }
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

static bool populate_vma(struct cell *cell, const struct vma *vma, bool write, bool page_by_page)
{
    struct actor actor = {0, CONTEXT_FIRST_PROCESS + vma->mm};
    page_id end = vma->first + vma->npages;
    page_id next;
    for (page_id first = vma->first; first < end; first = next) {
        next = (page_id)min_u64(
            (uint64_t)first / PAGES_PER_CHUNK * PAGES_PER_CHUNK + PAGES_PER_CHUNK, end);
        for (page_id page = first; page < next; page++) {
            if (map_need_table(cell, &actor, vma, page) != FRAME_OK) {
                out_of_memory(cell, vma->mm, zone_kernel_class(cell));
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
        count(cell, METRIC_POPULATE_FAULTS, next - first);
    }
    return true;
}

void populate_process(struct cell *cell, process_id process, bool page_by_page)
{
    const struct plan_process *plan = &cell->plan->processes[process];
    for (size_t i = plan->first_vma; i < plan->first_vma + plan->nvmas; i++) {
        enum populate how = cell->plan->vmas[i].populate;
        if (how != POPULATE_NONE && !cell->core->out_of_memory &&
            !populate_vma(cell, &cell->vmas[i], how == POPULATE_WRITE, page_by_page)) {
            return;
        }
    }
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
    return (blocks + packed - 1) / packed + frames_for(frames * struct_page);
}

static page_count auto_ballast(const struct cell *cell)
{
    page_count frames = own_frames(cell);
    page_count free = zone_free_frames(cell);
    page_count own = zone_owner_frames(cell, OWNER_RMAP) +
                     frames_for(frames * cell->design->struct_page_bytes);
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
                                             : even_part(frames_for(given), cell->id, cell->ncells);
    page_count taken = 0;
    for (int zone = ZONES - 1; zone >= 0; zone--) {
        for (; taken < frames && cell->core->zone[zone].free > 0; taken++) {
            zone_take(cell, (enum zone_index)zone, OWNER_BALLAST);
        }
    }
    return taken * PAGE_BYTES;
}
