/* A page's life in memory: getting a frame, page cache and swap cache, being accessed, leaving.
 *
 *   absent --enter--> page cache --to_swapcache--> swap cache --leave--> swapped
 *                        ^------------from_swapcache-------'               |
 *                        '----------enter + read + from_swapcache----------'
 *
 * docs/model.md, sections 5 and 7, has the rules of each era; `struct page_rules` carries them. */
#ifndef THRASH_MACHINE_RESIDENCE_H
#define THRASH_MACHINE_RESIDENCE_H

#include "base/mutant.h"
#include "machine/cell.h"

static inline struct object *page_object(const struct cell *cell, page_id page)
{
    return &cell->objects[cell->chunk_object[page / PAGES_PER_CHUNK]];
}

static inline bool page_is_anon(const struct cell *cell, page_id page)
{
    return page_object(cell, page)->kind == OBJECT_ANON;
}

/* I/O on the page is under way. */
static inline bool page_is_busy(const struct cell *cell, page_id page)
{
    const struct page_word *word = &cell->words[page / PAGES_PER_WORD];
    return ((word->plane[PLANE_LOCKED] | word->plane[PLANE_WRITEBACK]) & page_bit(page)) != 0;
}

static inline void charge(const struct cell *cell, struct actor *actor, enum cost cost, uint64_t n)
{
    actor->now += cell->cost[cost] * n;
}

/* Entering the kernel by a system call; a fault's entry is part of fault_minor. Where the kernel
 * has an address space of its own, either costs more. */
static inline void charge_entry(const struct cell *cell, struct actor *actor)
{
    if (cell->design->own_kernel_space) {
        charge(cell, actor, COST_SPACE_SWITCH, MUTANT(SPACE_SWITCH, 1, 0));
    }
}

static inline void charge_system_call(const struct cell *cell, struct actor *actor)
{
    charge(cell, actor, COST_SYSCALL, 1);
    charge_entry(cell, actor);
}

/* Copying to or from `n` pages of a process: without an address space in common, each is found in
 * its page table and mapped. */
static inline void charge_user_access(const struct cell *cell, struct actor *actor, uint64_t n)
{
    if (cell->design->own_kernel_space) {
        charge(cell, actor, COST_PTE_WALK, n);
        charge(cell, actor, COST_KMAP, n);
    }
}

/* Looking at `n` pages of ptes: they are mapped for that if they are in high memory. */
static inline void charge_table_access(const struct cell *cell, struct actor *actor, uint64_t n)
{
    if (cell->design->high_tables) {
        charge(cell, actor, COST_KMAP, MUTANT(KMAP, n, 0));
    }
}

/* Ends the time that a context's process has waited for memory, if it has. */
void residence_end_memory_wait(struct cell *cell, uint32_t context, sim_time now);

/* Asks the design for a frame of a class and takes it for `owner`. A frame that was handed to the
 * actor's context is used first. */
enum frame_result residence_take_frame(struct cell *cell, struct actor *actor,
                                       enum zone_index class, enum owner owner,
                                       enum zone_index *zone_p);

/* Takes what `page` needs to enter: the radix-tree node of its place in the page cache, if that is
 * the first page below it and the page has no swap slot, and a frame of the user's class. If either
 * cannot be had, nothing is taken and *class_p is the class to reclaim for. */
enum frame_result residence_take_page(struct cell *cell, struct actor *actor, page_id page,
                                      enum zone_index *zone_p, enum zone_index *class_p);

/* The first part of it, for who has the frame already. */
enum frame_result residence_take_node(struct cell *cell, struct actor *actor, page_id page);

/* Puts a page into a frame of `zone` that was taken for its owner: clean, unmapped, not referenced,
 * on the newest end of a list. */
void residence_enter(struct cell *cell, page_id page, enum zone_index zone, bool active);

/* Takes a page that nobody maps out of its frame. It must be off the lists. A page with a swap slot
 * is swapped from then on, any other absent. */
void residence_leave(struct cell *cell, page_id page);

/* Lets go of an anonymous page that nobody has any more: frame and swap slot. No I/O may be under
 * way on it. */
void residence_drop(struct cell *cell, struct actor *actor, page_id page);

/* Only the frame of an anonymous page that nobody maps and that is nowhere else. */
void residence_drop_frame(struct cell *cell, struct actor *actor, page_id page);

/* mark_page_accessed: an inactive page that was referenced before is activated. */
void residence_mark_accessed(struct cell *cell, struct actor *actor, page_id page);

/* Gives a resident page a swap slot and makes it dirty swap cache; false when swap is full. */
bool residence_to_swapcache(struct cell *cell, struct actor *actor, page_id page);

/* Takes a page out of the swap cache and frees its slot; it is dirty, since its only copy is now in
 * memory. Shared memory then needs a radix-tree node of the kernel's class: nothing happens if it
 * cannot be had. */
enum frame_result residence_from_swapcache(struct cell *cell, struct actor *actor, page_id page);

/* Keeps the counts of dirty swap cache; the page must be resident. */
void residence_set_dirty(struct cell *cell, page_id page);
void residence_clear_dirty(struct cell *cell, page_id page);

/* Buffer heads of a page: it gets some if it has none, from the last frame there is if need be, or
 * goes without when there is none / loses them. They are the only places where that happens. */
void residence_add_buffers(struct cell *cell, page_id page);
void residence_drop_buffers(struct cell *cell, page_id page);

/* Reclaim frees a page at `now`: if it had been written to swap, how long ago is added up. */
void residence_count_delay(struct cell *cell, page_id page, sim_time now);

/* Starts writing a page to its swap slot, or to its file. The device's queue must have room. */
void residence_start_write(struct cell *cell, struct actor *actor, page_id page);

/* The device that page is written to. */
uint32_t residence_device(const struct cell *cell, page_id page);

/* A device is done with a page. */
void residence_read_done(struct cell *cell, page_id page);
void residence_write_done(struct cell *cell, page_id page, sim_time now);

enum owner object_owner(const struct object *object);

#endif
