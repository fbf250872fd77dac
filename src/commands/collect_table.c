#include "commands/collect_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/study_directory.h"
#include "commands/study_queue.h"
#include "machine/recording.h"
#include "results/guard.h"

static enum status out_of_memory(const struct study_plan *plan)
{
    return fail(STATUS_FAILED, "%s: out of memory for its results", plan->study.path);
}

/* --- figures --------------------------------------------------------------------------------- */

static bool same_figure(const struct run_item *a, const struct run_item *b)
{
    return a->group == b->group && strcmp(a->name, b->name) == 0;
}

/* Most runs have the same figures in the same order: the search begins at `guess`. */
static struct collect_metric *find_metric(const struct collect_table *table,
                                          const struct run_item *item, size_t guess)
{
    for (size_t i = 0; i < table->nmetrics; i++) {
        struct collect_metric *metric = &table->metric[(guess + i) % table->nmetrics];
        if (same_figure(&metric->item, item)) {
            return metric;
        }
    }
    return NULL;
}

static struct collect_metric *add_metric(struct collect_table *table, const struct run_item *item)
{
    struct collect_metric *grown = realloc(table->metric, (table->nmetrics + 1) * sizeof *grown);
    if (grown == NULL) {
        return NULL;
    }
    table->metric = grown;
    struct collect_metric *metric = &grown[table->nmetrics];
    *metric = (struct collect_metric){.item = *item};
    if (item->group != COLLECT_SERIES) {
        metric->value = malloc(table->npositions * sizeof *metric->value);
        if (metric->value == NULL) {
            return NULL;
        }
        for (size_t i = 0; i < table->npositions; i++) {
            metric->value[i] = NAN;
        }
    }
    table->nmetrics++;
    return metric;
}

/* Numbers of different units do not go into one array. */
static bool units_agree(const struct collect_table *table, const struct run_reading *reading,
                        char why[400])
{
    for (size_t i = 0; i < reading->nitems; i++) {
        const struct run_item *item = &reading->item[i];
        const struct collect_metric *metric = find_metric(table, item, i);
        if (metric != NULL && strcmp(metric->item.unit, item->unit) != 0) {
            (void)snprintf(why, 400, "%s/%s is in %s, that of the runs before it in %s",
                           collect_group_path[item->group], item->name, item->unit,
                           metric->item.unit);
            return false;
        }
    }
    return true;
}

static bool add_absence(struct collect_table *table, const struct run_absence *absence)
{
    for (size_t i = 0; i < table->nabsences; i++) {
        struct collect_absence *known = &table->absence[i];
        if (known->first.group == absence->group && strcmp(known->first.name, absence->name) == 0) {
            known->nruns++;
            return true;
        }
    }
    struct collect_absence *grown = realloc(table->absence, (table->nabsences + 1) * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    table->absence = grown;
    grown[table->nabsences++] = (struct collect_absence){.first = *absence, .nruns = 1};
    return true;
}

static bool take_figures(struct collect_table *table, const struct run_reading *reading,
                         size_t position)
{
    for (size_t i = 0; i < reading->nitems; i++) {
        const struct run_item *item = &reading->item[i];
        struct collect_metric *metric = find_metric(table, item, i);
        metric = metric == NULL ? add_metric(table, item) : metric;
        if (metric == NULL) {
            return false;
        }
        metric->nruns++;
        if (metric->value != NULL) {
            metric->value[position] = item->value;
        }
    }
    for (size_t i = 0; i < reading->nabsences; i++) {
        if (!add_absence(table, &reading->absence[i])) {
            return false;
        }
    }
    return true;
}

/* --- runs ------------------------------------------------------------------------------------ */

/* VERDICT_COUNT if it is none. */
static enum verdict verdict_of(const char *name)
{
    int verdict = 0;
    while (verdict < VERDICT_COUNT && strcmp(name, verdict_name((enum verdict)verdict)) != 0) {
        verdict++;
    }
    return (enum verdict)verdict;
}

static bool refuse(struct collect_place *place, const char *why)
{
    place->state = POINT_FOREIGN;
    free(place->why);
    place->why = strdup(why);
    return place->why != NULL;
}

/* False when out of memory. */
static bool take_run(struct collect_table *table, struct run_reading *reading, size_t position)
{
    struct collect_place *place = &table->place[position];
    const enum verdict verdict = verdict_of(reading->verdict);
    if (reading->why[0] == '\0' && verdict == VERDICT_COUNT) {
        (void)snprintf(reading->why, sizeof reading->why, "its verdict is \"%s\", which is none",
                       reading->verdict);
    }
    if (reading->why[0] != '\0' || !units_agree(table, reading, reading->why)) {
        return refuse(place, reading->why);
    }
    place->taken = true;
    place->verdict = verdict;
    place->verdict_detail = reading->verdict_detail[0] == '\0' ? NULL
                                                               : strdup(reading->verdict_detail);
    if (reading->verdict_detail[0] != '\0' && place->verdict_detail == NULL) {
        return false;
    }
    place->ntimes = reading->ntimes;
    place->times = reading->times;
    place->end = reading->end;
    memcpy(place->digest, reading->digest, sizeof place->digest);
    table->ntaken++;
    return take_figures(table, reading, position);
}

/* Reading all runs. */
struct runs {
    const char *directory;
    const struct study_plan *plan;
    struct collect_table *table;
};

static char *path_of(void *context, size_t i)
{
    const struct runs *runs = context;
    return study_result_path(runs->directory, runs->table->place[i].point->point);
}

static bool has_result(void *context, size_t i)
{
    const struct collect_place *place = &((const struct runs *)context)->table->place[i];
    return place->point != NULL && (place->state == POINT_DONE || place->state == POINT_INVALID);
}

static enum status read_run(void *context, size_t i, void *room)
{
    char *path = path_of(context, i);
    if (path == NULL) {
        return out_of_memory(((const struct runs *)context)->plan);
    }
    run_reading_fill(room, path);
    free(path);
    return STATUS_OK;
}

static enum status take_reading(void *context, size_t i, enum status status, void *room)
{
    const struct runs *runs = context;
    struct run_reading *reading = room;
    if (reading == NULL) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) { /* what is left there is of no use for the next */
        memset(reading, 0, sizeof *reading);
        (void)snprintf(reading->why, sizeof reading->why, "%.390s", status_last_message());
    }
    return take_run(runs->table, reading, i) ? STATUS_OK : out_of_memory(runs->plan);
}

static enum status read_runs(const char *directory, const struct study_plan *plan,
                             struct collect_table *table)
{
    struct runs runs = {directory, plan, table};
    return results_guarded_files(&(struct guarded_files){.n = table->npositions,
                                                         .room = sizeof(struct run_reading),
                                                         .wanted = has_result,
                                                         .read = read_run,
                                                         .take = take_reading,
                                                         .path = path_of,
                                                         .directory = directory,
                                                         .context = &runs});
}

/* --- places ---------------------------------------------------------------------------------- */

static size_t position_of(const struct study *study, const struct study_point *point)
{
    size_t position = 0;
    for (size_t d = 0; d < study->ndimensions; d++) {
        position = position * study->extent[d] + point->position[d];
    }
    return position * study->repetitions + point->repetition;
}

static enum status lay_out(const struct study_plan *plan, const struct point_status *found,
                           struct collect_table *table)
{
    table->npositions = plan->study.repetitions;
    table->npoints = plan->study.npoints;
    for (size_t d = 0; d < plan->study.ndimensions; d++) {
        table->npositions *= plan->study.extent[d];
    }
    table->place = calloc(table->npositions, sizeof *table->place);
    if (table->place == NULL) {
        return out_of_memory(plan);
    }
    for (size_t i = 0; i < plan->study.npoints; i++) {
        const struct planned_point *point = &plan->point[i];
        struct collect_place *place = &table->place[position_of(&plan->study, point->point)];
        place->point = point;
        place->state = found[i].state;
        place->why = found[i].why[0] == '\0' ? NULL : strdup(found[i].why);
        if (found[i].why[0] != '\0' && place->why == NULL) {
            return out_of_memory(plan);
        }
    }
    return STATUS_OK;
}

enum status collect_table_read(const char *directory, const struct study_plan *plan,
                               struct collect_table *table_p)
{
    struct collect_table table = {0};
    struct point_status *found = NULL;
    struct study_queue queue;
    enum status status = study_look_everywhere(directory, plan, &queue, &found);
    if (status == STATUS_OK) {
        study_queue_free(&queue);
        status = lay_out(plan, found, &table);
        free(found);
    }
    if (status == STATUS_OK) {
        status = read_runs(directory, plan, &table);
    }
    if (status == STATUS_OK) {
        *table_p = table;
    } else {
        collect_table_free(&table);
    }
    return status;
}

void collect_table_free(struct collect_table *table)
{
    for (size_t i = 0; table->place != NULL && i < table->npositions; i++) {
        free(table->place[i].why);
        free(table->place[i].verdict_detail);
    }
    for (size_t i = 0; i < table->nmetrics; i++) {
        free(table->metric[i].value);
    }
    free(table->place);
    free(table->metric);
    free(table->absence);
    *table = (struct collect_table){0};
}
