/* The functions of the oracle, by the file that has them. `o_` keeps them apart from those of the
 * simulator, which is linked into the same tests. */
#ifndef THRASH_ORACLE_PARTS_H
#define THRASH_ORACLE_PARTS_H

#include "oracle/model.h"
#include "oracle/oracle.h"

/* layout.c: the machine of a scenario, before anything happened on it. */
struct machine *o_layout_build(const struct scenario *scenario);
void o_layout_free(struct machine *machine);

/* contention.c: handing a lock over among several CPUs; work on the chain of a page. */
sim_time o_contention_hand_over(const struct machine *machine, enum lock_kind kind,
                                uint64_t contenders);
void o_contention_chain(struct machine *machine, struct actor *actor, sim_time time,
                        uint64_t mappers);
void o_contention_begin_epoch(struct machine *machine, uint64_t length_before);

/* layout_design.c. Fills in the machine's design. */
void o_layout_design(struct machine *machine);

/* workload.c */
/* Its processes are there from the start, and have no last touch. */
bool o_workload_goes_on(const struct workload *workload);
void o_workload_plan(struct machine *machine, size_t index, struct workload *workload);
/* Operation `ordinal` of a process, and the user time from it to the next. */
void o_workload_operation(const struct machine *machine, const struct process *process,
                          uint64_t ordinal, struct operation *operation, sim_time *interval_p);
/* The touch that the TLB sees as number `ordinal` of a process that maps memory. */
void o_workload_sample(const struct machine *machine, struct process *process, uint64_t ordinal,
                       struct touch *touch);
/* Touch `ordinal` of a process, which is due at a user time, and the time from it to the next. */
void o_workload_draw(const struct machine *machine, struct process *process, uint64_t ordinal,
                     sim_time due, struct touch *touch, sim_time *interval_p);

/* Of processes that are forked: touches and operations of their n-th generation are numbered from n
 * times 2^24 on. */
enum { GENERATION_SHIFT = 24, LAST_OF_GENERATION = (1 << GENERATION_SHIFT) - 1 };
/* Random bits of operation `ordinal` of a process. */
struct random_block o_workload_operation_bits(const struct machine *machine,
                                              const struct process *process, uint64_t ordinal);
/* The vma of a process that is number `number` in the order of addresses, those that are gone
 * counted. */
struct vma *o_vma_number(const struct process *process, uint64_t number);

/* workload_life.c. When the first touch and operation of a process of fork_exit are due; then as
 * those of all workloads above, but for the TLB by the number of what it does. */
void o_life_born(const struct machine *machine, struct process *process);
void o_life_operation(const struct machine *machine, const struct process *process,
                      struct operation *operation, sim_time *interval_p);
void o_life_draw(const struct machine *machine, const struct process *process, sim_time due,
                 struct touch *touch, sim_time *interval_p);
void o_life_sample(const struct machine *machine, const struct process *process, uint64_t i,
                   struct touch *touch);

/* frames.c. A frame of a class for who acts, taken from what it was handed or from the zones; NULL
 * when reclaim is needed. */
void o_frames_build(struct machine *machine);
struct zone *o_frame_take(struct machine *machine, struct actor *actor, enum zone_number class,
                          enum holder holder);
void o_frame_give(struct machine *machine, struct zone *zone, enum holder holder);
/* Takes and gives without asking the allocator. */
void o_frame_take_from(struct zone *zone, enum holder holder);
/* A frame that is alike to all others of its holder goes back: from the highest zone. */
void o_frame_give_any(struct machine *machine, enum holder holder);
/* 2.4: every zone of the class is short of `high`; 2.6: what a reclaimer gets afterwards. */
bool o_frames_below_high(const struct machine *machine, enum zone_number class);
struct zone *o_frame_over_2_4(struct machine *machine, enum zone_number class, bool high);
struct zone *o_frame_over_min_2_6(struct machine *machine, enum zone_number class);

/* slab.c. All of n objects or none; without an actor past all watermarks, at no cost. */
void o_slab_build(struct machine *machine);
bool o_slab_take(struct machine *machine, struct actor *actor, enum slab_name name, uint64_t n);
void o_slab_give(struct machine *machine, enum slab_name name);
/* What a page needs before it is in the page cache; and once it is no longer, or will not be. */
bool o_node_take(struct machine *machine, struct actor *actor, const struct page *page);
void o_node_leave(struct machine *machine, const struct page *page);
void o_buffers_add(struct machine *machine, struct page *page);
void o_buffers_drop(struct machine *machine, struct page *page);
void o_slab_check(const struct machine *machine);

/* lru.c */
void o_lru_add_new(struct machine *machine, struct page *page, bool active);
void o_lru_add_old(struct machine *machine, struct page *page, bool active);
void o_lru_remove(struct page *page);
void o_lru_activate(struct machine *machine, struct page *page);
void o_lru_deactivate(struct machine *machine, struct page *page);
/* Pages of the zones up to `class`. */
uint64_t o_lru_class_active(const struct machine *machine, enum zone_number class);
uint64_t o_lru_class_inactive(const struct machine *machine, enum zone_number class);

/* page.c */
void o_page_enter(struct machine *machine, struct page *page, struct zone *zone, bool active);
void o_page_mark_accessed(struct machine *machine, struct actor *actor, struct page *page);
bool o_page_in_swap_cache(const struct page *page);
/* Of the page cache or the swap cache. */
bool o_page_in_cache(const struct page *page);
/* False: no slot. */
bool o_page_to_swap_cache(struct machine *machine, struct actor *actor, struct page *page);
/* False: there is no radix-tree node for it. */
bool o_page_out_of_swap_cache(struct machine *machine, struct actor *actor, struct page *page);
/* What a page that is to enter needs: a node unless it comes from swap, and a frame. NULL: the
 * class that is to be reclaimed for is in *class_p. */
struct zone *o_page_take(struct machine *machine, struct actor *actor, const struct page *page,
                         enum zone_number *class_p);
/* A clean, unmapped page leaves; its frame goes back, or to the process that frees it. */
void o_page_leave(struct machine *machine, struct actor *actor, struct page *page);
enum holder o_page_holder(const struct page *page);

/* swap.c */
bool o_swap_take_slot(struct machine *machine, struct page *page);
void o_swap_free_slot(struct page *page);
uint64_t o_swap_used(const struct machine *machine);

/* device.c */
bool o_device_has_room(const struct device *device);
void o_device_submit(struct device *device, sim_time now, bool write, struct page *const *pages,
                     unsigned npages, uint64_t span);
void o_device_complete(struct machine *machine, struct device *device);
struct device *o_page_device(const struct page *page);
/* Starts reading pages of the window around `page`, itself first. False: not even it got a frame.
 */
bool o_read_page(struct machine *machine, struct actor *actor, struct page *page, bool by_read,
                 enum zone_number *class_p);
/* Starts reading what is absent of the window that begins at `offset`. */
void o_read_ahead(struct machine *machine, struct actor *actor, struct object *file,
                  page_offset offset);
/* Starts writing a dirty page; its device has room. */
void o_write_page(struct machine *machine, struct actor *actor, struct page *page);

/* mm.c */
struct pte *o_mm_pte(const struct mm *mm, uint64_t address);
/* The class that pages of ptes are from. */
enum zone_number o_mm_table_class(const struct machine *machine);
bool o_mm_need_table(struct machine *machine, struct actor *actor, const struct vma *vma,
                     page_offset offset);
/* A pte that is old and clean. */
void o_mm_copy_pte(struct machine *machine, const struct vma *vma, struct page *page,
                   struct pte *pte);
void o_mm_set_pte(struct machine *machine, const struct vma *vma, struct page *page,
                  struct pte *pte, bool store);
/* Clears a pte, for reclaim or for an operation; its dirty bit moves to the page. */
void o_mm_clear_pte(struct machine *machine, struct pte *pte);
void o_mm_zap_pte(struct machine *machine, struct pte *pte);
/* After a vma has left its mm: page tables that nothing is left under go. */
void o_mm_free_tables(struct machine *machine, struct actor *actor, const struct vma *gone);
uint64_t o_vma_address_at(const struct vma *vma, page_offset offset);
uint64_t o_vma_address(const struct vma *vma, const struct page *page);
bool o_vma_covers(const struct vma *vma, const struct page *page);

/* chain.c */
bool o_chain_prepare(struct machine *machine, struct actor *actor, struct page *page,
                     struct chain_block **spare_p);
void o_chain_add(const struct machine *machine, struct page *page, struct pte *pte,
                 struct chain_block *spare);
/* A pte is taken out and another put in; the block that this empties is the one that it fills. */
void o_chain_move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                  struct pte *to);
/* The block that it no longer needs goes back. */
void o_chain_remove(struct machine *machine, struct page *page, struct pte *pte);
/* The ptes of a page, in the order of its chain, at most `max`. */
unsigned o_chain_ptes(const struct machine *machine, const struct page *page, struct pte **ptes,
                      unsigned max);
/* A chain of one pte becomes a direct pointer. */
bool o_chain_collapse(struct machine *machine, struct page *page);
void o_chain_check(const struct machine *machine, const struct page *page);

/* list.c. Preparing sees to it that the entries which one more pte needs are free. */
bool o_list_prepare(struct machine *machine, struct actor *actor, const struct page *page);
void o_list_add(struct machine *machine, struct page *page, struct pte *pte);
/* Takes out the entry of a pte that was removed alone. */
void o_list_remove_pte(struct machine *machine, struct page *page, const struct pte *pte);
/* Frees the entry that `link` points to. */
void o_list_remove(struct machine *machine, struct list_entry **link);
/* A list of one pte becomes a direct pointer, if there are any. */
void o_list_collapse(struct machine *machine, struct page *page);
void o_list_check(const struct machine *machine, const struct page *page);
void o_list_check_frames(const struct machine *machine);
void o_list_free(struct machine *machine);

/* tree.c. Calls `meet` for each vma over a page, in the order of the tree, until that says no;
 * returns how many nodes and vmas were looked at, and of them nodes in vain. */
uint64_t o_tree_query(struct object *object, page_offset page,
                      bool (*meet)(const struct vma *vma, void *what), void *what,
                      uint64_t *in_vain_p);
void o_tree_free(struct tree_node *tree);
/* The vmas of the object are others than before. */
void o_tree_changed(struct object *object);

/* rmap.c */
enum unmap_result { UNMAP_DONE, UNMAP_AGAIN, UNMAP_YOUNG };
bool o_rmap_prepare(struct machine *machine, struct actor *actor, struct page *page,
                    struct chain_block **spare_p);
void o_rmap_add(struct machine *machine, struct actor *actor, struct page *page, struct pte *pte,
                struct chain_block *spare);
bool o_rmap_referenced(struct machine *machine, struct actor *actor, struct page *page);
/* A pte of the page has been cleared by an operation. */
void o_rmap_remove(struct machine *machine, struct actor *actor, struct page *page,
                   struct pte *pte);
/* What one pte of a page said, another of the same mm does. */
void o_rmap_move(struct machine *machine, struct actor *actor, struct page *page, struct pte *from,
                 struct pte *to);
enum unmap_result o_rmap_unmap(struct machine *machine, struct actor *actor, struct page *page);
/* From all mms but one, which the virtual scan holds, as far as trylocks allow. */
void o_rmap_unmap_others(struct machine *machine, struct actor *actor, const struct mm *held,
                         struct page *page);

/* version.c: anonymous pages of processes that fork. */
struct page **o_version_of(const struct vma *vma, page_offset offset);
/* A version that nobody has yet. */
struct page *o_version_new(struct object *object, page_offset offset);
void o_version_attach(const struct vma *vma, struct page *page);
/* The last to let go of a version drops it. */
void o_version_detach(struct machine *machine, struct actor *actor, const struct vma *vma,
                      page_offset offset);

/* context.c: inside the functions of contexts. */
/* Reclaims until there is a frame of a class, in the middle of an operation. */
void o_reclaim_in_operation(struct machine *machine, struct actor *actor, enum zone_number class);
void o_yield_point(struct actor *actor);
/* The same with a short lock that is left when it stops. True: it has stopped. */
bool o_yield_point_in(struct machine *machine, struct actor *actor, struct lock *lock);
/* Where it also gives up its CPU if others should have it. */
void o_yield_point_of_cpu(struct machine *machine, struct actor *actor);
void o_sleep_for_page(struct actor *actor, const struct page *page);
void o_sleep_for_room(struct actor *actor, const struct device *device);
void o_sleep_for_congestion(struct actor *actor, sim_time at_most);
void o_sleep_for(struct actor *actor, sim_time time);
void o_spin_for(struct actor *actor, struct lock *lock);
void o_lock_enter(struct machine *machine, struct actor *actor, struct lock *lock,
                  enum lock_kind kind);
void o_lock_leave(const struct actor *actor, struct lock *lock);
void o_lock_hold(struct actor *actor, struct lock *lock);
void o_lock_release(struct machine *machine, struct actor *actor, struct lock *lock);

/* context.c: from outside. */
void o_context_build(struct machine *machine);
void o_context_free(struct context *context);
/* A process stopped at a touch, for what context->next says. */
void o_context_operate(struct machine *machine, struct context *context, sim_time now);
void o_context_stop_touch(struct machine *machine, struct context *context, sim_time now);
void o_context_event(struct machine *machine, struct context *context, sim_time now);
bool o_context_wants_cpu(const struct context *context);
bool o_context_waits_for_io(const struct context *context);
void o_context_book(struct machine *machine, struct context *context, sim_time now);
void o_kswapd_wake(struct machine *machine, sim_time now);
void o_flusher_wake(struct machine *machine, sim_time now);
/* kswapd runs by itself from being woken, for a quantum or until it sleeps or is done. */
void o_kswapd_run_alone(struct machine *machine);
/* What waits is woken by an event at `now`. */
void o_wake_page(struct machine *machine, const struct page *page, sim_time now);
void o_wake_room(struct machine *machine, const struct device *device, sim_time now);
void o_wake_congestion(struct machine *machine, sim_time now);

/* cpu.c */
void o_cpu_hand_out(struct machine *machine);
void o_cpu_release(struct machine *machine, struct context *context, sim_time now);
void o_cpu_dispatch(struct machine *machine, sim_time now);
bool o_cpu_should_yield(const struct machine *machine, const struct context *context);
void o_cpu_end_epoch(struct machine *machine);

/* A process begins the life that its number of generations says. */
void o_workload_born(const struct machine *machine, struct process *process);

/* operation.c: the operation of the actor's process, from begin to end. */
void o_operate(struct machine *machine, struct actor *actor);

/* flush.c: pages that write(2) dirtied. */
void o_flush_dirtied(struct machine *machine, struct page *page);
bool o_flush_wanted_2_4(const struct machine *machine);
/* The process of a touch may have to write back: the device that it has to wait for, or NULL; or it
 * has to wait for congestion. */
const struct device *o_flush_throttle(struct machine *machine, struct actor *actor,
                                      struct touch *touch, bool *congestion_p);
void o_flusher(struct machine *machine, struct actor *actor);
void o_flusher_of_old(struct machine *machine, struct actor *actor);

/* touch.c */
void o_operation_begin(struct machine *machine, struct process *process, sim_time now);
void o_operation_done(struct machine *machine, struct process *process);
void o_touch_first_try(struct machine *machine, struct process *process, const struct touch *touch);
void o_touch_try_again(struct machine *machine, struct process *process, sim_time now);

/* populate.c: what the kernel keeps for a process, all of it or nothing. */
bool o_process_create(struct machine *machine, struct actor *actor, const struct process *process);
void o_process_free(struct machine *machine, const struct process *process);
/* populate.c: false when there is no room; when it is low memory that there is no room in, the
 * machine is out of memory. */
bool o_populate(struct machine *machine);

/* reclaim_2_4.c, swap_out.c, reclaim_2_6.c */
void o_kswapd_2_4(struct machine *machine, struct actor *actor);
void o_begin_reclaim_2_6(struct machine *machine, struct context *context, enum zone_number class);
void o_kswapd_2_6(struct machine *machine, struct actor *actor);
/* A process reclaims until it holds a frame, or the machine is out of memory. */
void o_direct_2_4(struct machine *machine, struct actor *actor, enum zone_number class);
void o_direct_2_6(struct machine *machine, struct actor *actor, enum zone_number class);
bool o_swap_out(struct machine *machine, struct actor *actor, enum zone_number class);
void o_memory_wait_over(struct machine *machine, struct process *process, sim_time now);
void o_run_out_of_memory(struct machine *machine, const struct actor *actor,
                         enum zone_number class);

/* translation.c: TLBs, and what they cost. */
void o_translation_build(struct machine *machine);
void o_translation_free(struct process *process);
/* Accounts for the touches that processes have done the work of. */
void o_translate(struct machine *machine);
/* What is left of a grant of user time. */
sim_time o_translation_leaves(const struct process *process, sim_time grant);
byte_count o_translation_reach(const struct machine *machine);

/* epoch.c */
void o_epoch_run(struct machine *machine, sim_time end);

/* phases.c */
void o_sum_up(const struct machine *machine, struct counters *values);
void o_phases_run(struct machine *machine, struct oracle_result *result);

/* check.c: every invariant that holds between steps. */
void o_check_machine(const struct machine *machine);

#endif
