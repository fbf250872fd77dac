#include "host/translation/stream.h"

/* Updates do not touch the words that hold the cycle. */
#define UPDATED_WORD 1

const char *access_pattern_name(enum access_pattern pattern)
{
    static const char *const names[ACCESS_PATTERNS] = {"dependent", "independent"};
    return names[pattern];
}

/* Multiplier of Knuth's MMIX; only the upper bits are used. */
static inline uint64_t advance(uint64_t state)
{
    return state * 6364136223846793005ULL + 1442695040888963407ULL;
}

/* Uniform in [0, n). */
static inline uint64_t below(uint64_t state, uint64_t n)
{
    return (uint64_t)((uint128)state * n >> 64);
}

/* At different lines of their pages: all at one would fight for few sets of the caches. */
static inline uint64_t offset_of(uint64_t number, byte_count page)
{
    return number * page + number % (page / STREAM_LINE) * STREAM_LINE;
}

static uint64_t *word_at(char *memory, uint64_t offset)
{
    return (uint64_t *)(void *)(memory + offset);
}

void stream_link(char *memory, byte_count size, byte_count page, uint64_t seed)
{
    const uint64_t n = size / page;
    for (uint64_t i = 0; i < n; i++) {
        *word_at(memory, offset_of(i, page)) = offset_of(i, page);
    }
    /* Sattolo: swapping with an earlier one only leaves a single cycle. */
    uint64_t state = advance(seed);
    for (uint64_t i = n; i-- > 1;) {
        state = advance(state);
        uint64_t *a = word_at(memory, offset_of(i, page));
        uint64_t *b = word_at(memory, offset_of(below(state, i), page));
        const uint64_t next = *a;
        *a = *b;
        *b = next;
    }
}

struct stream stream_begin(enum access_pattern pattern, char *memory, byte_count size,
                           uint64_t seed)
{
    struct stream stream = {.pattern = pattern, .memory = memory, .size = size};
    for (unsigned i = 0; i < STREAM_GENERATORS; i++) {
        seed = advance(seed + i);
        stream.state[i] = advance(advance(seed ^ seed >> 32));
    }
    return stream;
}

static void run_dependent(struct stream *stream, uint64_t n)
{
    const char *memory = stream->memory;
    uint64_t at = stream->at;
    for (uint64_t i = 0; i < n; i++) {
        at = *(const uint64_t *)(const void *)(memory + at);
    }
    stream->at = at;
}

static void run_independent(struct stream *stream, uint64_t n)
{
    char *memory = stream->memory;
    const uint64_t lines = stream->size / STREAM_LINE;
    uint64_t state[STREAM_GENERATORS];
    for (unsigned k = 0; k < STREAM_GENERATORS; k++) {
        state[k] = stream->state[k];
    }
    for (uint64_t i = 0; i < n; i += STREAM_GENERATORS) {
        for (unsigned k = 0; k < STREAM_GENERATORS; k++) {
            state[k] = advance(state[k]);
            word_at(memory, below(state[k], lines) * STREAM_LINE)[UPDATED_WORD] += 1;
        }
    }
    for (unsigned k = 0; k < STREAM_GENERATORS; k++) {
        stream->state[k] = state[k];
    }
    stream->turn += n;
}

void stream_run(struct stream *stream, uint64_t n)
{
    if (stream->pattern == ACCESS_DEPENDENT) {
        run_dependent(stream, n);
    } else {
        run_independent(stream, n);
    }
}

void stream_peek(struct stream *stream, uint64_t *offsets, size_t n)
{
    const uint64_t lines = stream->size / STREAM_LINE;
    for (size_t i = 0; i < n; i++) {
        if (stream->pattern == ACCESS_DEPENDENT) {
            offsets[i] = stream->at;
            stream->at = *word_at(stream->memory, stream->at);
        } else {
            uint64_t *state = &stream->state[stream->turn++ % STREAM_GENERATORS];
            *state = advance(*state);
            offsets[i] = below(*state, lines) * STREAM_LINE;
        }
    }
}
