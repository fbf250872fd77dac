/* Reading one run of a study for `study collect`: its figures, then its series.
 *
 * For child processes, which a damaged file may crash (results/guard.h): what they are told is in
 * memory that they share. */
#ifndef THRASH_COMMANDS_COLLECT_RUN_H
#define THRASH_COMMANDS_COLLECT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"

/* The groups of a run that are collected. */
enum collect_group {
    COLLECT_SIMULATION,
    COLLECT_TOTALS,
    COLLECT_AT_PRESSURE,
    COLLECT_SERIES,
    COLLECT_PERFORMANCE,
    COLLECT_MEMORY,
    COLLECT_GROUPS
};

extern const char *const collect_group_path[COLLECT_GROUPS];

/* Where they go: as they are called, but for the memory of the structures, whose group would take
 * the name of the axis `memory`. */
extern const char *const collect_group_into[COLLECT_GROUPS];

#define COLLECT_ITEMS_MOST  1024
#define COLLECT_NAME_SIZE   96
#define COLLECT_REASON_SIZE 160

/* A number of a run, or a series that it has. Texts that are longer are cut. */
struct run_item {
    enum collect_group group;
    char name[COLLECT_NAME_SIZE];
    char unit[16];
    char long_name[192];
    char kind[16];   /* "counter", "gauge", or "" */
    char better[16]; /* "higher", "lower", "neither", or "" */
    double value;    /* of a number */
};

/* What a run does not have. */
struct run_absence {
    enum collect_group group;
    char name[COLLECT_NAME_SIZE];
    char reason[COLLECT_REASON_SIZE];
};

struct run_reading {
    char why[400]; /* why it could not be read; "" if it could */
    char verdict[32];
    char verdict_detail[640];
    char digest[DIGEST_TEXT_SIZE];
    uint64_t ntimes;     /* points of the series */
    struct digest times; /* of their times */
    double end;          /* the last of them, s */
    size_t nitems;
    struct run_item item[COLLECT_ITEMS_MOST];
    size_t nabsences;
    struct run_absence absence[COLLECT_ITEMS_MOST];
};

/* Reads all but the series. What is wrong with the file is no failure but is in `why`. What figures
 * are is read once for many files: a reading is used again for the next. */
void run_reading_fill(struct run_reading *reading, const char *path);

/* The series of a study: names, and the times at which they are wanted. */
struct series_grid {
    size_t nseries;
    const char *const *name;
    size_t ntimes;
    double *time;    /* s */
    double interval; /* 0: the times are those of every run; else one lies this far from the next */
};

/* Reads the series of a run into values[nseries][ntimes]. On
 * another grid than its own, a value is the last one at or before the time; after the interval in
 * which the run ended, before its first point, and of series it does not have, it is NaN. */
enum status run_series_fill(const struct series_grid *grid, const char *path, double *values);

/* The times of a run, into time[ntimes], which is shared; in a child of its own. */
enum status run_times_fill(const char *path, size_t ntimes, double *time);

/* Memory for `n` numbers that a child can fill; NULL after fail(). */
double *series_room_open(size_t n);
void series_room_close(double *room, size_t n);

#endif
