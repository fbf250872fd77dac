#include "machine/tags.h"

#ifdef THRASH_CHECKS

#include <stdio.h>
#include <stdlib.h>

#include "machine/residence.h"

enum { POISON = 0xdead };

void tags_frame_filled(struct cell *cell, page_id page)
{
    cell->tags[page].frame = 0;
}

void tags_frame_dropped(struct cell *cell, page_id page)
{
    /* Without a slot or a file to come back from, only an untouched page may go. */
    bool kept = cell->slot[page] != 0 || page_object(cell, page)->kind == OBJECT_FILE;
    if (!kept) {
        cell->tags[page].stored = 0;
    }
    cell->tags[page].frame = POISON;
}

void tags_written(struct cell *cell, page_id page)
{
    cell->tags[page].stored = cell->tags[page].frame;
}

void tags_read(struct cell *cell, page_id page)
{
    cell->tags[page].frame = cell->tags[page].stored;
}

static void store(struct cell *cell, page_id page, uint64_t tag)
{
    cell->tags[page].written = tag;
    cell->tags[page].frame = tag;
}

void tags_touched(struct cell *cell, const struct touch *touch)
{
    if (cell->tags[touch->page].frame != cell->tags[touch->page].written) {
        fprintf(stderr,
                "thrash: process %u read tag %" PRIu64 " from page %u where %" PRIu64
                " was written last\n",
                touch->process, cell->tags[touch->page].frame, touch->page,
                cell->tags[touch->page].written);
        abort();
    }
    if (touch->access == ACCESS_WRITE || touch->access == ACCESS_FILE_WRITE) {
        store(cell, touch->page, ((uint64_t)touch->process + 1) << 40 | (touch->ordinal + 1));
    }
}

void tags_populated(struct cell *cell, page_id page, bool write)
{
    if (write) {
        store(cell, page, (uint64_t)1 << 63 | page);
    }
}

void tags_copied(struct cell *cell, page_id from, page_id to)
{
    store(cell, to, cell->tags[from].frame);
}

void tags_forgotten(struct cell *cell, page_id page)
{
    cell->tags[page] = (struct tags){0, POISON, 0};
}

#else

/* An empty translation unit is not C17. */
typedef int tags_are_off;

#endif
