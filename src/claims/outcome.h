/* What a run of a claim gave, as far as claims look at it. */
#ifndef THRASH_CLAIMS_OUTCOME_H
#define THRASH_CLAIMS_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "machine/recording.h"

struct outcome {
    /* Machine-wide only: per_cell is NULL. Has at least one point. */
    struct recording recording;
    struct digest digest;      /* of /simulation, as a result file of the run would have it */
    struct digest config_hash; /* of the scenario */
    double memory;             /* bytes of the machine */
    double wall;               /* seconds that it took */
};

void outcome_free(struct outcome *outcome);

/* The value of a metric at the end, in its unit; of a gauge also its peak over all samples. */
double outcome_total(const struct outcome *outcome, enum metric metric);
double outcome_peak(const struct outcome *outcome, enum metric metric);

/* The value of a metric, by its name, at a point of the series, and the time of the point in
 * seconds. */
double outcome_at(const struct outcome *outcome, const char *name, size_t point);
double outcome_time(const struct outcome *outcome, size_t point);

/* The value at the end, by name, for metrics that not every build has; NaN where there is none. */
double outcome_named(const struct outcome *outcome, const char *name);

/* What a counter has counted in the pressure phase, or the whole run if it has none. */
double outcome_pressure(const struct outcome *outcome, enum metric metric);

/* A quotient of such; NaN where the divisor is 0. */
double outcome_per(const struct outcome *outcome, enum metric a, enum metric b);

/* Visits of ptes and chains per page freed in the pressure phase; where none was freed, all visits:
 * a lower bound. */
double outcome_visits_per_freed(const struct outcome *outcome);

/* Likewise for minor faults, and pages freed per second. */
double outcome_faults_per_freed(const struct outcome *outcome);
double outcome_freed_per_second(const struct outcome *outcome);

/* Whether runs do not allow a verdict: none of them freed 100 pages; for rows that compare laps
 * also: none made five. NULLs are passed over. */
bool outcomes_freed_few(const struct outcome *const *outcomes, size_t n);
bool outcomes_made_few_laps(const struct outcome *const *outcomes, size_t n);
#define OUTCOME_LAPS_MIN  5
#define OUTCOME_FREED_MIN 100

#endif
