#include "commands/tlb.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "commands/commands.h"
#include "commands/tlb_prediction.h"
#include "commands/tlb_result.h"
#include "host/cpu.h"
#include "host/memory.h"

#define FOOTPRINTS_MAX 200

/* The short form: memory that populating takes seconds of, and fewer and shorter points. */
#define QUICK_MOST  ((byte_count)1 << 30)
#define QUICK_TIME  (5000000 * TICKS_PER_NS)
#define FULL_TIME   (20000000 * TICKS_PER_NS)
#define QUICK_WALKS 65536
#define QUICK_LIMIT 45000000000 /* ns; the last point takes some seconds more */
#define FULL_WALKS  262144

static const struct option_row rows[] = {
    MEASURE_ROW_QUICK,
    MEASURE_ROW_REPETITIONS,
    MEASURE_ROW_BIND,
    MEASURE_ROW_REQUIRE_COUNTERS("without hardware counters, fail (exit 3)"),
    MEASURE_ROW_PAGE_SIZE,
    {.key = "least_footprint",
     .type = OPTION_SIZE,
     .offset = offsetof(struct tlb_options, least_footprint),
     .fallback = "auto",
     .low = 4096,
     .high = (uint64_t)1 << 50,
     .automatic = true,
     .help = "smallest range accessed; auto is half of what the first level of the TLB maps with "
             "base pages"},
    {.key = "most_footprint",
     .type = OPTION_SIZE,
     .offset = offsetof(struct tlb_options, most_footprint),
     .fallback = "auto",
     .low = 4096,
     .high = (uint64_t)1 << 50,
     .automatic = true,
     .help = "greatest range accessed; auto is half of the memory that may be used (quick: at "
             "most 1GiB); one that was given has to be measured, or the command fails (exit 3)"},
    {.key = "steps",
     .type = OPTION_COUNT,
     .offset = offsetof(struct tlb_options, steps),
     .fallback = "auto",
     .low = 1,
     .high = 8,
     .automatic = true,
     .help = "footprints for each doubling; auto is 1 (quick: one for every other doubling)"},
    {.key = "time",
     .type = OPTION_TIME,
     .offset = offsetof(struct tlb_options, time),
     .fallback = "auto",
     .low = 10000 * TICKS_PER_NS,
     .high = 10000000000 * TICKS_PER_NS,
     .automatic = true,
     .help = "time that a repetition takes about; auto is 20ms (quick: 5ms)"},
    {.key = "tlb",
     .type = OPTION_TEXT,
     .offset = offsetof(struct tlb_options, tlb),
     .fallback = "auto",
     .help = "simulated TLB to predict with: a name in configs/tlb/ or a path ending in .yaml; "
             "auto is that of the processor, else the nearest"},
    {.key = "seed",
     .type = OPTION_COUNT,
     .offset = offsetof(struct tlb_options, seed),
     .fallback = "1",
     .high = UINT64_MAX - 1,
     .help = "seed of the random accesses"},
};

static const struct option_table options_table = {
    .title = "what thrash tlb measures",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct tlb_options),
    .known = "`thrash tlb --help`",
};

static enum status check(const void *given)
{
    const struct tlb_options *options = given;
    char least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
    if (options->least_footprint != OPTION_AUTO && options->most_footprint != OPTION_AUTO &&
        options->least_footprint > options->most_footprint) {
        return fail(STATUS_USAGE, "least_footprint (%s) must not be above most_footprint (%s)",
                    units_print_size(options->least_footprint, least),
                    units_print_size(options->most_footprint, most));
    }
    if (strcmp(options->tlb, "auto") == 0) {
        return STATUS_OK;
    }
    struct config_arena *arena;
    struct tlb_config unused;
    enum status status = arena_open(&arena);
    if (status == STATUS_OK) {
        status = tlb_config_load(options->tlb, arena, &unused);
        arena_close(arena);
    }
    return status;
}

/* --- what is to be measured -------------------------------------------------------------------
 */

/* Everything of one measurement, on the heap: some of it is large. */
struct work {
    const struct tlb_options *options;
    const struct host_measure *measure;
    struct config_arena *arena;
    struct host_pages pages;
    struct host_cpu cpu;
    struct host_counters counters;
    struct tlb_geometry geometry;
    struct tlb_predictor predictor;
    struct backing backings[BACKINGS];
    byte_count footprints[FOOTPRINTS_MAX];
    char reach_source[320], most_source[200];
    struct sweep_plan plan;
    struct sweep_point *points;
    struct sweep_samples samples;
    struct tlb_prediction *predictions;
    size_t done;
};

/* Those of the size that was asked for. */
static enum status choose_backings(struct work *work)
{
    struct backing all[BACKINGS];
    const size_t n = backing_list(&work->pages, all);
    const byte_count asked = work->options->common.page_size;
    struct text names = {0};
    for (size_t i = 0; i < n; i++) {
        text_append_format(&names, "%s%s", i > 0 ? ", " : "", all[i].name);
        if (asked == OPTION_AUTO || all[i].page == asked) {
            work->backings[work->plan.nbackings++] = all[i];
        }
    }
    enum status status = STATUS_OK;
    if (work->plan.nbackings == 0) {
        char size[UNITS_TEXT_SIZE];
        status = fail(STATUS_RESOURCE, "this kernel offers no pages of %s, but %s",
                      units_print_size(asked, size), text_string(&names));
    }
    text_free(&names);
    return status;
}

/* What the first level of the TLB maps with base pages. */
static byte_count first_reach(struct work *work)
{
    if (work->geometry.known && work->pages.base == PAGE_BYTES) {
        const uint32_t entries = work->geometry.entries[0][GEOMETRY_4K];
        (void)snprintf(work->reach_source, sizeof work->reach_source,
                       "from half the reach of the first level, %u entries by %s", entries,
                       work->geometry.source);
        return entries * work->pages.base;
    }
    const struct tlb *tlb = &work->predictor.tlb;
    uint64_t entries = 0;
    for (uint32_t i = 0; i < tlb->narrays[0]; i++) {
        const struct tlb_array *array = &tlb->array[0][i];
        entries += (array->pages >> PAGES_SMALL & 1) != 0 ? array->sets * array->ways : 0;
    }
    (void)snprintf(work->reach_source, sizeof work->reach_source,
                   "from half the reach of the first level, %" PRIu64
                   " entries assumed as of %.60s: %.100s",
                   entries, work->predictor.config.name, work->geometry.why);
    return max_u64(entries, 1) * work->pages.base;
}

static enum status choose_most(struct work *work, byte_count *most_p)
{
    const struct tlb_options *options = work->options;
    if (options->most_footprint != OPTION_AUTO) {
        *most_p = options->most_footprint;
        (void)snprintf(work->most_source, sizeof work->most_source, "to what was asked for");
        return STATUS_OK;
    }
    struct host_memory memory;
    struct host_memory_available available;
    host_memory_read(work->measure->system, &memory);
    const enum status status = host_memory_available(&memory, 1, &available);
    if (status != STATUS_OK) {
        return status;
    }
    *most_p = available.per_rank / 2;
    (void)snprintf(work->most_source, sizeof work->most_source, "to half of what %.100s leaves",
                   available.least->source);
    if (options->common.quick && *most_p > QUICK_MOST) {
        *most_p = QUICK_MOST;
        (void)snprintf(work->most_source, sizeof work->most_source, "to 1GiB, as it is quick");
    }
    if (options->ceiling > 0 && *most_p > options->ceiling) {
        char size[UNITS_TEXT_SIZE];
        *most_p = options->ceiling;
        (void)snprintf(work->most_source, sizeof work->most_source, "to %s, as it is short",
                       units_print_size(*most_p, size));
    }
    return STATUS_OK;
}

static enum status choose_footprints(struct work *work)
{
    const struct tlb_options *options = work->options;
    byte_count most, least = options->least_footprint;
    const enum status status = choose_most(work, &most);
    if (status != STATUS_OK) {
        return status;
    }
    if (least == OPTION_AUTO) {
        least = first_reach(work) / 2;
    } else {
        (void)snprintf(work->reach_source, sizeof work->reach_source, "from what was asked for");
    }
    const double steps = options->steps != OPTION_AUTO ? (double)options->steps
                         : options->common.quick       ? 0.5
                                                       : 1;
    work->plan.nfootprints = sweep_footprints(least, most, exp2(1 / steps), work->pages.base,
                                              work->footprints, FOOTPRINTS_MAX);
    if (work->plan.nfootprints == 0) {
        char size[UNITS_TEXT_SIZE];
        return fail(STATUS_RESOURCE, "no footprint fits: %s is less than a page, %s",
                    units_print_size(most, size), work->most_source);
    }
    return STATUS_OK;
}

static enum status choose_events(struct work *work)
{
    host_counters_read(work->measure->system, &work->counters);
    for (size_t i = 0; i < work->counters.nevents; i++) {
        const struct host_event *event = &work->counters.events[i];
        const int number = (int)event->kind - HOST_TRANSLATION_FIRST;
        if (event->counts && number >= 0 && number < HOST_TRANSLATION_COUNT) {
            work->plan.events.event[number] = event;
        }
    }
    if (work->options->common.require_counters &&
        !work->plan.events.event[HOST_WALKS - HOST_TRANSLATION_FIRST]) {
        char hint[512];
        host_counters_hint(&work->counters, hint, sizeof hint);
        return fail(STATUS_RESOURCE, "page walks cannot be counted: %s%s%s",
                    work->counters.usable ? work->counters.events[HOST_WALKS].why
                                          : work->counters.why,
                    hint[0] ? "; " : "", hint);
    }
    return STATUS_OK;
}

static enum status allocate(struct work *work)
{
    const struct sweep_plan *plan = &work->plan;
    const size_t npoints = plan->nbackings * plan->nfootprints;
    bool failed = false;
    work->points = calloc(npoints, sizeof *work->points);
    work->predictions = calloc(ACCESS_PATTERNS * npoints, sizeof *work->predictions);
    work->samples.time = calloc(sweep_samples(plan), sizeof *work->samples.time);
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        work->samples.counts[e] = calloc(sweep_samples(plan), sizeof *work->samples.counts[e]);
        failed |= work->samples.counts[e] == NULL;
    }
    if (failed || !work->points || !work->predictions || !work->samples.time) {
        return fail(STATUS_FAILED, "out of memory for the samples of %zu points", npoints);
    }
    for (size_t i = 0; i < ACCESS_PATTERNS * npoints; i++) {
        work->predictions[i] = (struct tlb_prediction){NAN, NAN, NAN};
    }
    return STATUS_OK;
}

static enum status plan(struct work *work)
{
    const struct tlb_options *options = work->options;
    const sim_time time = options->time != OPTION_AUTO ? options->time
                          : options->common.quick      ? QUICK_TIME
                                                       : FULL_TIME;
    work->plan = (struct sweep_plan){
        .system = work->measure->system,
        .pages = &work->pages,
        .backings = work->backings,
        .footprints = work->footprints,
        .repetitions = measure_repetitions(&options->common),
        .time = time / TICKS_PER_NS,
        .seed = options->seed,
        .stop = work->measure->stop,
        .limit = options->limit > 0      ? options->limit
                 : options->common.quick ? QUICK_LIMIT
                                         : 0,
    };
    host_pages_read(work->measure->system, &work->pages);
    host_cpu_read(work->measure->system, &work->cpu);
    tlb_geometry_read(&work->geometry);
    const char *asked = strcmp(options->tlb, "auto") != 0 ? options->tlb : NULL;
    enum status status = tlb_predictor_open(asked, &work->cpu, host_processor_find(&work->cpu),
                                            work->arena, &work->predictor);
    if (status == STATUS_OK) {
        status = choose_backings(work);
    }
    if (status == STATUS_OK) {
        status = choose_footprints(work);
    }
    if (status == STATUS_OK) {
        status = choose_events(work);
    }
    return status != STATUS_OK ? status : allocate(work);
}

/* --- measuring --------------------------------------------------------------------------------
 */

static void see_point(void *context, size_t backing, size_t footprint,
                      const struct sweep_point *point, const struct stream streams[ACCESS_PATTERNS])
{
    struct work *work = context;
    const size_t npoints = work->plan.nbackings * work->plan.nfootprints;
    const uint64_t n = work->options->common.quick ? QUICK_WALKS : FULL_WALKS;
    for (size_t p = 0; point->measured && p < ACCESS_PATTERNS; p++) {
        if (tlb_predictor_knows(&work->predictor, point->got)) {
            work->predictions[p * npoints + backing * work->plan.nfootprints + footprint] =
                tlb_predict(&work->predictor, streams[p], point->got, n);
        }
    }
    char label[96], size[UNITS_TEXT_SIZE];
    (void)snprintf(label, sizeof label, "%s of %s", work->backings[backing].name,
                   units_print_size(work->footprints[footprint], size));
    host_measure_progress(work->measure, ++work->done, npoints, label);
}

/* What was asked for by name has to be there. */
static enum status check_asked(const struct work *work)
{
    const struct sweep_plan *plan = &work->plan;
    const struct sweep_point *first = &work->points[0];
    const struct sweep_point *last = &work->points[plan->nfootprints - 1];
    bool any = false, all_the_way = false;
    for (size_t b = 0; b < plan->nbackings; b++) {
        for (size_t f = 0; f < plan->nfootprints; f++) {
            const bool measured = work->points[b * plan->nfootprints + f].measured;
            any |= measured;
            all_the_way |= measured && f + 1 == plan->nfootprints;
        }
    }
    char size[UNITS_TEXT_SIZE];
    if (!any && work->options->common.page_size != OPTION_AUTO) {
        return fail(STATUS_RESOURCE, "no memory in pages of %s: %s",
                    units_print_size(work->options->common.page_size, size), first->why);
    }
    if (!any) {
        return fail(STATUS_RESOURCE, "nothing could be measured: %s", first->why);
    }
    if (!all_the_way && work->options->most_footprint != OPTION_AUTO) {
        return fail(STATUS_RESOURCE, "the footprint of %s that was asked for was not measured: %s",
                    units_print_size(plan->footprints[plan->nfootprints - 1], size), last->why);
    }
    return STATUS_OK;
}

static enum status run(struct work *work, struct tables *tables)
{
    char why[HOST_COUNTER_WHY];
    const struct host_measure *measure = work->measure;
    if (!host_place_enter(measure->topology, measure->places, 0, why, sizeof why)) {
        warn("the thread that measures is not bound: %s", why);
        tables_absence(tables, "binding", why);
    }
    bool counting = false;
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        counting |= work->plan.events.event[e] != NULL;
    }
    if (counting && !host_counting_begin(why)) {
        tables_absence(tables, "counters", why);
        work->plan.events = (struct sweep_events){.event = {NULL}};
        counting = false;
    }
    const struct sweep_observer observer = {see_point, work};
    const bool all = sweep_run(&work->plan, work->points, &work->samples, &observer);
    if (counting) {
        host_counting_end();
    }
    host_place_leave(measure->topology, measure->places);
    const struct tlb_result result = {
        .plan = &work->plan,
        .points = work->points,
        .samples = &work->samples,
        .predictions = work->predictions,
        .predictor = &work->predictor,
        .counters = &work->counters,
        .geometry = &work->geometry,
        .reach_source = work->reach_source,
        .most_source = work->most_source,
    };
    tlb_result_put(&result, tables);
    return all ? check_asked(work) : STATUS_INTERRUPTED;
}

enum status tlb_measure(const void *options, const struct host_measure *measure,
                        struct tables *tables)
{
    struct work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return fail(STATUS_FAILED, "out of memory for the plan of what to measure");
    }
    work->options = options;
    work->measure = measure;
    enum status status = arena_open(&work->arena);
    if (status == STATUS_OK) {
        status = plan(work);
    }
    if (status == STATUS_OK) {
        host_measure_section(measure, "tlb", "what translation costs, by page size", tables);
        status = run(work, tables);
    }
    free(work->points);
    free(work->predictions);
    free(work->samples.time);
    for (int e = 0; e < HOST_TRANSLATION_COUNT; e++) {
        free(work->samples.counts[e]);
    }
    tlb_predictor_close(&work->predictor);
    arena_close(work->arena);
    free(work);
    return status;
}

static const struct measure_command command = {
    .name = "tlb",
    .about =
        "Measures on each host what translating addresses costs: time per access over footprints\n"
        "from half of what the first level of the TLB maps to half of memory, in base pages,\n"
        "transparent large pages and reserved ones as far as there are any. Dependent accesses "
        "are\n"
        "loads, each at the address that the one before it read; independent ones are updates of\n"
        "random cache lines. The size of all pages is proved from /proc/self/smaps. Beside it are\n"
        "the page walks of the simulated TLB for the same accesses and, where the processor\n"
        "counts them (`thrash info`), those of the host.\n",
    .example = "thrash tlb --quick -o tlb.h5",
    .options = &options_table,
    .check = check,
    .measure = tlb_measure,
};

int command_tlb(int argc, char **argv)
{
    struct tlb_options options = {.ceiling = 0, .limit = 0};
    return measure_run(&command, argc, argv, &options);
}
