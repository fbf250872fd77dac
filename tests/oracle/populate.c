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

static bool boot(struct machine *machine)
{
    const byte_count memory = machine->scenario->machine.memory;
    const unsigned directories = machine->scenario->machine.arch == ARCH_I386_PAE ? 3 : 1;
    const uint64_t kernel = frames_of(machine->frames * machine->design.struct_page_bytes) +
                            frames_of(min_u64((byte_count)40 << 20, memory / 800)) +
                            frames_of((byte_count)machine->nprocesses * 18 * 1024);
    uint64_t mms = 0;
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        mms += machine->processes[p].mm.alive;
    }
    return take_kernel_frames(machine, kernel, HELD_KERNEL) &&
           take_kernel_frames(machine, mms * directories, HELD_PAGE_TABLE);
}

static bool populate_page(struct machine *machine, struct actor *actor, const struct vma *vma,
                          struct page *page)
{
    struct mm *mm = vma->mm;
    const uint64_t address = o_vma_address(vma, page);
    if (!o_mm_need_table(machine, actor, vma, page->offset)) {
        return false;
    }
    if (vma->versions != NULL) {
        o_version_attach(vma, page);
    }
    if (!page->resident) {
        struct zone *zone = o_frame_take(machine, actor, machine->user_class, o_page_holder(page));
        if (zone == NULL) {
            return false;
        }
        o_page_enter(machine, page, zone,
                     page->object->kind == OBJECT_ANON && !machine->design.is_2_4);
    }
    struct chain_block *spare;
    if (!o_rmap_prepare(machine, actor, page, &spare)) {
        return false;
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

static bool populate_process(struct machine *machine, struct process *process)
{
    struct actor nobody = {0}; /* what its clock says is of no consequence */
    for (const struct vma *vma = process->mm.vmas; vma != NULL; vma = vma->next_of_mm) {
        for (uint64_t i = 0; i < vma->pages && vma->populated != POPULATED_NOT; i++) {
            struct page *page = vma->versions != NULL ? o_version_new(vma->object, vma->offset + i)
                                                      : &vma->object->pages[vma->offset + i];
            if (!populate_page(machine, &nobody, vma, page)) {
                return false;
            }
        }
    }
    return true;
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
    uint64_t frames = given == OPTION_AUTO ? automatic_ballast(machine) : frames_of(given);
    for (int z = HIGHMEM; z >= 0; z--) {
        struct zone *zone = &machine->zones[z];
        while (frames > 0 && zone->free > 0) {
            o_frame_take_from(zone, HELD_BALLAST);
            frames--;
        }
    }
    return frames == 0;
}

bool o_populate(struct machine *machine)
{
    if (!boot(machine)) {
        return false;
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        if (!populate_process(machine, &machine->processes[p])) {
            return false;
        }
    }
    for (uint32_t p = 0; p < machine->nprocesses; p++) {
        machine->processes[p].mm.page_table_lock = (struct lock){0};
    }
    for (int z = 0; z < ZONES; z++) {
        machine->lrus[z].lock = (struct lock){0};
    }
    machine->count.spin_seconds = 0;
    return take_ballast(machine);
}
