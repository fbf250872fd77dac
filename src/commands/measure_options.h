/* Options of the commands that measure hosts: one table per command for its flags, the keys of its
 * CONFIG, its help and the echo in its result.
 *
 * A row `page_size` of the table is a key of CONFIG and the flag --page-size; a flag wins. A row
 * that is true or false is a flag without a value. Some flags are no keys: --output, --force,
 * --progress, --allow-singletons. */
#ifndef THRASH_COMMANDS_MEASURE_OPTIONS_H
#define THRASH_COMMANDS_MEASURE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "commands/progress.h"
#include "config/arena.h"
#include "config/option.h"

/* What several commands have. The struct of a command's own options begins with it, and its table
 * has those of the rows below that it takes. */
struct measure_options {
    bool quick;
    uint64_t repetitions; /* OPTION_AUTO: MEASURE_REPETITIONS */
    const char *bind;     /* host/places.h */
    bool oversubscribe;
    bool require_counters;
    byte_count page_size; /* OPTION_AUTO: all there are; otherwise this one has to be there */
};

#define MEASURE_REPETITIONS 9

#define MEASURE_ROW_QUICK                                                                       \
    {                                                                                           \
        .key = "quick", .type = OPTION_BOOL, .offset = offsetof(struct measure_options, quick), \
        .fallback = "false", .help = "fewer and shorter points, within a minute"                \
    }
#define MEASURE_ROW_REPETITIONS                                                                \
    {                                                                                          \
        .key = "repetitions", .type = OPTION_COUNT,                                            \
        .offset = offsetof(struct measure_options, repetitions), .fallback = "auto", .low = 1, \
        .high = 1000, .automatic = true,                                                       \
        .help = "how often each point is measured; all samples are kept; auto is 9"            \
    }
#define MEASURE_ROW_BIND                                                                      \
    {                                                                                         \
        .key = "bind", .type = OPTION_TEXT, .offset = offsetof(struct measure_options, bind), \
        .fallback = "cores",                                                                  \
        .help = "order in which threads take hardware threads: cores (one on each core of a " \
                "package, then the other hardware threads, then the next package), spread "   \
                "(packages in turn), siblings (core by core), or a list such as 0-3,8"        \
    }
#define MEASURE_ROW_OVERSUBSCRIBE                                                                \
    {                                                                                            \
        .key = "oversubscribe", .type = OPTION_BOOL,                                             \
        .offset = offsetof(struct measure_options, oversubscribe), .fallback = "false",          \
        .help = "run more threads than there are hardware threads; the result is marked invalid" \
    }
#define MEASURE_ROW_REQUIRE_COUNTERS(about)                                                \
    {                                                                                      \
        .key = "require_counters", .type = OPTION_BOOL,                                    \
        .offset = offsetof(struct measure_options, require_counters), .fallback = "false", \
        .help = about                                                                      \
    }
#define MEASURE_ROW_PAGE_SIZE                                                                   \
    {                                                                                           \
        .key = "page_size", .type = OPTION_SIZE,                                                \
        .offset = offsetof(struct measure_options, page_size), .fallback = "auto", .low = 4096, \
        .high = (uint64_t)1 << 40, .automatic = true,                                           \
        .help = "this page size alone, and fail (exit 3) without it; auto is all there are"     \
    }

/* The repetitions in effect. */
static inline unsigned measure_repetitions(const struct measure_options *options)
{
    return options->repetitions == OPTION_AUTO ? MEASURE_REPETITIONS
                                               : (unsigned)options->repetitions;
}

/* One flag of the command line that stands for a key. */
struct measure_flag {
    const struct option_row *row;
    const char *value;
};

#define MEASURE_FLAGS_MAX 64

struct measure_arguments {
    const char *config; /* NULL: none */
    const char *output; /* likewise */
    bool force;
    enum progress_mode progress;
    bool allow_singletons;
    bool help;
    struct measure_flag flag[MEASURE_FLAGS_MAX];
    size_t nflags;
};

/* Reads the command line of command `name`; values of keys are only collected. */
enum status measure_parse(const char *name, const struct option_table *table, int argc, char **argv,
                          struct measure_arguments *arguments_p);

/* Appends a line or more for each flag. */
void measure_print_flags(const struct option_table *table, struct text *help);

/* Puts CONFIG and flags together in `options`, a struct that `table` describes. Texts belong to the
 * arena. `source_p` is CONFIG as it was read, NULL without one. */
enum status measure_read(const struct option_table *table,
                         const struct measure_arguments *arguments, struct config_arena *arena,
                         void *options, const char **source_p);

/* The same from what option_write() wrote, on the ranks that have not read CONFIG. */
enum status measure_read_resolved(const struct option_table *table, const char *resolved,
                                  struct config_arena *arena, void *options);

#endif
