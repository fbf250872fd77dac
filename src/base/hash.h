/* Digests: XXH3-128, fed piece by piece, written as 32 hexadecimal digits. */
#ifndef THRASH_BASE_HASH_H
#define THRASH_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct hash_stream; /* opaque; made by hash_open, released by hash_close */

struct digest {
    uint64_t high;
    uint64_t low;
};

#define DIGEST_TEXT_SIZE 33 /* 32 digits and the terminating zero */

/* STATUS_FAILED when out of memory. */
enum status hash_open(struct hash_stream **stream_p);
void hash_update(struct hash_stream *stream, const void *bytes, size_t size);
struct digest hash_value(const struct hash_stream *stream);
void hash_close(struct hash_stream *stream); /* NULL is allowed */

struct digest hash_bytes(const void *bytes, size_t size);
void digest_to_text(struct digest digest, char text[DIGEST_TEXT_SIZE]);

static inline int digest_equal(struct digest a, struct digest b)
{
    return a.high == b.high && a.low == b.low;
}

#endif
