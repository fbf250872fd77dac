#include "machine/invariants.h"

#include <stdlib.h>

#include "machine/lru.h"
#include "machine/pte.h"
#include "machine/residence.h"
#include "machine/version.h"

#define EXPECT_EQUAL(what, counted, kept)                                                       \
    do {                                                                                        \
        uint64_t counted_ = (counted);                                                          \
        uint64_t kept_ = (kept);                                                                \
        if (counted_ != kept_) {                                                                \
            return fail(STATUS_FAILED, "invariant broken: %s is %" PRIu64 ", kept as %" PRIu64, \
                        what, counted_, kept_);                                                 \
        }                                                                                       \
    } while (0)

static bool has_row(const struct cell *cell, uint32_t ref)
{
    return ref >= REF_FIRST_ROW && ref < cell->max_rows;
}

/* Ptes of all vmas, counted from the rows into one number for each page and each mm. */
static enum status count_ptes(const struct cell *cell, uint16_t *of_page, uint64_t *of_mm)
{
    for (size_t i = 0; i < cell->plan->nvmas; i++) {
        const struct vma *vma = &cell->vmas[i];
        for (page_id base = vma->first; base < vma->first + vma->npages; base++) {
            page_id page = version_of(cell, vma, base);
            if (page == PAGE_NONE) {
                continue;
            }
            uint32_t ref = *pte_ref(cell, vma, page);
            if (ref > REF_YOUNG && !has_row(cell, ref)) {
                return fail(STATUS_FAILED, "invariant broken: vma %zu refers to row %u", i, ref);
            }
            struct pte_pair pair = pte_read(cell, ref, page);
            bool present = (pair.present & page_bit(page)) != 0;
            if ((pair.young & ~pair.present) != 0) {
                return fail(STATUS_FAILED, "invariant broken: a young pte of vma %zu is absent", i);
            }
            of_page[page] = (uint16_t)(of_page[page] + present);
            of_mm[vma->mm] += present;
        }
    }
    return STATUS_OK;
}

static enum status check_mappings(const struct cell *cell, const uint16_t *of_page,
                                  const uint64_t *of_mm)
{
    uint64_t ptes = 0;
    uint64_t mapped = 0;
    for (page_id page = 0; page < cell->npages; page++) {
        if (of_page[page] != cell->mapcount[page]) {
            return fail(STATUS_FAILED, "invariant broken: page %u has %u ptes, its mapcount is %u",
                        page, of_page[page], cell->mapcount[page]);
        }
        if (of_page[page] > 0 && !page_is(cell->words, page, PLANE_RESIDENT)) {
            return fail(STATUS_FAILED, "invariant broken: page %u is mapped but not resident",
                        page);
        }
        ptes += of_page[page];
        mapped += of_page[page] > 0;
    }
    EXPECT_EQUAL("the number of present ptes", ptes, cell->core->ptes_present);
    EXPECT_EQUAL("the number of mapped pages", mapped, cell->core->nr_mapped);
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        EXPECT_EQUAL("an rss", of_mm[i], cell->mms[i].rss);
    }
    return STATUS_OK;
}

/* Walks a list both ways and checks that its pages say they are on it; returns its length. */
static enum status list_length(const struct cell *cell, lru_list list, page_count *length_p)
{
    page_id head = lru_head(cell, list);
    page_count length = 0;
    for (page_id page = cell->lru[head].next; page != head; page = cell->lru[page].next) {
        if (page >= cell->npages || cell->lru[cell->lru[page].next].prev != page ||
            ++length > cell->npages) {
            return fail(STATUS_FAILED, "invariant broken: LRU list %u is damaged at %u", list,
                        page);
        }
        bool lru = list < LRU_ZONE_LISTS;
        if (page_is(cell->words, page, PLANE_ON_LRU) != lru ||
            !page_is(cell->words, page, PLANE_RESIDENT) ||
            (lru && lru_of(cell, page_zone(cell, page), page_is(cell->words, page, PLANE_ACTIVE)) !=
                        list)) {
            return fail(STATUS_FAILED, "invariant broken: page %u is on LRU list %u", page, list);
        }
    }
    *length_p = length;
    return STATUS_OK;
}

static enum status check_lists(const struct cell *cell)
{
    page_count on_lists = 0;
    for (lru_list list = 0; list < LRU_ZONE_LISTS + cell->ncontexts * LRU_CONTEXT_LISTS; list++) {
        page_count length = 0;
        enum status status = list_length(cell, list, &length);
        if (status != STATUS_OK) {
            return status;
        }
        if (list < LRU_ZONE_LISTS) {
            EXPECT_EQUAL("the length of an LRU list", length, cell->core->list_pages[list]);
        }
        on_lists += length;
    }
    page_count resident = 0;
    for (page_id page = 0; page < cell->npages; page++) {
        resident += page_is(cell->words, page, PLANE_RESIDENT);
    }
    EXPECT_EQUAL("the number of resident pages on lists", on_lists, resident);
    return STATUS_OK;
}

/* Frames by zone and owner, counted from the pages; and that every frame is somewhere. */
static enum status check_frames(const struct cell *cell)
{
    page_count held[ZONES][OWNERS] = {{0}};
    page_count active[ZONES] = {0};
    page_count inactive[ZONES] = {0};
    for (page_id page = 0; page < cell->npages; page++) {
        if (!page_is(cell->words, page, PLANE_RESIDENT)) {
            continue;
        }
        enum zone_index zone = page_zone(cell, page);
        held[zone][object_owner(page_object(cell, page))]++;
        if (page_is(cell->words, page, PLANE_ON_LRU)) {
            bool is_active = page_is(cell->words, page, PLANE_ACTIVE);
            active[zone] += is_active;
            inactive[zone] += !is_active;
        }
    }
    for (int i = 0; i < ZONES; i++) {
        const struct zone *zone = &cell->core->zone[i];
        page_count sum = zone->free;
        for (int owner = 0; owner < OWNERS; owner++) {
            sum += zone->held[owner];
        }
        EXPECT_EQUAL("the frames of a zone, free and held", sum, zone->present);
        EXPECT_EQUAL("frames of shared memory", held[i][OWNER_SHM], zone->held[OWNER_SHM]);
        EXPECT_EQUAL("frames of files", held[i][OWNER_FILE], zone->held[OWNER_FILE]);
        EXPECT_EQUAL("anonymous frames", held[i][OWNER_ANON], zone->held[OWNER_ANON]);
        EXPECT_EQUAL("active pages of a zone", active[i], zone->nr_active);
        EXPECT_EQUAL("inactive pages of a zone", inactive[i], zone->nr_inactive);
    }
    page_count tables = 0;
    for (size_t i = 0; i < cell->plan->nprocesses; i++) {
        tables += cell->mms[i].pt_pages;
    }
    EXPECT_EQUAL("page-table frames of all mms", tables,
                 zone_owner_frames(cell, OWNER_PAGETABLE) +
                     zone_owner_frames(cell, OWNER_DIRECTORY));
    return STATUS_OK;
}

/* Objects of the caches whose objects belong to pages, and the frames of all caches. */
static enum status check_slabs(const struct cell *cell)
{
    uint64_t nodes = 0;
    uint64_t buffers = 0;
    for (page_id first = 0; first < cell->npages; first += PAGES_PER_WORD) {
        const struct page_word *word = &cell->words[first / PAGES_PER_WORD];
        buffers += (uint64_t)__builtin_popcountll(word->plane[PLANE_BUFFERS]);
        uint64_t cached = word->plane[PLANE_RESIDENT] & ~word->plane[PLANE_SWAPCACHE];
        nodes += cached != 0 && !page_is_anon(cell, first) &&
                 cell->design->slab[SLAB_RADIX_NODE].bytes > 0;
    }
    const struct slab_cache *slab = cell->core->slab;
    EXPECT_EQUAL("buffer heads", buffers, slab[SLAB_BUFFER_HEAD].in_use);
    EXPECT_EQUAL("radix-tree nodes", nodes, slab[SLAB_RADIX_NODE].in_use);
    page_count frames[OWNERS] = {0};
    for (int i = 0; i < SLABS; i++) {
        frames[slab_owner((enum slab_index)i)] += slab[i].frames;
    }
    for (int i = 0; i < SLABS; i++) {
        enum owner owner = slab_owner((enum slab_index)i);
        EXPECT_EQUAL("frames of slab caches", frames[owner], zone_owner_frames(cell, owner));
    }
    return STATUS_OK;
}

static enum status check_swap(const struct cell *cell)
{
    uint64_t used = 0;
    uint64_t slots = (uint64_t)cell->nswap_devices * cell->core->swap.slots_per_device;
    for (uint64_t slot = 0; slot < slots; slot++) {
        if (cell->swap_map[slot] == 0) {
            continue;
        }
        used++;
        page_id page = cell->swap_map[slot] - 1;
        if (page >= cell->npages || cell->slot[page] != slot + 1) {
            return fail(STATUS_FAILED,
                        "invariant broken: slot %" PRIu64 " is for page %u, which is "
                        "in slot %" PRId64,
                        slot, page, page < cell->npages ? (int64_t)cell->slot[page] - 1 : -1);
        }
    }
    EXPECT_EQUAL("swap slots in use", used, cell->core->swap.used);
    uint64_t of_pages = 0;
    uint64_t cached = 0;
    uint64_t dirty = 0;
    for (page_id page = 0; page < cell->npages; page++) {
        bool swapcache = page_is(cell->words, page, PLANE_SWAPCACHE);
        of_pages += cell->slot[page] != 0;
        cached += swapcache;
        dirty += swapcache && page_is(cell->words, page, PLANE_DIRTY);
        bool resident = page_is(cell->words, page, PLANE_RESIDENT);
        if (swapcache != (resident && cell->slot[page] != 0)) {
            return fail(STATUS_FAILED, "invariant broken: page %u and the swap cache disagree",
                        page);
        }
    }
    EXPECT_EQUAL("pages that have a swap slot", of_pages, used);
    EXPECT_EQUAL("pages in the swap cache", cached, cell->core->swapcache);
    EXPECT_EQUAL("dirty pages in the swap cache", dirty, cell->core->swapcache_dirty);
    return STATUS_OK;
}

/* A page that write(2) dirtied is among those that are to be written back; nothing else says where
 * to look for it. */
static enum status check_file_page(const struct cell *cell, page_id page)
{
    const struct object *object = page_object(cell, page);
    page_id index = page - object->first;
    if (object->written && page_is(cell->words, page, PLANE_DIRTY) &&
        (index < object->clean_upto || index >= object->written_upto)) {
        return fail(STATUS_FAILED, "invariant broken: dirty page %u would not be written back",
                    page);
    }
    if (cell->written_at[page] != 0 && !page_is(cell->words, page, PLANE_SWAPCACHE)) {
        return fail(STATUS_FAILED,
                    "invariant broken: page %u was written to swap, but is not in the swap cache",
                    page);
    }
    return STATUS_OK;
}

static enum status check_files(const struct cell *cell)
{
    uint64_t dirty = 0;
    uint64_t writeback = 0;
    for (page_id page = 0; page < cell->npages; page++) {
        enum status status = check_file_page(cell, page);
        if (status != STATUS_OK) {
            return status;
        }
        bool written = page_object(cell, page)->written;
        dirty += written && page_is(cell->words, page, PLANE_DIRTY);
        writeback += page_is(cell->words, page, PLANE_WRITEBACK);
    }
    EXPECT_EQUAL("dirty pages of written files", dirty, cell->core->nr_dirty);
    EXPECT_EQUAL("pages under write I/O", writeback, cell->core->nr_writeback);
    return STATUS_OK;
}

/* Blocks of chains, from the mapcounts: ceil(k / slots), and one or none for a page mapped once. */
static enum status check_chains(const struct cell *cell)
{
    const struct design *design = cell->design;
    uint64_t blocks = 0;
    bool chains = design->chain_block_bytes > 0;
    for (page_id page = 0; chains && page < cell->npages; page++) {
        uint64_t k = cell->mapcount[page];
        bool chained_once = page_is(cell->words, page, PLANE_MAPPED_ONCE_CHAINED);
        if (chained_once &&
            (k != 1 || !design->page_direct || design->rmap->chains != CHAIN_BLOCKS)) {
            return fail(STATUS_FAILED,
                        "invariant broken: page %u with %" PRIu64
                        " ptes is marked as mapped once through a chain",
                        page, k);
        }
        if (!design->rmap->keeps_chain(cell, page)) {
            continue;
        }
        if (k > 1 || (k == 1 && (chained_once || !design->page_direct))) {
            blocks += (k + design->chain_slots - 1) / design->chain_slots;
        }
    }
    const struct slab_cache *slab = &cell->core->slab[SLAB_PTE_CHAIN];
    EXPECT_EQUAL("chain blocks", blocks, slab->in_use);
    return STATUS_OK;
}

static enum status check_contexts(const struct cell *cell)
{
    uint64_t gave_up = 0;
    for (uint32_t i = 0; i < cell->ncontexts; i++) {
        gave_up += cell->contexts[i].gave_up;
    }
    EXPECT_EQUAL("contexts that gave up", gave_up, cell->core->ngave_up);
    return STATUS_OK;
}

/* Who has which version, counted from the columns; and that versions nobody has hold nothing. */
static enum status check_versions(const struct cell *cell)
{
    for (size_t o = 0; o < cell->plan->nobjects; o++) {
        const struct object *object = &cell->objects[o];
        uint16_t *has = object->layers == 0 ? NULL
                                            : calloc((size_t)object->npages + 1, sizeof *has);
        if (has == NULL) {
            continue;
        }
        for (uint32_t rank = 0; rank < object->max_vmas; rank++) {
            const struct vma *vma = &cell->vmas[cell->object_vmas[object->first_vma_slot + rank]];
            for (page_id base = vma->first; base < vma->first + vma->npages; base++) {
                page_id page = version_of(cell, vma, base);
                if (page != PAGE_NONE) {
                    has[page - object->first]++;
                }
            }
        }
        enum status status = STATUS_OK;
        for (page_id page = object->first; page < object->first + object->npages; page++) {
            uint16_t kept = *version_attached(cell, object, page);
            bool held = page_is(cell->words, page, PLANE_RESIDENT) || cell->slot[page] != 0;
            if (has[page - object->first] != kept || (held && kept == 0) ||
                (kept > 1 && !page_is(cell->words, page, PLANE_PROTECTED))) {
                status = fail(STATUS_FAILED,
                              "invariant broken: version %u is of %u mms, kept as %u%s", page,
                              has[page - object->first], kept, held ? ", and holds memory" : "");
                break;
            }
        }
        free(has);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status invariants_check(const struct cell *cell)
{
    uint16_t *of_page = calloc((size_t)cell->npages + 1, sizeof *of_page);
    uint64_t *of_mm = calloc(cell->plan->nprocesses + 1, sizeof *of_mm);
    enum status status = of_page != NULL && of_mm != NULL
                             ? count_ptes(cell, of_page, of_mm)
                             : fail(STATUS_RESOURCE, "out of memory for checking invariants");
    if (status == STATUS_OK) {
        status = check_mappings(cell, of_page, of_mm);
    }
    free(of_page);
    free(of_mm);
    enum status (*const checks[])(const struct cell *) = {
        check_lists,  check_frames, check_swap,     check_files,
        check_chains, check_slabs,  check_contexts, check_versions};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && status == STATUS_OK; i++) {
        status = checks[i](cell);
    }
    return status;
}
