#include "commands/collect_axes.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "config/scenario_option.h"
#include "results/schema.h"

#define REPETITION "repetition"

/* --- values ---------------------------------------------------------------------------------- */

static bool parse_time(const struct option_row *row, const char *spelled, double *value_p)
{
    char reason[UNITS_REASON_SIZE];
    sim_time time;
    enum status status = row->type == OPTION_COST ? units_parse_cost(spelled, &time, reason)
                                                  : units_parse_time(spelled, &time, reason);
    if (status == STATUS_OK) {
        *value_p = sim_seconds(time);
    }
    return status == STATUS_OK;
}

static bool parse_share(const char *spelled, double *value_p)
{
    char reason[UNITS_REASON_SIZE];
    share_ppb share;
    enum status status = units_parse_ratio(spelled, &share, reason);
    if (status == STATUS_OK) {
        *value_p = (double)share / 1e9;
    }
    return status == STATUS_OK;
}

static bool parse_whole(enum option_type type, const char *spelled, uint64_t *value_p)
{
    char reason[UNITS_REASON_SIZE];
    switch (type) {
    case OPTION_SIZE:
        return units_parse_size(spelled, value_p, reason) == STATUS_OK;
    case OPTION_RATE:
        return units_parse_rate(spelled, value_p, reason) == STATUS_OK;
    default:
        return units_parse_count(spelled, value_p, reason) == STATUS_OK;
    }
}

static bool parse_value(const struct option_row *row, const char *spelled, size_t i, void *values)
{
    switch (row->type) {
    case OPTION_TIME:
    case OPTION_COST:
        return parse_time(row, spelled, (double *)values + i);
    case OPTION_SHARE:
        return parse_share(spelled, (double *)values + i);
    case OPTION_SIZE:
    case OPTION_RATE:
    case OPTION_COUNT:
        return parse_whole(row->type, spelled, (uint64_t *)values + i);
    default:
        return false;
    }
}

static const char *unit_of(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_SIZE:
        return "byte";
    case OPTION_RATE:
        return "byte/s";
    case OPTION_TIME:
    case OPTION_COST:
        return "s";
    default:
        return "1";
    }
}

/* What run.ranks and run.ranks_per_node are. */
static const struct option_row ranks_row = {
    .key = "run", .type = OPTION_COUNT, .help = "of the MPI program; changes no result"};

static enum status read_values(const struct study_axis *axis, const struct option_row *row,
                               struct config_arena *arena, struct collect_axis *into)
{
    void *values = arena_alloc(arena, (axis->nvalues + 1) * sizeof(uint64_t));
    if (values == NULL) {
        return STATUS_FAILED;
    }
    into->is_text = row == NULL;
    for (size_t i = 0; i < axis->nvalues && !into->is_text; i++) {
        into->is_text = !parse_value(row, axis->value[i], i, values);
    }
    const bool real = row != NULL && (row->type == OPTION_TIME || row->type == OPTION_COST ||
                                      row->type == OPTION_SHARE);
    into->values = into->is_text ? (const void *)axis->value : values;
    into->type = real ? NUMBER_F64 : NUMBER_U64;
    into->unit = into->is_text ? "1" : unit_of(row);
    return STATUS_OK;
}

/* --- names ----------------------------------------------------------------------------------- */

static bool is_taken(const char *name, const char *const *taken, size_t ntaken)
{
    static const char *const always[] = {REPETITION, "time"};
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        if (strcmp(name, always[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < ntaken; i++) {
        if (strcmp(name, taken[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "machine-memory", "axis-seed": no name of data has a dash in it. */
static const char *whole_key(const char *key, struct config_arena *arena)
{
    struct text text = {0};
    text_append_format(&text, "%s%s", strchr(key, '.') == NULL ? "axis-" : "", key);
    char *name = arena_keep(arena, &text);
    for (char *at = name; at != NULL && *at != '\0'; at++) {
        *at = *at == '.' || *at == '/' ? '-' : *at;
    }
    return name;
}

static enum status make_axis(const struct study_axis *axis, const struct option_row *row,
                             const char *const *taken, size_t ntaken, struct config_arena *arena,
                             struct collect_axis *into)
{
    struct text long_name = {0};
    text_append_format(&long_name, "%s%s%s", axis->key, row == NULL ? "" : ": ",
                       row == NULL ? "" : row->help);
    *into = (struct collect_axis){.name = is_taken(axis->name, taken, ntaken) ||
                                                  strchr(axis->name, '/') != NULL
                                              ? whole_key(axis->key, arena)
                                              : axis->name,
                                  .long_name = arena_keep(arena, &long_name),
                                  .n = axis->nvalues,
                                  .dimension = (unsigned)axis->dimension};
    return into->name == NULL || into->long_name == NULL ? STATUS_FAILED
                                                         : read_values(axis, row, arena, into);
}

/* --- scales ---------------------------------------------------------------------------------- */

static bool values_differ(const struct study_axis *axis)
{
    for (size_t i = 0; i < axis->nvalues; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(axis->value[i], axis->value[k]) == 0) {
                return false;
            }
        }
    }
    return true;
}

static size_t scale_of(const struct study *study, size_t dimension)
{
    size_t first = STUDY_AXES_MOST;
    for (size_t i = 0; i < study->naxes; i++) {
        if (study->axis[i].dimension == dimension) {
            first = first == STUDY_AXES_MOST ? i : first;
            if (values_differ(&study->axis[i])) {
                return i;
            }
        }
    }
    return first;
}

static enum status lay_out(struct collect_axes *axes)
{
    const struct study *study = axes->study;
    struct text coordinates = {0};
    axes->npositions = study->repetitions;
    for (size_t d = 0; d < study->ndimensions; d++) {
        struct collect_axis *scale = &axes->axis[scale_of(study, d)];
        scale->is_scale = true;
        axes->shape[d] = study->extent[d];
        axes->scales[d] = scale->name;
        axes->npositions *= study->extent[d];
    }
    axes->shape[study->ndimensions] = study->repetitions;
    axes->scales[study->ndimensions] = REPETITION;
    axes->ndims = (unsigned)study->ndimensions + 1;
    text_append(&coordinates, "");
    for (size_t i = 0; i < study->naxes; i++) {
        if (!axes->axis[i].is_scale) {
            text_append_format(&coordinates, "%s%s", coordinates.size > 0 ? " " : "",
                               axes->axis[i].name);
        }
    }
    axes->coordinates = arena_keep(study->arena, &coordinates);
    return axes->coordinates == NULL ? STATUS_FAILED : STATUS_OK;
}

enum status collect_axes_make(const struct study *study, const struct scenario *scenario,
                              const struct catalogue *catalogue, const char *const *taken,
                              size_t ntaken, struct collect_axes *axes_p)
{
    *axes_p = (struct collect_axes){.study = study};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < study->naxes && status == STATUS_OK; i++) {
        const struct study_axis *axis = &study->axis[i];
        const struct option_row *row = strncmp(axis->key, "run.", 4) == 0
                                           ? &ranks_row
                                           : scenario_option(scenario, catalogue, axis->key);
        status = make_axis(axis, row, taken, ntaken, study->arena, &axes_p->axis[i]);
    }
    return status == STATUS_OK ? lay_out(axes_p) : status;
}

/* --- writing --------------------------------------------------------------------------------- */

static void put_axis(struct result *result, const struct collect_axes *axes,
                     const struct collect_axis *axis, const char *group)
{
    char path[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", group, axis->name);
    const struct h5_label label = {path, axis->unit, axis->long_name};
    const struct h5_array array = {.label = label,
                                   .type = axis->type,
                                   .ndims = 1,
                                   .shape = {axis->n},
                                   .scales = {axes->scales[axis->dimension]}};
    if (axis->is_scale && axis->is_text) {
        result_put_text_scale(result, &label, axis->n, axis->values);
    } else if (axis->is_scale) {
        result_put_scale(result, &label, axis->type, axis->n, axis->values);
    } else if (axis->is_text) {
        result_put_texts(result, &array, axis->values);
    } else {
        result_put_array(result, &array, axis->values);
    }
}

static void put_repetition(struct result *result, const struct collect_axes *axes,
                           const char *group)
{
    char path[RESULT_PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/" REPETITION, group);
    const uint64_t n = axes->study->repetitions;
    uint64_t *number = arena_alloc(axes->study->arena, n * sizeof *number);
    if (number == NULL) {
        result_give_up(result, STATUS_FAILED);
        return;
    }
    for (uint64_t i = 0; i < n; i++) {
        number[i] = i;
    }
    const struct h5_label label = {path, "1", "added to the seed of the point"};
    result_put_scale(result, &label, NUMBER_U64, n, number);
}

void collect_axes_put(struct result *result, const struct collect_axes *axes, const char *group)
{
    for (int scales = 1; scales >= 0; scales--) { /* what others lie along comes first */
        for (size_t i = 0; i < axes->study->naxes; i++) {
            if (axes->axis[i].is_scale == (scales == 1)) {
                put_axis(result, axes, &axes->axis[i], group);
            }
        }
    }
    put_repetition(result, axes, group);
}

struct h5_array collect_axes_array(const struct collect_axes *axes, const struct h5_label *label,
                                   enum number_type type)
{
    struct h5_array array = {.label = *label, .type = type, .ndims = axes->ndims};
    memcpy(array.shape, axes->shape, sizeof array.shape);
    memcpy(array.scales, axes->scales, sizeof array.scales);
    return array;
}
