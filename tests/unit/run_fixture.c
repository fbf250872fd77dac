#include "run_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "commands/catalogue.h"

#include <cmocka.h>

int run_fixture_open(void **state)
{
    (void)state;
    return MPI_Init(NULL, NULL) == MPI_SUCCESS ? 0 : -1;
}

int run_fixture_close(void **state)
{
    (void)state;
    return MPI_Finalize() == MPI_SUCCESS ? 0 : -1;
}

struct sim_result run_scenario(const char *text, const char *path, const char *const *sets)
{
    struct catalogue_names names;
    catalogue_fill(&names);
    struct scenario_overrides overrides = {sets, 0, NULL};
    while (sets != NULL && sets[overrides.nset] != NULL) {
        overrides.nset++;
    }
    struct scenario scenario;
    enum status status = text == NULL ? scenario_load(path, &overrides, &names.catalogue, &scenario)
                                      : scenario_load_text(text, strlen(text), path, &overrides,
                                                           &names.catalogue, &scenario);
    assert_int_equal(status, STATUS_OK);
    struct sim_options options = {.populate_by_page = false};
    struct sim_result result;
    assert_int_equal(sim_run(&scenario, MPI_COMM_SELF, &options, &result), STATUS_OK);
    scenario_free(&scenario);
    return result;
}

uint64_t result_count(const struct sim_result *result, enum metric metric)
{
    const struct recording *recording = &result->recording;
    return recording->machine[(recording->npoints - 1) * METRIC_COUNT + metric];
}

double result_real(const struct sim_result *result, enum metric metric)
{
    uint64_t value = result_count(result, metric);
    if (metric_table[metric].form == FORM_TICKS) {
        return (double)value / (1e9 * TICKS_PER_NS);
    }
    double real;
    memcpy(&real, &value, sizeof real);
    return real;
}

uint64_t pressure_count(const struct sim_result *result, enum metric metric)
{
    return result_count(result, metric) - result->recording.at_pressure[metric];
}
