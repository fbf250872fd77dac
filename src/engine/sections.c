#include "engine/sections.h"

#include <stdlib.h>
#include <string.h>

struct section_head {
    char name[SECTION_NAME_SIZE];
    uint64_t element;
    uint64_t n;
};

static size_t padded(size_t size)
{
    return (size + 7) / 8 * 8;
}

static unsigned char *extend(struct sections *sections, size_t size)
{
    size_t needed = sections->size + size;
    if (needed > sections->capacity) {
        size_t capacity = needed + needed / 2 + 4096;
        unsigned char *bytes = realloc(sections->bytes, capacity);
        if (bytes == NULL) {
            sections->failed = true;
            return NULL;
        }
        sections->bytes = bytes;
        sections->capacity = capacity;
    }
    unsigned char *at = sections->bytes + sections->size;
    sections->size = needed;
    return at;
}

void sections_put(struct sections *sections, const char *name, const void *data, size_t element,
                  uint64_t n)
{
    size_t size = element * (size_t)n;
    struct section_head head = {.element = element, .n = n};
    memcpy(head.name, name, strnlen(name, sizeof head.name - 1));
    unsigned char *at = sections->failed ? NULL : extend(sections, sizeof head + padded(size));
    if (at != NULL) {
        memcpy(at, &head, sizeof head);
        if (size > 0) {
            memcpy(at + sizeof head, data, size);
        }
        memset(at + sizeof head + size, 0, padded(size) - size);
    }
}

bool sections_take(struct sections_reader *reader, const char *name, size_t element,
                   const void **data_p, uint64_t *n_p)
{
    struct section_head head;
    size_t left = reader->size - reader->at;
    if (left < sizeof head) {
        return false;
    }
    memcpy(&head, reader->bytes + reader->at, sizeof head);
    left -= sizeof head;
    if (strncmp(head.name, name, sizeof head.name) != 0 || head.element != element ||
        head.n > left / element || padded(element * (size_t)head.n) > left) {
        return false;
    }
    *data_p = reader->bytes + reader->at + sizeof head;
    *n_p = head.n;
    reader->at += sizeof head + padded(element * (size_t)head.n);
    return true;
}

bool sections_copy(struct sections_reader *reader, const char *name, size_t element, uint64_t n,
                   void *target)
{
    const void *data;
    uint64_t found;
    if (!sections_take(reader, name, element, &data, &found) || found != n) {
        return false;
    }
    if (n > 0) {
        memcpy(target, data, element * (size_t)n);
    }
    return true;
}
