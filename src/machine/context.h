/* Kernel contexts and the order of events in a cell.
 *
 * A context is what runs in the kernel for longer than a moment: kswapd, and a process that
 * reclaims memory or waits. It is a plain struct; what it does is a step function of the design,
 * which runs for at most a quantum and says how to go on. Nothing lives on a stack between two
 * steps.
 *
 * Events of a cell are contexts and devices. They happen in the order of (time, number), touches of
 * the same time before them. */
#ifndef THRASH_MACHINE_CONTEXT_H
#define THRASH_MACHINE_CONTEXT_H

#include <stdbool.h>

#include "base/types.h"
#include "machine/lock.h"
#include "machine/process.h"
#include "machine/zone.h"

/* Context 0 is kswapd, 1 and 2 write back dirty pages of files (bdflush and kupdate, or pdflush
 * twice); the contexts of processes begin at CONTEXT_FIRST_PROCESS. With many cells, those that
 * help processes of other cells follow in the same order. */
enum { CONTEXT_KSWAPD, CONTEXT_FLUSHER, CONTEXT_FLUSHER_OF_OLD, CONTEXT_FIRST_PROCESS = 4 };

#define CONTEXT_STATE_BYTES 512

enum context_state {
    CONTEXT_IDLE,     /* nothing to do; for a process: it touches */
    CONTEXT_RUNNING,  /* has a step to run; wants a CPU */
    CONTEXT_SPINNING, /* spins for a lock; wants a CPU */
    CONTEXT_WAITING,  /* sleeps until something wakes it */
};

/* What a context does when it can go on. */
enum context_task {
    TASK_BALANCE,   /* kswapd */
    TASK_RECLAIM,   /* direct reclaim, then try the touch again */
    TASK_TOUCH,     /* try the touch again */
    TASK_HELP,      /* direct reclaim for a process that reclaims in another cell */
    TASK_OPERATE,   /* an operation on its address space */
    TASK_FLUSH,     /* write-back of dirty pages of files */
    TASK_FLUSH_OLD, /* of old ones, from time to time */
};

/* How a step ended. */
enum step {
    STEP_DONE,
    STEP_AGAIN, /* the quantum is used up */
    STEP_WAIT,  /* `wait` says what for */
    STEP_SPIN,  /* the page_table_lock of `spin_mm` is held by another context */
};

enum wait_for {
    WAIT_TIME,       /* `wait_until` */
    WAIT_PAGE,       /* I/O on `wait_page`, to its end */
    WAIT_QUEUE,      /* room in the queue of `wait_device` */
    WAIT_CONGESTION, /* a write to complete on a queue that is not congested, or `wait_until` */
};

/* Something that takes time: its clock runs on as it is charged. */
struct actor {
    sim_time now;
    uint32_t context; /* the context it acts for */
};

/* A process that has to write back what write(2) dirtied; what it means is the era's business. */
struct throttle {
    bool balancing, writing;
    uint32_t left, done; /* pages */
    uint32_t dirtied;    /* since it last looked */
};

struct context {
    sim_time now;       /* its clock while it runs; its next event otherwise */
    sim_time slice_end; /* it yields at the first chance from here on */
    sim_time run_since; /* since when its CPU time is not booked */
    sim_time beyond;    /* with many cells: what it did beyond its window and has not made up for */
    sim_time wait_until;
    sim_time wait_began; /* of a process that waits for memory */
    uint32_t state;      /* enum context_state */
    uint32_t task;       /* enum context_task */
    uint32_t outcome;    /* enum step of its last step, which takes effect at `now` */
    uint32_t wait;       /* enum wait_for */
    uint32_t wait_device;
    uint32_t spin_mm;
    page_id wait_page;
    uint32_t next_waiter; /* in the list of whatever it waits on */
    bool on_cpu;
    bool may_resched;       /* it is where the kernel gives the CPU up if another should have it */
    bool yielded;           /* it has let go of its CPU in this epoch */
    bool asked_for_memory;  /* `wait_began` is valid */
    bool waited_for_device; /* its touch is a major fault */
    bool made_page;         /* its touch made the page */
    bool waited_for_frames; /* of other cells; there were none */
    bool operating;         /* it reclaims for an operation, and goes on with that */
    bool file_written;      /* its touch has written its page, but may not yet go on */
    struct throttle throttle;
    uint32_t help_wanted;     /* other cells in which its process reclaims */
    uint32_t freed_here;      /* pages that its call of direct reclaim has freed in this cell */
    uint32_t freed_elsewhere; /* and in others, as far as is known */
    uint8_t help_class;       /* enum zone_index it reclaims for there */
    bool help_over;           /* what it helped with is done, whatever is wanted now */
    bool held_frame;          /* a frame was handed to it and is not yet used */
    uint8_t held_zone;
    uint8_t refused;       /* enum owner of the frame it could not have, last */
    uint8_t reclaim_class; /* enum zone_index it reclaims for */
    bool gave_up;          /* with many cells: a try freed nothing, and nothing was freed since */
    struct touch touch;    /* the touch that waits */
    _Alignas(8) unsigned char design[CONTEXT_STATE_BYTES];
};

struct event {
    sim_time at;
    uint32_t id; /* context, or ncontexts + device */
};

struct cell;

/* It writes back dirty pages of files. */
static inline bool context_flushes(const struct context *context)
{
    return context->task == TASK_FLUSH || context->task == TASK_FLUSH_OLD;
}

static inline bool context_is_process(uint32_t context)
{
    return context >= CONTEXT_FIRST_PROCESS;
}

/* (Re)schedules or removes the event of a context or device. */
void event_set(struct cell *cell, uint32_t id, sim_time at);
void event_remove(struct cell *cell, uint32_t id);

/* The next event, or one at TIME_NEVER. */
struct event event_next(const struct cell *cell);

/* Lets an event happen at its time. */
void context_event(struct cell *cell, uint32_t id, sim_time now);

/* kswapd has work for a class of zones. Nothing happens when it is not asleep for want of work.
 * It is woken in all cells of its node, in the others with the next epoch. */
void context_wake_kswapd(struct cell *cell, enum zone_index zone_class, sim_time now);
void context_kswapd_woken_elsewhere(struct cell *cell, cell_id where, enum zone_index zone_class);

/* Dirty pages of files are to be written back; nothing happens while that is being done. */
void context_wake_flusher(struct cell *cell, sim_time now);

/* Starts the clock of the daemon that writes old ones, on a machine where files are written. */
void context_start_flusher_of_old(struct cell *cell);

/* A context that reclaims for a process could not free anything. With one cell memory has run out
 * for good, and the run ends with this epoch; with many it does if nobody else can free anything
 * for that process either, which the ledger finds out (docs/model.md, section 15). True: the
 * context is to sleep, as context_sleep_it_off() says; false for a helper, which goes on. */
bool context_out_of_memory(struct cell *cell, struct context *context);

/* For good if the run ends; with many cells until frames have been levelled. */
enum step context_sleep_it_off(const struct cell *cell, struct context *context);

/* It freed something after all, or has its frame. */
void context_made_headway(struct cell *cell, struct context *context);

/* Posts for which processes nothing can be freed in the cell, as things stand. */
void context_report_giving_up(struct cell *cell);

/* With many cells, a process that reclaims does so in all of them, as it would pass over all of one
 * cell: in each cell at its turn, an epoch at a time. When it ends, its helpers do: at once if they
 * wait for time or congestion, otherwise where the design asks whether they should. */
void context_help(struct cell *cell, process_id process, unsigned class);
void context_end_help(struct cell *cell, process_id process);

/* A process's call of direct reclaim has freed pages: its contexts in all cells are told. */
void context_freed(struct cell *cell, struct context *context, uint64_t pages);
void context_freed_elsewhere(struct cell *cell, process_id process, uint64_t pages);

/* A process's call of direct reclaim has ended: all other cells are told what it leaves. A helper's
 * leaves nothing, as there is no such call on a machine of one cell. */
void context_call_ended(struct cell *cell, const struct context *context, uint64_t left);
void context_call_ended_elsewhere(struct cell *cell, uint64_t left);

/* The call has freed SWAP_CLUSTER_MAX pages, in all cells together. */
bool context_freed_enough(const struct cell *cell, const struct context *context);

/* A helper has no process to reclaim for any more. */
static inline bool context_should_end(const struct context *context)
{
    return context->help_over;
}

/* The process of a touch cannot go on with it: it reclaims first / waits / spins. With many cells
 * it reclaims when it has waited for the next epoch, and other cells had no frames for this one. */
void context_begin_reclaim(struct cell *cell, const struct touch *touch, unsigned class,
                           sim_time now);
void context_begin_wait(struct cell *cell, const struct touch *touch, enum wait_for wait,
                        uint32_t what, sim_time until, sim_time now);
void context_begin_spin(struct cell *cell, const struct touch *touch, struct sim_lock *lock,
                        sim_time now);

/* The process begins the operation cell.calls[touch.page]. */
void context_begin_operation(struct cell *cell, const struct touch *touch);

/* The operation of a context needs a frame of a class first: it reclaims from its next step on, and
 * then goes on. To be returned as the outcome of the step. */
enum step context_reclaim_in_operation(struct cell *cell, struct actor *actor, unsigned class);

/* Wakes every context in a list of waiters at `now`, and empties the list. */
void context_wake_list(struct cell *cell, uint32_t *first, sim_time now);

/* Keeps a lock across steps / lets it go. */
void lock_hold(struct cell *cell, struct sim_lock *lock, uint32_t context);
void lock_release(struct cell *cell, struct sim_lock *lock, sim_time now);

#endif
