/* Messages between cells, delivered at the end of an epoch in the order of (sending cell,
 * sequence).
 *
 * The engine carries them; a message to the cell itself takes the same way. */
#ifndef THRASH_MACHINE_OUTBOX_H
#define THRASH_MACHINE_OUTBOX_H

#include <stddef.h>

#include "base/status.h"
#include "base/types.h"

enum message_kind {
    MESSAGE_USED,     /* value: system time that the process's touches cost it */
    MESSAGE_BLOCKED,  /* value: when the process stopped */
    MESSAGE_WOKEN,    /* value: when it could go on */
    MESSAGE_FINISHED, /* value: when the process made its last touch */
    MESSAGE_GRANT,    /* value: user time the process may spend in the coming epoch */
};

struct message {
    uint32_t kind;
    process_id process;
    uint64_t value;
};

struct outbox {
    struct message *messages;
    size_t count;
    size_t capacity;
    int failed; /* the host had no memory for a message; the engine gives up */
};

void outbox_post(struct outbox *outbox, enum message_kind kind, process_id process, uint64_t value);
void outbox_free(struct outbox *outbox);

#endif
