#include "results/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io/process.h"

#define BLOCK  ((size_t)1 << 20)
#define DIGITS ((size_t)DIGEST_TEXT_SIZE - 1)
#define MARK   (sizeof SEAL_MARK - 1 + SEAL_SIZE)

static const char zeros[DIGITS + 1] = "00000000000000000000000000000000";

/* What stands before the digits in a file of that size. */
static void make_mark(uint64_t size, char mark[MARK + 1])
{
    (void)snprintf(mark, MARK + 1, SEAL_MARK "%016" PRIx64 "-", size);
}

enum status seal_draft(char text[SEAL_TEXT_SIZE])
{
    struct {
        struct timespec now;
        long pid;
        char host[PROCESS_HOST_SIZE];
    } unique;
    memset(&unique, 0, sizeof unique);
    if (clock_gettime(CLOCK_REALTIME, &unique.now) != 0) {
        return fail(STATUS_FAILED, "the clock cannot be read: %s", strerror(errno));
    }
    unique.pid = (long)getpid();
    process_host(unique.host);
    make_mark(0, text);
    digest_to_text(hash_bytes(&unique, sizeof unique), text + MARK);
    return STATUS_OK;
}

/* Fewer than `size` bytes at the end of the file; -1 and errno. */
static ssize_t read_at(int file, uint64_t place, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(file, bytes + done, size - done, (off_t)(place + done));
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return -1;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)done;
}

/* Where the digits of a seal may be: after a mark. */
struct candidates {
    uint64_t *place;
    size_t n;
};

static enum status add_candidate(struct candidates *candidates, uint64_t place, const char *name)
{
    uint64_t *grown = realloc(candidates->place, (candidates->n + 1) * sizeof *grown);
    if (grown == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for its seal", name);
    }
    candidates->place = grown;
    grown[candidates->n++] = place;
    return STATUS_OK;
}

static enum status find_in(char *block, size_t size, uint64_t place, const char *mark,
                           const char *name, struct candidates *candidates)
{
    enum status status = STATUS_OK;
    for (char *at = block; status == STATUS_OK && size - (size_t)(at - block) >= MARK + DIGITS;
         at++) {
        at = memmem(at, size - (size_t)(at - block), mark, MARK);
        if (at == NULL || size - (size_t)(at - block) < MARK + DIGITS) {
            break;
        }
        status = add_candidate(candidates, place + (uint64_t)(at - block) + MARK, name);
    }
    return status;
}

static enum status cannot_read(const char *name, int error)
{
    return fail(STATUS_FAILED, "%s: cannot read it: %s", name, strerror(error));
}

/* Blocks overlap by what a mark and its digits take less one byte. */
static enum status find_candidates(int file, uint64_t size, const char *name, char *block,
                                   struct candidates *candidates)
{
    enum status status = STATUS_OK;
    char mark[MARK + 1];
    make_mark(size, mark);
    for (uint64_t place = 0; status == STATUS_OK;) {
        const ssize_t n = read_at(file, place, block, BLOCK);
        if (n < 0) {
            return cannot_read(name, errno);
        }
        status = find_in(block, (size_t)n, place, mark, name, candidates);
        if ((size_t)n < BLOCK) {
            break;
        }
        place += BLOCK - (MARK + DIGITS - 1);
    }
    return status;
}

/* Of the file with the digits at `digits` as zeros. */
static enum status hash_file(int file, const char *name, char *block, uint64_t digits,
                             char text[DIGEST_TEXT_SIZE])
{
    struct hash_stream *stream = NULL;
    enum status status = hash_open(&stream);
    ssize_t n = 0;
    for (uint64_t place = 0; status == STATUS_OK; place += (uint64_t)n) {
        n = read_at(file, place, block, BLOCK);
        if (n <= 0) {
            status = n < 0 ? cannot_read(name, errno) : STATUS_OK;
            break;
        }
        for (size_t i = 0; i < DIGITS; i++) {
            if (digits + i >= place && digits + i < place + (uint64_t)n) {
                block[digits + i - place] = zeros[i];
            }
        }
        hash_update(stream, block, (size_t)n);
    }
    if (status == STATUS_OK) {
        digest_to_text(hash_value(stream), text);
    }
    hash_close(stream);
    return status;
}

static enum status write_digits(int file, const char *name, uint64_t place, const char *digits,
                                size_t size)
{
    for (size_t done = 0; done < size;) {
        const ssize_t n = pwrite(file, digits + done, size - done, (off_t)(place + done));
        if (n <= 0 && errno != EINTR) {
            return fail(STATUS_FAILED, "%s: cannot write its seal: %s", name, strerror(errno));
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return STATUS_OK;
}

/* Where the digits of the draft are. */
static enum status find_draft(int file, const char *name, const char *draft, char *block,
                              uint64_t *place_p)
{
    struct candidates candidates = {NULL, 0};
    uint64_t place = 0;
    enum status status = find_candidates(file, 0, name, block, &candidates);
    for (size_t i = 0; i < candidates.n && status == STATUS_OK && place == 0; i++) {
        char digits[DIGITS];
        if (read_at(file, candidates.place[i], digits, DIGITS) == (ssize_t)DIGITS &&
            memcmp(digits, draft + MARK, DIGITS) == 0) {
            place = candidates.place[i];
        }
    }
    free(candidates.place);
    if (status == STATUS_OK && place == 0) {
        status = fail(STATUS_FAILED, "%s: its seal does not read back as it was written", name);
    }
    if (status == STATUS_OK) {
        *place_p = place;
    }
    return status;
}

/* Each takes reading the whole file, and a result has one. */
enum { CANDIDATES_TRIED = 8 };

static enum status refuse(const char *path)
{
    return fail(STATUS_FAILED,
                "%s is not as it was written: it is damaged, or another program has written or "
                "changed it without emptying /provenance/seal",
                path);
}

static enum status check_open_file(int file, uint64_t size, const char *path, char *block,
                                   bool *found_p)
{
    struct candidates candidates = {NULL, 0};
    enum status status = find_candidates(file, size, path, block, &candidates);
    bool fits = false;
    for (size_t i = 0; i < candidates.n && i < CANDIDATES_TRIED && status == STATUS_OK && !fits;
         i++) {
        char digits[DIGITS];
        char text[DIGEST_TEXT_SIZE];
        status = hash_file(file, path, block, candidates.place[i], text);
        fits = status == STATUS_OK &&
               read_at(file, candidates.place[i], digits, DIGITS) == (ssize_t)DIGITS &&
               memcmp(digits, text, DIGITS) == 0;
    }
    free(candidates.place);
    if (status == STATUS_OK && candidates.n > 0 && !fits) {
        status = refuse(path);
    }
    if (status == STATUS_OK) {
        *found_p = fits;
    }
    return status;
}

static enum status seal_open_file(int file, const char *name, const char *draft, char *block)
{
    struct stat found;
    uint64_t place = 0;
    char mark[MARK + 1];
    char text[DIGEST_TEXT_SIZE];
    if (fstat(file, &found) != 0) {
        return cannot_read(name, errno);
    }
    make_mark((uint64_t)found.st_size, mark);
    enum status status = find_draft(file, name, draft, block, &place);
    if (status == STATUS_OK) {
        status = write_digits(file, name, place - MARK, mark, MARK);
    }
    if (status == STATUS_OK) {
        status = hash_file(file, name, block, place, text);
    }
    if (status == STATUS_OK) {
        status = write_digits(file, name, place, text, DIGITS);
    }
    if (status == STATUS_OK) { /* a write may get lost without a word */
        bool fits = false;
        status = check_open_file(file, (uint64_t)found.st_size, name, block, &fits);
        if (status == STATUS_OK && !fits) {
            status = refuse(name);
        }
    }
    return status;
}

enum status seal_put(const char *path, const char *name, const char draft[SEAL_TEXT_SIZE])
{
    char *block = malloc(BLOCK);
    if (block == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for its seal", name);
    }
    const int file = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    enum status status = file < 0
                             ? fail(STATUS_FAILED, "%s: cannot seal it: %s", name, strerror(errno))
                             : seal_open_file(file, name, draft, block);
    if (file >= 0 && close(file) != 0 && status == STATUS_OK) {
        status = fail(STATUS_FAILED, "%s: cannot seal it: %s", name, strerror(errno));
    }
    free(block);
    return status;
}

enum status seal_check(const char *path, bool *found_p)
{
    struct stat found;
    bool fits = false;
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    enum status status = STATUS_OK;
    if (file >= 0 && fstat(file, &found) == 0 && S_ISREG(found.st_mode)) {
        char *block = malloc(BLOCK);
        status = block == NULL ? fail(STATUS_FAILED, "%s: out of memory for its seal", path)
                               : check_open_file(file, (uint64_t)found.st_size, path, block, &fits);
        free(block);
    }
    if (file >= 0) {
        (void)close(file);
    }
    if (status == STATUS_OK) {
        *found_p = fits;
    }
    return status;
}

enum status seal_judge(const char *path, const char *text)
{
    return text[0] == '\0' ? STATUS_OK : refuse(path);
}
