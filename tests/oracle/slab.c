/* Slab caches, object by object: docs/model.md, sections 6 and 18. */
#include "oracle/parts.h"

/* Bytes of a cache are in frames one after the other, or objects fill frames that have headers. */
static bool has_room(const struct slab *slab)
{
    if (slab->end_to_end) {
        return (slab->objects + 1) * slab->bytes <= slab->frames * PAGE_BYTES;
    }
    return slab->objects < slab->frames * slab->per_frame;
}

static bool has_empty_frame(const struct slab *slab)
{
    if (slab->frames == 0) {
        return false;
    }
    return slab->end_to_end ? slab->objects * slab->bytes <= (slab->frames - 1) * PAGE_BYTES
                            : slab->objects <= (slab->frames - 1) * slab->per_frame;
}

static void give_empty_frames(struct machine *machine, struct slab *slab)
{
    while (slab->bytes > 0 && has_empty_frame(slab)) {
        slab->frames--;
        o_frame_give_any(machine, slab->holder);
    }
}

/* A frame past all watermarks. */
static bool take_last_frame(struct machine *machine, enum holder holder)
{
    for (int z = (int)machine->kernel_class; z >= 0; z--) {
        if (machine->zones[z].free > 0) {
            o_frame_take_from(&machine->zones[z], holder);
            return true;
        }
    }
    return false;
}

static bool take_one(struct machine *machine, struct actor *actor, struct slab *slab)
{
    while (slab->bytes > 0 && !has_room(slab)) {
        const bool taken = actor == NULL ? take_last_frame(machine, slab->holder)
                                         : o_frame_take(machine, actor, machine->kernel_class,
                                                        slab->holder) != NULL;
        if (!taken) {
            return false;
        }
        slab->frames++;
    }
    slab->objects++;
    return true;
}

bool o_slab_take(struct machine *machine, struct actor *actor, enum slab_name name, uint64_t n)
{
    struct slab *slab = &machine->slabs[name];
    for (uint64_t i = 0; i < n; i++) {
        if (!take_one(machine, actor, slab)) {
            slab->objects -= i;
            give_empty_frames(machine, slab);
            return false;
        }
    }
    return true;
}

void o_slab_give(struct machine *machine, enum slab_name name)
{
    struct slab *slab = &machine->slabs[name];
    REQUIRE(slab->objects > 0);
    slab->objects--;
    give_empty_frames(machine, slab);
}

static struct slab packed(const struct machine *machine, enum holder holder, unsigned bytes)
{
    const unsigned header = machine->pointer_bytes == 4 ? 28 : 40;
    return (struct slab){
        .holder = holder,
        .bytes = bytes,
        .per_frame = bytes == 0 ? 0 : ((unsigned)PAGE_BYTES - header) / (bytes + 4),
    };
}

/* The smallest multiple of a cache line, or of a half or quarter of one that is still no smaller
 * than the object, that holds it. */
static unsigned on_lines(unsigned bytes, unsigned line)
{
    while (line / 2 > bytes) {
        line /= 2;
    }
    return (bytes + line - 1) / line * line;
}

void o_slab_build(struct machine *machine)
{
    const unsigned line = (unsigned)machine->scenario->machine.cache_line;
    const bool is_64_bit = machine->pointer_bytes == 8;
    struct slab *slabs = machine->slabs;
    slabs[SLAB_STACKS] = (struct slab){
        .holder = HELD_TASKS, .bytes = is_64_bit ? 0 : 8192, .end_to_end = true};
    slabs[SLAB_TASKS] = (struct slab){
        .holder = HELD_TASKS, .bytes = is_64_bit ? 18 * 1024 : 9 * 1024, .end_to_end = true};
    slabs[SLAB_MMS] = packed(machine, HELD_MMS, 0);
    slabs[SLAB_VMAS] = packed(machine, HELD_VMAS, 0);
    slabs[SLAB_BUFFERS] = packed(machine, HELD_BUFFERS, 0);
    slabs[SLAB_NODES] = packed(machine, HELD_NODES, 0);
    if (is_64_bit) {
        return;
    }
    if (machine->design.is_2_4) {
        slabs[SLAB_MMS] = packed(machine, HELD_MMS, on_lines(160, line));
        slabs[SLAB_VMAS] = packed(machine, HELD_VMAS, on_lines(68, line));
        slabs[SLAB_BUFFERS] = packed(machine, HELD_BUFFERS, on_lines(92, line));
    } else {
        slabs[SLAB_MMS] = packed(machine, HELD_MMS, on_lines(448, line));
        slabs[SLAB_VMAS] = packed(machine, HELD_VMAS, machine->design.vma_bytes);
        slabs[SLAB_BUFFERS] = packed(machine, HELD_BUFFERS, 48);
        slabs[SLAB_NODES] = packed(machine, HELD_NODES, 260);
    }
}

/* The pages of the page cache among the 64 that a radix-tree node has room for. */
static unsigned pages_below_node(const struct page *page)
{
    const struct object *object = page->object;
    const page_offset first = page->offset / 64 * 64;
    unsigned n = 0;
    for (page_offset offset = first; offset < first + 64 && offset < object->npages; offset++) {
        const struct page *other = &object->pages[offset];
        n += other->resident && !o_page_in_swap_cache(other);
    }
    return n;
}

static bool has_tree(const struct machine *machine, const struct page *page)
{
    return page->object->kind != OBJECT_ANON && machine->slabs[SLAB_NODES].bytes > 0;
}

bool o_node_take(struct machine *machine, struct actor *actor, const struct page *page)
{
    return !has_tree(machine, page) || pages_below_node(page) > 0 ||
           o_slab_take(machine, actor, SLAB_NODES, 1);
}

void o_node_leave(struct machine *machine, const struct page *page)
{
    if (has_tree(machine, page) && pages_below_node(page) == 0) {
        o_slab_give(machine, SLAB_NODES);
    }
}

void o_buffers_add(struct machine *machine, struct page *page)
{
    if (!page->buffers) {
        page->buffers = o_slab_take(machine, NULL, SLAB_BUFFERS, 1);
    }
}

void o_buffers_drop(struct machine *machine, struct page *page)
{
    if (page->buffers) {
        page->buffers = false;
        o_slab_give(machine, SLAB_BUFFERS);
    }
}

void o_slab_check(const struct machine *machine)
{
    uint64_t nodes = 0;
    uint64_t buffers = 0;
    for (size_t o = 0; o < machine->nobjects; o++) {
        const struct object *object = &machine->objects[o];
        for (uint64_t i = 0; i < object->npages; i++) {
            const struct page *page = &object->pages[i];
            buffers += page->buffers;
            nodes += i % 64 == 0 && has_tree(machine, page) && pages_below_node(page) > 0;
        }
    }
    REQUIRE(nodes == machine->slabs[SLAB_NODES].objects);
    REQUIRE(buffers == machine->slabs[SLAB_BUFFERS].objects);
    uint64_t held[HOLDERS] = {0};
    uint64_t frames[HOLDERS] = {0};
    for (int s = 0; s < SLAB_NAMES; s++) {
        frames[machine->slabs[s].holder] += machine->slabs[s].frames;
    }
    for (int z = 0; z < ZONES; z++) {
        for (int h = 0; h < HOLDERS; h++) {
            held[h] += machine->zones[z].held[h];
        }
    }
    for (int s = 0; s < SLAB_NAMES; s++) {
        REQUIRE(held[machine->slabs[s].holder] == frames[machine->slabs[s].holder]);
    }
}
