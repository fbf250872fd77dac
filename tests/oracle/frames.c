/* Zones, their watermarks and the allocators of both kernels: docs/model.md, section 6. */
#include "oracle/parts.h"

enum { DMA_FRAMES = 4096, LOWMEM_FRAMES = 896 * 256, MIN_FREE_FRAMES_2_6 = 256 };

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    if (value > high) {
        return high;
    }
    return value < low ? low : value;
}

static void watermarks_2_4(struct machine *machine, struct zone *zone)
{
    static const uint64_t reserve_ratio[] = {[DMA] = 256, [NORMAL] = 32};
    zone->min = clamp(zone->frames / 128, 20, 255);
    for (enum zone_number higher = zone->number + 1; higher < ZONES; higher++) {
        zone->reserve[higher] = machine->zones[higher].frames / reserve_ratio[zone->number];
    }
    zone->lru = &machine->lrus[0];
}

static void watermarks_2_6(struct machine *machine, struct zone *zone)
{
    const uint64_t low_frames = machine->zones[DMA].frames + machine->zones[NORMAL].frames;
    zone->min = zone->number == HIGHMEM ? clamp(zone->frames / 1024, 32, 128)
                                        : MIN_FREE_FRAMES_2_6 * zone->frames / low_frames;
    zone->lru = &machine->lrus[zone->number];
}

void o_frames_build(struct machine *machine)
{
    const bool is_64_bit = machine->scenario->machine.arch == ARCH_X86_64;
    const uint64_t frames = machine->frames;
    /* 3,137,464 kB of a machine of 64 GiB are free with mem_map (44 bytes a frame) and 40 MiB
     * taken. */
    const uint64_t split_low = machine->design.split_4g4g
                                   ? 3137464 / 4 + (uint64_t)16777216 * 44 / 4096 + 10240
                                   : LOWMEM_FRAMES;
    const uint64_t low = is_64_bit ? frames : min_u64(frames, split_low);
    machine->zones[DMA].frames = min_u64(low, DMA_FRAMES);
    machine->zones[NORMAL].frames = low - machine->zones[DMA].frames;
    machine->zones[HIGHMEM].frames = frames - low;
    for (enum zone_number z = DMA; z < ZONES; z++) {
        struct zone *zone = &machine->zones[z];
        zone->number = z;
        zone->free = zone->frames;
        zone->temp_priority = 12;
        zone->prev_priority = 12;
        if (machine->design.is_2_4) {
            watermarks_2_4(machine, zone);
        } else {
            watermarks_2_6(machine, zone);
        }
        zone->low = 2 * zone->min;
        zone->high = 3 * zone->min;
        if (zone->frames > 0) {
            machine->user_class = z;
            machine->kernel_class = z == HIGHMEM ? machine->kernel_class : z;
        }
    }
}

void o_frame_take_from(struct zone *zone, enum holder holder)
{
    REQUIRE(zone->free > 0);
    zone->free--;
    zone->held[holder]++;
}

void o_frame_give(struct machine *machine, struct zone *zone, enum holder holder)
{
    (void)machine;
    REQUIRE(zone->held[holder] > 0);
    zone->held[holder]--;
    zone->free++;
    zone->scanned_since_free = 0;
    zone->unreclaimable = false;
}

void o_frame_give_any(struct machine *machine, enum holder holder)
{
    int z = HIGHMEM;
    while (machine->zones[z].held[holder] == 0) {
        z--;
        REQUIRE(z >= 0);
    }
    o_frame_give(machine, &machine->zones[z], holder);
}

/* The first zone of a class, from the highest down, with more free than a watermark. */
static struct zone *first_over(struct machine *machine, enum zone_number class,
                               uint64_t multiple_of_min)
{
    for (int z = (int)class; z >= 0; z--) {
        struct zone *zone = &machine->zones[z];
        if (zone->frames > 0 && zone->free > multiple_of_min * zone->min + zone->reserve[class]) {
            return zone;
        }
    }
    return NULL;
}

struct zone *o_frame_over_2_4(struct machine *machine, enum zone_number class, bool high)
{
    return first_over(machine, class, high ? 3 : 1);
}

bool o_frames_below_high(const struct machine *machine, enum zone_number class)
{
    for (int z = (int)class; z >= 0; z--) {
        const struct zone *zone = &machine->zones[z];
        if (zone->frames > 0 && zone->free > zone->high + zone->reserve[class]) {
            return false;
        }
    }
    return true;
}

static struct zone *allocate_2_4(struct machine *machine, sim_time now, enum zone_number class)
{
    struct zone *zone = first_over(machine, class, 2);
    if (zone == NULL) {
        machine->zones[class].need_balance = true;
        o_kswapd_wake(machine, now);
        zone = first_over(machine, class, 1);
    }
    return zone;
}

/* The first zone that has more free than the watermarks of it and those before it add up to. */
static struct zone *first_over_sum(struct machine *machine, enum zone_number class, bool low)
{
    uint64_t sum = 1;
    for (int z = (int)class; z >= 0; z--) {
        struct zone *zone = &machine->zones[z];
        if (zone->frames == 0) {
            continue;
        }
        sum += low ? zone->low : zone->min;
        if (zone->free >= sum) {
            return zone;
        }
    }
    return NULL;
}

struct zone *o_frame_over_min_2_6(struct machine *machine, enum zone_number class)
{
    return first_over_sum(machine, class, false);
}

static struct zone *allocate_2_6(struct machine *machine, sim_time now, enum zone_number class)
{
    struct zone *zone = first_over_sum(machine, class, true);
    if (zone == NULL) {
        bool any_low = false;
        for (int z = (int)class; z >= 0; z--) {
            const struct zone *one = &machine->zones[z];
            any_low = any_low || (one->frames > 0 && one->free <= one->low);
        }
        if (any_low) {
            o_kswapd_wake(machine, now);
        }
        zone = first_over_sum(machine, class, false);
    }
    return zone;
}

/* A frame that its process waited for has come. */
static void end_wait(struct machine *machine, const struct actor *actor)
{
    if (actor->process != NULL) {
        o_memory_wait_over(machine, actor->process, actor->now);
    }
}

struct zone *o_frame_take(struct machine *machine, struct actor *actor, enum zone_number class,
                          enum holder holder)
{
    struct process *process = actor->process;
    if (process != NULL && process->frame != NULL && process->frame->number <= class) {
        struct zone *zone = process->frame;
        process->frame = NULL;
        zone->held[HELD_BY_PROCESS]--;
        zone->held[holder]++;
        end_wait(machine, actor);
        return zone;
    }
    struct zone *zone = machine->design.is_2_4 ? allocate_2_4(machine, actor->now, class)
                                               : allocate_2_6(machine, actor->now, class);
    if (zone != NULL) {
        o_frame_take_from(zone, holder);
        charge(machine, actor, COST_PAGE_ALLOC);
        end_wait(machine, actor);
    }
    return zone;
}
