#include "commands/collect_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands/collect_series.h"
#include "machine/recording.h"
#include "results/result_file.h"
#include "results/schema.h"

/* A label in a group, put together; `label` points into the struct. */
struct place_label {
    char path[RESULT_PATH_SIZE];
    struct h5_label label;
};

static const struct h5_label *label_in(struct place_label *built, const char *group,
                                       const char *name, const char *unit, const char *long_name)
{
    (void)snprintf(built->path, sizeof built->path, "%s/%s", group, name);
    built->label = (struct h5_label){built->path, unit, long_name};
    return &built->label;
}

static void put_coordinates(struct result *result, const struct collect_axes *axes,
                            const char *path)
{
    if (axes->coordinates[0] != '\0') {
        result_put_attribute(result, path, "coordinates", axes->coordinates);
    }
}

/* --- what the study is ----------------------------------------------------------------------- */

/* A text for each place. */
static void put_texts(struct result *result, const struct collection *collection, const char *group,
                      const char *name, const char *long_name, const char *const *texts)
{
    struct place_label built;
    const struct h5_array array = collect_axes_array(
        collection->axes, label_in(&built, group, name, "1", long_name), NUMBER_U32);
    result_put_texts(result, &array, texts);
    put_coordinates(result, collection->axes, built.path);
}

/* A code for each place, with what the codes mean: `nmeanings` words with blanks between them. */
static void put_codes(struct result *result, const struct collection *collection,
                      const struct h5_label *label, const uint32_t *codes, uint32_t nmeanings,
                      const char *meanings)
{
    uint32_t values[16];
    for (uint32_t i = 0; i < nmeanings; i++) {
        values[i] = i;
    }
    const struct h5_array array = collect_axes_array(collection->axes, label, NUMBER_U32);
    result_put_array(result, &array, codes);
    result_put_numbers_attribute(result, label->path, "flag_values", NUMBER_U32, nmeanings, values);
    result_put_attribute(result, label->path, "flag_meanings", meanings);
    put_coordinates(result, collection->axes, label->path);
}

static const char *state_name(const struct collect_place *place)
{
    return place->point == NULL ? "excluded" : point_state_name[place->state];
}

static void put_states(struct result *result, const struct collection *collection, uint32_t *codes)
{
    struct text meanings = {0};
    struct place_label built;
    for (size_t i = 0; i < POINT_STATES; i++) {
        text_append_format(&meanings, "%s ", point_state_name[i]);
    }
    text_append(&meanings, "excluded");
    for (size_t i = 0; i < collection->table->npositions; i++) {
        const struct collect_place *place = &collection->table->place[i];
        codes[i] = place->point == NULL ? POINT_STATES : (uint32_t)place->state;
    }
    put_codes(result, collection,
              label_in(&built, GROUP_STUDY, "state", "1",
                       "how far the point is; done and invalid have values"),
              codes, POINT_STATES + 1, text_string(&meanings));
    text_free(&meanings);
}

static void put_seeds(struct result *result, const struct collection *collection, uint64_t *seeds)
{
    struct place_label built;
    for (size_t i = 0; i < collection->table->npositions; i++) {
        const struct planned_point *point = collection->table->place[i].point;
        seeds[i] = point == NULL ? 0 : point->seed;
    }
    const struct h5_array array = collect_axes_array(
        collection->axes,
        label_in(&built, GROUP_STUDY, "run_seed", "1",
                 "seed of the run; 0 where a point is excluded"),
        NUMBER_U64);
    result_put_array(result, &array, seeds);
    put_coordinates(result, collection->axes, built.path);
}

static void put_place_texts(struct result *result, const struct collection *collection,
                            const char **texts)
{
    const struct collect_table *table = collection->table;
    for (size_t i = 0; i < table->npositions; i++) {
        const struct planned_point *point = table->place[i].point;
        texts[i] = point == NULL ? "" : point->point->name;
    }
    put_texts(result, collection, GROUP_STUDY, "point", "name of the point: runs/POINT.h5", texts);
    for (size_t i = 0; i < table->npositions; i++) {
        texts[i] = table->place[i].digest;
    }
    put_texts(result, collection, GROUP_STUDY, "digest", "digest of the run's result", texts);
    for (size_t i = 0; i < table->npositions; i++) {
        texts[i] = table->place[i].why == NULL ? "" : table->place[i].why;
    }
    put_texts(result, collection, GROUP_STUDY, "why", "why the point is missing or invalid", texts);
}

static void put_missing(struct result *result, const struct collection *collection)
{
    struct text lines = {0};
    for (size_t i = 0; i < collection->table->npositions; i++) {
        const struct collect_place *place = &collection->table->place[i];
        if (place->point != NULL && !place->taken) {
            text_append_format(&lines, "%s%s: %s%s%s", lines.size > 0 ? "\n" : "",
                               place->point->point->name, state_name(place),
                               place->why == NULL ? "" : ": ",
                               place->why == NULL ? "" : place->why);
        }
    }
    if (lines.failed) {
        result_give_up(result, fail(STATUS_FAILED, "%s: out of memory", collection->path));
    }
    result_put_text(result,
                    &(struct h5_label){GROUP_STUDY "/missing", "1",
                                       "points without values, one a line: name: state: why"},
                    text_string(&lines));
    text_free(&lines);
}

static void put_keys(struct result *result, const struct study *study)
{
    struct text lines = {0};
    for (size_t i = 0; i < study->naxes; i++) {
        text_append_format(&lines, "%s%s:", i > 0 ? "\n" : "", study->axis[i].key);
        for (size_t k = 0; k < study->axis[i].nvalues; k++) {
            text_append_format(&lines, " %s", study->axis[i].value[k]);
        }
    }
    if (lines.failed) {
        result_give_up(result, fail(STATUS_FAILED, "%s: out of memory", study->path));
    }
    result_put_text(
        result,
        &(struct h5_label){GROUP_STUDY "/axes", "1", "keys and values as the study has them"},
        text_string(&lines));
    text_free(&lines);
}

static void put_study(struct result *result, const struct collection *collection, void *scratch)
{
    const struct study *study = &collection->plan->study;
    result_put_group(result, GROUP_STUDY);
    collect_axes_put(result, collection->axes, GROUP_STUDY);
    const struct {
        const char *path, *long_name, *text;
    } texts[] = {
        {GROUP_STUDY "/name", "the study, -quick for its short form", collection->owner},
        {GROUP_STUDY "/title", "what it is about", study->title},
        {GROUP_STUDY "/directory", "where its runs were", collection->directory},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        result_put_text(result, &(struct h5_label){texts[i].path, "1", texts[i].long_name},
                        texts[i].text);
    }
    put_keys(result, study);
    result_put_count(result, &(struct h5_label){GROUP_STUDY "/points", "1", "points of the study"},
                     collection->table->npoints);
    result_put_count(result,
                     &(struct h5_label){GROUP_STUDY "/collected", "1", "points with values"},
                     collection->table->ntaken);
    put_missing(result, collection);
    put_states(result, collection, scratch);
    put_seeds(result, collection, scratch);
    put_place_texts(result, collection, scratch);
}

/* --- figures --------------------------------------------------------------------------------- */

static void put_metric(struct result *result, const struct collection *collection,
                       const struct collect_metric *metric)
{
    const struct run_item *item = &metric->item;
    struct place_label built;
    const struct h5_array array = collect_axes_array(
        collection->axes,
        label_in(&built, collect_group_into[item->group], item->name, item->unit, item->long_name),
        NUMBER_F64);
    result_put_array(result, &array, metric->value);
    if (item->kind[0] != '\0') {
        result_put_attribute(result, built.path, "kind", item->kind);
    }
    if (item->better[0] != '\0') {
        result_put_attribute(result, built.path, "better", item->better);
    }
    put_coordinates(result, collection->axes, built.path);
}

static void put_verdicts(struct result *result, const struct collection *collection,
                         uint32_t *codes, const char **texts)
{
    const struct collect_table *table = collection->table;
    struct text meanings = {0};
    struct place_label built;
    text_append(&meanings, "missing");
    for (int i = 0; i < VERDICT_COUNT; i++) {
        text_append_format(&meanings, " %s", verdict_name((enum verdict)i));
    }
    for (size_t i = 0; i < table->npositions; i++) {
        const struct collect_place *place = &table->place[i];
        codes[i] = place->taken ? place->verdict + 1 : 0;
    }
    put_codes(
        result, collection,
        label_in(&built, GROUP_SIMULATION, "verdict_code", "1", "how the run ended, as a number"),
        codes, VERDICT_COUNT + 1, text_string(&meanings));
    text_free(&meanings);
    for (size_t i = 0; i < table->npositions; i++) {
        const struct collect_place *place = &table->place[i];
        texts[i] = place->taken ? verdict_name((enum verdict)place->verdict) : "";
    }
    put_texts(result, collection, GROUP_SIMULATION, "verdict", "how the run ended; empty: missing",
              texts);
    for (size_t i = 0; i < table->npositions; i++) {
        const char *detail = table->place[i].verdict_detail;
        texts[i] = detail == NULL ? "" : detail;
    }
    put_texts(result, collection, GROUP_SIMULATION, "verdict_detail",
              "what failed, and who held what", texts);
}

static bool has_metric(const struct collect_table *table, const struct run_absence *absence)
{
    for (size_t i = 0; i < table->nmetrics; i++) {
        const struct run_item *item = &table->metric[i].item;
        if (item->group == absence->group && strcmp(item->name, absence->name) == 0) {
            return true;
        }
    }
    return false;
}

static void put_absences(struct result *result, const struct collection *collection,
                         enum collect_group group)
{
    const struct collect_table *table = collection->table;
    for (size_t i = 0; i < table->nabsences; i++) {
        const struct collect_absence *absence = &table->absence[i];
        const struct run_absence *first = &absence->first;
        if (first->group != group) {
            continue;
        }
        char reason[COLLECT_REASON_SIZE + 80];
        (void)snprintf(reason, sizeof reason, "not in %zu of %zu runs: %s", absence->nruns,
                       table->ntaken, first->reason);
        result_put_absence(result, collect_group_into[group], first->name,
                           has_metric(table, first) ? reason : first->reason);
    }
}

static bool has_group(const struct collect_table *table, enum collect_group group)
{
    for (size_t i = 0; i < table->nmetrics; i++) {
        if (table->metric[i].item.group == group) {
            return true;
        }
    }
    for (size_t i = 0; i < table->nabsences; i++) {
        if (table->absence[i].first.group == group) {
            return true;
        }
    }
    return group == COLLECT_SIMULATION ||
           (group == COLLECT_PERFORMANCE && has_group(table, COLLECT_MEMORY));
}

static void put_group(struct result *result, const struct collection *collection,
                      enum collect_group group, void *scratch)
{
    const struct collect_table *table = collection->table;
    const char *path = collect_group_into[group];
    if (!has_group(table, group)) {
        return;
    }
    result_put_group(result, path);
    collect_axes_put(result, collection->axes, path);
    put_absences(result, collection, group);
    if (group == COLLECT_SIMULATION) {
        put_verdicts(result, collection, scratch, scratch);
        result_put_absence(result, path, "per_cell", "stays with the runs");
    }
    for (size_t i = 0; i < table->nmetrics; i++) {
        if (table->metric[i].item.group == group && table->metric[i].value != NULL) {
            put_metric(result, collection, &table->metric[i]);
        }
    }
    if (group == COLLECT_SERIES) {
        collect_series_put(result, collection);
    }
}

/* --- the file -------------------------------------------------------------------------------- */

/* What makes the study this one: names and scenarios of all points. */
static enum status hash_study(const struct collection *collection, struct digest *hash_p)
{
    struct hash_stream *stream = NULL;
    enum status status = hash_open(&stream);
    for (size_t i = 0; status == STATUS_OK && i < collection->plan->study.npoints; i++) {
        const struct planned_point *point = &collection->plan->point[i];
        char text[DIGEST_TEXT_SIZE];
        digest_to_text(point->hash, text);
        hash_update(stream, point->point->name, strlen(point->point->name) + 1);
        hash_update(stream, text, sizeof text);
    }
    if (status == STATUS_OK) {
        *hash_p = hash_value(stream);
        hash_close(stream);
    }
    return status;
}

/* One reason that names the first invalid run; NULL if there is none. */
static const char *invalid_reason(const struct collection *collection, char *reason, size_t size)
{
    const struct collect_place *first = NULL;
    size_t n = 0;
    for (size_t i = 0; i < collection->table->npositions; i++) {
        const struct collect_place *place = &collection->table->place[i];
        if (place->taken && place->state == POINT_INVALID) {
            first = n++ == 0 ? place : first;
        }
    }
    if (first == NULL) {
        return NULL;
    }
    (void)snprintf(reason, size, "%zu of %zu results are marked invalid; %s: %s", n,
                   collection->table->ntaken, first->point->point->name,
                   first->why == NULL ? "" : first->why);
    return reason;
}

static void put_all(struct result *result, const struct collection *collection)
{
    const size_t n = collection->table->npositions;
    void *scratch = calloc(n + 1,
                           sizeof(uint64_t) > sizeof(char *) ? sizeof(uint64_t) : sizeof(char *));
    if (scratch == NULL) {
        result_give_up(result, fail(STATUS_FAILED, "%s: out of memory", collection->path));
        return;
    }
    put_study(result, collection, scratch);
    for (int group = 0; group < COLLECT_GROUPS; group++) {
        put_group(result, collection, (enum collect_group)group, scratch);
    }
    free(scratch);
}

enum status collection_write(const struct collection *collection, struct digest *digest_p)
{
    char reason[640];
    const char *invalid = invalid_reason(collection, reason, sizeof reason);
    struct result_header header = {
        .path = collection->path,
        .force = collection->replace,
        .command = "study collect",
        .config_resolved = collection->resolved,
        .config_source = collection->job_text,
        .provenance = collection->provenance,
        .invalid_reasons = &invalid,
        .ninvalid_reasons = invalid != NULL,
    };
    struct result *result = NULL;
    enum status status = hash_study(collection, &header.config_hash);
    if (status == STATUS_OK) {
        status = result_begin(MPI_COMM_SELF, &header, &result);
    }
    if (status != STATUS_OK) {
        return status;
    }
    put_all(result, collection);
    return result_finish(result, digest_p);
}
