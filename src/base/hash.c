#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>

#include <xxhash.h>

enum status hash_open(struct hash_stream **stream_p)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_128bits_reset(state) == XXH_ERROR) {
        XXH3_freeState(state);
        return fail(STATUS_RESOURCE, "out of memory for a digest");
    }
    *stream_p = (struct hash_stream *)(void *)state;
    return STATUS_OK;
}

void hash_update(struct hash_stream *stream, const void *bytes, size_t size)
{
    XXH3_128bits_update((XXH3_state_t *)(void *)stream, bytes, size);
}

struct digest hash_value(const struct hash_stream *stream)
{
    XXH128_hash_t hash = XXH3_128bits_digest((const XXH3_state_t *)(const void *)stream);
    return (struct digest){hash.high64, hash.low64};
}

void hash_close(struct hash_stream *stream)
{
    XXH3_freeState((XXH3_state_t *)(void *)stream);
}

struct digest hash_bytes(const void *bytes, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    return (struct digest){hash.high64, hash.low64};
}

void digest_to_text(struct digest digest, char text[DIGEST_TEXT_SIZE])
{
    snprintf(text, DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, digest.high, digest.low);
}
