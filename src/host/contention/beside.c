#include "host/contention/beside.h"

#include <math.h>
#include <stdlib.h>

#include "host/contention/statistics.h"

/* The designs that are compared. */
static const enum reverse_map_id compared[] = {RMAP_NONE, RMAP_CHAIN_LINKED, RMAP_CHAIN_ARRAY,
                                               RMAP_OBJECT_LIST, RMAP_PRIO_TREE};
enum { COMPARED = sizeof compared / sizeof compared[0] };

/* Objects of one page each. Object 0 is the page that is unmapped, with its mappers; the others
 * have as many mappers each, until there are enough processes. Every process has a page table. */
static struct world_plan world_of(const struct beside_plan *plan, const struct reverse_map *rmap,
                                  uint32_t mappers, uint32_t objects)
{
    return (struct world_plan){
        .rmap = rmap,
        .kind = &lock_types[rmap->page_locks ? LOCK_PAGE_BIT : LOCK_PTHREAD_SPIN],
        .granularity = rmap->page_locks ? LOCK_PER_PAGE : LOCK_PER_OBJECT,
        .threads = 1,
        .objects = objects,
        .pages = 1,
        .mappers = mappers,
        .windows = 1,
        .line = plan->line,
    };
}

/* The scan of 2.4 for one page: through the page tables of every process, whatever it maps. */
static void scan_all(struct world *world, const struct world_page *page)
{
    for (uint32_t i = 0; i < world->nmms; i++) {
        struct world_mm *mm = &world->mms[i];
        if (pthread_spin_trylock(&mm->lock) != 0) {
            continue;
        }
        for (uint32_t k = 0; k < world->plan.pages; k++) {
            const uint64_t pte = pte_get(&mm->ptes[k]);
            if (pte != 0 && world_page_of_pte(world, pte) == page &&
                !reverse_map_clear_young(&mm->ptes[k])) {
                pte_set(&mm->ptes[k], 0);
                (void)atomic_fetch_sub_explicit(&world->pages[0].count, 1, memory_order_relaxed);
            }
        }
        (void)pthread_spin_unlock(&mm->lock);
    }
}

static double unmap_once(struct world *world, struct world_mm *const *mappers, uint32_t n)
{
    struct world_worker *worker = &world->workers[0];
    struct world_page *page = &world->pages[0];
    const struct reverse_map *rmap = world->plan.rmap;
    for (uint32_t i = 0; i < n; i++) {
        (void)operation_fault(world, worker, mappers[i], 0, false);
    }
    const uint64_t begin = clock_now_ns();
    if (rmap->reclaim == NULL) {
        scan_all(world, page);
    } else {
        (void)rmap->reclaim(world, worker, page);
    }
    return (double)(clock_now_ns() - begin);
}

enum status beside_sample(const struct beside_plan *plan, const struct reverse_map *rmap,
                          uint32_t others, double *samples)
{
    const uint32_t mappers = plan->mappers;
    const struct world_plan world_plan = world_of(plan, rmap, mappers,
                                                  1 + (others + mappers - 1) / mappers);
    struct world world;
    enum status status = world_open(&world_plan, &world);
    if (status != STATUS_OK) {
        return status;
    }
    struct world_mm **first = calloc(mappers, sizeof(struct world_mm *));
    if (first == NULL) {
        world_close(&world);
        return fail(STATUS_RESOURCE, "out of memory for %u processes", mappers);
    }
    for (uint32_t i = 0; i < mappers; i++) {
        first[i] = &world.mms[i];
        operation_link(&world, &world.workers[0], first[i]);
    }
    for (uint32_t i = 0; i < others; i++) {
        struct world_mm *mm = &world.mms[mappers + i];
        operation_link(&world, &world.workers[0], mm);
        (void)operation_fault(&world, &world.workers[0], mm, 0, false);
    }
    (void)unmap_once(&world, first, mappers); /* warm-up */
    for (unsigned k = 0; k < plan->repetitions; k++) {
        double sum = 0;
        for (uint32_t i = 0; i < plan->rounds; i++) {
            sum += unmap_once(&world, first, mappers);
        }
        samples[k] = sum / plan->rounds;
    }
    free(first);
    world_close(&world);
    return STATUS_OK;
}

byte_count beside_bytes(const struct beside_plan *plan)
{
    uint32_t most = 0;
    for (size_t i = 0; i < plan->nothers; i++) {
        most = (uint32_t)max_u64(most, plan->others[i]);
    }
    const struct world_plan world = world_of(plan, &reverse_maps[RMAP_CHAIN_ARRAY], plan->mappers,
                                             1 + most / plan->mappers + 1);
    return world_bytes(&world);
}

static void put(const struct beside_plan *plan, const double *samples, struct tables *tables)
{
    const size_t nothers = plan->nothers;
    const size_t repetitions = plan->repetitions;
    const size_t n = COMPARED + nothers + repetitions;
    uint64_t *numbers = calloc(n, sizeof *numbers);
    uint64_t *others = calloc(nothers, sizeof *others);
    double *medians = calloc(COMPARED * nothers, sizeof *medians);
    struct text names = {0};
    if (numbers == NULL || others == NULL || medians == NULL) {
        tables->bytes.failed = true;
    } else {
        for (size_t i = 0; i < n; i++) {
            numbers[i] = i;
        }
        tables_group(tables, "beside",
                     "unmapping one page that some processes map, beside others that do not");
        tables_report(tables,
                      "\nunmapping a page that %u processes map, beside others that do not, ns\n"
                      "  %-20s",
                      plan->mappers, "others");
        for (size_t k = 0; k < nothers; k++) {
            others[k] = plan->others[k];
            tables_report(tables, " %10u", plan->others[k]);
        }
        tables_report(tables, "\n");
        for (size_t i = 0; i < COMPARED; i++) {
            text_append_format(&names, "%s%s", i > 0 ? "\n" : "", reverse_maps[compared[i]].name);
            tables_report(tables, "  %-20s", reverse_maps[compared[i]].name);
            for (size_t k = 0; k < nothers; k++) {
                const size_t at = i * nothers + k;
                medians[at] = sample_summarize(samples + at * repetitions, repetitions).median;
                tables_report(tables, " %10.0f", medians[at]);
            }
            tables_report(tables, "\n");
        }
        tables_text(tables, "schemes", "name of each scheme, one a line", text_string(&names));
        tables_count(tables, &(struct table_label){"mappers", "1", "processes that map the page"},
                     plan->mappers);
        tables_scale(tables, &(struct table_label){"scheme", "1", "line of schemes"}, NUMBER_U64,
                     COMPARED, numbers);
        tables_scale(tables,
                     &(struct table_label){"others", "1", "processes that do not map the page"},
                     NUMBER_U64, nothers, others);
        tables_scale(tables, &(struct table_label){"repetition", "1", "repetition"}, NUMBER_U64,
                     repetitions, numbers);
        const struct table_axis axes[] = {
            {"scheme", COMPARED}, {"others", nothers}, {"repetition", repetitions}};
        tables_array(tables,
                     &(struct table_label){"time", "ns", "to unmap the page from all its mappers"},
                     NUMBER_F64, 3, axes, samples);
        tables_array(tables, &(struct table_label){"time_median", "ns", "median of repetitions"},
                     NUMBER_F64, 2, axes, medians);
    }
    text_free(&names);
    free(numbers);
    free(others);
    free(medians);
}

enum status beside_measure(const struct host_measure *measure, const struct beside_plan *plan,
                           struct tables *tables)
{
    const size_t n = COMPARED * plan->nothers * plan->repetitions;
    double *samples = malloc(n * sizeof *samples);
    if (samples == NULL) {
        return fail(STATUS_RESOURCE, "out of memory for samples");
    }
    for (size_t i = 0; i < n; i++) {
        samples[i] = NAN;
    }
    char why[160];
    enum status status = STATUS_OK;
    const bool bound = host_place_enter(measure->topology, measure->places, 0, why, sizeof why);
    for (size_t i = 0; i < COMPARED && status == STATUS_OK; i++) {
        for (size_t k = 0; k < plan->nothers && status == STATUS_OK; k++) {
            status = host_measure_stopped(measure)
                         ? STATUS_INTERRUPTED
                         : beside_sample(plan, &reverse_maps[compared[i]], plan->others[k],
                                         samples + (i * plan->nothers + k) * plan->repetitions);
        }
    }
    if (bound) {
        host_place_leave(measure->topology, measure->places);
    }
    put(plan, samples, tables);
    free(samples);
    return status;
}
