#include "host/kernel/memory_use.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KIB 1024U

/* Reads a file line by line through a buffer on the stack. */
struct lines {
    int fd;
    size_t begin, end; /* of what is in the buffer */
    char buffer[4096];
};

/* The next line without its newline, valid until the next call; NULL at the end. Lines longer than
 * the buffer come in pieces. */
static char *next_line(struct lines *lines)
{
    for (;;) {
        char *start = lines->buffer + lines->begin;
        char *newline = memchr(start, '\n', lines->end - lines->begin);
        if (newline) {
            *newline = '\0';
            lines->begin = (size_t)(newline - lines->buffer) + 1;
            return start;
        }
        memmove(lines->buffer, start, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->begin = 0;
        if (lines->end == sizeof lines->buffer - 1) {
            lines->buffer[lines->end] = '\0';
            lines->begin = lines->end;
            return lines->buffer;
        }
        const ssize_t got = read(lines->fd, lines->buffer + lines->end,
                                 sizeof lines->buffer - 1 - lines->end);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return NULL;
        }
        lines->end += (size_t)got;
    }
}

/* The number of KiB in a line `key:   123 kB`, in bytes. */
static bool kib_field(const char *line, const char *key, byte_count *bytes_p)
{
    const size_t length = strlen(key);
    if (strncmp(line, key, length) != 0 || line[length] != ':') {
        return false;
    }
    line += length + 1;
    line += strspn(line, " \t");
    byte_count kib = 0;
    const char *digit = line;
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        kib = kib * 10 + (byte_count)(*digit - '0');
    }
    *bytes_p = kib * KIB;
    return digit > line;
}

bool memory_use_page_tables(byte_count *bytes_p)
{
    struct lines lines = {.fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
    if (lines.fd < 0) {
        return false;
    }
    bool found = false;
    for (const char *line; !found && (line = next_line(&lines));) {
        found = kib_field(line, "VmPTE", bytes_p);
    }
    (void)close(lines.fd);
    return found;
}

/* Whether the line begins a mapping, `7f00-7fff rw-s ...`, and at which address. */
static bool begins_mapping(const char *line, uintptr_t *address_p)
{
    uintptr_t address = 0;
    const char *digit = line;
    for (;; digit++) {
        if (*digit >= '0' && *digit <= '9') {
            address = address * 16 + (uintptr_t)(*digit - '0');
        } else if (*digit >= 'a' && *digit <= 'f') {
            address = address * 16 + (uintptr_t)(*digit - 'a' + 10);
        } else {
            break;
        }
    }
    *address_p = address;
    return digit > line && *digit == '-';
}

bool memory_use_mapping(const void *address, struct memory_use *use_p)
{
    static const char *const large[] = {"AnonHugePages", "ShmemPmdMapped", "FilePmdMapped"};
    static const char *const hugetlb[] = {"Shared_Hugetlb", "Private_Hugetlb"};
    struct lines lines = {.fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC)};
    if (lines.fd < 0) {
        return false;
    }
    struct memory_use use = {0};
    bool found = false;
    for (const char *line; (line = next_line(&lines));) {
        uintptr_t start;
        byte_count bytes;
        if (begins_mapping(line, &start)) {
            if (found) {
                break;
            }
            found = start == (uintptr_t)address;
        }
        if (!found) {
            continue;
        }
        (void)kib_field(line, "Size", &use.size);
        (void)kib_field(line, "KernelPageSize", &use.kernel_page);
        use.resident += kib_field(line, "Rss", &bytes) ? bytes : 0;
        for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
            use.large += kib_field(line, large[i], &bytes) ? bytes : 0;
        }
        for (size_t i = 0; i < sizeof hugetlb / sizeof hugetlb[0]; i++) {
            if (kib_field(line, hugetlb[i], &bytes)) {
                use.large += bytes;
                use.resident += bytes;
            }
        }
    }
    (void)close(lines.fd);
    if (found) {
        *use_p = use;
    }
    return found;
}
