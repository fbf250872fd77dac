/* Content tags: a check that no page ever loses or mixes up what was written to it.
 *
 * With THRASH_CHECKS every store leaves a new tag in its page, and every load must find the tag of
 * the last store to that offset: through swap-out and swap-in, write-back, and any interleaving.
 * Tags of frames, of swap slots and of files are kept apart and move only with I/O. Without
 * THRASH_CHECKS all of this compiles to nothing. */
#ifndef THRASH_MACHINE_TAGS_H
#define THRASH_MACHINE_TAGS_H

#include "machine/cell.h"

#ifdef THRASH_CHECKS

struct tags {
    uint64_t written; /* what the last store left */
    uint64_t frame;   /* what the page's frame holds */
    uint64_t stored;  /* what its swap slot, or its file, holds */
};

void tags_frame_filled(struct cell *cell, page_id page); /* zeroed, or about to be read into */
void tags_frame_dropped(struct cell *cell, page_id page);
void tags_written(struct cell *cell, page_id page); /* a write to swap or file begins */
void tags_read(struct cell *cell, page_id page);    /* a read from swap or file is complete */
void tags_touched(struct cell *cell, const struct touch *touch);
void tags_populated(struct cell *cell, page_id page, bool write);
void tags_copied(struct cell *cell, page_id from, page_id to); /* copy-on-write */
void tags_forgotten(struct cell *cell, page_id page);          /* nobody has the page any more */

#else

static inline void tags_copied(struct cell *cell, page_id from, page_id to)
{
    (void)cell;
    (void)from;
    (void)to;
}

static inline void tags_forgotten(struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
}

static inline void tags_frame_filled(struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
}

static inline void tags_frame_dropped(struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
}

static inline void tags_written(struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
}

static inline void tags_read(struct cell *cell, page_id page)
{
    (void)cell;
    (void)page;
}

static inline void tags_touched(struct cell *cell, const struct touch *touch)
{
    (void)cell;
    (void)touch;
}

static inline void tags_populated(struct cell *cell, page_id page, bool write)
{
    (void)cell;
    (void)page;
    (void)write;
}

#endif

#endif
