/* Messages of a cell, gathered over an epoch and taken at its end by every rank's ledger and, where
 * they are between cells, by all cells; in the order of (sending cell, sequence).
 *
 * The engine carries them; a message to the cell itself takes the same way. */
#ifndef THRASH_MACHINE_OUTBOX_H
#define THRASH_MACHINE_OUTBOX_H

#include <stddef.h>

#include "base/status.h"
#include "base/types.h"

enum message_kind {
    MESSAGE_USED,     /* system time the process's touches cost it; how long they held its mm */
    MESSAGE_BLOCKED,  /* when the process stopped */
    MESSAGE_WOKEN,    /* when it could go on */
    MESSAGE_FORKED,   /* a new process is there */
    MESSAGE_EXITED,   /* the process is gone */
    MESSAGE_OPERATED, /* the cell has done its part of an operation of the process */
    MESSAGE_WAITS,    /* it goes on when process `value` is not there */
    MESSAGE_FINISHED, /* when it made the last touch that the cell had of it; how many it had */
    MESSAGE_GAVE_UP, /* nothing can be freed for it: 0 by a helper, else 1 + its zone; in which cell
                      */
    MESSAGE_TRANSLATION, /* time that translations cost it for each touch */

    MESSAGE_BETWEEN_CELLS,
    MESSAGE_REQUEST = MESSAGE_BETWEEN_CELLS, /* to the device `subject`: when; kind << 32 | pages */
    MESSAGE_RECLAIM,   /* the process begins to reclaim: for which class of zones; in which cell */
    MESSAGE_RECLAIMED, /* it has what it needs: 0; in which cell */
    MESSAGE_CALLED,    /* its call has ended: what it leaves, in the design's form; in which cell */
    MESSAGE_FREED,     /* it has freed so many pages in its call: pages; in which cell */
    MESSAGE_BALANCE,   /* kswapd was woken for the class of zones `subject`: 0; in which cell */
};

/* Plain data, of one size everywhere: it is sent as it is. */
struct message {
    uint32_t kind;
    uint32_t subject; /* process, or device */
    uint64_t value;
    uint64_t second;
};

struct outbox {
    struct message *messages;
    size_t count;
    size_t capacity;
    int failed; /* the host had no memory for a message; the engine gives up */
};

void outbox_post(struct outbox *outbox, enum message_kind kind, uint32_t subject, uint64_t value,
                 uint64_t second);
void outbox_free(struct outbox *outbox);

#endif
