/* What `thrash compare` puts beside each other: sides of one or several runs each. */
#ifndef THRASH_COMMANDS_COMPARE_SIDES_H
#define THRASH_COMMANDS_COMPARE_SIDES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "commands/compare_statistics.h"
#include "commands/run_values.h"
#include "config/arena.h"
#include "config/flat.h"

struct compare_side {
    char letter[4]; /* "A", "B", ..., "Z", "AA", ... */
    char *label;
    size_t *run; /* numbers of its runs */
    size_t nruns;
};

struct compare_sides {
    struct compare_side *side;
    size_t nsides;
    struct run_values *runs;
    size_t nruns;
    struct flat_config *flats; /* of the runs; owned by the arena */
    struct config_arena *arena;
    char **paths; /* owned, also the texts */
};

/* Reads what the arguments name. Each argument is a side of its own: a result, or a directory, all
 * of whose .h5 files are its repetitions. With `by_seed` the files of all arguments are taken
 * together, and those that differ in nothing but the seed are repetitions of one side.
 *
 * STATUS_USAGE when there are fewer than two sides, or a directory holds no result. */
enum status compare_sides_read(char *const *arguments, size_t n, bool by_seed,
                               struct compare_sides *sides_p);
void compare_sides_free(struct compare_sides *sides);

/* Whether all runs of a side have the same value of a key. */
bool compare_side_agrees(const struct compare_sides *sides, size_t side, const char *key);

/* One metric over all sides. */
struct compare_figure {
    struct sample_summary summary;
    double ratio; /* median over that of the first side; NaN where it cannot be said */
    double p;     /* of the rank test against the first side; NaN where it cannot be made */
};

struct compare_row {
    const struct run_metric *metric; /* as the first run that has it calls it */
    struct compare_figure *figure;   /* one a side */
};

/* All metrics of all runs, in the order in which runs have them. Freed with compare_rows_free(). */
enum status compare_rows(const struct compare_sides *sides, struct compare_row **rows_p,
                         size_t *nrows_p);
void compare_rows_free(struct compare_row *rows, size_t nrows);

#endif
