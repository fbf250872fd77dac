#include "commands/collect_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/collect_run.h"
#include "commands/study_directory.h"
#include "results/guard.h"
#include "results/schema.h"

/* One series; `array` points into the struct. */
struct series {
    const struct run_item *item;
    char path[RESULT_PATH_SIZE];
    struct h5_array array;
    struct result_rows *rows;
};

struct all_series {
    struct result *result;
    const struct collection *collection;
    struct series_grid grid;
    const char **name;
    struct series *series;
    double *none;   /* [nseries][ntimes] of a run that has none: NaN */
    size_t nvalues; /* of one run */
    bool over;      /* no more rows are wanted: the file cannot be written */
};

static void give_up(const struct all_series *all)
{
    result_give_up(all->result,
                   fail(STATUS_FAILED, "%s: out of memory for its series", all->collection->path));
}

/* --- times ----------------------------------------------------------------------------------- */

/* A run with series, NULL if there is none. `agree_p`: all have the same times. */
static const struct collect_place *first_with_times(const struct collect_table *table,
                                                    bool *agree_p)
{
    const struct collect_place *first = NULL;
    *agree_p = true;
    for (size_t i = 0; i < table->npositions; i++) {
        const struct collect_place *place = &table->place[i];
        if (!place->taken || place->ntimes == 0) {
            continue;
        }
        first = first == NULL ? place : first;
        *agree_p = *agree_p && place->ntimes == first->ntimes &&
                   digest_equal(place->times, first->times);
    }
    return first;
}

static void make_even_times(struct all_series *all)
{
    const struct collect_table *table = all->collection->table;
    sim_time interval = 0;
    double end = 0;
    for (size_t i = 0; i < table->npositions; i++) {
        const struct collect_place *place = &table->place[i];
        if (place->taken) {
            interval = max_u64(interval, place->point->interval);
            end = fmax(end, place->end);
        }
    }
    size_t n = (size_t)(end / sim_seconds(interval));
    n += n == 0 || sim_seconds(n * interval) < end;
    all->grid.time = series_room_open(n);
    all->grid.ntimes = all->grid.time == NULL ? 0 : n;
    all->grid.interval = sim_seconds(interval);
    for (size_t i = 0; i < all->grid.ntimes; i++) {
        all->grid.time[i] = sim_seconds((i + 1) * interval);
    }
}

static enum status copy_times(struct all_series *all, const struct collect_place *first)
{
    char *path = study_result_path(all->collection->directory, first->point->point);
    all->grid.time = series_room_open(first->ntimes);
    all->grid.ntimes = all->grid.time == NULL ? 0 : first->ntimes;
    enum status status = path == NULL || all->grid.time == NULL
                             ? fail(STATUS_FAILED, "%s: out of memory for its series",
                                    all->collection->path)
                             : run_times_fill(path, all->grid.ntimes, all->grid.time);
    free(path);
    return status;
}

/* False where there are no times. */
static bool make_times(struct all_series *all)
{
    bool agree;
    const struct collect_place *first = first_with_times(all->collection->table, &agree);
    if (first == NULL) {
        result_put_absence(all->result, GROUP_SERIES, "time", "no run has completed an interval");
        return false;
    }
    enum status status = STATUS_OK;
    if (agree) {
        status = copy_times(all, first);
    } else {
        make_even_times(all);
        status = all->grid.time == NULL ? STATUS_FAILED : STATUS_OK;
    }
    if (status != STATUS_OK) {
        result_give_up(all->result, status);
        return false;
    }
    const struct h5_label label = {GROUP_SERIES "/time", "s",
                                   agree ? "simulated time at the end of each interval"
                                         : "simulated time; values are the last at or before it, "
                                           "since the runs have different times"};
    result_put_scale(all->result, &label, NUMBER_F64, all->grid.ntimes, all->grid.time);
    return true;
}

/* --- values ---------------------------------------------------------------------------------- */

static void begin_series(struct all_series *all, struct series *series, const struct run_item *item)
{
    const struct collect_axes *axes = all->collection->axes;
    (void)snprintf(series->path, sizeof series->path, GROUP_SERIES "/%s", item->name);
    const struct h5_label label = {series->path, item->unit, item->long_name};
    series->item = item;
    series->array = collect_axes_array(axes, &label, NUMBER_F64);
    series->array.shape[series->array.ndims] = all->grid.ntimes;
    series->array.scales[series->array.ndims] = "time";
    series->array.ndims++;
    series->rows = result_begin_rows(all->result, &series->array);
    if (axes->coordinates[0] != '\0') {
        result_put_attribute(all->result, series->path, "coordinates", axes->coordinates);
    }
}

static bool begin_all(struct all_series *all)
{
    const struct collect_table *table = all->collection->table;
    all->name = calloc(table->nmetrics + 1, sizeof *all->name);
    all->series = calloc(table->nmetrics + 1, sizeof *all->series);
    if (all->name == NULL || all->series == NULL) {
        give_up(all);
        return false;
    }
    for (size_t i = 0; i < table->nmetrics; i++) {
        const struct run_item *item = &table->metric[i].item;
        if (item->group == COLLECT_SERIES) {
            all->name[all->grid.nseries] = item->name;
            begin_series(all, &all->series[all->grid.nseries++], item);
        }
    }
    all->grid.name = all->name;
    all->nvalues = all->grid.nseries * all->grid.ntimes;
    all->none = malloc((all->nvalues + 1) * sizeof *all->none);
    if (all->none == NULL) {
        give_up(all);
        return false;
    }
    for (size_t i = 0; i < all->nvalues; i++) {
        all->none[i] = NAN;
    }
    return true;
}

static char *path_of(void *context, size_t i)
{
    const struct collection *collection = ((const struct all_series *)context)->collection;
    return study_result_path(collection->directory, collection->table->place[i].point->point);
}

static bool has_series(void *context, size_t i)
{
    const struct collect_place *place =
        &((const struct all_series *)context)->collection->table->place[i];
    return place->taken && place->ntimes > 0;
}

static enum status read_place(void *context, size_t i, void *room)
{
    const struct all_series *all = context;
    char *path = path_of(context, i);
    if (path == NULL) {
        return fail(STATUS_FAILED, "%s: out of memory for its series", all->collection->path);
    }
    enum status status = run_series_fill(&all->grid, path, room);
    free(path);
    return status;
}

static enum status put_place(void *context, size_t i, enum status status, void *room)
{
    struct all_series *all = context;
    const double *values = room == NULL ? all->none : room;
    (void)i;
    for (size_t s = 0; s < all->grid.nseries && status == STATUS_OK && !all->over; s++) {
        all->over = !result_put_row(all->series[s].rows, values + s * all->grid.ntimes);
    }
    return all->over ? STATUS_FAILED : status;
}

static void put_all(struct all_series *all)
{
    const enum status status = results_guarded_files(
        &(struct guarded_files){.n = all->collection->table->npositions,
                                .room = all->nvalues * sizeof(double),
                                .wanted = has_series,
                                .read = read_place,
                                .take = put_place,
                                .path = path_of,
                                .directory = all->collection->directory,
                                .context = all});
    if (status != STATUS_OK && !all->over) {
        result_give_up(all->result, status);
    }
}

void collect_series_put(struct result *result, const struct collection *collection)
{
    struct all_series all = {.result = result, .collection = collection};
    if (make_times(&all)) {
        if (begin_all(&all)) {
            put_all(&all);
        }
        for (size_t s = 0; s < all.grid.nseries; s++) {
            result_end_rows(all.series[s].rows);
        }
    }
    free(all.none);
    series_room_close(all.grid.time, all.grid.ntimes);
    free(all.series);
    free(all.name);
}
