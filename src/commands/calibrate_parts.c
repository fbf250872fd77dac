#include "commands/calibrate_parts.h"

#include <string.h>

#include "commands/tlb.h"
#include "config/lock_curve.h"
#include "host/contention/contention.h"
#include "host/kernel/kernel.h"
#include "host/kernel/primitives.h"
#include "host/memory.h"

/* ns of the parts of the short form that take seconds; what is left of 45 s is for the others. */
#define KERNEL_BUDGET     20000000000
#define LOCKS_BUDGET      5000000000
#define CONTENTION_BUDGET 10000000000
#define TLB_BUDGET        6000000000

/* The greatest is beyond the reach of any TLB with base pages, and populated in a moment. */
#define TLB_LEAST (16 * MEBIBYTE)
#define TLB_MOST  (256 * MEBIBYTE)

struct part {
    unsigned repetitions;
    bool quick;
    byte_count available;
};

static enum status measure_primitives(const struct host_measure *measure, const struct part *part,
                                      struct tables *tables)
{
    const byte_count most = part->quick ? 64 * MEBIBYTE : 256 * MEBIBYTE;
    return primitives_measure(measure, part->repetitions, min_u64(most, part->available / 8),
                              tables);
}

static enum status measure_kernel(const struct host_measure *measure, const struct part *part,
                                  struct tables *tables)
{
    struct kernel_plan plan;
    kernel_plan_make(part->quick, part->available, &plan);
    plan.repetitions = part->repetitions;
    plan.probes = "fork_exit,faults";
    plan.budget = part->quick ? KERNEL_BUDGET : 0;
    return kernel_measure(measure, &plan, tables);
}

/* What no cost profile holds, but hosts are compared by. */
static enum status measure_tlb(const struct host_measure *measure, const struct part *part,
                               struct tables *tables)
{
    const struct tlb_options options = {
        .common = {.quick = part->quick,
                   .repetitions = part->repetitions,
                   .page_size = OPTION_AUTO},
        .least_footprint = TLB_LEAST,
        .most_footprint = OPTION_AUTO,
        .steps = OPTION_AUTO,
        .time = OPTION_AUTO,
        .tlb = "auto",
        .seed = 1,
        .ceiling = TLB_MOST,
        .limit = part->quick ? TLB_BUDGET : 0,
    };
    return tlb_measure(&options, measure, tables);
}

/* One thread on pages of its own: what a lock and a chain cost that nobody else wants. */
static enum status measure_locks(const struct host_measure *measure, const struct part *part,
                                 struct tables *tables)
{
    struct contention_plan plan = {
        .threads = {1},
        .nthreads = 1,
        .pages = part->quick ? 65536 : 262144, /* more than caches hold */
        .mappers = 16,
        .windows = 1,
        .line = 64,
        .repetitions = part->repetitions,
        .duration = part->quick ? 5000000 : 20000000,
        .budget = part->quick ? LOCKS_BUDGET : 0,
        .rounds = part->quick ? 100000 : 1000000,
        .seed = 1,
    };
    for (size_t i = 0; i < REVERSE_MAPS; i++) {
        plan.rmaps[i] = strcmp(reverse_maps[i].name, "none") == 0 ||
                        strcmp(reverse_maps[i].name, "pte_chain_array") == 0;
    }
    for (size_t i = 0; i < LOCK_TYPES; i++) {
        plan.kinds[i] = strcmp(lock_types[i].name, "ticket") == 0;
    }
    plan.granularities[LOCK_PER_OBJECT] = true;
    plan.sharings[SHARING_DISJOINT] = true;
    plan.operations[OPERATION_FORK] = plan.operations[OPERATION_EXIT] = true;
    return contention_measure(measure, &plan, tables);
}

/* Locks that all threads want, and chains of pages that all share. On one hardware thread nobody
 * contends, and there is nothing to measure. */
static enum status measure_contention(const struct host_measure *measure, const struct part *part,
                                      struct tables *tables)
{
    struct contention_plan plan = {
        .section = CALIBRATE_CONTENTION,
        .pages = part->quick ? 512 : 4096,
        .mappers = 16,
        .windows = 1,
        .line = 64,
        .repetitions = part->repetitions,
        .duration = part->quick ? 5000000 : 20000000,
        .budget = part->quick ? CONTENTION_BUDGET : 0,
        .passes = true,
        .seed = 1,
    };
    for (unsigned n = 1; n <= measure->places->n && n <= 1U << LOCK_CURVE_POINTS; n *= 2) {
        plan.threads[plan.nthreads++] = n;
    }
    if (plan.nthreads < 2) {
        return STATUS_OK;
    }
    plan.rmaps[RMAP_NONE] = plan.rmaps[RMAP_CHAIN_ARRAY] = true;
    plan.kinds[LOCK_TICKET] = plan.kinds[LOCK_PAGE_BIT] = true;
    plan.granularities[LOCK_PER_PAGE] = true;
    plan.sharings[SHARING_SHARED] = true;
    plan.operations[OPERATION_FORK] = plan.operations[OPERATION_EXIT] = true;
    return contention_measure(measure, &plan, tables);
}

static enum status (*const parts[])(const struct host_measure *, const struct part *,
                                    struct tables *) = {
    measure_primitives, measure_kernel, measure_tlb, measure_locks, measure_contention,
};

enum status calibrate_parts(const struct host_measure *measure, unsigned repetitions, bool quick,
                            struct tables *tables)
{
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(measure->system, &memory);
    enum status status = host_memory_available(&memory, 1, &available);
    const struct part part = {repetitions, quick,
                              status == STATUS_OK ? available.per_rank : (byte_count)0};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == STATUS_OK; i++) {
        status = parts[i](measure, &part, tables);
    }
    return status;
}
