#include "commands/study_plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "commands/catalogue.h"
#include "config/scenario.h"
#include "designs/designs.h"
#include "engine/predict.h"

/* Says what a point was refused for, with its name: the sentence alone would speak of a --set that
 * nobody wrote. */
static enum status blame(const struct study *study, const struct study_point *point,
                         enum status status)
{
    return fail(status, "%s: the point %s is refused, nothing was run: %s", study->path,
                point->name, status_last_message());
}

static enum status load_point(const struct study *study, const struct planned_point *planned,
                              const struct catalogue *catalogue, struct scenario *scenario_p)
{
    const struct scenario_overrides overrides = {.set = planned->setting,
                                                 .nset = planned->nsettings};
    return scenario_load(study->base, &overrides, catalogue, scenario_p);
}

/* A repetition has the seed of its point, which the scenario knows, and its number added to it. */
static enum status add_seed(struct study *study, struct planned_point *planned,
                            const struct scenario *scenario)
{
    const char **setting = arena_alloc(study->arena, (planned->nsettings + 1) * sizeof *setting);
    struct text text = {0};
    if (setting == NULL) {
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < planned->nsettings; i++) {
        setting[i] = planned->setting[i];
    }
    text_append_format(&text, "seed=%" PRIu64, scenario->seed + planned->point->repetition);
    setting[planned->nsettings] = arena_keep(study->arena, &text);
    if (setting[planned->nsettings] == NULL) {
        return STATUS_FAILED;
    }
    planned->setting = setting;
    planned->nsettings++;
    return STATUS_OK;
}

static enum status weigh(const struct scenario *scenario, struct planned_point *planned)
{
    struct prediction prediction;
    struct design design;
    enum status status = design_resolve(scenario, &design);
    if (status == STATUS_OK) {
        status = predict(scenario, (int)planned->ranks, &prediction);
    }
    if (status == STATUS_OK) {
        const uint64_t cells = scenario->machine.cells;
        const uint64_t working = planned->ranks < cells ? planned->ranks : cells;
        planned->bytes = prediction.total;
        planned->seconds = prediction.seconds / (double)working;
        planned->seed = scenario->seed;
        planned->interval = scenario->output.interval;
        planned->hash = scenario->hash;
    }
    return status;
}

static enum status plan_point(struct study *study, const struct study_point *point,
                              const struct catalogue *catalogue, struct planned_point *planned)
{
    *planned = (struct planned_point){.point = point,
                                      .ranks = point->ranks > 0 ? point->ranks : 1,
                                      .ranks_per_node = point->ranks_per_node};
    struct scenario scenario;
    enum status status = study_overrides(study, point, study->arena, &planned->setting,
                                         &planned->nsettings);
    if (status == STATUS_OK) {
        status = load_point(study, planned, catalogue, &scenario);
    }
    if (status == STATUS_OK && point->repetition > 0) {
        status = add_seed(study, planned, &scenario);
        scenario_free(&scenario);
        if (status == STATUS_OK) {
            status = load_point(study, planned, catalogue, &scenario);
        }
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = weigh(&scenario, planned);
    scenario_free(&scenario);
    return status;
}

static int compare_counts(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* By all that tells two runs apart; of what is no part of the scenario's hash only how often the
 * series have a point changes a result. */
static int compare_points(const void *a, const void *b)
{
    const struct planned_point *x = *(const struct planned_point *const *)a;
    const struct planned_point *y = *(const struct planned_point *const *)b;
    int order = compare_counts(x->hash.high, y->hash.high);
    order = order != 0 ? order : compare_counts(x->hash.low, y->hash.low);
    order = order != 0 ? order : compare_counts(x->ranks, y->ranks);
    order = order != 0 ? order : compare_counts(x->ranks_per_node, y->ranks_per_node);
    return order != 0 ? order : compare_counts(x->interval, y->interval);
}

/* Values that are spelled differently and mean the same (1GiB, 1024MiB), or seeds of an axis that
 * are those of repetitions, too: what would count as another run would be the same once more. */
static enum status refuse_twins(const struct study_plan *plan)
{
    const size_t n = plan->study.npoints;
    const struct planned_point **sorted = calloc(n + 1, sizeof *sorted);
    enum status status = STATUS_OK;
    if (sorted == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for %zu points", plan->study.path, n);
    }
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &plan->point[i];
    }
    qsort(sorted, n, sizeof *sorted, compare_points);
    for (size_t i = 1; i < n && status == STATUS_OK; i++) {
        if (compare_points(&sorted[i - 1], &sorted[i]) == 0) {
            status = fail(STATUS_USAGE,
                          "%s: the points %s and %s are the same run: the same scenario, seed and "
                          "ranks",
                          plan->study.path, sorted[i - 1]->point->name, sorted[i]->point->name);
        }
    }
    free(sorted);
    return status;
}

enum status study_plan_load(const char *path, bool quick, struct study_plan *plan_p)
{
    struct catalogue_names names;
    struct study_plan plan = {0};
    catalogue_fill(&names);
    enum status status = study_load(path, quick, &plan.study);
    if (status != STATUS_OK) {
        return status;
    }
    plan.point = calloc(plan.study.npoints, sizeof *plan.point);
    if (plan.point == NULL) {
        status = fail(STATUS_FAILED, "%s: out of memory for %zu points", path, plan.study.npoints);
    }
    for (size_t i = 0; i < plan.study.npoints && status == STATUS_OK; i++) {
        const struct study_point *point = &plan.study.point[i];
        const int quiet = status_set_quiet(1);
        status = plan_point(&plan.study, point, &names.catalogue, &plan.point[i]);
        (void)status_set_quiet(quiet);
        if (status != STATUS_OK) {
            status = blame(&plan.study, point, status);
        }
    }
    if (status == STATUS_OK) {
        status = refuse_twins(&plan);
    }
    if (status == STATUS_OK) {
        *plan_p = plan;
    } else {
        study_plan_free(&plan);
    }
    return status;
}

void study_plan_free(struct study_plan *plan)
{
    free(plan->point);
    study_free(&plan->study);
    *plan = (struct study_plan){0};
}
