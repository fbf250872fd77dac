#include "machine/outbox.h"

#include <stdlib.h>

void outbox_post(struct outbox *outbox, enum message_kind kind, uint32_t subject, uint64_t value,
                 uint64_t second)
{
    if (outbox->count == outbox->capacity) {
        size_t capacity = outbox->capacity == 0 ? 256 : 2 * outbox->capacity;
        struct message *messages = realloc(outbox->messages, capacity * sizeof *messages);
        if (messages == NULL) {
            outbox->failed = 1;
            return;
        }
        outbox->messages = messages;
        outbox->capacity = capacity;
    }
    outbox->messages[outbox->count++] = (struct message){(uint32_t)kind, subject, value, second};
}

void outbox_free(struct outbox *outbox)
{
    free(outbox->messages);
    *outbox = (struct outbox){0};
}
