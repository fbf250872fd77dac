#include "claims/outcome.h"

#include <math.h>
#include <string.h>

void outcome_free(struct outcome *outcome)
{
    recording_free(&outcome->recording);
}

static double in_unit(enum metric metric, uint64_t raw)
{
    double real;
    switch (metric_table[metric].form) {
    case FORM_TICKS:
        return sim_seconds(raw);
    case FORM_REAL:
        memcpy(&real, &raw, sizeof real);
        return real;
    case FORM_COUNT:
    default:
        return (double)raw;
    }
}

double outcome_total(const struct outcome *outcome, enum metric metric)
{
    const struct recording *recording = &outcome->recording;
    return in_unit(metric,
                   recording->machine[(recording->npoints - 1) * METRIC_COUNT + (size_t)metric]);
}

double outcome_at(const struct outcome *outcome, const char *name, size_t point)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (strcmp(metric_table[i].name, name) == 0) {
            return in_unit((enum metric)i, outcome->recording.machine[point * METRIC_COUNT + i]);
        }
    }
    return NAN;
}

double outcome_time(const struct outcome *outcome, size_t point)
{
    return sim_seconds(outcome->recording.time[point]);
}

double outcome_named(const struct outcome *outcome, const char *name)
{
    return outcome_at(outcome, name, outcome->recording.npoints - 1);
}

double outcome_peak(const struct outcome *outcome, enum metric metric)
{
    return in_unit(metric, outcome->recording.peak[metric]);
}

double outcome_pressure(const struct outcome *outcome, enum metric metric)
{
    const struct recording *recording = &outcome->recording;
    if (recording->pressure_began == TIME_NEVER) {
        return outcome_total(outcome, metric);
    }
    return outcome_total(outcome, metric) - in_unit(metric, recording->at_pressure[metric]);
}

double outcome_per(const struct outcome *outcome, enum metric a, enum metric b)
{
    const double divisor = outcome_pressure(outcome, b);
    return divisor > 0 ? outcome_pressure(outcome, a) / divisor : NAN;
}

static double per_freed(const struct outcome *outcome, double value)
{
    return value / fmax(outcome_pressure(outcome, METRIC_PAGES_FREED), 1);
}

double outcome_visits_per_freed(const struct outcome *outcome)
{
    return per_freed(outcome, outcome_pressure(outcome, METRIC_PTES_VISITED) +
                                  outcome_pressure(outcome, METRIC_RMAP_VISITS));
}

double outcome_faults_per_freed(const struct outcome *outcome)
{
    return per_freed(outcome, outcome_pressure(outcome, METRIC_MINOR_FAULTS));
}

double outcome_freed_per_second(const struct outcome *outcome)
{
    return outcome_per(outcome, METRIC_PAGES_FREED, METRIC_ELAPSED);
}

bool outcomes_freed_few(const struct outcome *const *outcomes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i] != NULL &&
            outcome_pressure(outcomes[i], METRIC_PAGES_FREED) >= OUTCOME_FREED_MIN) {
            return false;
        }
    }
    return true;
}

bool outcomes_made_few_laps(const struct outcome *const *outcomes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (outcomes[i] != NULL && outcome_total(outcomes[i], METRIC_LAPS) >= OUTCOME_LAPS_MIN) {
            return false;
        }
    }
    return true;
}
