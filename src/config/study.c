#include "config/study.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/units.h"
#include "config/source_file.h"
#include "config/study_read.h"
#include "config/yaml_reader.h"

#define RUN_RANKS          "run.ranks"
#define RUN_RANKS_PER_NODE "run.ranks_per_node"
#define RANKS_MOST         (UINT64_C(1) << 20)

/* --- names of points ------------------------------------------------------------------------ */

/* What is no letter, digit, point, plus or underscore becomes a dash. */
static void append_plain(struct text *text, const char *words)
{
    for (const char *at = words; *at != '\0'; at++) {
        const bool plain = isalnum((unsigned char)*at) || strchr(".+_-", *at) != NULL;
        text_append_bytes(text, plain ? at : "-", 1);
    }
}

/* "memory-4GiB_preset-linux-2.6.0_r1", cut and marked with a hash where it would be too long. */
static const char *point_name(const struct study *study, const struct study_point *point)
{
    struct text text = {0};
    for (size_t i = 0; i < study->naxes; i++) {
        text_append(&text, i == 0 ? "" : "_");
        append_plain(&text, study->axis[i].name);
        text_append(&text, "-");
        append_plain(&text, study_value(&study->axis[i], point));
    }
    if (study->repetitions > 1 || study->naxes == 0) {
        text_append_format(&text, "%sr%" PRIu64, study->naxes == 0 ? "" : "_", point->repetition);
    }
    if (text.size < STUDY_NAME_SIZE || text.failed) {
        return arena_keep(study->arena, &text);
    }
    char hash[DIGEST_TEXT_SIZE];
    digest_to_text(hash_bytes(text.chars, text.size), hash);
    struct text cut = {0};
    text_append_bytes(&cut, text.chars, STUDY_NAME_SIZE - 18);
    text_append_format(&cut, "_%.16s", hash);
    text_free(&text);
    return arena_keep(study->arena, &cut);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two values may be alike once their unusual characters are dashes. */
static enum status check_names(const struct study *study)
{
    const char **names = arena_alloc(study->arena, (study->npoints + 1) * sizeof *names);
    if (names == NULL) {
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < study->npoints; i++) {
        names[i] = study->point[i].name;
    }
    qsort(names, study->npoints, sizeof *names, by_name);
    for (size_t i = 1; i < study->npoints; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            return fail(STATUS_USAGE,
                        "%s: two points would have the same name, %s: expected values that differ "
                        "in letters or digits",
                        study->path, names[i]);
        }
    }
    return STATUS_OK;
}

/* --- ranks ---------------------------------------------------------------------------------- */

static enum status read_ranks(const char *key, const char *value, const struct node_place *at,
                              struct study_point *point)
{
    uint64_t *ranks = strcmp(key, RUN_RANKS) == 0            ? &point->ranks
                      : strcmp(key, RUN_RANKS_PER_NODE) == 0 ? &point->ranks_per_node
                                                             : NULL;
    if (ranks == NULL) {
        return strncmp(key, "run.", 4) != 0
                   ? STATUS_OK
                   : node_fail(at, "expected " RUN_RANKS " or " RUN_RANKS_PER_NODE ", found %s",
                               key);
    }
    char reason[UNITS_REASON_SIZE];
    if (units_parse_count(value, ranks, reason) != STATUS_OK) {
        return node_fail(at, "%s: %s", key, reason);
    }
    if (*ranks == 0 || *ranks > RANKS_MOST) {
        return node_fail(at, "%s: expected 1 to %" PRIu64 ", found %s", key, RANKS_MOST, value);
    }
    return STATUS_OK;
}

static enum status rank_point(const struct study *study, struct study_point *point)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < study->nsettings && status == STATUS_OK; i++) {
        const struct study_setting *setting = &study->setting[i];
        status = read_ranks(setting->key, setting->value, &setting->at, point);
    }
    for (size_t i = 0; i < study->naxes && status == STATUS_OK; i++) {
        const struct study_axis *axis = &study->axis[i];
        status = read_ranks(axis->key, study_value(axis, point), &axis->at, point);
    }
    return status;
}

/* --- points --------------------------------------------------------------------------------- */

static bool applies(const struct study_exclusion *exclusion, const struct study *study,
                    const struct study_point *point)
{
    for (size_t i = 0; i < exclusion->nparts; i++) {
        const struct study_exclusion_part *part = &exclusion->part[i];
        if (!part->excluded[point->position[study->axis[part->axis].dimension]]) {
            return false;
        }
    }
    return true;
}

/* The last dimension runs fastest. False after the last position. */
static bool next_position(const struct study *study, size_t position[STUDY_AXES_MOST])
{
    for (size_t i = study->ndimensions; i-- > 0;) {
        if (++position[i] < study->extent[i]) {
            return true;
        }
        position[i] = 0;
    }
    return false;
}

static enum status count_points(const struct study *study, size_t *count_p)
{
    size_t count = study->repetitions;
    for (size_t i = 0; i < study->ndimensions; i++) {
        if (__builtin_mul_overflow(count, study->extent[i], &count) || count > STUDY_POINTS_MOST) {
            return fail(STATUS_USAGE, "%s: expected at most %d points, repetitions included",
                        study->path, STUDY_POINTS_MOST);
        }
    }
    *count_p = count;
    return STATUS_OK;
}

static enum status add_point(struct study *study, struct study_point *points,
                             const struct study_point *at)
{
    for (uint64_t repetition = 0; repetition < study->repetitions; repetition++) {
        struct study_point *point = &points[study->npoints];
        *point = *at;
        point->repetition = repetition;
        point->name = point_name(study, point);
        if (point->name == NULL) {
            return STATUS_FAILED;
        }
        enum status status = rank_point(study, point);
        if (status != STATUS_OK) {
            return status;
        }
        study->npoints++;
    }
    return STATUS_OK;
}

static enum status check_exclusions(const struct study_text *text, const size_t *used)
{
    for (size_t i = 0; i < text->nexclusions; i++) {
        if (used[i] == 0) {
            return node_fail(&text->exclusion[i].at,
                             "exclude: expected values that meet in a point "
                             "that is not excluded before");
        }
    }
    return STATUS_OK;
}

static enum status lay_out(struct study *study, const struct study_text *text)
{
    size_t most = 0;
    enum status status = count_points(study, &most);
    if (status != STATUS_OK) {
        return status;
    }
    struct study_point *points = arena_alloc(study->arena, most * sizeof *points);
    size_t *used = arena_alloc(study->arena, (text->nexclusions + 1) * sizeof *used);
    if (points == NULL || used == NULL) {
        return STATUS_FAILED;
    }
    study->point = points;
    struct study_point at = {0};
    do {
        size_t exclusion = 0;
        while (exclusion < text->nexclusions && !applies(&text->exclusion[exclusion], study, &at)) {
            exclusion++;
        }
        if (exclusion < text->nexclusions) {
            used[exclusion]++;
        } else {
            status = add_point(study, points, &at);
        }
    } while (status == STATUS_OK && next_position(study, at.position));
    if (status == STATUS_OK) {
        status = check_exclusions(text, used);
    }
    if (status == STATUS_OK && study->npoints == 0) {
        status = fail(STATUS_USAGE, "%s: all points are excluded", study->path);
    }
    return status == STATUS_OK ? check_names(study) : status;
}

/* --- files ---------------------------------------------------------------------------------- */

static const char *stem_of(const char *path, struct config_arena *arena)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    struct text stem = {0};
    text_append(&stem, "");
    append_plain(&stem, name);
    if (dot != NULL && dot != name && !stem.failed) {
        stem.chars[dot - name] = '\0';
    }
    return arena_keep(arena, &stem);
}

static enum status load(const char *path, struct study *study)
{
    struct source_file file;
    struct config_node *root = NULL;
    struct study_text *text = arena_alloc(study->arena, sizeof *text);
    enum status status = text == NULL ? STATUS_FAILED
                                      : source_file_read(path, NULL, study->arena, &file);
    if (status == STATUS_OK) {
        study->path = file.path;
        study->stem = stem_of(file.path, study->arena);
        status = study->stem == NULL
                     ? STATUS_FAILED
                     : yaml_read_mapping(file.text, file.size, file.path, study->arena, &root);
    }
    if (status == STATUS_OK) {
        status = study_read(root, study, text);
    }
    return status == STATUS_OK ? lay_out(study, text) : status;
}

enum status study_load(const char *path, bool quick, struct study *study_p)
{
    struct study study = {.quick = quick};
    enum status status = arena_open(&study.arena);
    if (status != STATUS_OK) {
        return status;
    }
    status = load(path, &study);
    if (status != STATUS_OK) {
        arena_close(study.arena);
        return status;
    }
    *study_p = study;
    return STATUS_OK;
}

void study_free(struct study *study)
{
    arena_close(study->arena);
    *study = (struct study){0};
}

const char *study_value(const struct study_axis *axis, const struct study_point *point)
{
    return axis->value[point->position[axis->dimension]];
}

static enum status append_override(struct config_arena *arena, const char *key, const char *value,
                                   const char **settings, size_t *n)
{
    if (strncmp(key, "run.", 4) == 0) {
        return STATUS_OK;
    }
    struct text text = {0};
    text_append_format(&text, "%s=%s", key, value);
    const char *kept = arena_keep(arena, &text);
    if (kept == NULL) {
        return STATUS_FAILED;
    }
    settings[(*n)++] = kept;
    return STATUS_OK;
}

enum status study_overrides(const struct study *study, const struct study_point *point,
                            struct config_arena *arena, const char *const **settings_p,
                            size_t *nsettings_p)
{
    const char **settings = arena_alloc(arena,
                                        (study->nsettings + study->naxes + 1) * sizeof *settings);
    size_t n = 0;
    enum status status = settings == NULL ? STATUS_FAILED : STATUS_OK;
    for (size_t i = 0; i < study->nsettings && status == STATUS_OK; i++) {
        status = append_override(arena, study->setting[i].key, study->setting[i].value, settings,
                                 &n);
    }
    for (size_t i = 0; i < study->naxes && status == STATUS_OK; i++) {
        const struct study_axis *axis = &study->axis[i];
        status = append_override(arena, axis->key, study_value(axis, point), settings, &n);
    }
    if (status == STATUS_OK) {
        *settings_p = settings;
        *nsettings_p = n;
    }
    return status;
}
