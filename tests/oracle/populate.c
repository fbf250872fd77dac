/* What happens before the clock starts: docs/model.md, section 8. */
#include "oracle/parts.h"

static uint64_t frames_of(byte_count bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* Frames of the kernel, from the highest zone that it maps directly. */
static bool take_kernel_frames(struct machine *machine, uint64_t frames, enum holder holder)
{
    for (int z = (int)machine->kernel_class; z >= 0; z--) {
        struct zone *zone = &machine->zones[z];
        while (frames > 0 && zone->free > 0) {
            o_frame_take_from(zone, holder);
            frames--;
        }
    }
    return frames == 0;
}

static bool take_from_top(struct machine *machine, uint64_t frames, enum holder holder)
{
    for (int z = HIGHMEM; z >= 0; z--) {
        struct zone *zone = &machine->zones[z];
        const uint64_t here = min_u64(frames, zone->free);
        zone->free -= here;
        zone->held[holder] += here;
        frames -= here;
    }
    return frames == 0;
}

/* Frames reserved for large pages: what is said, or what objects need, in whole pages. */
static uint64_t large_pool(const struct machine *machine)
{
    const byte_count given = machine->scenario->machine.large_pages;
    byte_count size = machine->scenario->machine.arch == ARCH_I386 ? 4U << 20 : 2U << 20;
    byte_count needed = 0;
    for (size_t o = 0; o < machine->nobjects; o++) {
        const struct object *object = &machine->objects[o];
        if (object->page_size > PAGE_BYTES) {
            size = object->page_size;
            needed += (object->npages * PAGE_BYTES + size - 1) / size * size;
        }
    }
    return (given == OPTION_AUTO ? needed : given / size * size) / PAGE_BYTES;
}

static bool boot(struct machine *machine)
{
    const byte_count memory = machine->scenario->machine.memory;
    return take_kernel_frames(machine,
                              frames_of(machine->frames * machine->design.struct_page_bytes),
                              HELD_MEM_MAP) &&
           take_kernel_frames(machine, frames_of(min_u64((byte_count)40 << 20, memory / 800)),
                              HELD_KERNEL) &&
           take_from_top(machine, large_pool(machine), HELD_LARGE);
}

static bool make_directory(struct machine *machine, bool *exists)
{
    struct actor nobody = {0};
    if (*exists) {
        return true;
    }
    struct zone *zone = o_frame_take(machine, &nobody, machine->kernel_class, HELD_DIRECTORY);
    *exists = zone != NULL;
    return *exists;
}

/* Large pages are mapped when the mapping is made, whatever touches it: by entries of the directory
 * that small ones have a page table in, or, of 1 GiB, of the one above. */
static bool map_large_pages(struct machine *machine, const struct vma *vma)
{
    const struct mm *mm = vma->mm;
    const uint64_t of_page = vma->object->page_size / PAGE_BYTES;
    const uint64_t end = vma->start + vma->pages;
    for (uint64_t address = vma->start / of_page * of_page; address < end; address += of_page) {
        const uint64_t table = address / mm->ptes_per_page;
        if (machine->has_middle_directories &&
            ((of_page == 512 && !make_directory(machine, &mm->middle[table / 512])) ||
             !make_directory(machine, &mm->upper[table / 512 / 512]))) {
            return false;
        }
        machine->count.large_ptes++;
    }
    return true;
}

static unsigned directories(const struct machine *machine)
{
    if (machine->scenario->machine.arch != ARCH_I386_PAE) {
        return 1;
    }
    return machine->design.split_4g4g ? 4 : 3;
}

/* What the kernel keeps for a process: all of it, or nothing. */
bool o_process_create(struct machine *machine, struct actor *actor, const struct process *process)
{
    enum { PARTS = 4 };
    uint64_t n[PARTS] = {[SLAB_STACKS] = 1, [SLAB_TASKS] = 1, [SLAB_MMS] = 1};
    for (const struct vma *vma = process->mm.vmas; vma != NULL; vma = vma->next_of_mm) {
        n[SLAB_VMAS]++;
    }
    int slab = 0;
    while (slab < PARTS && o_slab_take(machine, actor, (enum slab_name)slab, n[slab])) {
        slab++;
    }
    unsigned pages = 0;
    while (slab == PARTS && pages < directories(machine) &&
           o_frame_take(machine, actor, machine->kernel_class, HELD_DIRECTORY) != NULL) {
        charge(machine, actor, COST_PT_PAGE_ALLOC);
        pages++;
    }
    if (slab == PARTS && pages == directories(machine)) {
        return true;
    }
    for (; pages > 0; pages--) {
        o_frame_give_any(machine, HELD_DIRECTORY);
    }
    while (slab > 0) {
        slab--;
        for (uint64_t i = 0; i < n[slab]; i++) {
            o_slab_give(machine, (enum slab_name)slab);
        }
    }
    return false;
}

void o_process_free(struct machine *machine, const struct process *process)
{
    for (unsigned i = 0; i < directories(machine); i++) {
        o_frame_give_any(machine, HELD_DIRECTORY);
    }
    o_slab_give(machine, SLAB_STACKS);
    o_slab_give(machine, SLAB_TASKS);
    o_slab_give(machine, SLAB_MMS);
    for (const struct vma *vma = process->mm.vmas; vma != NULL; vma = vma->next_of_mm) {
        o_slab_give(machine, SLAB_VMAS);
    }
}

/* Populate ends where memory of a class runs out: the run too, if that is low memory of a machine
 * that has other memory, and then without ballast. */
static bool no_room(struct machine *machine, enum zone_number class)
{
    if (machine->zones[HIGHMEM].frames > 0 && class < HIGHMEM) {
        machine->out_of_memory = true;
        machine->out_of_lowmem = true;
    }
    return false;
}

static bool populate_page(struct machine *machine, struct actor *actor, const struct vma *vma,
                          struct page *page)
{
    struct mm *mm = vma->mm;
    const uint64_t address = o_vma_address(vma, page);
    if (!o_mm_need_table(machine, actor, vma, page->offset)) {
        return no_room(machine, o_mm_table_class(machine));
    }
    if (vma->versions != NULL) {
        o_version_attach(vma, page);
    }
    if (!page->resident) {
        enum zone_number class;
        struct zone *zone = o_page_take(machine, actor, page, &class);
        if (zone == NULL) {
            return no_room(machine, class);
        }
        o_page_enter(machine, page, zone,
                     page->object->kind == OBJECT_ANON && !machine->design.is_2_4);
    }
    struct chain_block *spare;
    if (!o_rmap_prepare(machine, actor, page, &spare)) {
        return no_room(machine, machine->kernel_class);
    }
    const bool store = vma->populated == POPULATED_BY_STORES;
    o_page_mark_accessed(machine, actor, page);
    struct pte *pte = o_mm_pte(mm, address);
    o_mm_set_pte(machine, vma, page, pte, store);
    o_rmap_add(machine, actor, page, pte, spare);
    if (store) {
        page->content = (struct tag){mm->process->number + 1, ++machine->stores};
        page->last_store = page->content;
    }
    machine->count.populate_faults++;
    return true;
}

/* As read(2) leaves the pages of a file. */
static bool populate_file(struct machine *machine, struct actor *actor, const struct object *file)
{
    for (uint64_t i = 0; i < file->npages; i++) {
        struct page *page = &file->pages[i];
        if (!page->resident) {
            enum zone_number class;
            struct zone *zone = o_page_take(machine, actor, page, &class);
            if (zone == NULL) {
                return no_room(machine, class);
            }
            o_page_enter(machine, page, zone, false);
        }
        o_page_mark_accessed(machine, actor, page);
    }
    return true;
}

static bool populate_process(struct machine *machine, struct process *process)
{
    struct actor nobody = {0}; /* its clock stands still */
    if (process->mm.alive && !o_process_create(machine, &nobody, process)) {
        return no_room(machine, machine->kernel_class);
    }
    for (const struct vma *vma = process->mm.vmas; vma != NULL; vma = vma->next_of_mm) {
        if (vma->object->page_size > PAGE_BYTES) {
            if (!map_large_pages(machine, vma)) {
                return no_room(machine, machine->kernel_class);
            }
            continue;
        }
        for (uint64_t i = 0; i < vma->pages && vma->populated != POPULATED_NOT; i++) {
            struct page *page = vma->versions != NULL ? o_version_new(vma->object, vma->offset + i)
                                                      : &vma->object->pages[vma->offset + i];
            if (!populate_page(machine, &nobody, vma, page)) {
                return false;
            }
        }
    }
    return process->has_read == NULL || populate_file(machine, &nobody, process->has_read);
}

static uint64_t free_frames(const struct machine *machine)
{
    uint64_t frames = 0;
    for (int z = 0; z < ZONES; z++) {
        frames += machine->zones[z].free;
    }
    return frames;
}

/* Frames that would be free if ptes had array chains and struct page the size of 2.6.0. */
static uint64_t free_with_chains(const struct machine *machine)
{
    const unsigned struct_page = machine->scenario->machine.arch == ARCH_X86_64 ? 80 : 40;
    const unsigned slots = machine->design.chain_slots;
    uint64_t blocks = 0;
    for (size_t o = 0; o < machine->nobjects; o++) {
        const struct object *object = &machine->objects[o];
        for (uint64_t i = 0; i < object->npages; i++) {
            const unsigned k = object->pages[i].mapcount;
            blocks += k > 1 ? (k + slots - 1) / slots : 0;
        }
    }
    const unsigned header = machine->pointer_bytes == 4 ? 28 : 40;
    const uint64_t per_frame = ((unsigned)PAGE_BYTES - header) / (machine->design.chain_bytes + 4);
    const uint64_t used_now = machine->zones[DMA].held[HELD_CHAINS] +
                              machine->zones[NORMAL].held[HELD_CHAINS] +
                              frames_of(machine->frames * machine->design.struct_page_bytes);
    const uint64_t used_then = (blocks + per_frame - 1) / per_frame +
                               frames_of(machine->frames * struct_page);
    const uint64_t available = free_frames(machine) + used_now;
    return available > used_then ? available - used_then : 0;
}

static uint64_t automatic_ballast(const struct machine *machine)
{
    const uint64_t free = free_frames(machine);
    uint64_t leave = machine->frames / 32;
    const uint64_t with_chains = free_with_chains(machine);
    if (with_chains > 0 && with_chains < leave) {
        leave = with_chains;
    }
    return free > leave ? free - leave : 0;
}

static bool take_ballast(struct machine *machine)
{
    const byte_count given = machine->scenario->machine.ballast;
    const uint64_t frames = given == OPTION_AUTO ? automatic_ballast(machine) : frames_of(given);
    return take_from_top(machine, frames, HELD_BALLAST);
}

bool o_populate(struct machine *machine)
{
    if (!boot(machine)) {
        return false;
    }
    static const sim_time nothing[COST_COUNT];
    machine->cost = nothing;
    uint32_t populated = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        if (!populate_process(machine, &machine->processes[p])) {
            break;
        }
        populated++;
    }
    machine->cost = machine->scenario->costs.ticks;
    if (populated < machine->nprocesses && !machine->out_of_memory) {
        return false;
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        machine->processes[p].mm.page_table_lock = (struct lock){0};
    }
    for (int z = 0; z < ZONES; z++) {
        machine->lrus[z].lock = (struct lock){0};
    }
    machine->count.spin_seconds = 0;
    return machine->out_of_memory || take_ballast(machine);
}
