/* Known pieces of work, to find out whether an event really counts.
 *
 * A stream is prepared, then run between the start and the stop of the event, then it says between
 * which two numbers an honest counter must lie. */
#ifndef THRASH_HOST_COUNTER_STREAM_H
#define THRASH_HOST_COUNTER_STREAM_H

#include <stdbool.h>
#include <stdint.h>

enum host_stream_kind {
    HOST_STREAM_COMPUTE, /* a chain of dependent multiplications: cycles, instructions */
    HOST_STREAM_PAGES,   /* a dependent walk over more 4 KiB pages than any TLB holds, loads only */
    HOST_STREAM_STORES,  /* the same pages in the same order, stores only */
    HOST_STREAM_WALK_TIME,    /* as PAGES, by the cycles that its walks take */
    HOST_STREAM_SECOND_LEVEL, /* a walk over more 4 KiB pages than a first level holds, and fewer
                                 than a second one */
    HOST_STREAM_FAULTS,       /* the first touch of fresh base pages: minor faults */
    HOST_STREAM_SLEEPS,       /* short sleeps: voluntary context switches */
    HOST_STREAM_KINDS
};

struct host_stream {
    enum host_stream_kind kind;
    bool prepared;
    void *memory;
    uint64_t size;   /* of it, bytes */
    uint64_t done;   /* units of work that were run */
    uint64_t kernel; /* what getrusage counted meanwhile; FAULTS and SLEEPS */
    uint64_t sink;   /* what the work computed, so that it cannot be optimised away */
};

/* What one unit of work of a stream is, for messages: "iterations", "loads", ... */
const char *host_stream_unit(enum host_stream_kind kind);

/* Takes what the stream needs. False with errno set when the memory cannot be had. */
bool host_stream_prepare(enum host_stream_kind kind, struct host_stream *stream_p);

/* Does the work once; it may be done again. */
void host_stream_run(struct host_stream *stream);

/* Range, both ends included, in which an event that counts this work must lie. */
void host_stream_bounds(const struct host_stream *stream, uint64_t *least_p, uint64_t *most_p);

void host_stream_release(struct host_stream *stream);

#endif
