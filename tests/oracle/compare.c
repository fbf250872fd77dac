#include "oracle/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/catalogue.h"
#include "engine/sim.h"

/* Where a counter of the oracle is, by the name of its metric. */
struct counterpart {
    const char *name;
    size_t offset;
};

static const struct counterpart counterparts[] = {
#define X(field) {#field, offsetof(struct counters, field)},
    COUNTER_TABLE(X) REAL_COUNTER_TABLE(X)
#undef X
};

static size_t offset_of(const char *name)
{
    for (size_t i = 0; i < sizeof counterparts / sizeof counterparts[0]; i++) {
        if (strcmp(counterparts[i].name, name) == 0) {
            return counterparts[i].offset;
        }
    }
    fprintf(stderr, "the oracle does not count %s\n", name);
    abort();
}

/* Real numbers are quotients of counters that were compared; only their last bits may differ. */
static bool equal(enum metric metric, uint64_t simulated, const struct counters *expected,
                  double *simulated_p, double *expected_p)
{
    const char *const at = (const char *)expected + offset_of(metric_table[metric].name);
    if (metric_table[metric].form != FORM_REAL) {
        uint64_t value;
        memcpy(&value, at, sizeof value);
        *simulated_p = (double)simulated;
        *expected_p = (double)value;
        return simulated == value;
    }
    memcpy(simulated_p, &simulated, sizeof *simulated_p);
    memcpy(expected_p, at, sizeof *expected_p);
    if (isnan(*simulated_p) || isnan(*expected_p)) {
        return isnan(*simulated_p) && isnan(*expected_p);
    }
    return fabs(*simulated_p - *expected_p) <= 1e-12 * fabs(*expected_p);
}

static bool same_values(const uint64_t *simulated, const struct counters *expected, sim_time time,
                        const char *where, char difference[512])
{
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        double a;
        double b;
        if (!equal((enum metric)metric, simulated[metric], expected, &a, &b)) {
            snprintf(difference, 512, "%s at %.9f s (%s): simulator %.17g, oracle %.17g",
                     metric_table[metric].name, (double)time / 1024e9, where, a, b);
            return false;
        }
    }
    return true;
}

bool compare_cell(const uint64_t *simulated, const struct counters *expected, char difference[512])
{
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        double a;
        double b;
        if (metric_table[metric].scope == SCOPE_CELL &&
            !equal((enum metric)metric, simulated[metric], expected, &a, &b)) {
            snprintf(difference, 512, "%s: simulator %.17g, oracle %.17g",
                     metric_table[metric].name, a, b);
            return false;
        }
    }
    return true;
}

static bool same_peaks(const struct recording *recording, const struct oracle_result *result,
                       char difference[512])
{
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        if (metric_table[metric].kind != METRIC_GAUGE || metric_table[metric].form == FORM_REAL) {
            continue;
        }
        uint64_t peak = 0;
        for (size_t i = 0; i < result->nsamples; i++) {
            uint64_t value;
            memcpy(&value,
                   (const char *)&result->samples[i].values + offset_of(metric_table[metric].name),
                   sizeof value);
            peak = max_u64(peak, value);
        }
        if (recording->peak[metric] != peak) {
            snprintf(difference, 512, "peak of %s: simulator %" PRIu64 ", oracle %" PRIu64,
                     metric_table[metric].name, recording->peak[metric], peak);
            return false;
        }
    }
    return true;
}

static bool same(const struct recording *recording, const struct oracle_result *result,
                 char difference[512])
{
    for (size_t i = 0; i < result->nsamples && i < recording->npoints; i++) {
        const struct oracle_sample *sample = &result->samples[i];
        if (recording->time[i] != sample->time) {
            snprintf(difference, 512, "sample %zu: simulator at %.9f s, oracle at %.9f s", i,
                     (double)recording->time[i] / 1024e9, (double)sample->time / 1024e9);
            return false;
        }
        if (!same_values(recording->machine + i * METRIC_COUNT, &sample->values, sample->time,
                         "sample", difference)) {
            return false;
        }
    }
    if (recording->npoints != result->nsamples) {
        snprintf(difference, 512, "simulator has %zu samples, oracle %zu", recording->npoints,
                 result->nsamples);
        return false;
    }
    if (strcmp(verdict_name(recording->verdict), oracle_end_name(result->end)) != 0 ||
        recording->verdict_time != result->end_time) {
        snprintf(difference, 512, "verdict: simulator %s at %.9f s, oracle %s at %.9f s",
                 verdict_name(recording->verdict), (double)recording->verdict_time / 1024e9,
                 oracle_end_name(result->end), (double)result->end_time / 1024e9);
        return false;
    }
    if (recording->ballast != result->ballast) {
        snprintf(difference, 512, "ballast: simulator %" PRIu64 ", oracle %" PRIu64,
                 recording->ballast, result->ballast);
        return false;
    }
    return same_values(recording->at_pressure, &result->at_pressure, recording->pressure_began,
                       "when pressure began", difference) &&
           same_peaks(recording, result, difference);
}

static void compare_scenario(const struct scenario *scenario, struct compared *compared)
{
    struct oracle_result result;
    oracle_run(scenario, &result);
    struct sim_result simulated;
    const struct sim_options options = {0};
    const enum status status = sim_run(scenario, MPI_COMM_SELF, &options, &simulated);
    compared->ran = !result.too_small;
    if (status != STATUS_OK) {
        compared->outcome = result.too_small ? COMPARED_TOO_SMALL : COMPARED_DIFFERENT;
        snprintf(compared->difference, sizeof compared->difference, "the simulator did not run: %s",
                 status_last_message());
        oracle_free(&result);
        return;
    }
    if (result.too_small) {
        compared->outcome = COMPARED_DIFFERENT;
        snprintf(compared->difference, sizeof compared->difference,
                 "the oracle has no room for the machine, the simulator runs it");
    } else {
        compared->last = result.samples[result.nsamples - 1].values;
        compared->end = result.end;
        compared->end_time = result.end_time;
        compared->loads_checked = result.loads_checked;
        compared->outcome = same(&simulated.recording, &result, compared->difference)
                                ? COMPARED_EQUAL
                                : COMPARED_DIFFERENT;
    }
    sim_result_free(&simulated);
    oracle_free(&result);
}

static enum status load(const char *yaml, struct scenario *scenario)
{
    struct catalogue_names names;
    const struct scenario_overrides none = {0};
    catalogue_fill(&names);
    return scenario_load_text(yaml, strlen(yaml), "random.yaml", &none, &names.catalogue, scenario);
}

void compare_yaml(const char *yaml, struct compared *compared_p)
{
    struct scenario scenario;
    *compared_p = (struct compared){.outcome = COMPARED_REFUSED};
    if (load(yaml, &scenario) == STATUS_OK) {
        compare_scenario(&scenario, compared_p);
        scenario_free(&scenario);
    } else {
        snprintf(compared_p->difference, sizeof compared_p->difference, "refused: %s",
                 status_last_message());
    }
}

static bool same_recording(const struct recording *a, const struct recording *b)
{
    const size_t values = a->npoints * METRIC_COUNT * sizeof *a->machine;
    return a->npoints == b->npoints && memcmp(a->machine, b->machine, values) == 0 &&
           memcmp(a->time, b->time, a->npoints * sizeof *a->time) == 0 &&
           memcmp(a->at_pressure, b->at_pressure, sizeof a->at_pressure) == 0 &&
           a->verdict == b->verdict && a->verdict_time == b->verdict_time &&
           a->ballast == b->ballast;
}

enum comparison compare_ways_to_populate(const char *yaml)
{
    struct scenario scenario;
    if (load(yaml, &scenario) != STATUS_OK) {
        return COMPARED_REFUSED;
    }
    struct sim_result results[2];
    size_t ran = 0;
    for (; ran < 2; ran++) {
        const struct sim_options options = {.populate_by_page = ran == 1};
        if (sim_run(&scenario, MPI_COMM_SELF, &options, &results[ran]) != STATUS_OK) {
            break;
        }
    }
    enum comparison outcome = ran == 0 ? COMPARED_TOO_SMALL : COMPARED_DIFFERENT;
    if (ran == 2 && same_recording(&results[0].recording, &results[1].recording)) {
        outcome = COMPARED_EQUAL;
    }
    while (ran > 0) {
        sim_result_free(&results[--ran]);
    }
    scenario_free(&scenario);
    return outcome;
}
