/* Which cell has which pages: objects are dealt out to the cells in units of 512 or 1024 pages.
 *
 * A unit is what one page-table page maps, so that every page-table page has its ptes in one cell.
 * Unit u of object o is in cell (u + o) mod ncells, so that small objects are spread as well.
 * Within a cell the units of an object follow each other: the pages of a range of offsets are a
 * range. */
#ifndef THRASH_MACHINE_SHARD_H
#define THRASH_MACHINE_SHARD_H

#include <stdbool.h>

#include "base/types.h"

struct shard {
    uint64_t unit;  /* pages */
    uint64_t first; /* number of the first unit that the cell has of the object */
    uint64_t ncells;
};

static inline struct shard shard_of(uint64_t unit, object_id object, cell_id cell, cell_id ncells)
{
    uint64_t first = (cell + (uint64_t)ncells - object % ncells) % ncells;
    return (struct shard){unit, first, ncells};
}

static inline bool shard_has(const struct shard *shard, page_offset offset)
{
    uint64_t unit = offset / shard->unit;
    return unit >= shard->first && (unit - shard->first) % shard->ncells == 0;
}

/* Pages of the object below `offset` that are in the cell; they are its first ones there. */
static inline page_count shard_pages_below(const struct shard *shard, page_offset offset)
{
    uint64_t unit = offset / shard->unit;
    uint64_t rest = offset % shard->unit;
    if (unit < shard->first) {
        return 0;
    }
    uint64_t whole = (unit - shard->first + shard->ncells - 1) / shard->ncells;
    return whole * shard->unit + (shard_has(shard, offset) ? rest : 0);
}

/* The offset of page number `index` of those in the cell. */
static inline page_offset shard_offset(const struct shard *shard, page_count index)
{
    uint64_t unit = shard->first + index / shard->unit * shard->ncells;
    return unit * shard->unit + index % shard->unit;
}

/* `whole` dealt out evenly: what part number `i` of `n` gets. */
static inline uint64_t even_part(uint64_t whole, uint64_t i, uint64_t n)
{
    return whole / n + (i < whole % n ? 1 : 0);
}

#endif
