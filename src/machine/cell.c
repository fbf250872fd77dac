#include "machine/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "machine/expected.h"
#include "machine/lru.h"
#include "machine/pte.h"
#include "machine/tags.h"
#include "machine/translation.h"

#define DECLARE(field, type, number, expected, what)                              \
    state_declare(&cell->state, #field, what, sizeof(type), (number), (expected), \
                  (void **)&cell->field)

/* Each cell has its part of each device. */
static uint64_t swap_slots_per_device(const struct scenario *scenario, cell_id cell)
{
    const struct machine_config *machine = &scenario->machine;
    if (machine->swap.size == 0) {
        return 0;
    }
    return even_part(machine->swap.size / machine->swap.devices / PAGE_BYTES, cell, machine->cells);
}

static uint64_t round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Rows that all mappings together can need: one for each chunk that each of them reaches. */
static uint64_t most_rows(const struct cell *cell)
{
    uint64_t rows = REF_FIRST_ROW;
    for (size_t i = 0; i < cell->plan->nvmas; i++) {
        const struct plan_vma *vma = &cell->plan->vmas[i];
        if (cell->plan->objects[vma->object].page_class != PAGES_SMALL) {
            continue; /* present at all times: nothing is kept of them */
        }
        struct shard shard = cell_shard(cell, vma->object);
        page_count first = shard_pages_below(&shard, vma->offset);
        page_count end = shard_pages_below(&shard, vma->offset + vma->pages);
        if (vma->moves) { /* wherever it is, it can begin and end within a chunk */
            rows += min_u64(vma->pages / PAGES_PER_CHUNK + 2,
                            cell->plan->objects[vma->object].pages / PAGES_PER_CHUNK + 1);
        } else if (first < end) {
            rows += ((end - 1) / PAGES_PER_CHUNK - first / PAGES_PER_CHUNK + 1) *
                    max_u64(cell->plan->objects[vma->object].layers, 1);
        }
    }
    return rows;
}

static uint64_t most_vmas(const struct plan *plan)
{
    uint64_t most = 0;
    for (size_t i = 0; i < plan->nobjects; i++) {
        most = max_u64(most, plan->objects[i].max_vmas);
    }
    return most;
}

/* How many of everything a cell has, and how many of them it is expected to use. */
struct cell_numbers {
    uint64_t pages; /* chunks are whole: some numbers stand for no page */
    uint64_t gaps;  /* such numbers */
    uint64_t refs, rows, vma_slots;
    uint64_t columns, versions; /* of anonymous memory of processes that fork */
    uint64_t pt_words;
    uint64_t lists;
    uint64_t slots; /* of swap, on each device */
    uint64_t requests;
    uint64_t used_pages, used_rows, used_slots;
};

/* Adds up what the cell has of each object, and of the mappings of those that have versions. */
static void number_pages(const struct cell *cell, struct cell_numbers *n)
{
    const struct plan *plan = cell->plan;
    for (size_t i = 0; i < plan->nobjects; i++) {
        const struct plan_object *object = &plan->objects[i];
        struct shard shard = cell_shard(cell, (object_id)i);
        uint64_t own = shard_pages_below(&shard, object->pages);
        uint64_t span = round_up(own, PAGES_PER_CHUNK);
        n->pages += span;
        n->versions += object->layers == 0 ? 0 : own;
        n->gaps += span - own;
        n->refs += span / PAGES_PER_CHUNK * object->max_vmas;
        n->vma_slots += object->max_vmas;
    }
    for (size_t i = 0; i < plan->nvmas; i++) {
        const struct plan_vma *vma = &plan->vmas[i];
        struct shard shard = cell_shard(cell, vma->object);
        n->columns += plan->objects[vma->object].layers == 0
                          ? 0
                          : shard_pages_below(&shard, vma->offset + vma->pages) -
                                shard_pages_below(&shard, vma->offset);
    }
    n->rows = most_rows(cell);
}

static struct cell_numbers number_all(const struct cell *cell)
{
    const struct machine_config *machine = &cell->scenario->machine;
    const struct plan *plan = cell->plan;
    struct cell_numbers n = {.slots = swap_slots_per_device(cell->scenario, cell->id)};
    number_pages(cell, &n);
    for (size_t i = 0; i < plan->nprocesses; i++) {
        n.pt_words += round_up(plan->processes[i].address_span, cell->arch->pt_entries) /
                          cell->arch->pt_entries / 64 +
                      1;
    }
    n.lists = LRU_ZONE_LISTS + (uint64_t)cell->ncontexts * LRU_CONTEXT_LISTS;
    n.requests = (uint64_t)cell->nswap_devices * machine->swap.queue +
                 machine->disk.devices * machine->disk.queue;
    const struct expected_use use = expected_use(cell->scenario, plan, cell->design);
    n.used_pages = min_u64(use.pages / cell->ncells + 1 + n.gaps, n.pages);
    n.used_rows = min_u64(n.rows, use.rows / cell->ncells + 1 + REF_FIRST_ROW);
    n.used_slots = use.slots == 0 || n.slots == 0
                       ? 0
                       : min_u64(use.slots / cell->ncells / cell->nswap_devices + 1, n.slots);
    return n;
}

static void declare_pages(struct cell *cell, const struct cell_numbers *n)
{
    DECLARE(words, struct page_word, n->pages / PAGES_PER_WORD, n->used_pages / PAGES_PER_WORD,
            "flags of 64 pages");
    /* The heads of the lists are at the end. */
    DECLARE(lru, struct lru_link, n->pages + n->lists,
            min_u64(state_scattered(sizeof(struct lru_link), n->pages, n->used_pages, 1) + n->lists,
                    n->pages + n->lists),
            "neighbours on an LRU list");
    DECLARE(mapcount, uint16_t, n->pages, n->pages, "ptes that map a page");
    DECLARE(slot, uint32_t, n->pages, n->used_slots == 0 ? 0 : n->used_pages,
            "swap slot of a page");
    DECLARE(written_at, uint32_t, n->pages, n->used_slots == 0 ? 0 : n->used_pages,
            "when a page was written to swap");
    DECLARE(chunk_object, uint32_t, n->pages / PAGES_PER_CHUNK, n->pages / PAGES_PER_CHUNK,
            "object of a chunk");
}

static void declare_mappings(struct cell *cell, const struct cell_numbers *n)
{
    const struct plan *plan = cell->plan;
    DECLARE(objects, struct object, plan->nobjects, plan->nobjects, "an object");
    DECLARE(vmas, struct vma, plan->nvmas, plan->nvmas, "a vma");
    DECLARE(mms, struct mm, plan->nprocesses, plan->nprocesses, "an address space");
    DECLARE(object_vmas, vma_id, n->vma_slots, n->vma_slots, "vmas of an object by rank");
    DECLARE(vma_nodes, struct prio_node, plan->nvmas + 1, plan->nvmas + 1,
            "a vma in the tree of its object");
    DECLARE(coverers, struct vma_entry, most_vmas(plan), 0, "a vma over the page looked at");
    DECLARE(row_refs, uint32_t, n->refs, n->refs, "reference to a row of ptes");
    DECLARE(rows, struct pte_row, n->rows, n->used_rows, "present and young bits of 512 ptes");
    DECLARE(versions, uint16_t, n->columns, n->columns, "which version of a page an mm has");
    DECLARE(attached, uint16_t, n->versions, n->versions, "mms that have a version");
    DECLARE(pt_bits, uint64_t, n->pt_words, n->pt_words, "page-table pages of an address space");
}

static void declare_contexts(struct cell *cell)
{
    const struct plan *plan = cell->plan;
    uint64_t events = (uint64_t)cell->ncontexts + cell->ndevices;
    DECLARE(visitors, struct visitor, plan->nprocesses, plan->nprocesses,
            "a process as the cell sees it");
    DECLARE(operations, struct operation, plan->operates ? plan->nprocesses : 0,
            plan->operates ? plan->nprocesses : 0, "an operation on an address space");
    DECLARE(contexts, struct context, cell->ncontexts, cell->ncontexts, "a kernel context");
    DECLARE(runnable, uint64_t, cell->ncontexts / 64 + 1, cell->ncontexts / 64 + 1,
            "contexts that want a CPU");
    DECLARE(busy, uint64_t, cell->ncontexts / 64 + 1, cell->ncontexts / 64 + 1,
            "contexts that are not idle");
    DECLARE(heap, struct event, events, events, "an event");
    DECLARE(heap_position, uint32_t, events, events, "where an event is in the heap");
}

static void declare_devices(struct cell *cell, const struct cell_numbers *n)
{
    uint64_t swap_slots = n->slots * cell->nswap_devices;
    uint64_t clusters = round_up(n->slots, SWAP_CLUSTER_SLOTS) / SWAP_CLUSTER_SLOTS;
    DECLARE(devices, struct device, cell->ndevices, cell->ndevices, "a block device");
    DECLARE(requests, struct device_request, n->requests, n->requests, "a device request");
    DECLARE(pending, struct device_request, cell->ncells > 1 ? n->requests : 0,
            cell->ncells > 1 ? n->requests : 0, "a device request not yet known to other cells");
    DECLARE(swap_map, page_id, swap_slots,
            state_scattered(sizeof(page_id), n->slots, n->used_slots, cell->nswap_devices),
            "page in a swap slot");
    DECLARE(swap_cluster_used, uint16_t, clusters * cell->nswap_devices,
            clusters * cell->nswap_devices, "slots in use of a swap cluster");
}

static void declare_tlb(struct cell *cell)
{
    tlb_set_up(&cell->scenario->machine.tlb, cell->arch, &cell->tlb);
    uint64_t homes = cell->tlb.nentries > 0 ? translation_homes(cell->plan, cell->id, cell->ncells)
                                            : 0;
    DECLARE(translations, struct translation, homes, homes, "what translations cost a process");
    DECLARE(tlb_entries, uint64_t, homes * cell->tlb.nentries, homes * cell->tlb.nentries,
            "an entry of a TLB");
}

void cell_layout(const struct scenario *scenario, const struct plan *plan,
                 const struct design *design, cell_id id, struct cell *cell)
{
    const struct machine_config *machine = &scenario->machine;
    *cell = (struct cell){
        .id = id,
        .ncells = (cell_id)machine->cells,
        .scenario = scenario,
        .plan = plan,
        .design = design,
        .arch = &arch_table[machine->arch],
        .cost = scenario->costs.ticks,
        .ncontexts = CONTEXT_FIRST_PROCESS +
                     (uint32_t)plan->nprocesses * (machine->cells > 1 ? 2 : 1),
    };
    cell->nswap_devices = swap_slots_per_device(scenario, id) == 0
                              ? 0
                              : (uint32_t)machine->swap.devices;
    cell->ndevices = cell->nswap_devices + (uint32_t)machine->disk.devices;
    const struct cell_numbers n = number_all(cell);
    cell->npages = (page_id)n.pages;
    cell->max_rows = (uint32_t)min_u64(n.rows, UINT32_MAX);
    DECLARE(core, struct cell_core, 1, 1, "counters, zones, CPUs and locks of the cell");
    declare_pages(cell, &n);
    declare_mappings(cell, &n);
    declare_contexts(cell);
    declare_devices(cell, &n);
    declare_tlb(cell);
#ifdef THRASH_CHECKS
    DECLARE(tags, struct tags, n.pages, n.pages, "content tags of a page");
#endif
}

static sim_time ticks_per_page(uint64_t bytes_per_second)
{
    return muldiv(PAGE_BYTES, TICKS_PER_NS * 1000000000ULL, bytes_per_second);
}

static void set_up_devices(struct cell *cell)
{
    const struct machine_config *machine = &cell->scenario->machine;
    uint32_t first = 0;
    for (uint32_t i = 0; i < cell->ndevices; i++) {
        const struct device_config *config = i < cell->nswap_devices ? &machine->swap
                                                                     : &machine->disk;
        cell->devices[i] = (struct device){
            .ticks_per_page = ticks_per_page(config->bandwidth),
            .latency = config->latency,
            .first_request = first,
            .queue = (uint32_t)config->queue,
            .first_waiter = CONTEXT_NONE,
        };
        first += (uint32_t)config->queue;
    }
    cell->core->swap.slots_per_device = (uint32_t)swap_slots_per_device(cell->scenario, cell->id);
}

static void set_up_zones(struct cell *cell)
{
    page_count frames = cell->scenario->machine.memory >> PAGE_SHIFT;
    page_count dma = min_u64(frames, cell->arch->dma_frames);
    page_count lowmem = cell->design->lowmem_frames == 0
                            ? frames
                            : min_u64(frames, cell->design->lowmem_frames);
    const page_count present[ZONES] = {dma, lowmem - dma, frames - lowmem};
    uint64_t nodes = cell->scenario->machine.nodes;
    uint64_t node = cell->id / (cell->ncells / nodes);
    for (int zone = 0; zone < ZONES; zone++) {
        cell->core->zone[zone].present = even_part(present[zone], node, nodes);
    }
    cell->has_lowmem_limit = present[ZONE_HIGHMEM] > 0;
}

static void set_up_locks_and_lists(struct cell *cell)
{
    struct cell_core *core = cell->core;
    for (int zone = 0; zone < ZONES; zone++) {
        core->lru_lock[zone] = (struct sim_lock){0, CONTEXT_NONE, CONTEXT_NONE, 0};
    }
    core->congestion_waiters = CONTEXT_NONE;
    uint32_t lists = LRU_ZONE_LISTS + cell->ncontexts * LRU_CONTEXT_LISTS;
    for (lru_list list = 0; list < lists; list++) {
        lru_list_init(cell, list);
    }
    for (uint32_t i = 0; i < cell->ncontexts; i++) {
        cell->contexts[i].next_waiter = CONTEXT_NONE;
    }
}

/* A cell's part of its node's zones, and of their watermarks, which the design has set for all of
 * it. */
static void take_part_of_zones(struct cell *cell)
{
    uint64_t per_node = cell->ncells / cell->scenario->machine.nodes;
    uint64_t turn = cell->id % per_node;
    for (int i = 0; i < ZONES; i++) {
        struct zone *zone = &cell->core->zone[i];
        page_count *const parts[] = {&zone->present, &zone->min, &zone->low, &zone->high};
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
            *parts[k] = even_part(*parts[k], turn, per_node);
        }
        for (int class = 0; class < ZONES; class ++) {
            zone->reserve[class] = even_part(zone->reserve[class], turn, per_node);
        }
        zone->free = zone->present;
    }
}

enum status cell_create(const struct scenario *scenario, const struct plan *plan,
                        const struct design *design, cell_id id, struct cell *cell)
{
    cell_layout(scenario, plan, design, id, cell);
    enum status status = state_map(&cell->state);
    if (status != STATUS_OK) {
        return status;
    }
    for (int slab = 0; slab < SLABS; slab++) {
        slab_set_up(&cell->core->slab[slab], cell->arch, &design->slab[slab]);
    }
    set_up_zones(cell);
    set_up_devices(cell);
    set_up_locks_and_lists(cell);
    object_build_all(cell);
    design->reclaim->set_up(cell);
    take_part_of_zones(cell);
    context_start_flusher_of_old(cell);
    return STATUS_OK;
}

enum status cell_frames_kept(const struct scenario *scenario, const struct plan *plan,
                             const struct design *design, page_count *frames_p)
{
    struct cell cell;
    cell_layout(scenario, plan, design, 0, &cell);
    cell.core = calloc(1, sizeof *cell.core);
    if (cell.core == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for the zones of a cell");
    }
    set_up_zones(&cell);
    design->reclaim->set_up(&cell);
    page_count kept = 0;
    const enum zone_index class = zone_user_class(&cell);
    for (enum zone_index zone = ZONE_DMA; zone <= class; zone++) {
        kept += min_u64(cell.core->zone[zone].present,
                        design->reclaim->frames_kept(&cell, class, zone, WATERMARK_MIN));
    }
    *frames_p = scenario->machine.nodes * kept;
    free(cell.core);
    return STATUS_OK;
}

void cell_destroy(struct cell *cell)
{
    state_unmap(&cell->state);
    outbox_free(&cell->outbox);
    *cell = (struct cell){0};
}

static byte_count bytes(page_count frames)
{
    return frames * PAGE_BYTES;
}

static page_count kernel_frames(const struct cell *cell)
{
    page_count frames = 0;
    for (int owner = OWNER_MEM_MAP; owner <= OWNER_RADIX_NODE; owner++) {
        frames += zone_owner_frames(cell, (enum owner)owner);
    }
    return frames;
}

/* What holds low memory; with lowmem_free_bytes it adds up to all of it. */
static void sample_lowmem(const struct cell *cell, uint64_t *value)
{
    static const enum metric metrics[OWNERS] = {
        [OWNER_SHM] = METRIC_LOWMEM_USER_BYTES,
        [OWNER_FILE] = METRIC_LOWMEM_USER_BYTES,
        [OWNER_ANON] = METRIC_LOWMEM_USER_BYTES,
        [OWNER_PAGETABLE] = METRIC_LOWMEM_PAGETABLE_BYTES,
        [OWNER_DIRECTORY] = METRIC_LOWMEM_DIRECTORY_BYTES,
        [OWNER_RMAP] = METRIC_LOWMEM_RMAP_BYTES,
        [OWNER_MEM_MAP] = METRIC_LOWMEM_MEM_MAP_BYTES,
        [OWNER_KERNEL] = METRIC_LOWMEM_IMAGE_BYTES,
        [OWNER_TASK] = METRIC_LOWMEM_TASK_BYTES,
        [OWNER_MM] = METRIC_LOWMEM_MM_BYTES,
        [OWNER_VMA] = METRIC_LOWMEM_VMA_BYTES,
        [OWNER_BUFFER_HEAD] = METRIC_LOWMEM_BUFFER_HEAD_BYTES,
        [OWNER_RADIX_NODE] = METRIC_LOWMEM_RADIX_NODE_BYTES,
        [OWNER_BALLAST] = METRIC_LOWMEM_USER_BYTES,
        [OWNER_LARGE] = METRIC_LOWMEM_USER_BYTES,
        [OWNER_HANDED] = METRIC_LOWMEM_USER_BYTES,
    };
    for (int metric = METRIC_LOWMEM_USER_BYTES; metric <= METRIC_LOWMEM_RADIX_NODE_BYTES;
         metric++) {
        value[metric] = 0;
    }
    for (int owner = 0; owner < OWNERS; owner++) {
        value[metrics[owner]] += bytes(zone_lowmem_frames(cell, (enum owner)owner));
    }
}

void cell_sample(struct cell *cell, uint64_t blocked)
{
    struct cell_core *core = cell->core;
    uint64_t *value = core->counter;
    page_count active = 0;
    page_count inactive = 0;
    page_count lowmem_free = 0;
    for (int zone = 0; zone < ZONES; zone++) {
        active += core->zone[zone].nr_active;
        inactive += core->zone[zone].nr_inactive;
        lowmem_free += zone <= (int)ZONE_NORMAL ? core->zone[zone].free : 0;
    }
    value[METRIC_PAGETABLE_BYTES] = bytes(zone_owner_frames(cell, OWNER_PAGETABLE) +
                                          zone_owner_frames(cell, OWNER_DIRECTORY));
    value[METRIC_RMAP_BYTES] = bytes(zone_owner_frames(cell, OWNER_RMAP));
    value[METRIC_FREE_BYTES] = bytes(zone_free_frames(cell));
    value[METRIC_LOWMEM_FREE_BYTES] = bytes(lowmem_free);
    value[METRIC_ACTIVE_BYTES] = bytes(active);
    value[METRIC_INACTIVE_BYTES] = bytes(inactive);
    value[METRIC_SHM_BYTES] = bytes(zone_owner_frames(cell, OWNER_SHM));
    value[METRIC_ANON_BYTES] = bytes(zone_owner_frames(cell, OWNER_ANON));
    value[METRIC_FILE_BYTES] = bytes(zone_owner_frames(cell, OWNER_FILE));
    value[METRIC_KERNEL_BYTES] = bytes(kernel_frames(cell));
    value[METRIC_LARGE_PAGE] = bytes(zone_owner_frames(cell, OWNER_LARGE));
    value[METRIC_LARGE_PTES] = core->large_ptes;
    value[METRIC_BALLAST_BYTES] = bytes(zone_owner_frames(cell, OWNER_BALLAST));
    value[METRIC_SWAPCACHE_BYTES] = bytes(core->swapcache);
    value[METRIC_SWAPCACHE_DIRTY_BYTES] = bytes(core->swapcache_dirty);
    value[METRIC_FILE_DIRTY_BYTES] = bytes(core->nr_dirty);
    value[METRIC_BUFFER_HEADS] = core->slab[SLAB_BUFFER_HEAD].in_use;
    value[METRIC_CHAIN_BLOCKS] = core->slab[SLAB_PTE_CHAIN].in_use;
    value[METRIC_SWAP_USED_BYTES] = core->swap.used * PAGE_BYTES;
    value[METRIC_PTES_PRESENT] = core->ptes_present;
    value[METRIC_PROCESSES_BLOCKED] = blocked;
    sample_lowmem(cell, value);
}
