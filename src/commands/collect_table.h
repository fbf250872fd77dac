/* The figures of all runs of a study beside each other. */
#ifndef THRASH_COMMANDS_COLLECT_TABLE_H
#define THRASH_COMMANDS_COLLECT_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "commands/collect_axes.h"
#include "commands/collect_run.h"
#include "commands/study_state.h"

/* One figure of all runs, or a series that some of them have. */
struct collect_metric {
    struct run_item item; /* of the first run that has it; `value` means nothing */
    double *value;        /* [npositions], NaN where there is none; NULL for series */
    size_t nruns;         /* that have it */
};

/* What runs lack: the reason of the first that does. */
struct collect_absence {
    struct run_absence first;
    size_t nruns; /* that lack it */
};

/* A place of the arrays: a point, or one that the study excludes. */
struct collect_place {
    const struct planned_point *point; /* NULL: excluded */
    enum point_state state;
    char *why; /* NULL: nothing to say */
    bool taken;
    uint32_t verdict;     /* enum verdict; of a run that was taken */
    char *verdict_detail; /* NULL: nothing to say */
    char digest[DIGEST_TEXT_SIZE];
    uint64_t ntimes; /* as in struct run_reading */
    struct digest times;
    double end;
};

struct collect_table {
    size_t npositions;
    struct collect_place *place; /* [npositions] */
    size_t nmetrics;
    struct collect_metric *metric;
    size_t nabsences;
    struct collect_absence *absence;
    size_t ntaken;
    size_t npoints;
};

/* Reads all results of a study. What cannot be read is a place that is not taken, with its reason.
 * To be called before HDF5 is first used. Released with collect_table_free(). */
enum status collect_table_read(const char *directory, const struct study_plan *plan,
                               struct collect_table *table_p);
void collect_table_free(struct collect_table *table);

#endif
