#include "base/units.h"
#include "config/scenario_parts.h"

/* The key of a section, for a check that failed there. */
static struct option_frame frame_of(const struct option_frame *outer, const char *key)
{
    return (struct option_frame){outer, key, node_find(outer->node, key)};
}

static enum status check_times(const struct scenario *scenario, const struct option_frame *root)
{
    char found[UNITS_TEXT_SIZE];
    char limit[UNITS_TEXT_SIZE];
    if (scenario->quantum > scenario->epoch) {
        struct option_frame frame = frame_of(root, "quantum");
        return option_fail(&frame, "expected at most the epoch of %s, found %s",
                           units_print_time(scenario->epoch, limit),
                           units_print_time(scenario->quantum, found));
    }
    /* User, system, I/O wait and idle time of all CPUs add up to that; each is a 64-bit counter. */
    sim_time most = UINT64_MAX / scenario->machine.cpus;
    if (scenario->duration > most) {
        struct option_frame frame = frame_of(root, "duration");
        return option_fail(&frame,
                           "expected at most %" PRIu64 "s with machine.cpus of %" PRIu64
                           ", as 208 days of CPU time can be counted, found %s",
                           (uint64_t)(most / (1000000000 * TICKS_PER_NS)), scenario->machine.cpus,
                           units_print_time(scenario->duration, found));
    }
    if (scenario->phases.warmup >= scenario->duration) {
        struct option_frame phases = frame_of(root, "phases");
        struct option_frame frame = frame_of(&phases, "warmup");
        return option_fail(&frame, "expected less than the duration of %s, found %s",
                           units_print_time(scenario->duration, limit),
                           units_print_time(scenario->phases.warmup, found));
    }
    return STATUS_OK;
}

static enum status check_machine(const struct machine_config *machine,
                                 const struct option_frame *root)
{
    struct option_frame section = frame_of(root, "machine");
    struct option_frame frame = frame_of(&section, "nodes");
    if (machine->nodes > machine->cells || machine->cells % machine->nodes != 0) {
        return option_fail(
            &frame, "expected a divisor of the number of cells (%" PRIu64 "), found %" PRIu64,
            machine->cells, machine->nodes);
    }
    /* Slots are numbered with 32 bits in each cell. */
    uint64_t slots = machine->swap.size / PAGE_BYTES / machine->cells;
    if (slots >= UINT32_MAX - machine->swap.devices) {
        struct option_frame swap = frame_of(&section, "swap");
        char found[UNITS_TEXT_SIZE];
        char limit[UNITS_TEXT_SIZE];
        frame = frame_of(&swap, "size");
        return option_fail(
            &frame, "expected less than %s with machine.cells of %" PRIu64 ", found %s",
            units_print_size((UINT32_MAX - machine->swap.devices) * PAGE_BYTES * machine->cells,
                             limit),
            machine->cells, units_print_size(machine->swap.size, found));
    }
    if (machine->ballast != OPTION_AUTO && machine->ballast >= machine->memory) {
        char found[UNITS_TEXT_SIZE];
        char limit[UNITS_TEXT_SIZE];
        frame = frame_of(&section, "ballast");
        return option_fail(&frame, "expected less than the memory of %s, found %s",
                           units_print_size(machine->memory, limit),
                           units_print_size(machine->ballast, found));
    }
    if (machine->cache_line != 32 && machine->cache_line != 64 && machine->cache_line != 128) {
        frame = frame_of(&section, "cache_line");
        return option_fail(&frame, "expected 32, 64, 128 or auto, found %" PRIu64,
                           machine->cache_line);
    }
    frame = frame_of(&section, "tlb");
    return tlb_config_check(&machine->tlb, &frame);
}

static enum status check_design(const struct design_config *design, const struct option_frame *root)
{
    bool whole = design->rmap != NULL && design->reclaim != NULL && design->swap_writeout != NULL;
    if (design->preset == NULL && !whole) {
        struct option_frame section = frame_of(root, "design");
        struct option_frame frame = frame_of(&section, "preset");
        return option_fail(&frame, "must be given unless rmap, reclaim and swap_writeout all are");
    }
    return STATUS_OK;
}

enum status scenario_complete(struct scenario *scenario, const struct option_frame *root)
{
    struct machine_config *machine = &scenario->machine;
    if (machine->cache_line == OPTION_AUTO) {
        machine->cache_line = machine->arch == ARCH_X86_64 ? 64 : 128;
    }
    enum status status = check_times(scenario, root);
    if (status == STATUS_OK) {
        status = check_machine(machine, root);
    }
    return status != STATUS_OK ? status : check_design(&scenario->design, root);
}
