#include "host/kernel/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/thread_sanitizer.h"
#include "host/kernel/memory_use.h"

/* What one page of the third level of x86-64, and of others with tables of 512 entries, covers. */
#define SPAN ((uintptr_t)1 << 39)

/* Addresses tried: above what loaders and sanitizers use, below what Linux gives out unasked. The
 * thread sanitizer keeps shadows there; what it leaves to programs is three spans, of which the
 * program itself lies in one. */
#ifdef THREAD_SANITIZED
#define FIRST_ADDRESS ((uintptr_t)0x550000000000)
#define LAST_ADDRESS  ((uintptr_t)0x568000000000)
#else
#define FIRST_ADDRESS ((uintptr_t)0x200000000000)
#define LAST_ADDRESS  ((uintptr_t)0x500000000000)
#endif

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

void *map_apart(byte_count size, int flags, int fd)
{
    for (uintptr_t at = FIRST_ADDRESS; at < LAST_ADDRESS; at += SPAN) {
        /* The address is free if the whole of its span is. Address space may be limited. */
        void *wanted = (void *)at; /* NOLINT(performance-no-int-to-ptr) */
        void *span = mmap(wanted, SPAN, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (span == MAP_FAILED) {
            if (errno == EEXIST) {
                continue;
            }
            return NULL;
        }
        (void)munmap(span, SPAN);
        if (span != wanted) { /* a kernel without MAP_FIXED_NOREPLACE */
            continue;
        }
        void *memory = mmap(wanted, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, fd,
                            0);
        return memory == MAP_FAILED ? NULL : memory;
    }
    errno = ENOMEM;
    return NULL;
}

void *segment_map(const struct segment *segment)
{
    void *memory = map_apart(segment->size, MAP_SHARED, segment->fd);
    if (memory && segment->advice != MADV_NORMAL) {
        /* Refused by kernels without transparent large pages, which use base pages anyway. */
        (void)madvise(memory, segment->size, segment->advice);
    }
    return memory;
}

void segment_read(const struct segment *segment, const void *memory)
{
    const volatile char *bytes = memory;
    for (byte_count at = 0; at < segment->size; at += segment->page) {
        (void)bytes[at];
    }
}

/* Whether the file system of the segment has room for it: memory that is missing later is a signal.
 * One without a limit has no blocks. */
static bool has_room(const struct segment *segment)
{
    struct statvfs room;
    return fstatvfs(segment->fd, &room) || room.f_blocks == 0 ||
           (byte_count)room.f_bavail * room.f_frsize >= segment->size;
}

/* Writes to every page and looks at what it became. */
static bool fill(const struct segment *segment, const char *name, char *why, size_t why_size)
{
    const size_t used = strlen(why);
    char *const clause = why + used;
    const size_t left = why_size - used;
    const char *separator = used ? "; " : "";
    if (!has_room(segment)) {
        (void)snprintf(clause, left, "%s%s: no room for %" PRIbytes " MiB", separator, name,
                       segment->size >> 20);
        return false;
    }
    if (ftruncate(segment->fd, (off_t)segment->size)) {
        (void)snprintf(clause, left, "%s%s: %s", separator, name, strerror(errno));
        return false;
    }
    volatile char *memory = segment_map(segment);
    if (!memory) {
        (void)snprintf(clause, left, "%s%s: mmap: %s", separator, name, strerror(errno));
        return false;
    }
    for (byte_count at = 0; at < segment->size; at += segment->page) {
        memory[at] = 1;
    }
    struct memory_use use;
    const bool known = memory_use_mapping((const void *)memory, &use);
    (void)munmap((void *)memory, segment->size);
    if (!known) {
        (void)snprintf(clause, left, "%s%s: /proc/self/smaps does not say what pages it has",
                       separator, name);
        return false;
    }
    const bool large = segment->page > PAGE_BYTES;
    if (large ? use.large != segment->size : use.large != 0 || use.resident != segment->size) {
        (void)snprintf(clause, left,
                       "%s%s: %" PRIbytes " of %" PRIbytes " KiB became pages of %" PRIbytes " KiB",
                       separator, name, large ? use.large >> 10 : (use.resident - use.large) >> 10,
                       segment->size >> 10, segment->page >> 10);
        return false;
    }
    return true;
}

static bool try_segment(int fd, const char *name, int advice, byte_count page, byte_count size,
                        struct segment *segment_p, char *how, char *why, size_t text_size)
{
    if (fd < 0) {
        const size_t used = strlen(why);
        (void)snprintf(why + used, text_size - used, "%s%s: %s", used ? "; " : "", name,
                       strerror(errno));
        return false;
    }
    struct segment segment = {.fd = fd, .size = size, .page = page, .advice = advice};
    if (!fill(&segment, name, why, text_size)) {
        (void)close(fd);
        return false;
    }
    (void)snprintf(how, text_size, "%s", name);
    *segment_p = segment;
    return true;
}

static unsigned log2_of(byte_count size)
{
    unsigned shift = 0;
    while (size >> shift > 1) {
        shift++;
    }
    return shift;
}

bool segment_open(byte_count page, byte_count size, struct segment *segment_p, char *how, char *why,
                  size_t text_size)
{
    why[0] = '\0';
    if (page == PAGE_BYTES) {
        return try_segment(memfd_create("thrash", MFD_CLOEXEC), "memfd", MADV_NOHUGEPAGE, page,
                           size, segment_p, how, why, text_size);
    }
    const unsigned flags = MFD_CLOEXEC | MFD_HUGETLB | log2_of(page) << MFD_HUGE_SHIFT;
    if (try_segment(memfd_create("thrash", flags), "memfd of hugetlb pages (nr_hugepages)",
                    MADV_NORMAL, page, size, segment_p, how, why, text_size)) {
        return true;
    }
    if (page != (byte_count)1 << 21) {
        return false;
    }
    return try_segment(memfd_create("thrash", MFD_CLOEXEC),
                       "memfd of transparent large pages (transparent_hugepage/shmem_enabled)",
                       MADV_HUGEPAGE, page, size, segment_p, how, why, text_size) ||
           try_segment(open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                       "file of transparent large pages in /dev/shm", MADV_HUGEPAGE, page, size,
                       segment_p, how, why, text_size);
}

void segment_close(struct segment *segment)
{
    (void)close(segment->fd);
    segment->fd = -1;
}
