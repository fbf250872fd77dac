/* The figures of several simulations, read from their result files, and what is to be known about
 * where they come from: for commands that put runs beside each other. Serial, without MPI. */
#ifndef THRASH_COMMANDS_RUN_VALUES_H
#define THRASH_COMMANDS_RUN_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/status.h"

#define RUN_METRICS_MOST 320
#define RUN_TEXT_SIZE    512

enum run_better { RUN_BETTER_NEITHER, RUN_BETTER_HIGHER, RUN_BETTER_LOWER };

struct run_metric {
    char name[64];
    char unit[16];
    enum run_better better;
    double value; /* NaN: not available */
};

/* Of one file. Texts that are longer are cut. */
struct run_facts {
    char command[32];
    char verdict[64];
    double verdict_time; /* s of simulated time */
    bool valid, partial;
    char invalid_reasons[RUN_TEXT_SIZE]; /* one a line */
    char digest[DIGEST_TEXT_SIZE];
    char version[RUN_TEXT_SIZE]; /* "0.1.0 (revision)" */
    char host[RUN_TEXT_SIZE];    /* one a line */
    char compiler[RUN_TEXT_SIZE];
    double ranks;
    size_t nmetrics;
    struct run_metric metric[RUN_METRICS_MOST];
};

struct run_values {
    const char *path; /* the caller's */
    char *config;     /* the resolved scenario as YAML */
    struct run_facts facts;
};

/* Reads every file in a child process of its own: a damaged one must not take the others with it.
 *
 * The metrics of a run: first figures of the pressure phase (`pressure.pages_freed`,
 * `pressure.visits_per_page_freed`, ...), then /simulation/totals by their names, then
 * `performance.<name>`. Released with run_values_free(). To be called before HDF5 is first used. */
enum status run_values_read(char *const *paths, size_t n, struct run_values **runs_p);
void run_values_free(struct run_values *runs, size_t n); /* NULL is allowed */

/* NULL if the run has no such metric. */
const struct run_metric *run_metric_find(const struct run_facts *facts, const char *name);

/* The value of a metric, NaN where the run has none. */
double run_metric_value(const struct run_facts *facts, const char *name);

#endif
