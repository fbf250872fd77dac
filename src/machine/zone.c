#include "machine/zone.h"

#include <assert.h>

#include "machine/cell.h"

page_count zone_mark(const struct zone *zone, enum watermark watermark)
{
    switch (watermark) {
    case WATERMARK_MIN:
        return zone->min;
    case WATERMARK_LOW:
        return zone->low;
    default:
        return zone->high;
    }
}

enum zone_index zone_user_class(const struct cell *cell)
{
    for (int zone = ZONES - 1; zone > 0; zone--) {
        if (cell->core->zone[zone].present > 0) {
            return (enum zone_index)zone;
        }
    }
    return ZONE_DMA;
}

enum zone_index zone_kernel_class(const struct cell *cell)
{
    return cell->core->zone[ZONE_NORMAL].present > 0 ? ZONE_NORMAL : ZONE_DMA;
}

void zone_take_many(struct cell *cell, enum zone_index index, enum owner owner, page_count n)
{
    struct zone *zone = &cell->core->zone[index];
    assert(zone->free >= n);
    zone->free -= n;
    zone->held[owner] += n;
    cell->core->frames_taken += n;
}

void zone_take(struct cell *cell, enum zone_index index, enum owner owner)
{
    zone_take_many(cell, index, owner, 1);
}

void zone_give(struct cell *cell, enum zone_index index, enum owner owner)
{
    struct zone *zone = &cell->core->zone[index];
    assert(zone->held[owner] > 0);
    zone->held[owner]--;
    zone->free++;
    zone->pages_scanned = 0;
    zone->all_unreclaimable = false;
}

void zone_change_owner(struct cell *cell, enum zone_index index, enum owner from, enum owner to)
{
    struct zone *zone = &cell->core->zone[index];
    assert(zone->held[from] > 0);
    zone->held[from]--;
    zone->held[to]++;
}

page_count zone_free_frames(const struct cell *cell)
{
    page_count frames = 0;
    for (int zone = 0; zone < ZONES; zone++) {
        frames += cell->core->zone[zone].free;
    }
    return frames;
}

page_count zone_owner_frames(const struct cell *cell, enum owner owner)
{
    page_count frames = 0;
    for (int zone = 0; zone < ZONES; zone++) {
        frames += cell->core->zone[zone].held[owner];
    }
    return frames;
}

page_count zone_lowmem_frames(const struct cell *cell, enum owner owner)
{
    return cell->core->zone[ZONE_DMA].held[owner] + cell->core->zone[ZONE_NORMAL].held[owner];
}

const char *zone_owner_name(enum owner owner)
{
    static const char *const names[OWNERS] = {
        [OWNER_SHM] = "shared memory",
        [OWNER_FILE] = "files",
        [OWNER_ANON] = "anonymous memory",
        [OWNER_PAGETABLE] = "page tables",
        [OWNER_DIRECTORY] = "page directories",
        [OWNER_RMAP] = "pte chains",
        [OWNER_MEM_MAP] = "mem_map",
        [OWNER_KERNEL] = "kernel image",
        [OWNER_TASK] = "tasks",
        [OWNER_MM] = "mms",
        [OWNER_VMA] = "vmas",
        [OWNER_BUFFER_HEAD] = "buffer heads",
        [OWNER_RADIX_NODE] = "radix-tree nodes",
        [OWNER_BALLAST] = "ballast",
        [OWNER_LARGE] = "large pages",
        [OWNER_HANDED] = "reclaimers",
    };
    return names[owner];
}

void zone_give_any(struct cell *cell, enum owner owner)
{
    for (int zone = ZONES - 1; zone >= 0; zone--) {
        if (cell->core->zone[zone].held[owner] > 0) {
            zone_give(cell, (enum zone_index)zone, owner);
            return;
        }
    }
    assert(false && "a frame was given back that nobody held");
}
