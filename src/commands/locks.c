/* thrash locks: real locks and real reverse maps under real threads. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "commands/commands.h"
#include "commands/measure.h"
#include "host/contention/contention.h"

struct locks_options {
    struct measure_options common;
    const char *threads;
    const char *schemes;
    const char *locks;
    const char *granularities;
    const char *sharing;
    const char *operations;
    bool waits;
    uint64_t pages;
    uint64_t mappers;
    uint64_t windows;
    uint64_t block_size;
    uint64_t duration; /* sim_time: ticks; OPTION_AUTO */
    const char *others;
    uint64_t seed;
};

static const struct option_row rows[] = {
    MEASURE_ROW_QUICK,
    MEASURE_ROW_REPETITIONS,
    MEASURE_ROW_BIND,
    MEASURE_ROW_OVERSUBSCRIBE,
    {.key = "threads",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, threads),
     .fallback = "auto",
     .help = "numbers of threads, with commas; auto is powers of two, the cores and the hardware "
             "threads of the host"},
    {.key = "schemes",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, schemes),
     .fallback = "auto",
     .help =
         "reverse maps: auto, all, or names with commas: none, page_direct_only, pte_chain_linked, "
         "pte_chain_array, pte_chain_array_no_direct, objrmap, objrmap_prio_tree, anonmm, "
         "anon_vma"},
    {.key = "locks",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, locks),
     .fallback = "auto",
     .help = "kinds of locks: auto, all, or names with commas: pthread_mutex, pthread_spin, "
             "ticket, mcs, "
             "clh, page_bit"},
    {.key = "granularities",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, granularities),
     .fallback = "all",
     .help = "one lock for what: all, or names with commas: global, object, page (a bit of its "
             "flags)"},
    {.key = "sharing",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, sharing),
     .fallback = "auto",
     .help = "whether threads work on the same pages: auto, all, shared or disjoint. Auto of these "
             "three is all; with quick, and where all three are auto, some that differ little are "
             "left out"},
    {.key = "operations",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, operations),
     .fallback = "all",
     .help = "all, or names with commas: fork, exit, fault, unmap, reclaim; fork and exit, and "
             "fault and unmap, are measured together"},
    {.key = "waits",
     .type = OPTION_BOOL,
     .offset = offsetof(struct locks_options, waits),
     .fallback = "true",
     .help = "measure how long threads wait for locks, in a loop of their own"},
    {.key = "pages",
     .type = OPTION_COUNT,
     .offset = offsetof(struct locks_options, pages),
     .fallback = "auto",
     .low = 1,
     .high = 1U << 26,
     .automatic = true,
     .help = "pages of an object; auto is 4096, or 512 with quick"},
    {.key = "mappers",
     .type = OPTION_COUNT,
     .offset = offsetof(struct locks_options, mappers),
     .fallback = "16",
     .low = 1,
     .high = 100000,
     .help = "processes that map an object from the beginning on"},
    {.key = "windows",
     .type = OPTION_COUNT,
     .offset = offsetof(struct locks_options, windows),
     .fallback = "1",
     .low = 1,
     .high = 65536,
     .help = "vmas of each process, which divide the object among them"},
    {.key = "block_size",
     .type = OPTION_SIZE,
     .offset = offsetof(struct locks_options, block_size),
     .fallback = "64B",
     .low = 32,
     .high = 128,
     .help = "size of a block of ptes: 32B, 64B or 128B, 3, 7 or 15 ptes of 8 bytes"},
    {.key = "duration",
     .type = OPTION_TIME,
     .offset = offsetof(struct locks_options, duration),
     .fallback = "auto",
     .low = 100000 * TICKS_PER_NS,
     .high = 60 * 1000000000ULL * TICKS_PER_NS,
     .automatic = true,
     .help = "of each loop of a repetition; auto is 20ms, or what quick leaves"},
    {.key = "others",
     .type = OPTION_TEXT,
     .offset = offsetof(struct locks_options, others),
     .fallback = "0,10,100,1000,10000",
     .help = "processes that do not map the one page that 100 others do; `none` leaves this out"},
    {.key = "seed",
     .type = OPTION_COUNT,
     .offset = offsetof(struct locks_options, seed),
     .fallback = "1",
     .high = UINT64_MAX - 1,
     .help = "of the times at which operations are due when waits are measured"},
};

static const struct option_table options_table = {
    .title = "what thrash locks measures",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct locks_options),
    .known = "`thrash locks --help`",
};

/* --- lists ----------------------------------------------------------------------------------- */

enum { MAPPERS_OF_ONE_PAGE = 100 };

static enum status unknown_name(const char *key, const char *name, const char *const *names,
                                size_t n)
{
    char excerpt[TEXT_EXCERPT_SIZE];
    struct text known = {0};
    const char *nearest = text_nearest(name, names, n);
    for (size_t i = 0; i < n; i++) {
        text_append_format(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    enum status status = fail(STATUS_USAGE, "%s: expected all, or of %s, found %s%s%s", key,
                              text_string(&known), text_excerpt(name, excerpt),
                              nearest != NULL ? ", did you mean " : "",
                              nearest != NULL ? nearest : "");
    text_free(&known);
    return status;
}

/* The next element of a list with commas, copied; false at its end. */
static bool next_element(const char **list, char element[64])
{
    if (*list == NULL) {
        return false;
    }
    const size_t length = strcspn(*list, ",");
    const size_t kept = length < 63 ? length : 63;
    memcpy(element, *list, kept);
    element[kept] = '\0';
    *list = (*list)[length] == ',' ? *list + length + 1 : NULL;
    return true;
}

static enum status read_names(const char *key, const char *list, const char *const *names, size_t n,
                              bool *chosen)
{
    if (strcmp(list, "all") == 0 || strcmp(list, "auto") == 0) {
        memset(chosen, true, n * sizeof *chosen);
        return STATUS_OK;
    }
    memset(chosen, false, n * sizeof *chosen);
    char element[64];
    for (const char *at = list; next_element(&at, element);) {
        size_t i = 0;
        while (i < n && strcmp(names[i], element) != 0) {
            i++;
        }
        if (i == n) {
            return unknown_name(key, element, names, n);
        }
        chosen[i] = true;
    }
    return STATUS_OK;
}

/* Ascending whole numbers from `low` to `high`. */
static enum status read_numbers(const char *key, const char *list, uint32_t low, uint32_t high,
                                size_t limit, uint32_t *numbers, size_t *n_p)
{
    size_t n = 0;
    char element[64];
    for (const char *at = list; next_element(&at, element); n++) {
        char *end;
        const unsigned long value = strtoul(element, &end, 10);
        if (element[0] < '0' || element[0] > '9' || *end != '\0' || value < low || value > high ||
            (n > 0 && value <= numbers[n - 1])) {
            char excerpt[TEXT_EXCERPT_SIZE];
            return fail(STATUS_USAGE,
                        "%s: expected ascending whole numbers from %u to %u with commas between "
                        "them, found %s",
                        key, low, high, text_excerpt(list, excerpt));
        }
        if (n == limit) {
            return fail(STATUS_USAGE, "%s: more than %zu numbers", key, limit);
        }
        numbers[n] = (uint32_t)value;
    }
    *n_p = n;
    return STATUS_OK;
}

static enum status read_lists(const struct locks_options *options, struct contention_plan *plan)
{
    const char *rmaps[REVERSE_MAPS];
    const char *kinds[LOCK_TYPES];
    for (size_t i = 0; i < REVERSE_MAPS; i++) {
        rmaps[i] = reverse_maps[i].name;
    }
    for (size_t i = 0; i < LOCK_TYPES; i++) {
        kinds[i] = lock_types[i].name;
    }
    enum status status = read_names("schemes", options->schemes, rmaps, REVERSE_MAPS, plan->rmaps);
    if (status == STATUS_OK) {
        status = read_names("locks", options->locks, kinds, LOCK_TYPES, plan->kinds);
    }
    if (status == STATUS_OK) {
        status = read_names("granularities", options->granularities, lock_granularity_names,
                            LOCK_GRANULARITIES, plan->granularities);
    }
    if (status == STATUS_OK) {
        status = read_names("sharing", options->sharing, sharing_names, SHARINGS, plan->sharings);
    }
    if (status == STATUS_OK) {
        status = read_names("operations", options->operations, operation_names, OPERATIONS,
                            plan->operations);
    }
    const bool pair_fork = plan->operations[OPERATION_FORK] || plan->operations[OPERATION_EXIT];
    const bool pair_fault = plan->operations[OPERATION_FAULT] || plan->operations[OPERATION_UNMAP];
    plan->operations[OPERATION_FORK] = plan->operations[OPERATION_EXIT] = pair_fork;
    plan->operations[OPERATION_FAULT] = plan->operations[OPERATION_UNMAP] = pair_fault;
    return status;
}

/* Everything but the numbers of threads that depend on the host; `others` has room for as many
 * numbers as a plan may have. */
static enum status make_plan(const struct locks_options *options, uint32_t *others,
                             struct contention_plan *plan)
{
    const bool quick = options->common.quick;
    memset(plan, 0, sizeof *plan);
    plan->pages = options->pages != OPTION_AUTO ? (uint32_t)options->pages : quick ? 512 : 4096;
    plan->mappers = (uint32_t)options->mappers;
    plan->windows = (uint32_t)options->windows;
    plan->line = (uint32_t)options->block_size;
    plan->repetitions = measure_repetitions(&options->common);
    plan->waits = options->waits;
    plan->seed = options->seed;
    plan->few = quick && strcmp(options->schemes, "auto") == 0 &&
                strcmp(options->locks, "auto") == 0 && strcmp(options->sharing, "auto") == 0;
    plan->rounds = quick ? 100000 : 1000000;
    plan->passes = true;
    plan->duration = options->duration != OPTION_AUTO ? options->duration / TICKS_PER_NS : 20000000;
    plan->budget = quick && options->duration == OPTION_AUTO ? 40000000000U : 0;
    plan->beside = (struct beside_plan){
        .mappers = MAPPERS_OF_ONE_PAGE,
        .others = others,
        .repetitions = plan->repetitions,
        .rounds = quick ? 20 : 200,
        .line = plan->line,
    };
    enum status status = read_lists(options, plan);
    if (status == STATUS_OK && strcmp(options->threads, "auto") != 0) {
        status = read_numbers("threads", options->threads, 1, 4096, CONTENTION_THREADS_MAX,
                              plan->threads, &plan->nthreads);
    }
    if (status == STATUS_OK && strcmp(options->others, "none") != 0) {
        status = read_numbers("others", options->others, 0, 100000, CONTENTION_THREADS_MAX, others,
                              &plan->beside.nothers);
    }
    return status;
}

static enum status check(const void *given)
{
    const struct locks_options *options = given;
    struct contention_plan plan;
    uint32_t others[CONTENTION_THREADS_MAX];
    enum status status = make_plan(options, others, &plan);
    if (status != STATUS_OK) {
        return status;
    }
    if (options->block_size != 32 && options->block_size != 64 && options->block_size != 128) {
        return fail(STATUS_USAGE, "block_size: expected 32B, 64B or 128B, found %" PRIu64 "B",
                    options->block_size);
    }
    if (plan.pages % plan.windows != 0) {
        return fail(STATUS_USAGE, "windows: %u do not divide %u pages", plan.windows, plan.pages);
    }
    const uint64_t processes = plan.mappers + 3 * 4096;
    if (processes * (plan.pages + PTES_PER_TABLE) > UINT32_MAX) {
        return fail(STATUS_USAGE,
                    "pages: %u for each of up to %" PRIu64
                    " processes are more ptes than 32 bits number",
                    plan.pages, processes);
    }
    return STATUS_OK;
}

static enum status measure_locks(const void *given, const struct host_measure *measure,
                                 struct tables *tables)
{
    const struct locks_options *options = given;
    struct contention_plan plan;
    uint32_t others[CONTENTION_THREADS_MAX];
    enum status status = make_plan(options, others, &plan);
    if (status != STATUS_OK) {
        return status;
    }
    if (plan.nthreads == 0) {
        plan.nthreads = contention_threads(measure->places, options->common.quick, plan.threads);
    }
    return contention_measure(measure, &plan, tables);
}

static const struct measure_command command = {
    .name = "locks",
    .about =
        "Measures on each host what it costs to know who maps a page. Threads, one on each\n"
        "core, fork, exit, fault, unmap and reclaim on real structures: pages, page tables,\n"
        "chains of ptes, lists and trees of vmas, under locks of several kinds, one for\n"
        "everything, for each object or for each page. Prints the time of a thread for a page\n"
        "and how long threads wait for locks, beside locks that nobody else wants and one page\n"
        "that 100 processes map beside others that do not. Starting it through mpirun or srun\n"
        "measures all hosts; one rank of each works.\n",
    .example = "thrash locks --quick -o locks.h5\n"
               "         thrash locks --threads 1,2,4,8 --schemes none,pte_chain_array --locks "
               "ticket,page_bit",
    .options = &options_table,
    .check = check,
    .measure = measure_locks,
};

int command_locks(int argc, char **argv)
{
    struct locks_options options;
    return measure_run(&command, argc, argv, &options);
}
