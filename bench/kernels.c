/* The kernels of the simulator against the limits of the host, side by side in one run.
 *
 * usage: kernels CONFIG [KEY=VALUE...]
 *
 * The machine of a scenario is laid out and populated; then its touches, scans, reverse-map walks
 * and LRU moves are timed, each beside what the same core does with an array of the same size.
 * Nothing here passes or fails: the figures are for reading, and for comparing two versions of the
 * program. */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "designs/designs.h"
#include "designs/swap_out_2_4.h"
#include "host_rates.h"
#include "machine/epoch.h"
#include "machine/lru.h"
#include "machine/map.h"
#include "machine/populate.h"
#include "machine/residence.h"

struct bench {
    struct scenario scenario;
    struct design design;
    struct workload_set set;
    struct cell cell;
    struct cell_draws draws;
    struct ledger ledger;
    struct touch_batch batch;
};

static void load(struct bench *bench, const struct catalogue *catalogue, int argc, char **argv)
{
    const struct scenario_overrides overrides = {(const char *const *)argv + 2, (size_t)argc - 2,
                                                 NULL};
    if (scenario_load(argv[1], &overrides, catalogue, &bench->scenario) != STATUS_OK ||
        design_resolve(&bench->scenario, &bench->design) != STATUS_OK ||
        workloads_plan(&bench->scenario, &bench->design, &bench->set) != STATUS_OK ||
        cell_create(&bench->scenario, &bench->set.plan, &bench->design, 0, &bench->cell) !=
            STATUS_OK ||
        populate_boot(&bench->cell) != STATUS_OK) {
        exit(2);
    }
}

static void populate(struct bench *bench)
{
    double begin = bench_seconds();
    populate_all(&bench->cell, false);
    double ns = (bench_seconds() - begin) * 1e9;
    uint64_t ptes = bench->cell.core->ptes_present;
    printf("populate                        %7.2f ns per pte (%" PRIu64 " ptes)\n",
           ns / (double)ptes, ptes);
    if (workloads_divide(&bench->set, &bench->cell, &bench->draws) != STATUS_OK ||
        ledger_create(&bench->scenario, &bench->set.plan, &bench->ledger) != STATUS_OK) {
        exit(3);
    }
    workloads_start(&bench->set, &bench->cell, &bench->draws);
    ledger_start_phase(&bench->ledger, START_WARMUP);
}

/* One epoch as the engine runs it; `in_touches` accumulates the time of the touches alone. */
static void run_epoch(struct bench *bench, double *in_touches)
{
    struct cell *cell = &bench->cell;
    struct ledger *ledger = &bench->ledger;
    sim_time now = cell->core->epoch_end;
    ledger_plan_epoch(ledger, now, now + bench->scenario.epoch);
    struct cell_share share;
    ledger_share(ledger, 0, &share);
    epoch_begin(cell, &share, ledger->homes);
    if (workloads_draw(&bench->set, cell, &bench->draws, &bench->batch) != STATUS_OK) {
        exit(3);
    }
    double begin = bench_seconds();
    epoch_run(cell, bench->batch.touches, bench->batch.count);
    *in_touches += bench_seconds() - begin;
    epoch_end(cell, &ledger->account[0].report);
    ledger_receive(ledger, cell->outbox.messages, cell->outbox.count);
    cell->outbox.count = 0;
    ledger_settle(ledger);
}

static size_t state_bytes(const struct cell *cell, const char *name)
{
    for (size_t i = 0; i < cell->state.narrays; i++) {
        if (strcmp(cell->state.array[i].name, name) == 0) {
            return (size_t)state_resident(&cell->state.array[i]);
        }
    }
    return 0;
}

static void bench_touches(struct bench *bench)
{
    struct cell *cell = &bench->cell;
    double in_touches = 0;
    for (int i = 0; i < 20000; i++) { /* let the rows come into being */
        run_epoch(bench, &in_touches);
    }
    in_touches = 0;
    uint64_t before = cell->core->counter[METRIC_TOUCHES] +
                      cell->core->counter[METRIC_PRIVATE_TOUCHES];
    double begin = bench_seconds();
    for (int i = 0; i < 10000; i++) {
        run_epoch(bench, &in_touches);
    }
    double all = bench_seconds() - begin;
    double touches = (double)(cell->core->counter[METRIC_TOUCHES] +
                              cell->core->counter[METRIC_PRIVATE_TOUCHES] - before);
    size_t bytes = state_bytes(cell, "rows");
    double host = bench_random_update(bytes);
    double kernel = in_touches * 1e9 / touches;
    double engine = all * 1e9 / touches;
    printf("host: random 64-bit update      %7.2f ns over %zu MiB\n", host, bytes >> 20);
    printf("touch, kernel                   %7.2f ns: %4.0f %% of the host's rate (aim 50 %%)\n",
           kernel, 100 * host / kernel);
    printf("touch, whole engine             %7.2f ns: %4.0f %% of the host's rate (aim 33 %%)\n",
           engine, 100 * host / engine);
}

/* What reading the two bits of a pte would take if rows were an array that is read in order. */
static double streaming_ns_per_pte(const struct bench *bench)
{
    enum { LEAST_BYTES = 256 << 20 }; /* beyond any cache */
    size_t rows = state_bytes(&bench->cell, "rows");
    double stream = bench_stream_read(rows > LEAST_BYTES ? rows : LEAST_BYTES);
    double ns = 0.25 / stream;
    printf("host: streaming read            %7.2f GB/s: two bits in %.4f ns\n", stream, ns);
    return ns;
}

/* A whole lap of 2.4's scan over ptes that are old and pages that are active: what most visits are.
 */
static void bench_scan(struct bench *bench, const char *what)
{
    struct cell *cell = &bench->cell;
    double host = streaming_ns_per_pte(bench);
    ((struct swap_out_machine *)(void *)cell->core->design)->swap_mm =
        (uint32_t)bench->set.plan.nprocesses;
    struct context *context = &cell->contexts[CONTEXT_KSWAPD];
    struct swap_out_call call;
    struct actor actor = {cell->core->epoch_end, CONTEXT_KSWAPD};
    context->slice_end = TIME_NEVER;
    swap_out_begin(cell, &call, zone_user_class(cell), 1);
    uint64_t before = cell->core->counter[METRIC_PTES_VISITED];
    double begin = bench_seconds();
    (void)swap_out_step(cell, &actor, context, &call);
    double ns = (bench_seconds() - begin) * 1e9;
    double visited = (double)(cell->core->counter[METRIC_PTES_VISITED] - before);
    double kernel = ns / visited;
    printf("virtual scan, %-17s %7.2f ns per pte (aim 0.5): %.1f %% of the host's streaming rate\n",
           what, kernel, 100 * host / kernel);
}

/* Random and neighbouring victims, all their ptes tested and then cleared. */
static void bench_reverse_map(struct bench *bench)
{
    struct cell *cell = &bench->cell;
    const struct object *object = &cell->objects[0];
    /* After the scans have let go of every mm, so that no trylock fails. */
    struct actor actor = {max_u64(cell->core->epoch_end, cell->core->mm_locks_busy_until),
                          CONTEXT_KSWAPD};
    double host = bench_random_update(state_bytes(cell, "rows"));
    uint64_t state = 12345;
    for (int order = 0; order < 2; order++) {
        uint64_t mappings[2] = {0, 0};
        double seconds[2] = {0, 0};
        page_id victims = (page_id)min_u64(40000, object->npages / 4);
        for (int pass = 0; pass < 2; pass++) {
            uint64_t start = state;
            double begin = bench_seconds();
            for (page_id i = 0; i < victims; i++) {
                page_id page = order == 0
                                   ? (page_id)(((bench_random(&start) >> 32) * object->npages) >>
                                               32)
                                   : object->npages / 2 + i;
                struct map_walk walk =
                    pass == 0 ? map_clear_young(cell, &actor, object->first + page, LOCK_NO_MM)
                              : map_clear_all(cell, &actor, object->first + page, LOCK_MAPPERS);
                mappings[pass] += walk.present;
            }
            seconds[pass] = bench_seconds() - begin;
        }
        const char *victim = order == 0 ? "random pages     " : "neighbouring pages";
        const char *aim = order == 0 ? "20" : "1";
        const char *const verb[2] = {"tested", "unmapped"};
        for (int pass = 0; pass < 2; pass++) {
            double kernel = seconds[pass] * 1e9 / (double)mappings[pass];
            printf("reverse map, %-18s %7.2f ns per mapping %s (aim %s): %.0f %% of the host's "
                   "update rate\n",
                   victim, kernel, verb[pass], aim, 100 * host / kernel);
        }
    }
}

static page_id random_page(const struct object *object, uint64_t *state)
{
    return object->first + (page_id)(((bench_random(state) >> 32) * object->npages) >> 32);
}

enum { LRU_OPERATIONS = 2000000 };

/* The oldest page of the list, or any one, becomes the newest. */
static double rotate_ns(struct cell *cell, lru_list list, bool random)
{
    uint64_t state = 999;
    double begin = bench_seconds();
    for (int i = 0; i < LRU_OPERATIONS; i++) {
        page_id page = random ? random_page(&cell->objects[0], &state) : lru_oldest(cell, list);
        lru_rotate_newest(cell, page);
    }
    return (bench_seconds() - begin) * 1e9 / LRU_OPERATIONS;
}

/* A list that is full: the oldest page goes, and one that is on no list comes in as the newest: the
 * one that has been out longest, or any of them. */
static double evict_ns(struct cell *cell, lru_list list, bool random)
{
    size_t nout = (size_t)cell->core->list_pages[list] / 4;
    page_id *out = calloc(nout + 1, sizeof *out);
    if (out == NULL || nout == 0) {
        fprintf(stderr, "kernels: no pages to evict\n");
        exit(3);
    }
    for (size_t i = 0; i < nout; i++) {
        out[i] = lru_oldest(cell, list);
        lru_remove(cell, out[i]);
    }
    uint64_t state = 777;
    size_t turn = 0;
    double begin = bench_seconds();
    for (int i = 0; i < LRU_OPERATIONS; i++) {
        if (random) {
            turn = (size_t)(((bench_random(&state) >> 32) * nout) >> 32);
        } else {
            turn = turn + 1 < nout ? turn + 1 : 0;
        }
        page_id oldest = lru_oldest(cell, list);
        lru_remove(cell, oldest);
        lru_add(cell, out[turn]);
        out[turn] = oldest;
    }
    double ns = (bench_seconds() - begin) * 1e9 / LRU_OPERATIONS;
    for (size_t i = 0; i < nout; i++) {
        lru_add(cell, out[i]);
    }
    free(out);
    return ns;
}

/* In order first: what comes after random moves is random. */
static void bench_lru(struct bench *bench)
{
    struct cell *cell = &bench->cell;
    bool active = cell->core->list_pages[lru_of(cell, zone_user_class(cell), true)] > 0;
    lru_list list = lru_of(cell, zone_user_class(cell), active);
    size_t bytes = state_bytes(cell, "lru");
    double host = bench_random_update(bytes);
    double ns[2][2];
    for (int random = 0; random < 2; random++) {
        ns[random][0] = evict_ns(cell, list, random == 1);
        ns[random][1] = rotate_ns(cell, list, random == 1);
    }
    printf("host: random 64-bit update      %7.2f ns over %zu MiB\n", host, bytes >> 20);
    for (int random = 0; random < 2; random++) {
        const char *which = random == 1 ? "random pages" : "pages in order";
        printf(
            "LRU, %-14s             %7.2f ns to insert one and evict the oldest, %.2f ns to move "
            "one\n",
            which, ns[random][0], ns[random][1]);
    }
}

static void report_size(const struct bench *bench)
{
    const struct cell *cell = &bench->cell;
    page_count frames = bench->scenario.machine.memory >> PAGE_SHIFT;
    size_t rows = state_bytes(cell, "rows") + state_bytes(cell, "row_refs");
    size_t all = 0;
    for (size_t i = 0; i < cell->state.narrays; i++) {
        all += (size_t)state_resident(&cell->state.array[i]);
    }
    printf("memory                          %7.2f B per frame without ptes (aim 16), %.2f bits per "
           "pte "
           "(aim 2)\n",
           (double)(all - rows) / (double)frames,
           8.0 * (double)rows / (double)cell->core->ptes_present);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: kernels CONFIG [KEY=VALUE...]\n");
        return 2;
    }
    MPI_Init(NULL, NULL);
    static struct bench bench;
    struct catalogue_names names;
    catalogue_fill(&names);
    load(&bench, &names.catalogue, argc, argv);
    populate(&bench);
    bench_scan(&bench, "uniform rows");
    bench_touches(&bench);
    report_size(&bench);
    bench_scan(&bench, "mixed rows");
    bench_lru(&bench);
    bench_reverse_map(&bench);
    MPI_Finalize();
    return 0;
}
